package ceremony

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// engine is a CSCA that decides some things itself, as a PKI engine does.
type engine struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	change      func(*x509.Certificate)
	changeList  func(*x509.RevocationList)
	verbatim    bool
}

func (e *engine) Certificate(context.Context) (*x509.Certificate, error) { return e.certificate, nil }

func (e *engine) Verbatim() bool { return e.verbatim }

func (e *engine) Certify(_ context.Context, template *x509.Certificate, request *x509.CertificateRequest) (*x509.Certificate, error) {
	changed := *template
	changed.PublicKey = request.PublicKey
	e.change(&changed)
	return createCertificate(&changed, e.certificate, changed.PublicKey, e.key)
}

func (e *engine) RevocationList(_ context.Context, template *x509.RevocationList) (*x509.RevocationList, error) {
	changed := *template
	e.changeList(&changed)
	der, err := x509.CreateRevocationList(rand.Reader, &changed, e.certificate, e.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}

// newEngine makes an engine and the issuer member that names it.
func newEngine(s *site) (*engine, content) {
	s.t.Helper()
	certificate, issuer := s.csca()
	e := &engine{
		certificate: certificate, key: s.keys.keys[keystore.Ref{Label: "csca", Version: 1}],
		change: func(*x509.Certificate) {}, changeList: func(*x509.RevocationList) {},
	}
	return e, issuer.with(content{"engine": "vault-pki", "label": nil, "version": nil})
}

func (s *site) perform(e *engine, file content) (*Plan, error) {
	s.t.Helper()
	plan, err := s.prepare(file)
	if err != nil {
		s.t.Fatal(describe(err))
	}
	tools := s.tools()
	tools.PKI = e
	_, err = plan.Perform(s.t.Context(), tools)
	return plan, err
}

func otherKey(c *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c.PublicKey = &key.PublicKey
}

func TestEngineMayChooseSerialAndBeginAlone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change   func(*x509.Certificate)
		verbatim bool
		want     error // nil: may
	}{
		"nothing":           {change: func(*x509.Certificate) {}},
		"serial":            {change: func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(3), 100) }},
		"begin":             {change: func(c *x509.Certificate) { c.NotBefore = c.NotBefore.Add(time.Minute) }, want: errLint}, // private use begins earlier
		"basic constraints": {change: func(c *x509.Certificate) { c.BasicConstraintsValid = false }},
		"end":               {change: func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(-time.Hour) }, want: errDiffers},
		"subject":           {change: func(c *x509.Certificate) { c.Subject.CommonName = "Another" }, want: errDiffers},
		"key":               {change: otherKey, want: errDiffers},
		"short serial":      {change: func(c *x509.Certificate) { c.SerialNumber = big.NewInt(1) }, want: errLint},
		"no private use":    {change: func(c *x509.Certificate) { c.ExtraExtensions = nil }, want: errLint},
		"other URL":         {change: func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"https://example.com"} }, want: errDiffers},
		"no URL":            {change: func(c *x509.Certificate) { c.CRLDistributionPoints = nil }, want: errDiffers},
		"one more":          {change: addExtension, want: errLint},
		"no usage":          {change: func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }, want: errLint},
		"verbatim serial":   {change: func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(3), 100) }, verbatim: true, want: errDiffers},
		"verbatim":          {change: func(*x509.Certificate) {}, verbatim: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			e, issuer := newEngine(s)
			e.change, e.verbatim = tc.change, tc.verbatim
			plan, err := s.perform(e, dscFile(issuer, allKeys()[0]))
			if !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			if tc.want != nil {
				checkStopped(t, s, plan, true)
			}
		})
	}
}

func addExtension(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}})
}

func TestEngineMustBeTheCSCAOfTheFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e, issuer := newEngine(s)
	e.certificate, _ = newSite(t).csca()
	plan, err := s.perform(e, dscFile(issuer, allKeys()[0]))
	if !errors.Is(err, errNotItsKey) {
		t.Error(err)
	}
	checkStopped(t, s, plan, false)
}

func TestEngineMayNotChangeARevocationList(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*x509.RevocationList)
		want   error
	}{
		"nothing": {change: func(*x509.RevocationList) {}},
		"a little later": {change: func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = l.ThisUpdate.Add(time.Second), l.NextUpdate.Add(time.Second)
		}},
		"number":   {change: func(l *x509.RevocationList) { l.Number = big.NewInt(9) }, want: errDiffers},
		"entry":    {change: func(l *x509.RevocationList) { l.RevokedCertificateEntries = nil }, want: errDiffers},
		"for ever": {change: func(l *x509.RevocationList) { l.NextUpdate = l.NextUpdate.AddDate(1, 0, 0) }, want: errDiffers},
	} {
		s := newSite(t)
		e, issuer := newEngine(s)
		e.changeList = tc.change
		if _, err := s.perform(e, crlFile.with(content{"issuer": issuer})); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func TestRevocationListsFollowEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	csca, issuer := s.csca()
	dsc := s.hold(dscFile(issuer, allKeys()[0])).Certificates[0]
	first := crlFile.with(content{"name": "first", "issuer": issuer, "crl": content{
		"number": 1, "revoked": []content{{"certificate": "out/xx-dsc-vaccination.pem", "reason": "keyCompromise", "at": now.Add(-time.Hour)}},
	}})
	s.hold(first)
	second := content{"number": 5, "previous": "out/first.crl.pem", "nextUpdateDays": 30, "revoked": []content{{"serial": "0b", "reason": "unspecified"}}}
	s.hold(crlFile.with(content{"name": "second", "issuer": issuer, "crl": second}))

	operation := s.operation("second.crl.json")
	list, err := x509.ParseRevocationList(operation.CRL)
	if err != nil || operation.Kind != signing.OperationCRL || list.CheckSignatureFrom(csca) != nil {
		t.Fatalf("%s: %v", operation.Kind, err)
	}
	entries := list.RevokedCertificateEntries
	if list.Number.Int64() != 5 || !list.NextUpdate.Equal(now.Add(days(30))) || len(entries) != 2 {
		t.Fatalf("%+v", list)
	}
	if entries[0].SerialNumber.Cmp(dsc.SerialNumber) != 0 || entries[0].ReasonCode != 1 || !entries[0].RevocationTime.Equal(now.Add(-time.Hour)) {
		t.Errorf("what the first list names is %+v on the second", entries[0])
	}
	_, foreign := newSite(t).csca()
	for path, changes := range map[string]content{
		"/crl/number":                {"number": 4},
		"/crl/previous":              {"previous": "absent.pem"},
		"/crl/revoked/0":             {"revoked": []content{{"serial": dsc.SerialNumber.Text(16), "reason": "superseded"}}},
		"/crl/revoked/0/at":          {"revoked": []content{{"serial": "0c", "reason": "superseded", "at": now.Add(time.Minute)}}},
		"/crl/revoked/0/certificate": {"revoked": []content{{"certificate": "absent.pem", "reason": "superseded"}}},
	} {
		before := second.with(content{"number": 6, "previous": "out/second.crl.pem"})
		if _, err := s.prepare(crlFile.with(content{"issuer": issuer, "crl": before.with(changes)})); !complains(err, path) {
			t.Errorf("want a complaint at %s, got %v", path, err)
		}
	}
	if _, err := s.prepare(crlFile.with(content{"issuer": foreign})); !complains(err, "/issuer/sha256") {
		t.Errorf("a list of another CSCA: %v", err)
	}
	self := []content{{"certificate": "out/xx-dsc-vaccination.pem", "reason": "superseded"}}
	other := newSite(t)
	_, issuer = other.csca()
	other.writeFrom(s, "xx-dsc-vaccination.pem")
	if _, err := other.prepare(crlFile.with(content{"issuer": issuer, "crl": content{"number": 1, "revoked": self}})); !complains(err, "/crl/revoked/0/certificate") {
		t.Errorf("revokes what another CSCA issued: %v", err)
	}
	other.writeFrom(s, "first.crl.pem")
	if _, err := other.prepare(crlFile.with(content{"issuer": issuer, "crl": content{"number": 2, "previous": "out/first.crl.pem"}})); !complains(err, "/crl/previous") {
		t.Errorf("follows a list of another CSCA: %v", err)
	}
}
