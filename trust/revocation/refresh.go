package revocation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
)

// sequenceTries bounds how often a sequence that another publisher has used is passed by one.
const sequenceTries = 8

// Refresh reads every revocation and publishes the lists if they have changed or half of the
// manifest's time is over. After an error the last good publication stays.
func (p *Publisher) Refresh(ctx context.Context) error {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	began := p.config.Now()
	if err := p.resume(); err != nil {
		p.config.Log.ErrorContext(ctx, "stored revocation lists not used", slog.Any("error", err))
	}
	all, err := collect(ctx, p.config.Source, began)
	if err != nil {
		return err
	}
	if p.refused.Store(int64(all.refused)); all.refused > 0 {
		p.config.Log.ErrorContext(ctx, "revocations that cannot be published", slog.Int("count", all.refused), slog.Any("first", all.refusal))
	}
	last := p.current.Load()
	if last != nil && p.walk == all.digest() && began.Before(halfTime(last.Manifest)) {
		return nil
	}
	if err := p.rebuild(ctx, all, last); err != nil {
		return err
	}
	p.walk = all.digest()
	p.took.Store(int64(p.config.Now().Sub(began)))
	return nil
}

// rebuild publishes the lists of a collection. A publisher that has lost its directory may
// count lower than it once did; since no counter is above the sequence it was signed with,
// the counters then begin again at a sequence that is still free.
func (p *Publisher) rebuild(ctx context.Context, all *collection, last *Publication) error {
	tried, err := p.generate(ctx, all, last, 0)
	if errors.Is(err, revocation.ErrCounter) {
		p.config.Log.WarnContext(ctx, "the counters of card revocation lists are raised", slog.Uint64("to", tried))
		_, err = p.generate(ctx, all, last, tried)
	}
	return err
}

// generate writes the lists of a collection, with counters from a floor on, and publishes
// them if they are new. It gives the sequence they have.
func (p *Publisher) generate(ctx context.Context, all *collection, last *Publication, floor uint64) (tried uint64, err error) {
	staging, err := os.MkdirTemp(p.config.Dir, stagingPattern)
	if err != nil {
		return 0, fmt.Errorf("revocation: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }() // after a success it has another name
	b := build{ctx: ctx, dir: staging, country: p.config.Country, all: all, last: p.before(last).state, floor: floor}
	claims, err := b.lists()
	if err != nil {
		return 0, fmt.Errorf("revocation: build lists: %w", err)
	}
	if last != nil && saysTheSame(last.Manifest.Claims, claims) && all.now.Before(halfTime(last.Manifest)) {
		return last.Manifest.Sequence, nil
	}
	return p.publish(ctx, staging, claims, b.state, last)
}

// publish signs the lists in staging and puts them in the place of the last generation. It
// gives the sequence for which it asked.
func (p *Publisher) publish(ctx context.Context, staging string, claims revocation.Claims, s state, last *Publication) (uint64, error) {
	faultpoint.Here("gateway-after-lists-written")
	jws, claims, err := p.sign(ctx, claims, last)
	if err != nil {
		return claims.Sequence, fmt.Errorf("revocation: sign manifest: %w", err)
	}
	faultpoint.Here("gateway-after-manifest-signed")
	raw, err := json.Marshal(s)
	if err != nil {
		return claims.Sequence, fmt.Errorf("revocation: %w", err)
	}
	for name, content := range map[string][]byte{fileState: raw, fileManifest: jws} {
		if _, _, err := writeBytes(filepath.Join(staging, name), content); err != nil {
			return claims.Sequence, fmt.Errorf("revocation: %w", err)
		}
	}
	keys, err := p.config.Keys()
	if err != nil {
		return claims.Sequence, err
	}
	next, err := openPublication(staging, keys, p.config.Now())
	if err != nil {
		return claims.Sequence, fmt.Errorf("revocation: verify before publishing: %w", err)
	}
	if !saysTheSame(next.Manifest.Claims, claims) || next.Manifest.Sequence != claims.Sequence {
		return claims.Sequence, errOtherClaims
	}
	if err := Stale(next.Manifest, p.config.Now()); err != nil {
		return claims.Sequence, err
	}
	if err := p.install(staging, claims.Sequence); err != nil {
		return claims.Sequence, fmt.Errorf("revocation: %w", err)
	}
	p.current.Store(next)
	p.config.Log.InfoContext(ctx, "revocation lists published", slog.Uint64("sequence", claims.Sequence),
		slog.Int64("revocations", claims.Revocations), slog.Time("nextUpdate", next.Manifest.NextUpdate))
	return claims.Sequence, nil
}

var errOtherClaims = errors.New("revocation: the signing service has signed something else")

// sign asks for a signature with a sequence after the last one. The sequence follows the
// clock, so that a publisher that has lost its directory, or one of several, goes on.
func (p *Publisher) sign(ctx context.Context, claims revocation.Claims, last *Publication) ([]byte, revocation.Claims, error) {
	claims.Sequence = uint64(max(1, p.config.Now().Unix()))
	if before := p.before(last).sequence; before > 0 {
		claims.Sequence = max(claims.Sequence, before+1)
	}
	for try := 1; ; try++ {
		jws, err := p.config.Signer.SignRevocations(ctx, claims)
		if err == nil || try == sequenceTries || !errors.Is(err, revocation.ErrSequence) {
			return jws, claims, err
		}
		claims.Sequence++
	}
}

// history is what a generation hands on to the next.
type history struct {
	sequence uint64
	state    state
}

// before gives the history of the last publication. One that was stored and cannot be served,
// since the clock was ahead or its key is no longer trusted, hands on what readers have been
// told all the same: dates, counters and sequences go on.
func (p *Publisher) before(last *Publication) history {
	if last != nil {
		return history{last.Manifest.Sequence, last.state}
	}
	var h history
	name, err := p.currentName()
	if err != nil {
		return h
	}
	if _, err := fmt.Sscanf(name, generationFmt, &h.sequence); err != nil {
		return history{}
	}
	raw, err := readBounded(filepath.Join(p.config.Dir, name, fileState), 8*revocation.MaxBatchList)
	if err != nil || json.Unmarshal(raw, &h.state) != nil {
		return history{}
	}
	return h
}

// install renames staging and points to it; the pointer is what counts after a crash.
func (p *Publisher) install(staging string, sequence uint64) error {
	name := fmt.Sprintf(generationFmt, sequence)
	final := filepath.Join(p.config.Dir, name)
	if err := os.RemoveAll(final); err != nil { // never published: sequences are used once
		return err
	}
	if err := os.Rename(staging, final); err != nil {
		return err
	}
	if err := syncTree(final); err != nil {
		return err
	}
	if err := durable.SyncDir(p.config.Dir); err != nil {
		return err
	}
	faultpoint.Here("gateway-after-lists-renamed")
	if err := durable.Replace(filepath.Join(p.config.Dir, fileCurrent), []byte(name)); err != nil {
		return err
	}
	faultpoint.Here("gateway-after-lists-pointed-to")
	// The pointer is durable; what is left behind goes with the next start.
	if err := p.sweep(name); err != nil {
		p.config.Log.Warn("old revocation lists not removed", slog.Any("error", err))
	}
	return nil
}

// saysTheSame compares everything but the sequence.
func saysTheSame(a, b revocation.Claims) bool {
	a.Sequence, b.Sequence = 0, 0
	one, errOne := json.Marshal(a)
	two, errTwo := json.Marshal(b)
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}

func halfTime(m revocation.Manifest) time.Time {
	return m.IssuedAt.Add(m.NextUpdate.Sub(m.IssuedAt) / 2)
}
