package client_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestStorm: writers that go on until they succeed, while the peer fails in every way that
// does not take long. Nothing is lost and nothing is there twice.
func TestStorm(t *testing.T) {
	t.Parallel()
	const writers, each = 6, 8
	p := clienttest.NewPeer(t)
	for n := range 120 {
		if mode := clienttest.Modes()[n%len(clienttest.Modes())]; !mode.Hangs() && mode != clienttest.Endless {
			p.Fail(mode, 1)
		}
	}
	var wait sync.WaitGroup
	for w := range writers {
		c := open(t, p, nil)
		wait.Go(func() {
			for n := range each {
				id := fmt.Sprintf("w%d-%d", w, n)
				for tries := 0; ; tries++ {
					_, _, err := c.Create(t.Context(), "Patient", patient(id), condition(id))
					if err == nil {
						break
					}
					if tries > 300 || !client.IsTemporary(err) {
						t.Errorf("%s: %v", id, err)
						break
					}
				}
			}
		})
	}
	wait.Wait()
	if left, n := p.Left(), p.Store().Count("Patient"); left != 0 || n != writers*each || len(p.Store().Writes()) != n {
		t.Errorf("%d failures left, %d patients, %d writes", left, n, len(p.Store().Writes()))
	}
	seen := map[string]bool{}
	for _, raw := range p.Store().All("Patient") {
		seen[string(raw[strings.Index(string(raw), `"value":`):])] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d different patients", len(seen))
	}
}

func TestServerDown(t *testing.T) {
	t.Parallel()
	p := start(t)
	pauses := 0
	c := open(t, p, func(o *client.Options) {
		o.Attempts = 4
		o.Sleep = func(context.Context, time.Duration) error {
			if pauses++; pauses == 3 {
				p.Up()
			}
			return nil
		}
	})
	p.Down()
	// Not even a plain create is lost: nothing can have arrived.
	if _, created, err := c.Create(t.Context(), "Patient", patient("x"), ""); err != nil || !created || isX(p) != 1 || pauses != 3 {
		t.Errorf("created %v, %d stored after %d pauses: %v", created, isX(p), pauses, err)
	}
	p.Down()
	pauses = -100
	c = open(t, p, nil) // no connection from before
	_, _, err := c.Create(t.Context(), "Patient", patient("y"), "")
	if f := check(t, err); f.Code != "fhir-unavailable" || client.MaybeDone(err) || !client.IsTemporary(err) {
		t.Errorf("MaybeDone %v: %v", client.MaybeDone(err), err)
	}
}

// TestConflictAfterOwnWrite: the first attempt was done and nobody heard of it, the second
// meets its own version.
func TestConflictAfterOwnWrite(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := open(t, p, nil)
	r, err := c.Read(t.Context(), "Patient", "there")
	if err != nil {
		t.Fatal(err)
	}
	p.Fail(clienttest.DropAfter, 1)
	_, _, err = c.Update(t.Context(), "Patient", "there", patient("there"), r.VersionID)
	if f := check(t, err); f.Kind != fault.PreconditionFailed || !client.MaybeDone(err) || client.IsTemporary(err) {
		t.Errorf("MaybeDone %v: %v", client.MaybeDone(err), err)
	}
	if n := p.Store().Versions("Patient", "there"); n != 2 {
		t.Errorf("%d versions", n)
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := open(t, p, func(o *client.Options) { o.Timeout = time.Minute })
	p.Fail(clienttest.HangAfter, -1)
	ctx, cancel := context.WithTimeout(t.Context(), attemptLimit)
	defer cancel()
	_, _, err := c.Update(ctx, "Patient", "x", patient("x"), "")
	if f := check(t, err); f.Kind != fault.Timeout || !client.MaybeDone(err) {
		t.Errorf("%v", err)
	}
	if _, _, err = c.Update(ctx, "Patient", "x", patient("x"), ""); err == nil || client.MaybeDone(err) {
		t.Errorf("a call with a context that is over: %v", err)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	p := start(t)
	var waited []time.Duration
	sleep := func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	p.Fail(clienttest.TooMany, 2)
	c := open(t, p, func(o *client.Options) { o.Sleep = sleep })
	if _, err := c.Read(t.Context(), "Patient", "there"); err != nil || len(waited) != 2 || waited[0] < time.Second || waited[1] < time.Second {
		t.Errorf("waited %v: %v", waited, err)
	}
	// A pause longer than the longest is the caller's business.
	waited = nil
	p.Fail(clienttest.TooMany, 1)
	c = open(t, p, func(o *client.Options) { o.Sleep, o.LongestPause = sleep, 500*time.Millisecond })
	_, err := c.Read(t.Context(), "Patient", "there")
	if f := check(t, err); f.RetryAfter != time.Second || len(waited) != 0 {
		t.Errorf("RetryAfter %v, waited %v: %v", f.RetryAfter, waited, err)
	}
}

func TestPausesGrowAndSpread(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, random := range []float64{0, 0.999} {
		var waited []time.Duration
		c := open(t, p, func(o *client.Options) {
			o.Attempts, o.FirstPause, o.LongestPause = 6, 100*time.Millisecond, time.Second
			o.Rand = func() float64 { return random }
			o.Sleep = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
		})
		p.Fail(clienttest.Status500, 6)
		if _, err := c.Read(t.Context(), "Patient", "there"); err == nil {
			t.Fatal("no error")
		}
		for n, whole := range []time.Duration{100, 200, 400, 800, 1000} {
			whole *= time.Millisecond
			if waited[n] < whole/2 || waited[n] > whole {
				t.Errorf("pause %d is %v", n, waited[n])
			}
		}
	}
}
