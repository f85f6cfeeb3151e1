package keyring

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// snapshot is the register prepared for the signing path. It never changes.
type snapshot struct {
	register
	asked  time.Time // when the store was asked for it
	lives  []life    // of register.entries
	usages map[keystore.Usage][]candidate
}

// candidate is a key that signs from from until until.
type candidate struct {
	from, until time.Time
	key         keystore.Key
}

func (r *Ring) snapshotOf(reg register, asked time.Time) *snapshot {
	s := &snapshot{register: reg, asked: asked, lives: lives(reg.entries), usages: map[keystore.Usage][]candidate{}}
	for i, e := range reg.entries {
		l := s.lives[i]
		if !l.revoked && l.activateAt.Before(l.until()) {
			key := e.key(l, keystore.StateActive).Held(r.deps.Store)
			s.usages[e.Usage] = append(s.usages[e.Usage], candidate{l.activateAt, l.until(), key})
		}
	}
	for _, all := range s.usages {
		slices.SortFunc(all, func(a, b candidate) int { return b.from.Compare(a.from) })
	}
	return s
}

// asOf is the same register, seen again later.
func (s *snapshot) asOf(asked time.Time) *snapshot {
	again := *s
	again.asked = asked
	return &again
}

func (e entry) key(l life, state keystore.State) keystore.Key {
	return keystore.Key{
		Usage: e.Usage, Ref: e.Ref, KID: e.kid, Certificate: e.certificate, Issuer: e.issuer,
		ActiveFrom: l.activateAt, ActiveUntil: l.until(), State: state,
	}
}

// Active gives the key that signs for a usage now. It asks no store and waits for nobody.
// Errors: keystore.ErrNoKey, saying what will happen next; keystore.ErrUnavailable when
// the register could not be read for so long that a revocation may have been missed.
func (r *Ring) Active(_ context.Context, usage keystore.Usage) (keystore.Key, error) {
	s, now := r.current.Load(), r.deps.Clock()
	if now.Sub(s.asked) > r.staleAfter() {
		return keystore.Key{}, fmt.Errorf("%w: the key register was read last at %s", keystore.ErrUnavailable, stamp(s.asked))
	}
	candidates := s.usages[usage]
	for i := range candidates {
		if c := &candidates[i]; !now.Before(c.from) && now.Before(c.until) {
			return c.key, nil
		}
	}
	return keystore.Key{}, s.noKey(usage, now)
}

// noKey says why no key signs for usage, and what comes next.
func (s *snapshot) noKey(usage keystore.Usage, now time.Time) error {
	next, last := "", ""
	for _, c := range s.usages[usage] { // youngest first
		if c.from.After(now) {
			next = fmt.Sprintf("key %s begins at %s", hex.EncodeToString(c.key.KID), stamp(c.from))
		} else if last == "" {
			last = fmt.Sprintf("key %s stopped at %s and no other is registered", hex.EncodeToString(c.key.KID), stamp(c.until))
		}
	}
	switch {
	case next != "":
		return fmt.Errorf("%w: %s: %s", keystore.ErrNoKey, usage, next)
	case last != "":
		return fmt.Errorf("%w: %s: %s", keystore.ErrNoKey, usage, last)
	default:
		return fmt.Errorf("%w: %s: none is registered", keystore.ErrNoKey, usage)
	}
}

// RevocationLists gives the published list of each CSCA that has one, in DER.
func (r *Ring) RevocationLists() [][]byte {
	return r.current.Load().lists()
}

// Keys lists the whole register for operators, by usage and age.
func (r *Ring) Keys(context.Context) ([]signing.KeyStatus, error) {
	s, now := r.current.Load(), r.deps.Clock()
	out := make([]signing.KeyStatus, 0, len(s.entries))
	for i, e := range s.entries {
		out = append(out, status(e, s.lives[i], now))
	}
	order := keystore.Usages()
	slices.SortStableFunc(out, func(a, b signing.KeyStatus) int {
		if a.Usage != b.Usage {
			return slices.Index(order, keystore.Usage(a.Usage)) - slices.Index(order, keystore.Usage(b.Usage))
		}
		return a.ActivateAt.Compare(b.ActivateAt)
	})
	return out, nil
}

func status(e entry, l life, now time.Time) signing.KeyStatus {
	return signing.KeyStatus{
		Registration: signing.Registration{
			Usage: string(e.Usage), Label: e.Ref.Label, Version: e.Ref.Version,
			Certificate: e.certificate.Raw, Issuer: e.issuer.Raw,
			PublishAt: e.PublishAt, ActivateAt: e.ActivateAt, RetireAt: e.RetireAt,
		},
		KID: e.kid, State: string(l.state(now)), Signing: l.signs(now),
		SignsUntil: l.until(), ExpiresAt: l.expiresAt,
		RevokedAt: e.RevokedAt, RevokeReason: e.RevokeReason,
	}
}
