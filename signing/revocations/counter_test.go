package revocations_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// A verifier of cards that has seen a counter fetches nothing below it: a caller that lost its
// lists, or wants revocations forgotten, must not get a lower one signed.
func TestCardCountersDoNotFall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cards := func(counter uint64) func(*revocation.Claims) {
		return func(c *revocation.Claims) {
			if counter == 0 {
				return
			}
			thumbprint := strings.Repeat("A", 42) + "A"
			c.Artefacts = append([]revocation.Artefact{{
				Name: revocation.CRLName(thumbprint), Kind: revocation.KindCRL, SHA256: digest, Size: 10, Count: int64(counter), KID: thumbprint, CTR: counter,
			}}, c.Artefacts...)
		}
	}
	for i, step := range []struct {
		counter uint64
		want    error
	}{{0, nil}, {7, nil}, {6, revocation.ErrCounter}, {0, revocation.ErrCounter}, {7, nil}, {8, nil}} {
		_, err := s.Sign(t.Context(), gateway, claims(uint64(i+1), cards(step.counter)))
		wantCode(t, "step", err, step.want)
	}
}
