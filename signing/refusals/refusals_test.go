package refusals_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing/refusals"
)

// fakeLog keeps entries; it can be broken and it can hang.
type fakeLog struct {
	mu      sync.Mutex
	entries []audit.Entry
	broken  atomic.Bool
	hang    chan struct{} // nil: it does not
}

func (l *fakeLog) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	if l.hang != nil {
		<-l.hang
	}
	if l.broken.Load() {
		return audit.Receipt{}, audit.ErrBroken
	}
	if strings.Contains(e.Reason, "\xff") {
		return audit.Receipt{}, &audit.EntryError{Field: "reason", Rule: "must be valid UTF-8"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return audit.Receipt{}, nil
}

// told gives the single entries and the sums written so far.
func (l *fakeLog) told() (single, sums []audit.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.Action == refusals.ActionSummed {
			sums = append(sums, e)
		} else {
			single = append(single, e)
		}
	}
	return single, sums
}

func counted(sums []audit.Entry) (n int) {
	for _, e := range sums {
		count, _ := strconv.Atoi(e.Attributes["count"])
		n += count
	}
	return n
}

func reporter(t *testing.T, log refusals.AuditLog, change func(*refusals.Options)) *refusals.Reporter {
	t.Helper()
	o := refusals.Options{Log: log, Clock: time.Now}
	if change != nil {
		change(&o)
	}
	r, err := refusals.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs the reporter until the test function returns.
func run(t *testing.T, r *refusals.Reporter) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

var unknown = tlsconf.Refusal{Reason: tlsconf.ReasonUnknownAuthority, Fingerprint: "00ff", Remote: "192.0.2.7"}

func TestRefusalIsWrittenAtOnceWithItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{}
		r := reporter(t, log, nil)
		run(t, r)
		r.Connection(tlsconf.Refusal{Reason: tlsconf.ReasonNameNotListed, Name: "urn:x:portal", Fingerprint: "00ff", Remote: "192.0.2.7"})
		synctest.Wait()
		single, sums := log.told()
		if len(single) != 1 || len(sums) != 0 {
			t.Fatalf("%d entries, %d sums", len(single), len(sums))
		}
		e := single[0]
		if e.Action != "connection.refused" || e.Actor != "urn:x:portal" || e.Subject != "00ff" || e.Outcome != "failure" ||
			e.Reason != "name-not-listed" || e.Attributes["remote"] != "192.0.2.7" || !e.Time.Equal(time.Now()) {
			t.Errorf("%+v", e)
		}
	})
}

func TestFloodIsBoundedAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{}
		r := reporter(t, log, nil)
		run(t, r)
		const windows, flood = 6, 5000
		for range windows {
			for i := range flood {
				refused := unknown
				if i%5 == 0 {
					refused.Reason = tlsconf.ReasonExpired
				}
				r.Connection(refused)
			}
			time.Sleep(refusals.DefaultWindow)
			synctest.Wait()
		}
		single, sums := log.told()
		if len(single)+len(sums) > windows*refusals.DefaultMost || len(sums) != windows {
			t.Errorf("%d entries and %d sums in %d windows", len(single), len(sums), windows)
		}
		if got := len(single) + counted(sums); got != windows*flood {
			t.Errorf("%d refusals accounted for, want %d", got, windows*flood)
		}
		if sums[0].Attributes["connection.refused expired"] != "998" || sums[0].Attributes["connection.refused unknown-authority"] != "3993" {
			t.Errorf("%+v", sums[0])
		}
		time.Sleep(10 * refusals.DefaultWindow)
		synctest.Wait()
		if _, after := log.told(); len(after) != windows {
			t.Error("a sum of nothing was written")
		}
	})
}

func TestReportNeverWaitsForTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{hang: make(chan struct{})}
		r := reporter(t, log, nil)
		run(t, r)
		start := time.Now()
		for range 1000 {
			r.Connection(unknown)
			synctest.Wait() // the writer hangs, or this would not return
		}
		if time.Since(start) != 0 {
			t.Error("Report waited")
		}
		close(log.hang)
		time.Sleep(refusals.DefaultWindow)
		synctest.Wait()
		if single, sums := log.told(); len(single)+counted(sums) != 1000 {
			t.Errorf("%d and %d of 1000", len(single), counted(sums))
		}
	})
}

func TestNothingIsLostWhileTheLogIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{}
		log.broken.Store(true)
		var failures []error
		r := reporter(t, log, func(o *refusals.Options) { o.Failed = func(err error) { failures = append(failures, err) } })
		run(t, r)
		for range 3 {
			for range 7 {
				r.Connection(unknown)
				synctest.Wait()
			}
			time.Sleep(refusals.DefaultWindow)
		}
		synctest.Wait()
		if len(failures) != 1 || !errors.Is(failures[0], audit.ErrBroken) {
			t.Errorf("failures %v", failures)
		}
		log.broken.Store(false)
		time.Sleep(refusals.DefaultWindow)
		synctest.Wait()
		if single, sums := log.told(); len(single) != 0 || len(sums) != 1 || counted(sums) != 21 {
			t.Errorf("%d entries, sums %+v", len(single), sums)
		}
	})
}

func TestTheEndWritesWhatIsLeft(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	r := reporter(t, log, nil)
	for range 100 {
		r.Connection(unknown)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if single, sums := log.told(); len(single) != refusals.DefaultMost-1 || counted(sums) != 100-len(single) {
		t.Errorf("%d and %d of 100", len(single), counted(sums))
	}
	r.Connection(unknown)
	r.Flush(t.Context())
	if single, sums := log.told(); len(single)+counted(sums) != 101 {
		t.Error("the last one was lost")
	}
}

// Kinds are bounded too, and an entry the log cannot take does not stop the others.
func TestUnexpectedKindsAreCountedTogether(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	r := reporter(t, log, func(o *refusals.Options) { o.Most = 2 })
	r.Report(audit.Entry{Action: "x", Reason: "\xff"}) // written alone, and malformed
	for i := range 100 {
		r.Report(audit.Entry{Action: "x", Reason: fmt.Sprint(i)})
	}
	r.Report(audit.Entry{Action: "x", Reason: strings.Repeat("a", 2000)})
	r.Flush(t.Context())
	single, sums := log.told()
	if len(single) != 0 || len(sums) != 1 || counted(sums) != 102 || len(sums[0].Attributes) > 32 || sums[0].Attributes["other"] != "72" {
		t.Errorf("%d entries, sums %+v", len(single), sums)
	}
}

func TestRacersAreAllAccountedFor(t *testing.T) {
	t.Parallel()
	log := &fakeLog{}
	r := reporter(t, log, func(o *refusals.Options) { o.Window = time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 500 {
				r.Connection(unknown)
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.Flush(t.Context())
	if single, sums := log.told(); len(single)+counted(sums) != 10_000 {
		t.Errorf("%d and %d of 10000", len(single), counted(sums))
	}
}

// With the real log: what the reporter writes is what it takes.
func TestRealLogTakesTheEntries(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(t.TempDir(), audit.Options{Origin: "test", Signer: key})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r := reporter(t, log, func(o *refusals.Options) { o.Failed = func(err error) { t.Error(err) } })
	for i := range 200 {
		r.Report(audit.Entry{Action: "certificate.refused", Actor: "urn:x:gateway", Reason: fmt.Sprint("reason-", i)})
	}
	r.Flush(t.Context())
}

func TestNewRefusesIncompleteOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []refusals.Options{
		{}, {Log: &fakeLog{}}, {Clock: time.Now}, {Log: &fakeLog{}, Clock: time.Now, Most: 1}, {Log: &fakeLog{}, Clock: time.Now, Window: -1},
	} {
		if _, err := refusals.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
