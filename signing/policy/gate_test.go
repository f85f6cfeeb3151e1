package policy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

const (
	gateway    = "urn:x:gateway"
	laboratory = "urn:x:laboratories"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// file is a policy file with its gate and what the gate reported.
type file struct {
	*policy.Gate
	t       testing.TB
	path    string
	clock   *clock
	reports []error
}

func open(t testing.TB, text string) *file {
	t.Helper()
	f := &file{t: t, path: filepath.Join(t.TempDir(), "policy.json"), clock: newClock()}
	f.write(text)
	gate, err := policy.Open(f.path, policy.Options{Checks: checks, Clock: f.clock.now, Report: func(_ string, err error) { f.reports = append(f.reports, err) }})
	if err != nil {
		t.Fatal(err)
	}
	f.Gate = gate
	return f
}

func (f *file) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// change writes the file and has the gate look at it; it gives the one report, if any.
func (f *file) change(text string) (error, bool) {
	f.t.Helper()
	f.write(text)
	return f.refresh()
}

func (f *file) refresh() (error, bool) {
	f.t.Helper()
	f.reports = nil
	f.Refresh(context.Background())
	if len(f.reports) > 1 {
		f.t.Errorf("%d reports", len(f.reports))
	}
	if len(f.reports) == 0 {
		return nil, false
	}
	return f.reports[0], true
}

func TestEachRefusalHasItsOwnReason(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	strict := open(t, with(t, `,
  "defaultIssuer": {"profiles": ["who-ddcc-vs"], "rate": 1, "burst": 5, "most": 100}`, ``))
	tests := map[string]struct {
		gate                    *file
		caller, profile, issuer string
		want                    *fault.Error // nil: admitted
	}{
		"admitted":                     {f, gateway, "who-ddcc-vs", "clinic", nil},
		"admitted for the other":       {f, laboratory, "who-ddcc-tr", "laboratory", nil},
		"admitted, not listed":         {f, gateway, "who-ddcc-vs", "somebody", nil},
		"stranger":                     {f, "urn:x:other", "who-ddcc-vs", "clinic", policy.ErrCaller},
		"stranger, unknown profile":    {f, "urn:x:other", "eu-dcc-v", "clinic", policy.ErrCaller},
		"nobody":                       {f, "", "who-ddcc-vs", "clinic", policy.ErrCaller},
		"operator":                     {f, "urn:x:operator-1", "who-ddcc-vs", "clinic", policy.ErrCaller},
		"caller of another profile":    {f, gateway, "who-ddcc-tr", "laboratory", policy.ErrCaller},
		"unknown profile":              {f, gateway, "eu-dcc-v", "clinic", policy.ErrProfile},
		"type":                         {f, laboratory, "who-ddcc-tr", "clinic", policy.ErrType},
		"type, not listed":             {f, laboratory, "who-ddcc-tr", "somebody", policy.ErrType},
		"issuer's form":                {f, gateway, "who-ddcc-vs", "some body", policy.ErrForm},
		"issuer without a name":        {f, gateway, "who-ddcc-vs", "", policy.ErrForm},
		"issuer's length":              {f, gateway, "who-ddcc-vs", strings.Repeat("a", 65), policy.ErrForm},
		"not listed, without defaults": {strict, gateway, "who-ddcc-vs", "somebody", policy.ErrIssuer},
		"form without defaults":        {strict, gateway, "who-ddcc-vs", "some body", policy.ErrForm},
	}
	for name, tc := range tests {
		grant, err := tc.gate.Admit(tc.caller, tc.profile, tc.issuer)
		switch {
		case tc.want == nil && (err != nil || grant.Profile != tc.profile || grant.Policy != tc.gate.Digest()):
			t.Errorf("%s: %+v, %v", name, grant, err)
		case tc.want != nil && (!errors.Is(err, tc.want) || grant.Usage != ""):
			t.Errorf("%s: %+v, %v, want %v", name, grant, err, tc.want)
		}
	}
}

func TestGrantIsTheStricterOfProfileAndIssuer(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	half, err := f.Admit(gateway, "who-ddcc-vs", "clinic")
	if err != nil || half.MaxValidity != 4380*time.Hour || half.SubClaim != 3 || half.Usage != "vaccination" || len(half.Ignored) != 0 {
		t.Errorf("issuer's validity: %+v, %v", half, err)
	}
	whole, err := f.Admit(gateway, "who-ddcc-vs", "somebody")
	if err != nil || whole.MaxValidity != 8760*time.Hour {
		t.Errorf("profile's validity: %+v, %v", whole, err)
	}
	short, err := f.Admit(laboratory, "who-ddcc-tr", "laboratory")
	if err != nil || short.MaxValidity != 72*time.Hour || short.SubClaim != 4 || !short.Ignored["minimal"] {
		t.Errorf("an issuer cannot prolong: %+v, %v", short, err)
	}
}

func TestDocumentsAndNames(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	if g, err := f.AdmitDocument(gateway, "who-ddcc-vs"); err != nil || g.SubClaim != 3 {
		t.Errorf("%+v, %v", g, err)
	}
	if _, err := f.AdmitDocument(gateway, "who-ddcc-tr"); !errors.Is(err, policy.ErrCaller) {
		t.Errorf("document of another's profile: %v", err)
	}
	if _, err := f.AdmitDocument(gateway, "eu-dcc-v"); !errors.Is(err, policy.ErrProfile) {
		t.Errorf("document of an unknown profile: %v", err)
	}
	if !f.Caller(laboratory) || f.Caller("urn:x:operator-1") || f.Caller("") || !f.Operator("urn:x:operator-2") || f.Operator(gateway) || f.Operator("") {
		t.Error("callers and operators are mixed up")
	}
	if p := f.Profiles(); len(p) != 2 || p[0].Profile != "who-ddcc-vs" || p[1].MaxValidity != 72*time.Hour || f.Country() != "XX" {
		t.Errorf("profiles %+v", p)
	}
}

func TestRateIsPerIssuerAndSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	ask := func() error { _, err := f.Admit(laboratory, "who-ddcc-tr", "laboratory"); return err }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	err := ask()
	if !errors.Is(err, policy.ErrRate) || fault.KindOf(err) != fault.TooMany || fault.From(err).RetryAfter != 2*time.Second {
		t.Fatalf("second in a moment: %v after %v", err, fault.From(err).RetryAfter)
	}
	f.clock.advance(2*time.Second - time.Millisecond)
	if err := ask(); !errors.Is(err, policy.ErrRate) {
		t.Errorf("too early: %v", err)
	}
	if _, err := f.Admit(gateway, "who-ddcc-vs", "clinic"); err != nil {
		t.Errorf("another issuer pays: %v", err)
	}
	f.clock.advance(time.Millisecond)
	if err := ask(); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// Refusals for any other reason take nothing off the rate.
func TestOtherRefusalsCostNothing(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	for range 10 {
		_, _ = f.Admit(gateway, "who-ddcc-tr", "laboratory")
		_, _ = f.Admit("urn:x:other", "who-ddcc-tr", "laboratory")
		_, _ = f.Admit(laboratory, "eu-dcc-t", "laboratory")
	}
	if _, err := f.Admit(laboratory, "who-ddcc-tr", "laboratory"); err != nil {
		t.Error(err)
	}
}

// racers calls ask from many goroutines and counts the admitted.
func racers(n int, ask func(i int) error) int64 {
	var admitted atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if ask(i) == nil {
				admitted.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return admitted.Load()
}

func TestRateIsExactUnderRacers(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	ask := func(int) error { _, err := f.Admit(gateway, "who-ddcc-vs", "clinic"); return err }
	if n := racers(600, ask); n != 200 {
		t.Errorf("%d of a burst of 200", n)
	}
	f.clock.advance(time.Second)
	if n := racers(600, ask); n != 50 {
		t.Errorf("%d in a second at 50 a second", n)
	}
	// The clock moves while they race: never more than what has passed is worth.
	if n := racers(600, func(i int) error { f.clock.advance(time.Millisecond); return ask(i) }); n != 30 {
		t.Errorf("%d in 0.6 seconds", n)
	}
}

// A reload in the middle of a race gives nobody a second burst.
func TestReloadDoesNotRefillTheBuckets(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	n := racers(600, func(i int) error {
		if i%100 == 0 {
			f.write(strings.Replace(good, "{", "{"+strings.Repeat(" ", i/100+1), 1))
			f.Refresh(context.Background())
		}
		_, err := f.Admit(gateway, "who-ddcc-vs", "clinic")
		return err
	})
	if n != 200 {
		t.Errorf("%d of a burst of 200", n)
	}
	if n := racers(50, func(int) error { _, err := f.Admit(gateway, "who-ddcc-vs", "somebody"); return err }); n != 5 {
		t.Errorf("%d of a burst of 5", n)
	}
	if err, told := f.change(with(t, `"rate": 1, "burst": 5`, `"rate": 10, "burst": 5`)); err != nil || !told {
		t.Fatal(err, told)
	}
	if _, err := f.Admit(gateway, "who-ddcc-vs", "somebody"); !errors.Is(err, policy.ErrRate) || fault.From(err).RetryAfter != 100*time.Millisecond {
		t.Errorf("at the new rate: %v after %v", err, fault.From(err).RetryAfter)
	}
}

// However many names a caller makes up, all of them get no more than "most" rates.
func TestMadeUpIssuersAreBounded(t *testing.T) {
	t.Parallel()
	f := open(t, with(t, `"most": 100`, `"most": 7`))
	ask := func(i int) error {
		_, err := f.Admit(gateway, "who-ddcc-vs", fmt.Sprintf("made-up-%d", i))
		return err
	}
	if n := racers(500, ask); n != 7 {
		t.Errorf("%d issuers at a time, want 7", n)
	}
	if n := racers(500, func(i int) error { return ask(i % 7) }); n > 7*5 {
		t.Errorf("%d more", n)
	}
	err := ask(1000)
	if !errors.Is(err, policy.ErrRate) || fault.From(err).RetryAfter != 5*time.Second {
		t.Errorf("no room: %v after %v", err, fault.From(err).RetryAfter)
	}
	f.clock.advance(5 * time.Second)
	if n := racers(500, func(i int) error { return ask(2000 + i) }); n != 7 {
		t.Errorf("%d after all were quiet, want 7", n)
	}
}

// Against a model: tokens counted in nanoseconds with whole numbers.
func TestRateFollowsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		burst := rapid.IntRange(1, 20).Draw(rt, "burst")
		every := time.Duration(rapid.IntRange(1, 8).Draw(rt, "every")) * 125 * time.Millisecond
		f := open(t, with(t, `"rate": 50, "burst": 200`, fmt.Sprintf(`"rate": %v, "burst": %d`, float64(time.Second)/float64(every), burst)))
		credit := time.Duration(burst) * every
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			pass := time.Duration(rapid.IntRange(0, 16).Draw(rt, "pass")) * 125 * time.Millisecond
			f.clock.advance(pass)
			credit = min(credit+pass, time.Duration(burst)*every)
			_, err := f.Admit(gateway, "who-ddcc-vs", "clinic")
			if want := credit >= every; (err == nil) != want {
				// The limiter counts in floating point: a bucket at the very edge may differ.
				if edge := (credit - every).Abs(); edge > time.Microsecond {
					rt.Fatalf("admitted %v, want %v with credit %v of %v", err == nil, want, credit, every)
				}
			}
			if err == nil {
				credit -= every
			} else if wait := fault.From(err).RetryAfter; (wait - (every - credit)).Abs() > time.Microsecond {
				rt.Fatalf("told to wait %v, want %v", wait, every-credit)
			}
		}
	})
}

func TestFileIsFollowed(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	first := f.Digest()
	if _, told := f.refresh(); told {
		t.Error("an unchanged file was reported")
	}
	added := with(t, `"issuers": [`, `"issuers": [{"id": "hospital", "profiles": ["who-ddcc-vs"], "rate": 1, "burst": 1, "maxValidity": "1h"},`)
	if err, told := f.change(added); err != nil || !told {
		t.Fatalf("a new issuer: %v, reported %v", err, told)
	}
	if g, err := f.Admit(gateway, "who-ddcc-vs", "hospital"); err != nil || g.MaxValidity != time.Hour || g.Policy == first {
		t.Errorf("%+v, %v", g, err)
	}
	if _, told := f.refresh(); told {
		t.Error("reported twice")
	}

	removed := with(t, `["urn:x:gateway"]`, `["urn:x:gateway-2"]`)
	if err, told := f.change(removed); err != nil || !told {
		t.Fatal(err, told)
	}
	if _, err := f.Admit(gateway, "who-ddcc-vs", "clinic"); !errors.Is(err, policy.ErrCaller) || f.Caller(gateway) {
		t.Errorf("a removed caller is admitted: %v", err)
	}
}

// TestStateOfSeals: it may come with the first profile of seals; another one needs a start.
func TestStateOfSeals(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	if f.ICAOState() != "" {
		t.Errorf("a state of %q", f.ICAOState())
	}
	const seals = `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`
	if err, _ := f.change(more(t, seals, `"UTO"`)); err != nil || f.ICAOState() != "UTO" {
		t.Errorf("the first state: %v", err)
	}
	if err, told := f.change(more(t, seals, `"XXA"`)); err == nil || !told || f.ICAOState() != "UTO" {
		t.Errorf("another state: %v", err)
	}
}

// TestLifelongIsNotForIssuersWithALimit of their own.
func TestLifelongIsNotForIssuersWithALimit(t *testing.T) {
	t.Parallel()
	text := more(t, `{"name": "who-icvp", "usage": "vaccination", "subClaim": -6, "maxValidity": "8760h", "lifelong": true}`, `"UTO"`)
	text = strings.Replace(text, `"issuers": [`, `"issuers": [{"id": "short", "profiles": ["who-icvp"], "rate": 1, "burst": 1, "maxValidity": "9000h"},
		{"id": "long", "profiles": ["who-icvp"], "rate": 1, "burst": 1},`, 1)
	f := open(t, text)
	short, err := f.Admit(gateway, "who-icvp", "short")
	if err != nil || short.Lifelong || short.MaxValidity != 8760*time.Hour {
		t.Errorf("with a limit: %+v, %v", short, err)
	}
	long, err := f.Admit(gateway, "who-icvp", "long")
	if err != nil || !long.Lifelong || long.SubClaim != -6 {
		t.Errorf("without: %+v, %v", long, err)
	}
}

func TestBrokenFileKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	inForce := f.Digest()
	for name, text := range map[string]string{
		"half written":    good[:len(good)/2],
		"incoherent":      with(t, `"rate": 50`, `"rate": 0`),
		"another country": with(t, `"XX"`, `"YY"`),
		"empty":           "",
	} {
		if err, told := f.change(text); err == nil || !told {
			t.Errorf("%s: not reported", name)
		}
		if _, told := f.refresh(); told {
			t.Errorf("%s: reported again", name)
		}
		if _, err := f.Admit(gateway, "who-ddcc-vs", "clinic"); err != nil || f.Digest() != inForce {
			t.Errorf("%s: the last good policy is not in force: %v", name, err)
		}
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err, told := f.refresh(); !errors.Is(err, os.ErrNotExist) || !told {
		t.Errorf("a lost file: %v", err)
	}
	if _, told := f.refresh(); told {
		t.Error("a lost file was reported again")
	}
	if err, told := f.change(good); err != nil || !told || f.Digest() != inForce {
		t.Errorf("the return to what is in force: %v, reported %v", err, told)
	}
}

func TestOpenRefusesABrokenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.json")
	o := policy.Options{Checks: checks, Clock: newClock().now}
	if _, err := policy.Open(path, o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var broken *policy.Error
	if _, err := policy.Open(path, o); !errors.As(err, &broken) {
		t.Errorf("broken file: %v", err)
	}
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Open(path, policy.Options{Checks: checks}); err == nil {
		t.Error("opened without a clock")
	}
}

// BenchmarkAdmit asks as fast as it can; the clock runs ahead so that the rate suffices.
func BenchmarkAdmit(b *testing.B) {
	f := open(b, with(b, `"rate": 50, "burst": 200`, `"rate": 1000000, "burst": 1000000`))
	var asked atomic.Int64
	gate, err := policy.Open(f.path, policy.Options{Checks: checks, Clock: func() time.Time {
		return time.Now().Add(time.Duration(asked.Add(1)) * time.Microsecond)
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := gate.Admit(gateway, "who-ddcc-vs", "clinic"); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestAdmissionDoesNotAllocate(t *testing.T) {
	f := open(t, with(t, `"rate": 50, "burst": 200`, `"rate": 1000, "burst": 10000`))
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := f.Admit(gateway, "who-ddcc-vs", "clinic"); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
