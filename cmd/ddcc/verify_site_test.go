package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// verifySite is a folder with an own list that has a key for cards and one for lists.
type verifySite struct {
	*trustSite
	cards  trusttest.Pair
	lists  trusttest.Signer
	now    time.Time
	issuer string
}

func newVerifySite(t *testing.T) verifySite {
	t.Helper()
	s := verifySite{trustSite: newTrustSite(t), now: time.Now().UTC().Truncate(time.Second), issuer: "https://issuer.example/shc"}
	life := trusttest.Validity(s.now.AddDate(-1, 0, 0), s.now.AddDate(1, 0, 0))
	ca := trusttest.CSCA(t, life)
	s.cards, s.lists = ca.DSC(t, life, trusttest.URI(t, s.issuer)), ca.ListSigner(t, life)
	list, err := trust.TrustList{Country: "XX", IssuedAt: s.now, List: trusttest.List(t,
		ca.Entry(s.cards, trust.UsageSHC), ca.Entry(s.lists.Pair, trust.UsageTrustList))}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "trustlist.json", list)
	return s
}

// card makes a SMART Health Card and gives its JWS and its signature.
func (s verifySite) card(t *testing.T, key trusttest.Pair, rid string) (jws string, signature []byte) {
	t.Helper()
	payload, err := shc.Credential{Issuer: s.issuer, NotBefore: s.now.Add(-time.Hour), Card: shc.Card{
		Patient: shc.Patient{Text: "Ada Specimen", BirthDate: "1990-02-03"}, RevocationID: rid, COVID19: true,
		Immunizations: []shc.Immunization{{Vaccine: shc.Coding{System: "http://hl7.org/fhir/sid/cvx", Code: "207"}, Date: "2026-01-20", Lot: "LOT1"}},
	}}.Payload()
	if err != nil {
		t.Fatal(err)
	}
	input, err := shc.SigningInput(payload, kidOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(input)
	r, v, err := ecdsa.Sign(rand.Reader, key.Key.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	if jws, err = shc.Assemble(input, signature); err != nil {
		t.Fatal(err)
	}
	return jws, signature
}

func kidOf(t *testing.T, key trusttest.Pair) string {
	t.Helper()
	kid, err := shc.Thumbprint(key.Key.Public().(*ecdsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

func codes(jws string, n int) []string {
	out := make([]string, n)
	for i := range out {
		var digits strings.Builder
		for _, c := range []byte(jws[i*len(jws)/n : (i+1)*len(jws)/n]) {
			fmt.Fprintf(&digits, "%02d", c-'-')
		}
		out[i] = fmt.Sprintf("shc:/%d/%d/%s", i+1, n, digits.String())
	}
	return out
}
