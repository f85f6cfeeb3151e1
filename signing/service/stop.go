package service

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// begin opens a signature: while an emergency stop stands there is none. end closes it,
// after its release.
func (s *Service) begin() (end func(), err error) {
	if s.stopped() {
		return nil, signing.ErrStopped
	}
	s.underWay.RLock()
	return s.underWay.RUnlock, nil
}

// Quiet returns when no signature is under way that began before the call, or when ctx
// ends. Called once the stop stands, it means that nothing more is released.
func (s *Service) Quiet(ctx context.Context) error {
	quiet := make(chan struct{})
	go func() {
		s.underWay.Lock()
		defer s.underWay.Unlock()
		close(quiet)
	}()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
