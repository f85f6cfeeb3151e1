package publication_test

import (
	"crypto/x509"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/publication"
)

// TestStatableSaysWhatAStatementWould: the register asks it before a change.
func TestStatableSaysWhatAStatementWould(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList, keystore.UsageUpload)
	statable := publication.Statable("XX", []*x509.Certificate{s.csca})
	if err := statable(s.states, nil, begin); err != nil {
		t.Errorf("what is stated: %v", err)
	}
	twice := append([]signing.KeyStatus{}, s.states...)
	twice = append(twice, s.states[0])
	twice[len(twice)-1].State = string(keystore.StateRevoked)
	for name, keys := range map[string][]signing.KeyStatus{"no key": nil, "trusted and revoked": twice} {
		if statable(keys, nil, begin) == nil {
			t.Errorf("%s: can be stated", name)
		}
	}
	if err := statable(s.states, [][]byte{[]byte("list")}, begin); err != nil { // as Statement does
		t.Errorf("a list of a CSCA that is not listed: %v", err)
	}
}
