package ceremony

import (
	"crypto/sha256"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// newRegister is the signer's register with a CSCA pinned.
func newRegister(t *testing.T, keys keystore.Store, csca *x509.Certificate) *keyring.Ring {
	t.Helper()
	records, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "register.db"), sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = records.Close() })
	ring, err := keyring.Open(t.Context(), keyring.Deps{
		Records: records, Store: keys, Anchors: []*x509.Certificate{csca}, Lead: 24 * time.Hour,
		Lint: func(usage keystore.Usage, certificate, issuer *x509.Certificate) []keyring.Finding {
			var found []keyring.Finding
			for _, f := range governance.Lint(usage, certificate, issuer) {
				found = append(found, keyring.Finding(f))
			}
			return found
		},
		PrivateUse: governance.PrivateUse, Clock: clock, Refresh: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// What a ceremony writes is what the register takes.
func TestRegisterTakesWhatCeremoniesMake(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	csca, issuer := s.csca()
	s.hold(dscFile(issuer, allKeys()...))
	ring := newRegister(t, s.keys, csca)
	if err := ring.Apply(t.Context(), "operation-1", s.operation("xx-dsc.register.json")); err != nil {
		t.Fatal(describe(err))
	}
	states, err := ring.Keys(t.Context())
	if err != nil || len(states) != len(keystore.Usages()) {
		t.Fatalf("%d keys, %v", len(states), err)
	}
	uses := map[keystore.Usage]time.Duration{keystore.UsageVDSNC: 96 * governance.Day, keystore.UsageUpload: 730 * governance.Day}
	for _, state := range states {
		use, special := uses[keystore.Usage(state.Usage)]
		if !special {
			use = 183 * governance.Day
		}
		if !state.SignsUntil.Equal(now.Add(use)) || state.State != string(keystore.StatePublished) {
			t.Errorf("%s is %s and signs until %s", state.Usage, state.State, state.SignsUntil)
		}
	}
	revoked := s.hold(crlFile.with(content{"issuer": issuer, "crl": content{
		"number": 1, "revoked": []content{{"certificate": "out/xx-dsc-test.pem", "reason": "keyCompromise"}},
	}}))
	list := s.operation("xx-crl.crl.json")
	if err := ring.Apply(t.Context(), "operation-2", list); err == nil {
		t.Error("a list revokes what the register does not")
	}
	certificate, err := parseCertificatePEM(s.read("xx-dsc-test.pem"))
	if err != nil || len(revoked.Outputs) != 2 {
		t.Fatal(err)
	}
	sum := sha256.Sum256(certificate.Raw)
	revocation := signing.OperationRequest{Kind: signing.OperationRevoke, KID: sum[:8], Reason: "keyCompromise"}
	if err := ring.Apply(t.Context(), "operation-3", revocation); err != nil {
		t.Fatal(describe(err))
	}
	if err := ring.Apply(t.Context(), "operation-4", list); err != nil {
		t.Fatal(describe(err))
	}
}
