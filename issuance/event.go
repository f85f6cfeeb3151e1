package issuance

import "context"

// Standing gives the id of the certificate that stands, or is being made, for an event that a
// system of the issuer names (Request.Event). Errors: NotFound when there is none;
// Unavailable.
func (s *Service) Standing(ctx context.Context, issuer, event string) (string, error) {
	key := s.registry.event(Request{Issuer: Issuer{ID: issuer}, Event: event})
	if key == "" {
		return "", errNotFound
	}
	rec, err := s.registry.byKey(ctx, key)
	return rec.ID, err
}
