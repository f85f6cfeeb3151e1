package openhim

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock runs an agent through as many rounds as a test wants, without waiting.
type clock struct {
	now    time.Time
	pauses []time.Duration
	rounds int
	each   func(round int)
}

var errEnd = errors.New("end of the test")

func (c *clock) wait(_ context.Context, d time.Duration) error {
	c.pauses = append(c.pauses, d)
	c.now = c.now.Add(d)
	c.rounds--
	if c.rounds <= 0 {
		return errEnd
	}
	if c.each != nil {
		c.each(len(c.pauses))
	}
	return nil
}

type run struct {
	*Agent
	clock  *clock
	log    bytes.Buffer
	holder Holder
}

func newRun(t *testing.T, api API, version string) *run {
	t.Helper()
	r := &run{clock: &clock{now: start}}
	var err error
	r.Agent, err = NewAgent(AgentOptions{
		API: api, Registration: registrationOf(t, version), Bounds: bounds, Config: &r.holder, Interval: 10 * time.Second, ConfigEvery: time.Minute,
		Clock: func() time.Time { return r.clock.now }, Wait: r.clock.wait, Jitter: func() float64 { return 0.5 }, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) rounds(t *testing.T, n int, each func(round int)) {
	t.Helper()
	r.clock.rounds, r.clock.each, r.clock.pauses = n, each, nil
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *run) logged(text string) int { return strings.Count(r.log.String(), text) }

// TestRegisterBeatAndConfigure: settings are asked for at the start, every minute, and
// after a failure; a push comes with the next heartbeat.
func TestRegisterBeatAndConfigure(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	r := newRun(t, newClient(t, base, nil), "1.0.0")
	r.rounds(t, 15, func(round int) {
		if round == 3 {
			him.set(func(c *core) {
				c.pushed, c.media, c.changed = `{"batch-entries":7,"formats":["dcc"]}`, "application/json", true
			})
		}
	})
	asked := 0
	for _, beat := range him.beats {
		if strings.HasSuffix(beat, `true}`) {
			asked++
		}
	}
	if len(him.beats) != 15 || asked != 3 || him.beats[0] != `{"Uptime":0,"Config":true}` || him.beats[1] != `{"Uptime":10,"Config":null}` {
		t.Errorf("%d asked in %q", asked, him.beats)
	}
	if c := r.holder.Get(); c.BatchEntries != 7 || len(c.Formats) != 2 {
		t.Errorf("%+v", c)
	}
	if s := r.Status(); !s.Registered || s.Stale || s.ConfigRefused || s.Err != nil || s.Heartbeat.IsZero() {
		t.Errorf("%+v", s)
	}
	if r.logged("registered with OpenHIM") != 1 || r.logged("taken over") != 1 || slices.Max(r.clock.pauses) > 13*time.Second {
		t.Errorf("%s %v", r.log.String(), r.clock.pauses)
	}
}

// TestConfigurationThatIsNotUsed leaves the one in use, is logged once, and is got over.
func TestConfigurationThatIsNotUsed(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	r := newRun(t, newClient(t, base, nil), "1.0.0")
	him.set(func(c *core) { c.pushed, c.media = `{"batch-entries":7}`, "application/json" })
	r.rounds(t, 2, nil)
	for _, bad := range []string{`{"batch-entries":7000}`, `{"batch-entries":`, `[]`} {
		him.set(func(c *core) { c.pushed, c.changed = bad, true })
		r.rounds(t, 2, nil)
		if r.holder.Get().BatchEntries != 7 || !r.Status().ConfigRefused {
			t.Errorf("%s: %+v", bad, r.holder.Get())
		}
	}
	if r.logged("are not used") != 1 || r.logged("7000") != 0 {
		t.Error(r.log.String())
	}
	him.set(func(c *core) { c.pushed, c.changed = `{"batch-entries":8}`, true })
	r.rounds(t, 2, nil)
	if r.holder.Get().BatchEntries != 8 || r.Status().ConfigRefused {
		t.Error("good settings after bad ones")
	}
}

// TestNoOpRegistration: the core says 201 and keeps what it had.
func TestNoOpRegistration(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	client := newClient(t, base, nil)
	old := registrationOf(t, "2.0.0")
	old.ConfigDefs = old.ConfigDefs[:1]
	old.Config = map[string]any{"batch-entries": 3}
	if err := client.Register(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	for version, stale := range map[string]bool{"2.0.0": true, "1.0.0": true} {
		r := newRun(t, client, version)
		r.rounds(t, 1, nil)
		if r.Status().Stale != stale || r.logged("keeps other definitions") != 1 || !r.Status().Registered {
			t.Errorf("%s: %+v %s", version, r.Status(), r.log.String())
		}
	}
	r := newRun(t, client, "3.0.0")
	r.rounds(t, 1, nil)
	if r.Status().Stale || r.holder.Get().BatchEntries != 3 {
		t.Errorf("upgrade: %+v %+v", r.Status(), r.holder.Get())
	}
	him.set(func(c *core) { c.kept = map[string]Registration{} })
	r.rounds(t, 3, nil)
	if !r.Status().Registered || r.logged("registering again") != 1 {
		t.Errorf("deleted: %+v %s", r.Status(), r.log.String())
	}
}

// TestACoreThatIsAway is tried later and later, logged once, and asked for its settings
// when it is back.
func TestACoreThatIsAway(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	r := newRun(t, newClient(t, base, nil), "1.0.0")
	him.set(func(c *core) {
		c.trouble = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	})
	r.rounds(t, 10, nil)
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute, time.Minute, time.Minute}
	if !slices.Equal(r.clock.pauses, want) || r.logged("does not take our calls") != 1 || r.Status().Registered {
		t.Errorf("%v %s", r.clock.pauses, r.log.String())
	}
	him.set(func(c *core) { c.trouble = nil })
	r.rounds(t, 3, nil)
	if !r.Status().Registered || r.logged("answers again") != 1 {
		t.Error(r.log.String())
	}
	beats := len(him.beats)
	him.set(func(c *core) {
		c.trouble = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	})
	r.rounds(t, 2, nil)
	him.set(func(c *core) { c.trouble = nil })
	r.rounds(t, 2, nil)
	if him.beats[beats] != strings.Replace(him.beats[beats], "null", "true", 1) {
		t.Errorf("settings are not asked for after a failure: %q", him.beats[beats:])
	}
}

// TestWrongCredentials are not hammered: the core audits each attempt.
func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	for name, change := range map[string]func(*core){"401": func(c *core) { c.basic = false }, "403": func(c *core) { c.basic, c.forbid = true, true }} {
		him.set(change)
		r := newRun(t, newClient(t, base, nil), "1.0.0")
		r.rounds(t, 5, nil)
		if slices.Min(r.clock.pauses) < time.Minute || r.logged("does not take our calls") != 1 {
			t.Errorf("%s: %v %s", name, r.clock.pauses, r.log.String())
		}
	}
}

func TestPausesAreSpread(t *testing.T) {
	t.Parallel()
	r := newRun(t, &Client{}, "1.0.0")
	for jitter, want := range map[float64]time.Duration{0: 7500 * time.Millisecond, 1: 12500 * time.Millisecond} {
		r.o.Jitter = func() float64 { return jitter }
		if got := r.pause(nil); got != want {
			t.Errorf("%v: %v", jitter, got)
		}
	}
	if _, err := NewAgent(AgentOptions{}); err == nil {
		t.Error("an agent without anything")
	}
}
