package revocation_test

import (
	"crypto/x509"
	"testing"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// FINDING M4 (review): a manifest says whose certificates it is about, and any key with the usage
// trustlist may sign it. On a list of several authorities (GDHCN, a test network) the authority YY
// speaks for XX: "nothing of XX is revoked", or all of it.
func TestReviewOneCountrySpeaksForAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ofYY := func(c *x509.Certificate) { c.Subject.Country = []string{"YY"} }
	abroad := trusttest.CSCA(t, ofYY)
	key := abroad.ListSigner(t, ofYY)
	s.list = trusttest.List(t, abroad.Entry(key.Pair, trust.UsageTrustList))
	s.signer.key = key
	jws, err := s.signer.SignRevocations(t.Context(), format.Claims{Country: "XX", Sequence: 1, Artefacts: []format.Artefact{{
		Name: "who.json", Kind: format.KindWHO, SHA256: "630dcd2966c4336691125448bbb25b4f630dcd2966c4336691125448bbb25b4f", Size: 1,
	}}})
	must(t, err)
	if m, err := revocation.VerifyManifest(jws, s.list, begin); err == nil {
		t.Errorf("the key of %v vouches for the lists of %s", key.Cert.Subject.Country, m.Country)
	}
}

// FINDING M5 (review): the counter of a card revocation list follows the number of ids that the
// source still has, and the source (issuance.Service.Revoked) leaves expired certificates out. A
// publisher that lost its directory, a second replica, or one whose stored generation no longer
// verifies (the list key was rotated) states a lower counter than was published: verifiers that
// hold crlVersion 4 fetch nothing until it is passed, and never learn of the next revocations.
func TestReviewCounterFallsWithTheDirectory(t *testing.T) {
	t.Parallel()
	s := newSite(t, card(1), card(2), card(3))
	counter := func(p *revocation.Publisher) uint64 {
		t.Helper()
		got, _ := published(t, p).CRLVersion(thumbprint)
		return got
	}
	p := s.publisher(t)
	counter(p)
	s.set(func() { s.entries = s.entries[2:]; s.now = s.now.Add(time.Hour) }) // two cards have expired
	before := counter(p)
	s.config.Dir = t.TempDir()
	s.set(func() { s.entries = append(s.entries, card(4)); s.now = s.now.Add(time.Hour) }) // and another is revoked
	if after := counter(s.publisher(t)); after <= before {
		t.Errorf("the counter fell from %d to %d while a card was revoked", before, after)
	}
}
