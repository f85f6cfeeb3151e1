package foreign_test

import (
	"crypto/ecdsa"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// A list of the EU's size; every DSC costs a CMS and a certificate signature.
func BenchmarkParseGateway(b *testing.B) {
	g := newGateway(b, "EE")
	raw, source := g.manyDSCs(b, 400), g.source()
	for b.Loop() {
		if _, err := foreign.Parse(raw, source); err != nil {
			b.Fatal(err)
		}
	}
}

// A list of the WHO with 40 certificates; its proof is most of the work.
func BenchmarkParseDID(b *testing.B) {
	raw := readList(b, "prod-v2-any-NZL.did.json")
	source := foreign.Source{Name: "who", Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{trusttest.WHOKey(b)}}}
	for b.Loop() {
		if _, err := foreign.Parse(raw, source); err != nil {
			b.Fatal(err)
		}
	}
}
