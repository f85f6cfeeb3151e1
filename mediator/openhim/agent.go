package openhim

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// API is what the agent needs of the management API.
type API interface {
	Register(ctx context.Context, r Registration) error
	Registered(ctx context.Context, urn string) (Registration, error)
	Heartbeat(ctx context.Context, urn string, uptime time.Duration, askConfig bool) (config []byte, err error)
}

// AgentOptions wire the agent. All fields are required.
type AgentOptions struct {
	API          API
	Registration Registration
	Bounds       Bounds
	Config       *Holder
	Interval     time.Duration // of heartbeats
	ConfigEvery  time.Duration // how often the settings are asked for, as a push may go to another replica
	Clock        func() time.Time
	Wait         func(ctx context.Context, d time.Duration) error // false alarms do no harm
	Jitter       func() float64                                   // 0 to 1
	Log          *slog.Logger
}

// Bounds of repetition.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// Status is how the mediator stands with the core.
type Status struct {
	Registered    bool      // the core knows the mediator, as far as we know
	Stale         bool      // and has other definitions than ours
	Heartbeat     time.Time // last one that was taken; zero: none since the start
	ConfigRefused bool      // what the console has set is not in use
	Err           error     // of the last call
}

// Agent registers the mediator and reports that it is alive. Nothing waits for it.
type Agent struct {
	o       AgentOptions
	started time.Time

	mu     sync.Mutex
	status Status

	failures int       // in a row
	asked    time.Time // when the settings were last had
}

// NewAgent checks the wiring.
func NewAgent(o AgentOptions) (*Agent, error) {
	if o.API == nil || o.Config == nil || o.Clock == nil || o.Wait == nil || o.Jitter == nil || o.Log == nil || o.Interval <= 0 || o.ConfigEvery <= 0 {
		return nil, errors.New("openhim: a dependency of the agent is missing")
	}
	return &Agent{o: o, started: o.Clock()}, nil
}

// Status tells how things are now.
func (a *Agent) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// Run registers and reports until ctx ends. A core that is away is tried again, later and
// later, up to a minute.
func (a *Agent) Run(ctx context.Context) error {
	for ctx.Err() == nil && a.step(ctx) {
	}
	return nil
}

// step is one round and the pause after it; false: the process ends.
func (a *Agent) step(ctx context.Context) bool {
	err := a.round(ctx)
	if ctx.Err() == nil {
		a.report(ctx, err)
	}
	return a.o.Wait(ctx, a.pause(err)) == nil
}

// round does what is next: a registration, then heartbeats.
func (a *Agent) round(ctx context.Context) error {
	if !a.Status().Registered {
		if err := a.register(ctx); err != nil {
			return err
		}
	}
	return a.beat(ctx)
}

// register also looks at what the core keeps: it says yes to a registration that changes
// nothing.
func (a *Agent) register(ctx context.Context) error {
	if err := a.o.API.Register(ctx, a.o.Registration); err != nil {
		return err
	}
	kept, err := a.o.API.Registered(ctx, a.o.Registration.URN)
	stale := err == nil && !a.o.Registration.SameAs(kept)
	a.change(func(s *Status) { s.Registered, s.Stale = true, stale })
	a.asked = time.Time{} // a registration pushes nothing
	version := slog.String("version", a.o.Registration.Version)
	switch {
	case err != nil:
		a.o.Log.InfoContext(ctx, "registered with OpenHIM; what it keeps cannot be read", version, slog.Any("error", err))
	case stale:
		a.o.Log.WarnContext(ctx, "OpenHIM keeps other definitions of this mediator: it replaces them for a higher version alone; see openhim-version",
			version, slog.Bool("same_version", kept.Version == a.o.Registration.Version))
	default:
		a.o.Log.InfoContext(ctx, "registered with OpenHIM", version)
	}
	return nil
}

func (a *Agent) beat(ctx context.Context) error {
	now := a.o.Clock()
	ask := a.asked.IsZero() || now.Sub(a.asked) >= a.o.ConfigEvery
	config, err := a.o.API.Heartbeat(ctx, a.o.Registration.URN, now.Sub(a.started), ask)
	if err != nil {
		a.asked = time.Time{} // the answer that was lost may have had the settings
		if errors.Is(err, ErrUnknown) {
			a.change(func(s *Status) { s.Registered = false })
		}
		return err
	}
	a.change(func(s *Status) { s.Heartbeat = now })
	if ask {
		a.asked = now
	}
	if config != nil {
		a.apply(ctx, config)
	}
	return nil
}

// apply takes settings over if all of them are within the bounds.
func (a *Agent) apply(ctx context.Context, raw []byte) {
	config, err := ParseConfig(raw, a.o.Bounds)
	refused := a.Status().ConfigRefused
	a.change(func(s *Status) { s.ConfigRefused = err != nil })
	switch {
	case err != nil && !refused:
		a.o.Log.WarnContext(ctx, "the settings of OpenHIM's console are not used; those in use stay", slog.Any("error", err))
	case err == nil && a.o.Config.set(config):
		a.o.Log.InfoContext(ctx, "settings of OpenHIM's console taken over", slog.Any("formats", config.Formats),
			slog.String("fhir_endpoint", config.FHIREndpoint), slog.Int("batch_entries", config.BatchEntries), slog.Int("batch_concurrency", config.BatchConcurrency))
	}
}

// report logs what changes, not each attempt.
func (a *Agent) report(ctx context.Context, err error) {
	before := a.Status().Err
	a.change(func(s *Status) { s.Err = err })
	switch {
	case err == nil:
		if before != nil && a.failures > 0 {
			a.o.Log.InfoContext(ctx, "OpenHIM answers again", slog.Int("failures", a.failures))
		}
		a.failures = 0
		return
	case errors.Is(err, ErrUnknown) && a.failures == 0:
		a.o.Log.InfoContext(ctx, "OpenHIM does not know this mediator any more; registering again")
	case class(before) != class(err):
		a.o.Log.WarnContext(ctx, "OpenHIM does not take our calls; requests are served all the same", slog.Any("error", err))
	}
	a.failures++
}

// class is a word for an error: texts have ports and times in them.
func class(err error) string {
	for _, known := range []error{ErrUnknown, ErrCredentials, ErrPermission, ErrRejected} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if err != nil {
		return "away"
	}
	return ""
}

// pause is how long to wait after a round. Wrong credentials are not tried often: the core
// audits each attempt.
func (a *Agent) pause(err error) time.Duration {
	d := a.o.Interval
	switch {
	case errors.Is(err, ErrCredentials), errors.Is(err, ErrPermission), errors.Is(err, ErrRejected):
		d = lastRetry
	case err != nil:
		d = min(firstRetry<<min(a.failures-1, 6), lastRetry)
	}
	return d*3/4 + time.Duration(a.o.Jitter()*float64(d)/2)
}

func (a *Agent) change(f func(*Status)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(&a.status)
}
