package publication

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// statement is a signed statement and how long it serves.
type statement struct {
	signed  trust.Signed
	about   [sha256.Size]byte // digest of what it states, without its times
	made    time.Time
	renewAt time.Time // half of its time
	until   time.Time // nextUpdate: no verifier takes it later
}

// retryAfter is what a caller is told when register, key or audit log are away, and how
// often a renewal is tried while the last statement still serves.
const retryAfter = 5 * time.Second

// changePause is how often a statement of something new is tried: verifiers need it, and
// every attempt writes to the audit log.
const changePause = time.Second

var errAway = fault.New(fault.Unavailable, "statement-unavailable", "The signing service cannot state its keys at the moment.").Retry(retryAfter)

// Statement gives the current signed statement. If it cannot be renewed, the last one is
// given until its nextUpdate, as long as it still says what the register says. Errors:
// Unavailable.
func (p *Publisher) Statement(ctx context.Context) (signing.TrustStatement, error) {
	signed, err := p.current(ctx)
	if err != nil {
		return signing.TrustStatement{}, errAway.Because(err)
	}
	return signing.TrustStatement{JWS: string(signed.JWS), DID: signed.DID}, nil
}

// Ready reports why callers get no statement now; nil while they do. It makes one if none
// serves, no more often than callers would.
func (p *Publisher) Ready(ctx context.Context) error {
	_, err := p.current(ctx)
	return err
}

// MadeAt is when the last statement was signed, UTC; zero before the first. Half of the
// validity later it is due for renewal: an older one means that the renewal fails.
func (p *Publisher) MadeAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.made
}

func (p *Publisher) current(ctx context.Context) (trust.Signed, error) {
	d, err := p.draft(ctx)
	if err != nil {
		return trust.Signed{}, err
	}
	// While somebody else renews it nobody waits: the key store may hang.
	if signed, ok := p.serve(d, p.stating.free()); ok {
		return signed, nil
	}
	if err := p.stating.take(ctx); err != nil {
		return trust.Signed{}, err
	}
	defer p.stating.end()
	if d, err = p.draft(ctx); err != nil { // again: the register may have changed meanwhile
		return trust.Signed{}, err
	}
	if signed, ok := p.serve(d, true); ok {
		return signed, nil
	}
	return p.renew(ctx, d)
}

// serve gives the last statement if it says what the draft would and is not to be renewed
// now.
func (p *Publisher) serve(d draft, mayRenew bool) (trust.Signed, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	renew := mayRenew && !d.claims.IssuedAt.Before(p.last.renewAt) && p.pause.stands(p.deps.Clock()) == nil
	return p.last.signed, p.last.states(d) && !renew
}

// renew signs the draft. If that fails, the last statement serves on where it says the same.
func (p *Publisher) renew(ctx context.Context, d draft) (trust.Signed, error) {
	if err := p.paused(); err != nil {
		return trust.Signed{}, err
	}
	signed, err := p.sign(ctx, d.claims, d.key)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		made, until := d.claims.IssuedAt, d.claims.NextUpdate
		p.last = statement{signed: signed, about: d.about, made: made, renewAt: made.Add(until.Sub(made) / 2), until: until}
		p.pause = pause{}
		return signed, nil
	case p.last.states(d):
		p.pause = pause{until: p.deps.Clock().Add(retryAfter), cause: err}
		return p.last.signed, nil
	default:
		p.pause = pause{until: p.deps.Clock().Add(changePause), cause: err}
		return trust.Signed{}, err
	}
}

func (p *Publisher) paused() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pause.stands(p.deps.Clock())
}

// states reports whether the statement says what the draft would, and still stands.
func (s statement) states(d draft) bool {
	return len(s.signed.JWS) > 0 && s.about == d.about && d.claims.IssuedAt.Before(s.until)
}

// draft is a statement to sign, and by whom.
type draft struct {
	claims trust.Claims
	key    keystore.Key
	about  [sha256.Size]byte
}

// draft says what the register says now.
func (p *Publisher) draft(ctx context.Context) (draft, error) {
	key, err := p.deps.Register.Active(ctx, keystore.UsageTrustList)
	if err != nil {
		return draft{}, err
	}
	claims, err := p.claims(ctx, p.deps.Clock().UTC().Truncate(time.Second), key)
	if err != nil {
		return draft{}, err
	}
	about, err := digestOf(claims, key)
	return draft{claims, key, about}, err
}
