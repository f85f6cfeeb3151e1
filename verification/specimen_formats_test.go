package verification_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// signES256 gives r and s (RFC 7518 §3.4).
func signES256(t testing.TB, key trusttest.Pair, input []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key.Key.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

const cardIssuer = "https://issuer.example/shc"

func credential() shc.Credential {
	return shc.Credential{
		Issuer: cardIssuer, NotBefore: issued, ExpiresAt: expires,
		Card: shc.Card{
			Patient: shc.Patient{Family: "Spécimen", Given: []string{"Ada"}, BirthDate: "1990-02-03"},
			Immunizations: []shc.Immunization{{
				Vaccine: shc.Coding{System: "http://hl7.org/fhir/sid/cvx", Code: "207"}, Date: "2026-01-20", Lot: "LOT1", Performer: "Centre 1",
			}},
			COVID19: true, RevocationID: "c3BlY2ltZW4",
		},
	}
}

func thumbprint(t testing.TB, key trusttest.Pair) string {
	t.Helper()
	kid, err := shc.Thumbprint(key.Key.Public().(*ecdsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

// card gives the JWS of a credential.
func card(t testing.TB, key trusttest.Pair, c shc.Credential) string {
	t.Helper()
	payload, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	return cardOf(t, key, payload)
}

// cardOf signs a payload that the writer would refuse to make.
func cardOf(t testing.TB, key trusttest.Pair, payload []byte) string {
	t.Helper()
	input, err := shc.SigningInput(payload, thumbprint(t, key))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := shc.Assemble(input, signES256(t, key, input))
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

// changedCard signs the payload of the credential after a change.
func changedCard(t testing.TB, key trusttest.Pair, change func(claims object)) string {
	t.Helper()
	payload, err := credential().Payload()
	if err != nil {
		t.Fatal(err)
	}
	var claims object
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	change(claims)
	return cardOf(t, key, marshal(t, claims))
}

func seal() vdsnc.Data {
	return vdsnc.Data{
		Header: vdsnc.Header{Type: vdsnc.TypeVaccination, Version: vdsnc.Version, State: "UTO"},
		Message: vdsnc.Message{
			UVCI: "U00000001", Person: vdsnc.Person{Name: "SPECIMEN  ADA", BirthDate: "1990-02-03", DocumentNumber: "X0000000"},
			Vaccinations: []vdsnc.Event{{
				Vaccine: "XM68M6", Brand: "Comirnaty", Disease: "RA01.0",
				Doses: []vdsnc.Dose{{Date: "2026-01-20", Number: 1, Country: "UTO", Centre: "Centre 1", Lot: "LOT1"}},
			}},
		},
	}
}

// barcodeSigner makes a certificate after the profile of ICAO 9303-12 §7.1.3.
func barcodeSigner(t testing.TB, ca trusttest.Pair, changes ...trusttest.Change) trusttest.Pair {
	t.Helper()
	profile := func(c *x509.Certificate) {
		c.KeyUsage, c.BasicConstraintsValid = 0, false
		c.Subject.Country = ca.Cert.Subject.Country
		c.ExtraExtensions = []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x09\x06\x07\x67\x81\x08\x01\x01\x0e\x02")},
			{Id: asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}, Value: []byte("\x30\x0d\x02\x01\x00\x31\x08\x13\x02NT\x13\x02NV")},
		}
	}
	return ca.DSC(t, append([]trusttest.Change{profile}, changes...)...)
}

func sealText(t testing.TB, signer trusttest.Pair, data vdsnc.Data) string {
	t.Helper()
	canonical, err := data.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	text, err := vdsnc.Assemble(canonical, signer.Cert.Raw, signES256(t, signer, canonical))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// divocFixture are certificates of one thrown-away RSA key, made once with the test tools of
// formats/divoc.
type divocFixture struct {
	Method string            `json:"method"`
	Key    []byte            `json:"key"`
	Texts  map[string]string `json:"texts"`
}

func readDIVOC(t testing.TB) divocFixture {
	t.Helper()
	var fixture divocFixture
	if err := json.Unmarshal(readGolden(t, "divoc.json"), &fixture); err != nil {
		t.Fatal(err)
	}
	return fixture
}

func (f divocFixture) key(t testing.TB) verification.Key {
	t.Helper()
	public, err := x509.ParsePKIXPublicKey(f.Key)
	if err != nil {
		t.Fatal(err)
	}
	return verification.Key{Public: public, NotBefore: trusttest.Start, NotAfter: trusttest.Start.AddDate(2, 0, 0)}
}

// registry lists keys without certificate by format, issuer and key id.
type registry map[[3]string][]verification.Key

func (r registry) Find(format, issuer, kid string) []verification.Key {
	return r[[3]string{format, issuer, kid}]
}

func bareKey(key trusttest.Pair) verification.Key {
	return verification.Key{Public: key.Key.Public(), NotBefore: trusttest.Start, NotAfter: trusttest.Start.AddDate(2, 0, 0)}
}

// world trusts one signer for each format.
type world struct {
	authority
	shc, bsc trusttest.Pair
	divoc    divocFixture
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{authority: newAuthority(t), divoc: readDIVOC(t)}
	w.shc, w.bsc = w.ca.DSC(t, trusttest.URI(t, cardIssuer)), barcodeSigner(t, w.ca)
	w.list = trusttest.List(t, append(w.list.Entries(), w.ca.Entry(w.shc, trust.UsageSHC), w.ca.Entry(w.bsc, trust.UsageVDSNC))...)
	return w
}

func (w world) verifier(t testing.TB) *verification.Verifier {
	t.Helper()
	v := w.authority.verifier()
	v.Keys = registry{{verification.FormatDIVOC, "", w.divoc.Method}: {w.divoc.key(t)}}
	return v
}

// texts is one certificate in each format.
func (w world) texts(t testing.TB) map[string]string {
	t.Helper()
	return map[string]string{
		"who":   w.vaccinationText(t),
		"dcc":   text(t, sign(t, w.vaccination, encode(t, 1, euContent("v")))),
		"icvp":  text(t, sign(t, w.vaccination, encode(t, -6, icvpContent()))),
		"shc":   card(t, w.shc, credential()),
		"vdsnc": sealText(t, w.bsc, seal()),
		"divoc": w.divoc.Texts["rsa"],
	}
}

// cut makes codes of a card (SMART Health Cards Framework, "Encoding Chunks as QR Codes").
func cut(jws string, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		var digits strings.Builder
		for _, c := range []byte(jws[i*len(jws)/n : (i+1)*len(jws)/n]) {
			fmt.Fprintf(&digits, "%02d", c-'-')
		}
		texts[i] = fmt.Sprintf("shc:/%d/%d/%s", i+1, n, digits.String())
	}
	return texts
}
