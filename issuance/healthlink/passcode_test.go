package healthlink

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// remaining tells a wrong passcode from other answers.
func remaining(err error) (int, bool) {
	var wrong *WrongPasscode
	if !errors.As(err, &wrong) {
		return 0, false
	}
	return wrong.Remaining, true
}

// TestPasscodeBudget is the life of a link with a passcode, with the real hash.
func TestPasscodeBudget(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Service.derive = b.argon
	_, link, id := b.create(t, Options{Passcode: "pass\u00e9code"})
	if link.Flags.String() != "P" {
		t.Errorf("flags %s", link.Flags)
	}
	for range 7 { // right ones cost nothing; e and a combining acute are é
		if _, err := b.Manifest(t.Context(), id, ask("passe\u0301code")); err != nil {
			t.Fatal(err)
		}
	}
	for range 7 { // nor does asking without one
		if n, ok := remaining(second(b.Manifest(t.Context(), id, ask("")))); !ok || n != Attempts {
			t.Fatalf("%d, %v", n, ok)
		}
	}
	for want := Attempts - 1; want >= 0; want-- {
		err := second(b.Manifest(t.Context(), id, ask("Pass\u00e9code")))
		if n, ok := remaining(err); !ok || n != want || fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("%v, want %d remaining", err, want)
		}
		if want == 2 {
			if _, err := b.Manifest(t.Context(), id, ask("pass\u00e9code")); err != nil { // gives none back either
				t.Fatal(err)
			}
			b.clock.advance(7 * 24 * time.Hour) // nor does time
		}
	}
	if err := second(b.Manifest(t.Context(), id, ask("pass\u00e9code"))); !errors.Is(err, errLink) {
		t.Errorf("a used-up link answers: %v", err)
	}
	handle, _ := b.handle(id)
	if _, err := b.store.Get(t.Context(), files, fileID(handle, 0)); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("a used-up link keeps its ciphertext: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestRacingGuesses: from two processes on one store, a hundred guesses at a time get five
// verdicts, each with another number.
func TestRacingGuesses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{Passcode: passcode})
	b.hashes.Store(0)
	services := []*Service{b.Service, b.service(t)}
	var mu sync.Mutex
	var verdicts []int
	var wg sync.WaitGroup
	for n := range 100 {
		wg.Go(func() {
			for {
				err := second(services[n%2].Manifest(t.Context(), id, ask("wrong one")))
				left, wrong := remaining(err)
				switch {
				case wrong:
					mu.Lock()
					verdicts = append(verdicts, left)
					mu.Unlock()
					return
				case errors.Is(err, errLink):
					return
				case !errors.Is(err, errRacing):
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(verdicts)
	if !slices.Equal(verdicts, []int{0, 1, 2, 3, 4}) {
		t.Errorf("verdicts %v", verdicts)
	}
	if n := b.hashes.Load(); n != Attempts {
		t.Errorf("%d hashes for %d attempts", n, Attempts)
	}
}

// TestRacingAnswers: people who know the passcode never use a link up, however many ask.
func TestRacingAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{Passcode: passcode})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			for {
				err := second(b.Manifest(t.Context(), id, ask(passcode)))
				if err == nil {
					return
				}
				if !errors.Is(err, errRacing) {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n, ok := remaining(second(b.Manifest(t.Context(), id, ask("wrong one")))); !ok || n != Attempts-1 {
		t.Errorf("%d remain", n)
	}
}

// TestOpenAttemptsBlockGuesses: while five attempts are being checked no sixth is taken,
// even if one of them will be right.
func TestOpenAttemptsBlockGuesses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{Passcode: passcode})
	s := b.service(t)
	s.slots = make(chan struct{}, 10)
	started, gate := make(chan struct{}, 10), make(chan struct{})
	s.derive = func(passcode string, salt []byte) []byte {
		started <- struct{}{}
		<-gate
		return quick(passcode, salt)
	}
	results := make(chan error, Attempts)
	for n := range Attempts {
		code := "wrong one"
		if n == 0 {
			code = passcode
		}
		go func() { results <- second(s.Manifest(t.Context(), id, ask(code))) }()
	}
	for range Attempts {
		<-started
	}
	err := second(b.Manifest(t.Context(), id, ask(passcode)))
	if !errors.Is(err, errRacing) || fault.From(err).RetryAfter <= 0 {
		t.Errorf("a sixth: %v", err)
	}
	close(gate)
	right := 0
	for range Attempts {
		if err := <-results; err == nil {
			right++
		} else if _, ok := remaining(err); !ok {
			t.Errorf("%v", err)
		}
	}
	if right != 1 {
		t.Errorf("%d were right", right)
	}
	if n, ok := remaining(second(b.Manifest(t.Context(), id, ask("wrong one")))); !ok || n != 0 {
		t.Errorf("%d remain", n)
	}
}

// TestCrashDuringCheck: an attempt whose outcome could not be written tells nothing, and
// neither counts nor blocks for longer than it could have been running.
func TestCrashDuringCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{Passcode: passcode})
	for n := range Attempts {
		updates := 0
		b.store.hook(func(call, _ string) error {
			if call == "update" {
				if updates++; updates == 2 {
					return docstore.ErrUnavailable
				}
			}
			return nil
		})
		code := "wrong one"
		if n == 2 {
			code = passcode
		}
		if err := second(b.Manifest(t.Context(), id, ask(code))); !errors.Is(err, errStore) {
			t.Errorf("%v", err)
		}
	}
	b.store.hook(nil)
	if err := second(b.Manifest(t.Context(), id, ask(passcode))); !errors.Is(err, errRacing) {
		t.Errorf("five open attempts: %v", err)
	}
	b.clock.advance(checkTime)
	if n, ok := remaining(second(b.Manifest(t.Context(), id, ask("wrong one")))); !ok || n != Attempts-1 {
		t.Errorf("%d remain", n)
	}
}

// TestSlowCheckTellsNothing: a check that took longer than its attempt lasts has no verdict.
func TestSlowCheckTellsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{Passcode: passcode})
	b.Service.derive = func(passcode string, salt []byte) []byte {
		b.clock.advance(checkTime)
		return quick(passcode, salt)
	}
	for _, code := range []string{passcode, "wrong one"} {
		if err := second(b.Manifest(t.Context(), id, ask(code))); !errors.Is(err, errLapsed) {
			t.Errorf("%v", err)
		}
	}
}

// TestWithdrawnDuringCheck: the right passcode of a link that is gone by now opens nothing.
func TestWithdrawnDuringCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	created, _, id := b.create(t, Options{Passcode: passcode})
	b.Service.derive = func(passcode string, salt []byte) []byte {
		if err := b.Withdraw(t.Context(), clinic, created.ID); err != nil {
			t.Error(err)
		}
		return quick(passcode, salt)
	}
	// Without embedding no ciphertext is read, which would be missing anyway.
	if err := second(b.Manifest(t.Context(), id, Request{Recipient: "Border Specimen", Passcode: passcode, EmbeddedLengthMax: number(0)})); !errors.Is(err, errLink) {
		t.Errorf("%v", err)
	}
}

// TestWorkIsBounded: no hash for links that are gone, have no passcode or were asked for
// without one; a bounded number at a time; who does not get a place is sent away.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	created, _, gone := b.create(t, Options{Passcode: passcode})
	_, _, open := b.create(t, Options{})
	if err := b.Withdraw(t.Context(), clinic, created.ID); err != nil {
		t.Fatal(err)
	}
	_, _, id := b.create(t, Options{Passcode: passcode})
	b.hashes.Store(0)
	for _, q := range []struct{ id, code string }{{gone, passcode}, {open, passcode}, {"x", passcode}, {id, ""}} {
		_, _ = b.Manifest(t.Context(), q.id, ask(q.code))
	}
	if n := b.hashes.Load(); n != 0 {
		t.Errorf("%d hashes for nothing", n)
	}
	s := b.service(t)
	s.slots, s.wait = make(chan struct{}, 2), 20*time.Millisecond
	var running, most atomic.Int64
	s.derive = func(passcode string, salt []byte) []byte {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(100 * time.Millisecond)
		running.Add(-1)
		return quick(passcode, salt)
	}
	var busy atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := second(s.Manifest(t.Context(), id, ask(passcode))); errors.Is(err, errBusy) {
				busy.Add(1)
			} else if err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 || busy.Load() == 0 {
		t.Errorf("%d at a time, %d sent away", most.Load(), busy.Load())
	}
}
