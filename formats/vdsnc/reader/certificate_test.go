package reader

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// explicit replaces the name of the curve in a certificate by parameters and signs again.
func explicit(t testing.TB, s signer, parameters ecParameters) []byte {
	t.Helper()
	certificate, err := x509.ParseCertificate(s.der)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := asn1.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	named, err := asn1.Marshal(namedCurves[0].name)
	if err != nil {
		t.Fatal(err)
	}
	var key struct {
		Algorithm asn1.RawValue
		Point     asn1.BitString
	}
	if _, err := asn1.Unmarshal(certificate.RawSubjectPublicKeyInfo, &key); err != nil {
		t.Fatal(err)
	}
	content := bytes.Replace(key.Algorithm.Bytes, named, encoded, 1)
	spki, err := asn1.Marshal(struct {
		Algorithm asn1.RawValue
		Point     asn1.BitString
	}{asn1.RawValue{Tag: 16, IsCompound: true, Bytes: content}, key.Point})
	if err != nil {
		t.Fatal(err)
	}
	var tbs asn1.RawValue
	if _, err := asn1.Unmarshal(certificate.RawTBSCertificate, &tbs); err != nil {
		t.Fatal(err)
	}
	tbs.FullBytes, tbs.Bytes = nil, bytes.Replace(tbs.Bytes, certificate.RawSubjectPublicKeyInfo, spki, 1)
	whole, err := asn1.Marshal(tbs)
	if err != nil {
		t.Fatal(err)
	}
	hash := crypto.SHA256.New()
	hash.Write(whole)
	signature, err := ecdsa.SignASN1(rand.Reader, s.ca, hash.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(whole)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}) // ecdsa-with-SHA256
		})
		b.AddASN1BitString(signature)
	})
	return b.BytesOrPanic()
}

func p256Parameters() ecParameters {
	c := elliptic.P256().Params()
	var p ecParameters
	p.Version = 1
	p.Field.Type, p.Field.Prime = oidPrimeField, c.P
	p.Curve.A = new(big.Int).Sub(c.P, big.NewInt(3)).Bytes()
	p.Curve.B = c.B.Bytes()
	p.Base = append(append([]byte{4}, c.Gx.Bytes()...), c.Gy.Bytes()...)
	p.Order, p.Cofactor = c.N, big.NewInt(1)
	return p
}

func TestExplicitParametersOfANamedCurve(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "NV")
	compressed := p256Parameters()
	compressed.Base = append([]byte{3}, compressed.Base[1:33]...) // the base point's y is odd
	seeded := p256Parameters()
	seeded.Curve.Seed = asn1.BitString{Bytes: []byte("seed"), BitLength: 32}
	bare := p256Parameters()
	bare.Cofactor = nil
	for name, parameters := range map[string]ecParameters{
		"uncompressed": p256Parameters(), "compressed": compressed, "seeded": seeded, "without cofactor": bare,
	} {
		s.der = explicit(t, s, parameters)
		if _, err := x509.ParseCertificate(s.der); err == nil {
			t.Fatal("Go reads explicit parameters now; take the detour out")
		}
		m, err := Decode(s.seal(t, specimenVaccination))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			s = newSigner(t, "NV")
			continue
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(m.CertificateDER, s.der) || len(m.CheckSigner()) > 0 {
			t.Errorf("%s: got %v", name, m.CheckSigner())
		}
		csca := &x509.Certificate{PublicKeyAlgorithm: x509.ECDSA, PublicKey: &s.ca.PublicKey}
		if err := csca.CheckSignature(m.Certificate.SignatureAlgorithm, m.Certificate.RawTBSCertificate, m.Certificate.Signature); err != nil {
			t.Errorf("%s: the CSCA's signature: %v", name, err)
		}
		s = newSigner(t, "NV")
	}
}

// TestForgedParameters: a curve of the attacker's that shares all but one parameter with
// P-256 must not pass for it.
func TestForgedParameters(t *testing.T) {
	t.Parallel()
	other := big.NewInt(11)
	for name, change := range map[string]func(*ecParameters){
		"prime":    func(p *ecParameters) { p.Field.Prime = other },
		"a":        func(p *ecParameters) { p.Curve.A = other.Bytes() },
		"b":        func(p *ecParameters) { p.Curve.B = other.Bytes() },
		"base":     func(p *ecParameters) { p.Base[64] ^= 1 },
		"no base":  func(p *ecParameters) { p.Base = nil },
		"order":    func(p *ecParameters) { p.Order = other },
		"cofactor": func(p *ecParameters) { p.Cofactor = other },
	} {
		parameters := p256Parameters()
		change(&parameters)
		_, err := ParseCertificate(explicit(t, newSigner(t, "NV"), parameters))
		wantReason(t, name, err, ReasonUnsupportedCurve)
	}
	binary := p256Parameters()
	binary.Field.Type = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 2}
	_, err := ParseCertificate(explicit(t, newSigner(t, "NV"), binary))
	wantReason(t, "binary field", err, ReasonInvalidCertificate)
}

func TestCheckSigner(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		docType string
		change  func(*x509.Certificate)
		want    string
	}{
		"for tests":     {"NT", func(*x509.Certificate) {}, "has a document type list without the type of the seal, NV for icao.vacc and NT for icao.test"},
		"no type":       {"", func(*x509.Certificate) {}, "must have a document type list, 2.23.136.1.1.6.2"},
		"a broken type": {"NVX", func(*x509.Certificate) {}, "has a document type list that cannot be read"},
		"no usage":      {"NV", func(c *x509.Certificate) { c.ExtraExtensions[0].Value[10] = 1 }, "must have the extended key usage 2.23.136.1.1.14.2, barcode signer"},
		"other usages": {"NV", func(c *x509.Certificate) {
			c.ExtraExtensions[0].Value = []byte("\x30\x13\x06\x07\x67\x81\x08\x01\x01\x0e\x02\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03")
		}, "?must have no other extended key usage"},
		"not critical":   {"NV", func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false }, "?must have its extended key usage critical"},
		"countries":      {"NV", func(c *x509.Certificate) { c.Subject = pkix.Name{Country: []string{"XX"}} }, "must name one country, the same in issuer and subject"},
		"key identifier": {"NV", func(c *x509.Certificate) { c.SubjectKeyId = []byte("x") }, "?must not have a subject key identifier"},
		"key usage":      {"NV", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, "?must not have a key usage"},
		"names":          {"NV", func(c *x509.Certificate) { c.EmailAddresses = []string{"bsc@example.org"} }, "?must not have a subject alternative name"},
		"constraints":    {"NV", func(c *x509.Certificate) { c.BasicConstraintsValid = true }, "?must not have basic constraints"},
	} {
		s := newSigner(t, tc.docType, tc.change, func(c *x509.Certificate) { c.NotAfter = start.AddDate(1, 0, 0) })
		m, err := Decode(s.seal(t, specimenVaccination))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := rules(m.CheckSigner()); len(got) != 1 || got[0] != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	authority := newSigner(t, "NV", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	m, err := Decode(authority.seal(t, specimenVaccination))
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(m.CheckSigner()); got[0] != "must not be a certificate authority" || got[1] != "has a key usage that does not permit signatures" {
		t.Errorf("got %q", got)
	}
	if nt, err := Decode(newSigner(t, "NT").seal(t, specimenTest)); err != nil || len(nt.CheckSigner()) > 0 {
		t.Errorf("got %v, %v", nt, err)
	}
}

func TestParseCertificateKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	der := explicit(t, newSigner(t, "NV"), p256Parameters())
	for cut := range der {
		if _, err := ParseCertificate(der[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are a certificate", cut, len(der))
		}
	}
	_, err := ParseCertificate(append(bytes.Clone(der), 0))
	wantReason(t, "trailing", err, ReasonInvalidCertificate)
	_, err = Decode(sealText(specimenVaccination, "ES256", base64.RawURLEncoding.EncodeToString(der[:200]), "AA"))
	wantReason(t, "cut", err, ReasonInvalidCertificate)
}
