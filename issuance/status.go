package issuance

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// HolderStatus is what a holder learns about a certificate.
type HolderStatus struct {
	Status    string    `json:"status"` // valid, expired, revoked or superseded
	Formats   []Format  `json:"formats"`
	IssuedAt  time.Time `json:"issuedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// The states a holder is told.
const (
	HolderValid      = "valid"
	HolderExpired    = "expired"
	HolderRevoked    = "revoked"
	HolderSuperseded = "superseded"
)

var (
	errStatus   = fault.New(fault.NotFound, "status-unknown", "There is no certificate with this id for a person born then.")
	errAttempts = fault.New(fault.TooMany, "status-attempts", "Too many wrong answers for this certificate; try again later.")
)

// A certificate's id is 74 random bits, a birth date is easy to guess: so many wrong ones
// lock the answer for a window.
const (
	statusAttempts = 10
	statusWindow   = time.Hour
	attempts       = "status-attempts"
)

// Status tells a holder about a certificate, who proves to be that by its id and the birth
// date. A wrong id and a wrong date have one answer. Errors: NotFound, TooMany, Unavailable.
func (s *Service) Status(ctx context.Context, id, birthDate string) (HolderStatus, error) {
	rec, err := s.registry.get(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return HolderStatus{}, errStatus // nothing is counted for ids that there are not: anybody can make up any number
	}
	if err == nil {
		err = s.spare(ctx, id)
	}
	if err != nil {
		return HolderStatus{}, err
	}
	given := s.registry.birth(id, birthDate)
	right := subtle.ConstantTimeCompare([]byte(given), []byte(rec.BirthDigest)) == 1
	if !right || rec.State != StateIssued && rec.State != StateRevoked {
		return HolderStatus{}, errStatus
	}
	return s.holderStatus(rec), s.restore(ctx, id)
}

func (s *Service) holderStatus(rec record) HolderStatus {
	out := HolderStatus{Status: HolderValid, Formats: []Format{FormatWHO}, IssuedAt: rec.IssuedAt, ExpiresAt: rec.ExpiresAt}
	for _, b := range rec.Beside {
		out.Formats = append(out.Formats, b.Format)
	}
	switch {
	case rec.State == StateRevoked && rec.SupersededBy != "":
		out.Status = HolderSuperseded
	case rec.State == StateRevoked:
		out.Status = HolderRevoked
	case !slices.ContainsFunc(rec.Identities, s.stands):
		out.Status = HolderExpired
	}
	return out
}

// stands reports whether the certificate of one format has not expired; without an end it
// never does.
func (s *Service) stands(id identity) bool {
	return id.ExpiresAt.IsZero() || !s.now().After(id.ExpiresAt)
}

// budget counts the answers asked for in a window. It is taken before the answer is looked
// at, by one conditional write, so that racing guesses cannot get more than the budget.
type budget struct {
	Used  int       `json:"used"`
	Since time.Time `json:"since"`
}

// spare takes one attempt of a certificate's budget.
func (s *Service) spare(ctx context.Context, id string) error {
	return s.count(ctx, id, func(b *budget) error {
		if b.Used >= statusAttempts {
			return errAttempts.Retry(max(b.Since.Add(statusWindow).Sub(s.now()), time.Second))
		}
		b.Used++
		return nil
	})
}

// restore gives an attempt back that was right.
func (s *Service) restore(ctx context.Context, id string) error {
	return s.count(ctx, id, func(b *budget) error {
		b.Used = max(0, b.Used-1)
		return nil
	})
}

// count changes the budget of an id by compare-and-swap.
func (s *Service) count(ctx context.Context, id string, change func(*budget) error) error {
	key := s.registry.digest("status", id)
	for {
		doc, err := s.registry.store.Get(ctx, attempts, key)
		found := err == nil
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return errRegistry.Because(err)
		}
		b := budget{Since: s.now()}
		if found {
			if err := json.Unmarshal(doc.Body, &b); err != nil {
				return fault.From(err)
			}
		}
		if s.now().Sub(b.Since) >= statusWindow {
			b = budget{Since: s.now()}
		}
		if err := change(&b); err != nil {
			return err
		}
		done, err := s.store(ctx, doc, key, b, found)
		if done || err != nil {
			return err
		}
	}
}

// store writes a budget over the version it was read at; not done when somebody was faster.
func (s *Service) store(ctx context.Context, doc docstore.Document, key string, b budget, found bool) (done bool, err error) {
	body, err := json.Marshal(b)
	if err != nil {
		return false, fault.From(err)
	}
	doc.ID, doc.Body, doc.Expires = key, body, b.Since.Add(statusWindow)
	if found {
		_, err = s.registry.store.Update(ctx, attempts, doc)
	} else {
		_, err = s.registry.store.Insert(ctx, attempts, doc)
	}
	var exists *docstore.ExistsError
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, docstore.ErrVersion), errors.Is(err, docstore.ErrNotFound), errors.As(err, &exists):
		return false, nil
	default:
		return false, errRegistry.Because(err)
	}
}
