package wallet_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// probe counts signatures and can fail, or sign something else.
type probe struct {
	crypto.Signer
	calls *int
	err   error
	lie   bool
}

func (p probe) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	*p.calls++
	if p.err != nil {
		return nil, p.err
	}
	digest = slices.Clone(digest)
	if p.lie {
		digest[0] ^= 1
	}
	return p.Signer.Sign(random, digest, o)
}

func TestKeyThatFails(t *testing.T) {
	t.Parallel()
	calls, lost := 0, errors.New("the session is lost")
	a, c := apple(specimenRSA(), nil), specimenCard(t)
	a.Key = probe{specimenRSA(), &calls, lost, false}
	if _, err := a.Pass(t.Context(), c, now); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, lost) {
		t.Errorf("broken key: %v", err)
	}
	a.Key = probe{specimenRSA(), &calls, nil, true}
	if raw, err := a.Pass(t.Context(), c, now); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, cms.ErrSignature) || raw != nil {
		t.Errorf("lying key: %v", err)
	}
	if calls != 2 {
		t.Errorf("%d signatures", calls)
	}
}

func TestKeyIsNotReached(t *testing.T) {
	t.Parallel()
	calls := 0
	a, g, c := apple(specimenRSA(), nil), google(), specimenCard(t)
	a.Key = probe{specimenRSA(), &calls, nil, false}
	g.Key = a.Key
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Pass(gone, c, now); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left: %v", err)
	}
	if _, err := g.JWT(gone, c, now); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left: %v", err)
	}
	c.Name = ""
	if _, err := a.Pass(t.Context(), c, now); fault.KindOf(err) != fault.Rule {
		t.Errorf("no name: %v", err)
	}
	if _, err := a.Pass(t.Context(), specimenCard(t), now.AddDate(0, 11, 1)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("expired certificate: %v", err)
	}
	if calls > 0 {
		t.Errorf("%d signatures", calls)
	}
}

func TestGoogleKeyThatFails(t *testing.T) {
	t.Parallel()
	calls, lost := 0, errors.New("the session is lost")
	g := google()
	g.Key = probe{specimenRSA(), &calls, lost, false}
	if _, err := g.JWT(t.Context(), specimenCard(t), now); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, lost) {
		t.Errorf("broken key: %v", err)
	}
	g.Key = probe{specimenRSA(), &calls, nil, true}
	if token, err := g.JWT(t.Context(), specimenCard(t), now); fault.KindOf(err) != fault.Unavailable || token != "" {
		t.Errorf("lying key: %v", err)
	}
}
