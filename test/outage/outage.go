package outage

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// System is a running system that outages happen to.
type System struct {
	*harness.System
	t    *testing.T
	keys int
}

// Watch waits until a system is ready. keys is how many keys it publishes.
func Watch(t *testing.T, s *harness.System, keys int) *System {
	t.Helper()
	w := &System{System: s, t: t, keys: keys}
	w.ready(http.StatusOK, "signer", "gateway")
	return w
}

// ready waits until readiness of processes says status.
func (w *System) ready(status int, processes ...string) {
	w.t.Helper()
	for _, process := range processes {
		var last harness.Answer
		var err error
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if last, err = w.Admin(process, "/readyz"); err == nil && last.Status == status {
				break
			}
			if time.Now().After(deadline) {
				w.t.Fatalf("readiness of the %s stays at %d %s, want %d, %v\n%s", process, last.Status, last.Body, status, err, w.tail())
			}
		}
	}
}

// published fails the test unless verifiers get the keys, outage or not.
func (w *System) published() {
	w.t.Helper()
	if got := len(w.TrustList().Entries()); got < w.keys {
		w.t.Errorf("%d keys are published, want %d", got, w.keys)
	}
}

// tail is the end of what both processes logged.
func (w *System) tail() string {
	logs := w.Logs()
	return logs[max(0, len(logs)-6000):]
}

// alive fails the test when a process has ended: recovery is without restart.
func (w *System) alive() {
	w.t.Helper()
	for name, child := range map[string]<-chan struct{}{"signer": w.Signer.Done, "gateway": w.Gateway.Done} {
		select {
		case <-child:
			w.t.Errorf("the %s ended", name)
		default:
		}
	}
	if strings.Contains(w.Logs(), "panic") {
		w.t.Error("a process panicked")
	}
}

// Outage is something that happens to the key store while certificates are issued.
type Outage struct {
	Name   string
	Strike func()        // makes it happen
	Holds  time.Duration // how long it lasts, from the beginning of Strike
	Repair func()        // ends it, and returns when the key store works again
	Spared bool          // nobody may hear of it
	Dead   bool          // the signer does not run meanwhile, so that only the gateway says so
	Only   string        // questionnaire whose certificates suffer; empty: all
}

// Happens runs clients through an outage and gives them when each has its certificates.
func (w *System) Happens(o Outage) *Clients {
	w.t.Helper()
	c := w.clients()
	c.until("was issued", time.Now(), issued)
	calm := time.Now()
	c.until("was issued", calm.Add(2*time.Second), issued)
	struck := time.Now()
	o.Strike()
	if !o.Spared {
		c.until("was refused", struck, unavailable)
		w.ready(http.StatusServiceUnavailable, "gateway")
	}
	if !o.Spared && !o.Dead {
		w.ready(http.StatusServiceUnavailable, "signer")
	}
	w.published()
	time.Sleep(time.Until(struck.Add(o.Holds)))
	o.Repair()
	back := time.Now()
	first := c.until("was issued", back, func(a answer) bool { return issued(a) && (o.Only == "" || a.questionnaire == o.Only) })
	w.ready(http.StatusOK, "signer", "gateway")
	c.until("was issued", first.end.Add(2*time.Second), issued)
	c.finish()
	w.alive()
	w.published()
	c.report(o, calm, struck, back, first)
	return c
}

// report prints one line for docs/reliability.md and holds it against the limits.
func (c *Clients) report(o Outage, calm, struck, back time.Time, first answer) {
	c.w.t.Helper()
	var before, during, after, refused int
	var longest, heard time.Duration
	for _, a := range c.answers {
		switch {
		case unavailable(a):
			refused++
			if told := a.end.Sub(struck); heard == 0 || told < heard {
				heard = told
			}
			if o.Spared || o.Only != "" && a.questionnaire != o.Only {
				c.w.t.Errorf("%s: an event that must not suffer was refused", o.Name)
			}
		case a.end.Before(calm):
		case a.end.Before(struck):
			before++
		case a.end.Before(back):
			during++
		case a.end.After(first.end) && a.end.Before(first.end.Add(2*time.Second)):
			after++
		}
		if a.end.After(struck) {
			longest = max(longest, a.end.Sub(a.start))
		}
	}
	rate := func(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
	fmt.Printf("outage | %-46s | first 503 %6s | longest wait %6s | rate %4.0f/s, %4.0f/s, %4.0f/s | again after %6s | %5d refused | %5d certificates\n",
		o.Name, heard.Round(time.Millisecond), longest.Round(time.Millisecond),
		rate(before, struck.Sub(calm)), rate(during, back.Sub(struck)), rate(after, 2*time.Second),
		first.end.Sub(back).Round(time.Millisecond), refused, len(c.done))
	within(c.w.t, o.Name+": an answer", longest, 12*time.Second)
	within(c.w.t, o.Name+": the recovery", first.end.Sub(back), 8*time.Second)
}

// StopAndCheck ends the system and compares what clients hold with what the system knows.
func (w *System) StopAndCheck(c *Clients) {
	w.t.Helper()
	for problem, times := range c.wrong {
		w.t.Errorf("%d times: %s", times, problem)
	}
	list := w.TrustList()
	w.Stop()
	c.verify(list)
	w.checkBooks(context.WithoutCancel(w.t.Context()), c)
}

func within(t *testing.T, what string, got, limit time.Duration) {
	t.Helper()
	if got > limit {
		t.Errorf("%s took %s, want at most %s", what, got, limit)
	}
}
