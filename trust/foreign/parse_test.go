package foreign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// of makes a certificate one of a country.
func of(country string) trusttest.Change {
	return func(c *x509.Certificate) { c.Subject.Country = []string{country} }
}

func named(name string) trusttest.Change {
	return func(c *x509.Certificate) { c.Subject.CommonName = name }
}

func b64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

func kid(c *x509.Certificate) string { return b64(trust.KID(c)) }

type object = map[string]any

// method is an entry of a DID document.
func method(usage, participant string, certificate *x509.Certificate) object {
	return object{
		"id": "did:web:example.org:v2:trustlist:DCC#" + kid(certificate), "type": "JsonWebKey2020",
		"publicKeyJwk": object{"kty": "EC", "kid": kid(certificate), "x5c": []string{b64(certificate.Raw)}},
		"domain":       object{"code": "#DCC"}, "participant": object{"code": "#" + participant}, "keyusage": object{"code": "#" + usage},
	}
}

func didDocument(t testing.TB, methods ...any) []byte {
	t.Helper()
	return encode(t, object{"id": "did:web:example.org:v2:trustlist:DCC", "verificationMethod": methods})
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// country is an authority with one DSC.
type country struct{ csca, dsc trusttest.Pair }

func newCountry(t testing.TB, code string) country {
	t.Helper()
	csca := trusttest.CSCA(t, of(code))
	return country{csca, csca.DSC(t, of(code))}
}

func TestDIDEntriesAreCheckedOneByOne(t *testing.T) {
	t.Parallel()
	est, fra := newCountry(t, "EE"), newCountry(t, "FR")
	edit := func(m object, path string, value any) object {
		raw := encode(t, m)
		var out object
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		inner := out
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner = inner[name].(object)
		}
		inner[names[len(names)-1]] = value
		return out
	}
	good := method("DSC", "EST", est.dsc.Cert)
	rsaSmall, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		extra  any
		reason string // empty: used
	}{
		"other key of the JWK":        {edit(method("DSC", "EST", est.csca.DSC(t, of("EE")).Cert), "publicKeyJwk.x", "AA=="), ""},
		"SCA by its other name":       {method("SCA", "EST", trusttest.CSCA(t, of("EE"), named("next")).Cert), "anchor only"},
		"kid of another":              {edit(method("DSC", "EST", est.csca.DSC(t, of("EE")).Cert), "publicKeyJwk.kid", kid(est.dsc.Cert)), foreign.SkipKID},
		"no key id":                   {edit(method("DSC", "EST", est.csca.DSC(t, of("EE")).Cert), "publicKeyJwk.kid", ""), foreign.SkipKID},
		"not base64":                  {edit(good, "publicKeyJwk.x5c", []string{"?"}), "certificate"},
		"not a certificate":           {edit(good, "publicKeyJwk.x5c", []string{"AAAA"}), "certificate"},
		"no certificate":              {edit(good, "publicKeyJwk.x5c", []string{}), foreign.SkipEntry},
		"not an object":               {7, foreign.SkipEntry},
		"twice":                       {good, "duplicate"},
		"data exchange":               {method("DECA", "EST", est.csca.Cert), foreign.SkipKind},
		"TLS":                         {method("TLS", "EST", est.csca.Cert), foreign.SkipKind},
		"unknown participant":         {method("DSC", "QQQ", est.dsc.Cert), foreign.SkipParticipant},
		"participant in lower case":   {method("DSC", "est", est.dsc.Cert), foreign.SkipParticipant},
		"organisation":                {method("DSC", "WHO", est.dsc.Cert), foreign.SkipParticipant},
		"country of another":          {method("DSC", "FRA", est.csca.DSC(t, of("EE")).Cert), "country"},
		"two countries":               {method("DSC", "EST", est.csca.DSC(t, func(c *x509.Certificate) { c.Subject.Country = []string{"EE", "FR"} }).Cert), "country"},
		"DSC issued by another state": {method("DSC", "FRA", est.csca.DSC(t, of("FR")).Cert), "issuer"},
		"CSCA unknown":                {method("DSC", "EST", trusttest.CSCA(t, of("EE"), named("gone")).DSC(t, of("EE")).Cert), "issuer"},
		"twin of the CSCA":            {method("DSC", "EST", trusttest.CSCA(t, of("EE")).DSC(t, of("EE")).Cert), "chain"},
		"CSCA as DSC":                 {method("DSC", "EST", est.csca.Cert), "certificate"},
		"DSC as CSCA":                 {method("CSCA", "EST", est.csca.DSC(t, of("EE")).Cert), "issuer"},
		"small key":                   {method("DSC", "EST", est.csca.DSCFor(t, rsaSmall, of("EE")).Cert), "key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := didDocument(t, good, method("CSCA", "EST", est.csca.Cert), method("CSCA", "FRA", fra.csca.Cert), test.extra)
			snapshot, err := foreign.Parse(raw, pinnedSource(raw, foreign.FormatDID))
			if err != nil {
				t.Fatal(err)
			}
			want, entries := map[string]int{test.reason: 1}, 1
			switch test.reason {
			case "":
				want, entries = nil, 2
			case "anchor only":
				want = nil
			}
			if len(snapshot.Entries) != entries || !maps.Equal(snapshot.Reasons(), want) {
				t.Errorf("%d entries, %v", len(snapshot.Entries), snapshot.Skipped)
			}
			for _, entry := range snapshot.Entries {
				if entry.Country != "EE" || entry.Participant != "EST" || entry.Domain != "DCC" {
					t.Errorf("%+v", entry)
				}
			}
		})
	}
}

func TestDIDSettings(t *testing.T) {
	t.Parallel()
	who, est := newCountry(t, "CH"), newCountry(t, "EE")
	raw := didDocument(t,
		method("CSCA", "WHO", who.csca.Cert), method("DSC", "WHO", who.dsc.Cert),
		method("CSCA", "EST", est.csca.Cert), method("DSC", "EST", est.dsc.Cert))
	for name, test := range map[string]struct {
		change  func(*foreign.Source)
		entries int
		skipped map[string]int
	}{
		"none":              {func(*foreign.Source) {}, 1, map[string]int{"participant": 2}},
		"participant":       {func(s *foreign.Source) { s.Participants = map[string]string{"WHO": "CH"} }, 2, nil},
		"participant wrong": {func(s *foreign.Source) { s.Participants = map[string]string{"WHO": "FR"} }, 1, map[string]int{"country": 2}},
		"country":           {func(s *foreign.Source) { s.Countries = []string{"FR"} }, 0, map[string]int{"participant": 2, "country": 2}},
		"domain":            {func(s *foreign.Source) { s.Domains = []string{"ICVP"} }, 0, map[string]int{"domain": 4}},
		"own domain":        {func(s *foreign.Source) { s.Domains = []string{"ICVP", "DCC"} }, 1, map[string]int{"participant": 2}},
		"anchors":           {func(s *foreign.Source) { s.Authenticity.Anchors = []*x509.Certificate{est.csca.Cert} }, 1, map[string]int{"participant": 2}},
		"other anchors":     {func(s *foreign.Source) { s.Authenticity.Anchors = []*x509.Certificate{who.csca.Cert} }, 0, map[string]int{"participant": 2, "anchor": 1, "issuer": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pinnedSource(raw, foreign.FormatDID)
			test.change(&source)
			snapshot, err := foreign.Parse(raw, source)
			if (err != nil) != (test.entries == 0) || len(snapshot.Entries) != test.entries || !maps.Equal(snapshot.Reasons(), test.skipped) {
				t.Errorf("%v: %d entries, %v", err, len(snapshot.Entries), snapshot.Skipped)
			}
		})
	}
}

// A list of DSCs alone needs the CSCAs from elsewhere, and each for its country.
func TestDIDOfDSCsAlone(t *testing.T) {
	t.Parallel()
	est, fra := newCountry(t, "EE"), newCountry(t, "FR")
	raw := didDocument(t, method("DSC", "EST", est.dsc.Cert), method("DSC", "FRA", fra.dsc.Cert), method("DSC", "FRA", est.csca.DSC(t, of("FR")).Cert))
	source := foreign.Source{Name: "a", Format: foreign.FormatDID, Authenticity: foreign.Authenticity{Anchors: []*x509.Certificate{est.csca.Cert, fra.csca.Cert}}}
	snapshot, err := foreign.Parse(raw, source)
	if err != nil || len(snapshot.Entries) != 2 || !maps.Equal(snapshot.Reasons(), map[string]int{"issuer": 1}) {
		t.Errorf("%v: %d entries, %v", err, len(snapshot.Entries), snapshot.Skipped)
	}
	if _, err := foreign.Parse(raw, pinnedSource(raw, foreign.FormatDID)); fault.KindOf(err) != fault.Rule {
		t.Errorf("without CSCAs: %v", err)
	}
}

// Without a means of authenticity nothing is read, whatever the format.
func TestNothingIsBelievedWithoutAuthenticity(t *testing.T) {
	t.Parallel()
	est := newCountry(t, "EE")
	raw := didDocument(t, method("CSCA", "EST", est.csca.Cert), method("DSC", "EST", est.dsc.Cert))
	for _, format := range foreign.Formats() {
		if _, err := foreign.Parse(raw, foreign.Source{Name: "a", Format: format}); err == nil {
			t.Errorf("%s accepted", format)
		}
	}
	key := newKey(t)
	open, pinned := fetcher{}, fetcher{pinned: true}
	anchors := foreign.Authenticity{Anchors: []*x509.Certificate{est.csca.Cert}}
	for name, test := range map[string]struct {
		source foreign.Source
		ok     bool
	}{
		"CSCAs by hand":                 {foreign.Source{Format: foreign.FormatDID, Authenticity: anchors}, true},
		"CSCAs over an open connection": {foreign.Source{Format: foreign.FormatDID, Authenticity: anchors, Fetch: open}, false},
		"CSCAs over a pinned one":       {foreign.Source{Format: foreign.FormatDID, Authenticity: anchors, Fetch: pinned}, true},
		"pinned connection alone":       {foreign.Source{Format: foreign.FormatDID, Authenticity: foreign.Authenticity{PinnedTransport: true}, Fetch: pinned}, false},
		"proof key":                     {foreign.Source{Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{&key.PublicKey}}}, true},
		"no proof key":                  {foreign.Source{Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{nil}}}, false},
		"list key for a DID":            {foreign.Source{Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}}, false},
		"digest for a gateway":          {foreign.Source{Format: foreign.FormatGateway, Authenticity: foreign.Authenticity{Digests: [][32]byte{{}}}}, false},
		"gateway by hand":               {foreign.Source{Format: foreign.FormatGateway, Authenticity: anchors}, true},
		"gateway, open connection":      {foreign.Source{Format: foreign.FormatGateway, Authenticity: anchors, Fetch: open}, false},
		"gateway, newer form, open":     {foreign.Source{Format: foreign.FormatGatewayCertificates, Authenticity: anchors, Fetch: open}, false},
		"gateway, pinned connection":    {foreign.Source{Format: foreign.FormatGatewayCertificates, Authenticity: anchors, Fetch: pinned}, true},
		"gateway, open, but digests":    {foreign.Source{Format: foreign.FormatGateway, Authenticity: foreign.Authenticity{Anchors: anchors.Anchors, Digests: [][32]byte{{}}}, Fetch: open}, true},
		"signed list by hand":           {foreign.Source{Format: foreign.FormatSignedList, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}}, true},
		"signed list, open connection":  {foreign.Source{Format: foreign.FormatSignedList, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}, Fetch: open}, false},
		"signed list, pinned one":       {foreign.Source{Format: foreign.FormatSignedList, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}, Fetch: pinned}, true},
		"proof key, open connection":    {foreign.Source{Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{&key.PublicKey}}, Fetch: open}, true},
		"pin demanded, not there":       {foreign.Source{Format: foreign.FormatPathCheck, Authenticity: foreign.Authenticity{PinnedTransport: true}, Fetch: open}, false},
		"pin demanded and there":        {foreign.Source{Format: foreign.FormatPathCheck, Authenticity: foreign.Authenticity{PinnedTransport: true}, Fetch: pinned}, true},
		"no name":                       {foreign.Source{Name: "../up", Format: foreign.FormatDID, Authenticity: anchors}, false},
		"no format":                     {foreign.Source{Format: "x", Authenticity: anchors}, false},
		"no country":                    {foreign.Source{Format: foreign.FormatDID, Authenticity: anchors, Countries: []string{"xx"}}, false},
	} {
		if test.source.Name == "" {
			test.source.Name = "a"
		}
		_, err := foreign.Parse([]byte("x"), test.source)
		var f *fault.Error
		if ok := errors.As(err, &f); ok != test.ok { // a fault is about the document, so the source was fine
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDigestsMustMatch(t *testing.T) {
	t.Parallel()
	est := newCountry(t, "EE")
	raw := didDocument(t, method("CSCA", "EST", est.csca.Cert), method("DSC", "EST", est.dsc.Cert))
	source := pinnedSource(raw, foreign.FormatDID)
	if _, err := foreign.Parse(append(slices.Clone(raw), ' '), source); fault.KindOf(err) != fault.Rule {
		t.Errorf("%v", err)
	}
	source.Authenticity.Digests = append([][sha256.Size]byte{{1}}, source.Authenticity.Digests...)
	if _, err := foreign.Parse(raw, source); err != nil {
		t.Error(err)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// gateway is the trust of a DGCG with one country.
type gateway struct {
	country
	anchor, upload trusttest.Pair
}

func newGateway(t testing.TB, code string) gateway {
	t.Helper()
	return gateway{newCountry(t, code), trusttest.CSCA(t, named("anchor")), trusttest.CSCA(t, of(code), named("upload"))}
}

func gatewayEntry(t testing.TB, kind, code string, certificate *x509.Certificate, signer trusttest.Pair) object {
	t.Helper()
	signature, err := cms.SignDetached(certificate.Raw, signer.Cert, signer.Key, trusttest.Start)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(certificate.Raw)
	return object{
		"kid": kid(certificate), "timestamp": "2026-01-01T00:00:00Z", "country": code, "certificateType": kind,
		"thumbprint": hex.EncodeToString(sum[:]), "signature": b64(signature), "rawData": b64(certificate.Raw),
	}
}

func (g gateway) entries(t testing.TB, code string) []any {
	t.Helper()
	return []any{
		gatewayEntry(t, "AUTHENTICATION", code, g.upload.Cert, g.anchor),
		gatewayEntry(t, "UPLOAD", code, g.upload.Cert, g.anchor),
		gatewayEntry(t, "CSCA", code, g.csca.Cert, g.anchor),
		gatewayEntry(t, "DSC", code, g.dsc.Cert, g.upload),
	}
}

func (g gateway) source() foreign.Source {
	return foreign.Source{Name: "eu", Format: foreign.FormatGateway, Authenticity: foreign.Authenticity{Anchors: []*x509.Certificate{g.anchor.Cert}}}
}

func TestGatewayList(t *testing.T) {
	t.Parallel()
	g, other := newGateway(t, "EE"), newGateway(t, "FR")
	other.anchor = g.anchor
	both := append(g.entries(t, "EE"), other.entries(t, "FR")...)
	next := g.csca.DSC(t, of("EE"))
	change := func(e object, name string, value any) object { e[name] = value; return e }
	for name, test := range map[string]struct {
		entries []any
		want    int
		skipped map[string]int
	}{
		"two countries":                              {both, 2, map[string]int{"kind": 2}},
		"DSC signed by the anchor":                   {append(slices.Clone(both), gatewayEntry(t, "DSC", "EE", next.Cert, g.anchor)), 2, map[string]int{"kind": 2, "signature": 1}},
		"DSC signed by another country's upload key": {append(slices.Clone(both), gatewayEntry(t, "DSC", "EE", next.Cert, other.upload)), 2, map[string]int{"kind": 2, "signature": 1}},
		"country of another":                         {append(slices.Clone(both), gatewayEntry(t, "DSC", "FR", next.Cert, other.upload)), 2, map[string]int{"kind": 2, "country": 1}},
		"DSC of another state's CSCA":                {append(slices.Clone(both), gatewayEntry(t, "DSC", "FR", g.csca.DSC(t, of("FR")).Cert, other.upload)), 2, map[string]int{"kind": 2, "issuer": 1}},
		"upload certificate signed by itself":        {append(slices.Clone(both), gatewayEntry(t, "UPLOAD", "EE", next.Cert, g.upload), gatewayEntry(t, "DSC", "EE", g.csca.DSC(t, of("EE")).Cert, next)), 2, map[string]int{"kind": 2, "signature": 2}},
		"CSCA signed by an upload key":               {append(slices.Clone(both), gatewayEntry(t, "CSCA", "EE", trusttest.CSCA(t, of("EE"), named("x")).Cert, g.upload)), 2, map[string]int{"kind": 2, "signature": 1}},
		"thumbprint":                                 {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "thumbprint", "00")), 2, map[string]int{"kind": 2, "thumbprint": 1}},
		"kid":                                        {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "kid", kid(g.dsc.Cert))), 2, map[string]int{"kind": 2, "kid": 1}},
		"signature of another":                       {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "signature", gatewayEntry(t, "DSC", "EE", g.dsc.Cert, g.upload)["signature"])), 2, map[string]int{"kind": 2, "signature": 1}},
		"no signature":                               {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "signature", "")), 2, map[string]int{"kind": 2, "signature": 1}},
		"signature no base64":                        {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "signature", "?")), 2, map[string]int{"kind": 2, "signature": 1}},
		"wrong type":                                 {append(slices.Clone(both), change(gatewayEntry(t, "DSC", "EE", next.Cert, g.upload), "kid", 7)), 2, map[string]int{"kind": 2, "entry": 1}},
		"DSCs alone":                                 {[]any{both[3], both[7]}, 0, map[string]int{"signature": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snapshot, err := foreign.Parse(encode(t, test.entries), g.source())
			if (err != nil) != (test.want == 0) || len(snapshot.Entries) != test.want || !maps.Equal(snapshot.Reasons(), test.skipped) {
				t.Errorf("%v: %d entries, %v", err, len(snapshot.Entries), snapshot.Skipped)
			}
		})
	}
	stranger := g.source()
	stranger.Authenticity.Anchors = []*x509.Certificate{trusttest.CSCA(t, named("anchor")).Cert}
	if _, err := foreign.Parse(encode(t, both), stranger); fault.KindOf(err) != fault.Rule {
		t.Errorf("another anchor: %v", err)
	}
}

func TestGatewayCertificates(t *testing.T) {
	t.Parallel()
	g := newGateway(t, "EE")
	var entries []any
	for _, e := range g.entries(t, "EE") {
		e := e.(object)
		entries = append(entries, object{
			"kid": e["kid"], "country": e["country"], "group": e["certificateType"], "domain": "DCC",
			"certificate": e["rawData"], "signature": e["signature"], "properties": nil,
		})
	}
	source := g.source()
	source.Format = foreign.FormatGatewayCertificates
	snapshot, err := foreign.Parse(encode(t, entries), source)
	if err != nil || len(snapshot.Entries) != 1 || snapshot.Entries[0].Domain != "DCC" {
		t.Errorf("%v %v", err, snapshot.Skipped)
	}
}

// signedList makes the German form.
func signedList(t testing.TB, key *ecdsa.PrivateKey, entries ...any) []byte {
	t.Helper()
	body := encode(t, object{"certificates": entries})
	sum := sha256.Sum256(body)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return []byte(b64(signature) + "\n" + string(body) + "\n")
}

func TestSignedList(t *testing.T) {
	t.Parallel()
	g, key := newGateway(t, "EE"), newKey(t)
	source := foreign.Source{Name: "de", Format: foreign.FormatSignedList, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}}
	raw := signedList(t, key, gatewayEntry(t, "DSC", "EE", g.dsc.Cert, g.upload), gatewayEntry(t, "DSC", "FR", g.csca.DSC(t, of("EE")).Cert, g.upload), gatewayEntry(t, "CSCA", "EE", g.csca.Cert, g.upload))
	snapshot, err := foreign.Parse(raw, source)
	if err != nil || len(snapshot.Entries) != 1 || snapshot.Entries[0].CSCA != nil || !maps.Equal(snapshot.Reasons(), map[string]int{"country": 1, "kind": 1}) {
		t.Errorf("%v %+v", err, snapshot.Skipped)
	}
	for name, bad := range map[string][]byte{
		"other key": signedList(t, newKey(t), gatewayEntry(t, "DSC", "EE", g.dsc.Cert, g.upload)),
		"changed":   bytes.Replace(raw, []byte("2026"), []byte("2027"), 1),
		"unsigned":  raw[bytes.IndexByte(raw, '{'):],
		"no JSON":   []byte("AAAA"),
	} {
		if _, err := foreign.Parse(bad, source); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func registryRow(t testing.TB, framework, kid, status string, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s,%s,%s,TmFtZQ==,,2021-01-01T08:00:00.000Z,,%s,", framework, kid, status, b64(der))
}

func TestPathCheckRegistry(t *testing.T) {
	t.Parallel()
	key, small := newKey(t), newKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const dccKID = "pgM4dDtABSg="
	shc := "https://issuer.example.org#" + shcThumbprint(t, key)
	row := registryRow(t, "DCC", dccKID, "current", &key.PublicKey)
	rows := []string{
		row,
		row,
		strings.Replace(registryRow(t, "EUDCC", dccKID, "current", &small.PublicKey), ",current,", ",issuer,current,", 1),
		registryRow(t, "SHC", shc, "current", &key.PublicKey),
		registryRow(t, "SHC", shc, "current", &small.PublicKey),
		registryRow(t, "SHC", "http"+shc[5:], "current", &key.PublicKey),
		registryRow(t, "DCC", "Zm9v", "current", &key.PublicKey),
		registryRow(t, "DCC", dccKID, "revoked", &key.PublicKey),
		registryRow(t, "DCC", dccKID, "", &key.PublicKey),
		registryRow(t, "DCC", dccKID, "current", &p384.PublicKey),
		registryRow(t, "ICAO", "AUS#x", "current", &key.PublicKey),
		strings.Replace(registryRow(t, "DCC", "AM6ZZ6DrF1I=", "current", &key.PublicKey), "2021-01-01", "2021-02-29", 1),
		strings.Replace(registryRow(t, "DCC", "AM6ZZ6DrF1I=", "current", &key.PublicKey), ".000Z,,", ",2030-01-01T00:00:00,", 1),
		"DCC,half",
	}
	raw := []byte(strings.Join(rows, "\n"))
	snapshot, err := foreign.Parse(raw, pinnedSource(raw, foreign.FormatPathCheck))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"duplicate": 1, "kid": 3, "status": 2, "key": 1, "framework": 1, "validity": 1, "entry": 1}
	if len(snapshot.Entries) != 0 || len(snapshot.Keys) != 4 || !maps.Equal(snapshot.Reasons(), want) {
		t.Errorf("%d keys, %v", len(snapshot.Keys), snapshot.Skipped)
	}
	if k := snapshot.Keys[2]; k.Framework != "SHC" || k.Issuer != "https://issuer.example.org" || k.KID != shcThumbprint(t, key) || !key.PublicKey.Equal(k.Public) {
		t.Errorf("%+v", k)
	}
	if k := snapshot.Keys[3]; k.NotAfter.Year() != 2030 || k.NotBefore.Hour() != 8 {
		t.Errorf("%+v", k)
	}
}

func shcThumbprint(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	u := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, u(point[1:33]), u(point[33:])))
	return u(sum[:])
}

func TestFormIsChecked(t *testing.T) {
	t.Parallel()
	many := "[" + strings.Repeat("1,", foreign.MaxEntries) + "1]"
	for name, test := range map[string]struct {
		raw    string
		format foreign.Format
		kind   fault.Kind
	}{
		"not JSON":            {"x", foreign.FormatDID, fault.Malformed},
		"no methods":          {`{"id":"did:a"}`, foreign.FormatDID, fault.Malformed},
		"no id":               {`{"verificationMethod":[]}`, foreign.FormatDID, fault.Malformed},
		"empty":               {`{"id":"did:a","verificationMethod":[]}`, foreign.FormatDID, fault.Rule},
		"member twice":        {`{"id":"did:a","id":"did:b","verificationMethod":[]}`, foreign.FormatDID, fault.Malformed},
		"nested":              {`{"id":"did:a","verificationMethod":[[[[[[[[[[]]]]]]]]]]}`, foreign.FormatDID, fault.Malformed},
		"reference":           {`{"id":"did:a","verificationMethod":["did:b"]}`, foreign.FormatDID, fault.Malformed},
		"many methods":        {`{"id":"did:a","verificationMethod":` + many + `}`, foreign.FormatDID, fault.TooLarge},
		"large":               {strings.Repeat(" ", foreign.MaxBytes+1), foreign.FormatDID, fault.TooLarge},
		"gateway object":      {`{}`, foreign.FormatGateway, fault.Malformed},
		"gateway null":        {`null`, foreign.FormatGateway, fault.Malformed},
		"gateway many":        {many, foreign.FormatGateway, fault.TooLarge},
		"signed list no list": {`x{"a":1}`, foreign.FormatSignedList, fault.Malformed},
		"registry quotes":     {"DCC,\"a\n", foreign.FormatPathCheck, fault.Malformed},
		"registry rows":       {strings.Repeat("a\n", foreign.MaxEntries+1), foreign.FormatPathCheck, fault.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pinnedSource([]byte(test.raw), test.format)
			if test.format == foreign.FormatGateway {
				source.Authenticity.Anchors = []*x509.Certificate{trusttest.CSCA(t).Cert}
			}
			if _, err := foreign.Parse([]byte(test.raw), source); fault.KindOf(err) != test.kind {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	g, key := newGateway(f, "EE"), newKey(f)
	f.Add(didDocument(f, method("CSCA", "EST", g.csca.Cert), method("DSC", "EST", g.dsc.Cert)))
	f.Add(encode(f, g.entries(f, "EE")))
	f.Add(signedList(f, key, gatewayEntry(f, "DSC", "EE", g.dsc.Cert, g.upload)))
	f.Add([]byte(registryRow(f, "DCC", "pgM4dDtABSg=", "current", &key.PublicKey)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, format := range foreign.Formats() {
			source := pinnedSource(raw, format)
			if strings.HasPrefix(string(format), "gateway") {
				source.Authenticity.Anchors = []*x509.Certificate{g.anchor.Cert}
			}
			snapshot, err := foreign.Parse(raw, source)
			if (err == nil) != (snapshot.Size() > 0) {
				t.Errorf("%s: %v with %d keys", format, err, snapshot.Size())
			}
			for _, entry := range snapshot.Entries {
				if len(entry.DSC.Subject.Country) != 1 || entry.DSC.Subject.Country[0] != entry.Country {
					t.Errorf("speaks for %q", entry.Country)
				}
			}
		}
	})
}
