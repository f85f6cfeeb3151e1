package healthlink

import (
	"context"
	"errors"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// pageSize is how many links of one certificate are read at a time.
const pageSize = 100

// Withdraw ends a link for ever; it may be called again. linkID is Created.ID. Errors:
// NotFound for links of other issuers, unless the issuer may revoke for all; Unavailable.
func (s *Service) Withdraw(ctx context.Context, issuer issuance.Issuer, linkID string) error {
	if docstore.CheckName("id", linkID, docstore.MaxKey) != nil {
		return errHandle
	}
	err := s.withdraw(ctx, linkID, func(r *row) error {
		if r.Issuer != issuer.ID && !issuer.RevokeAll {
			return errHandle
		}
		return nil
	})
	if errors.Is(err, errLink) {
		return errHandle
	}
	return err
}

// WithdrawFor ends all links of a certificate, also those that are being made while it
// runs: call it after the revocation of the certificate is stored, so that Source.Files
// refuses it by then. Errors: Unavailable; call it again.
func (s *Service) WithdrawFor(ctx context.Context, certificateID string) error {
	certificate := s.certificateKey(certificateID)
	_, err := s.store.Insert(ctx, stops, docstore.Document{ID: certificate, Expires: s.now().Add(stopTime)})
	var exists *docstore.ExistsError
	if err != nil && !errors.As(err, &exists) {
		return errStore.Because(err)
	}
	for after := ""; ; {
		docs, next, err := s.store.Range(ctx, links, certificate, after, pageSize)
		if err != nil {
			return errStore.Because(err)
		}
		for _, doc := range docs {
			if err := s.withdraw(ctx, doc.ID, nil); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// withdraw marks the row and removes the ciphertext. From the mark on the link is gone; a
// crash in between leaves ciphertext that a second call removes, or that expires.
func (s *Service) withdraw(ctx context.Context, handle string, may func(*row) error) error {
	r, err := s.change(ctx, handle, func(r *row) error {
		if may != nil {
			if err := may(r); err != nil {
				return err
			}
		}
		r.Withdrawn, r.Lock = true, nil
		return nil
	})
	if err != nil {
		return err
	}
	return s.discard(ctx, handle, len(r.Files))
}
