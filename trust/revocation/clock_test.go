package revocation_test

import (
	"errors"
	"os"
	"testing"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// TestClockSetBack: whatever was published with a clock that was ahead, publishing goes on
// when it is set right, with sequences, counters and dates that grow; a verifier that has the
// later manifest is not told to forget anything.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"running": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, card(1), dcc(1))
			p := s.publisher(t)
			first := published(t, p)
			changes, _ := first.BatchChanges(time.Time{})
			s.set(func() { s.now = s.now.Add(-24 * time.Hour); s.entries = append(s.entries, card(2), dcc(2)) })
			if restart {
				p = s.publisher(t)
				if _, err := p.Current(); err == nil {
					t.Error("a manifest from the future is served to verifiers who refuse it")
				}
			}
			second := published(t, p)
			if second.Manifest.Sequence <= first.Manifest.Sequence || second.Manifest.Revocations != 4 {
				t.Errorf("sequence %d after %d, %d revocations", second.Manifest.Sequence, first.Manifest.Sequence, second.Manifest.Revocations)
			}
			if !second.Manifest.IssuedAt.Equal(s.clock()) {
				t.Errorf("issued at %s", second.Manifest.IssuedAt)
			}
			if counter, ok := second.CRLVersion(thumbprint); !ok || counter != 2 {
				t.Errorf("counter %d", counter)
			}
			if later, _ := second.BatchChanges(changes[len(changes)-1].Date); len(later) == 0 {
				t.Error("the changes of batches are dated before those that are known")
			}
		})
	}
}

// TestLostDirectoryAndAClockAhead: nothing but the signing service knows the last sequence;
// publishing waits until the clock has passed it, and says so.
func TestLostDirectoryAndAClockAhead(t *testing.T) {
	t.Parallel()
	s := newSite(t, dcc(1))
	published(t, s.publisher(t))
	s.set(func() { s.now = s.now.Add(-time.Hour) })
	if err := os.RemoveAll(s.config.Dir); err != nil {
		t.Fatal(err)
	}
	p := s.publisher(t)
	if err := p.Refresh(t.Context()); !errors.Is(err, format.ErrSequence) || p.Check(t.Context()) == nil {
		t.Errorf("refresh: %v", err)
	}
	s.set(func() { s.now = s.now.Add(time.Hour + time.Second) })
	if m := published(t, p).Manifest; revocation.Stale(m, s.clock()) != nil {
		t.Error("stale")
	}
}

// TestLostDirectoryAndHigherCounters: a card list that was once longer, then repaired, counts
// higher than it has entries. Without the directory only the signing service knows by how much;
// publishing goes on at once, and goes on again when it happens a second time.
func TestLostDirectoryAndHigherCounters(t *testing.T) {
	t.Parallel()
	s := newSite(t, card(1), card(2), card(3))
	p := s.publisher(t)
	published(t, p)
	s.set(func() { s.now = s.now.Add(time.Hour); s.entries = []format.Entry{card(1)} })
	counter, _ := published(t, p).CRLVersion(thumbprint)
	if counter != 4 {
		t.Fatalf("counter %d of a list that has changed", counter)
	}
	for range 3 {
		if err := os.RemoveAll(s.config.Dir); err != nil {
			t.Fatal(err)
		}
		s.set(func() { s.now = s.now.Add(2 * time.Second) })
		p = s.publisher(t)
		m := published(t, p)
		again, _ := m.CRLVersion(thumbprint)
		if again <= counter || again > m.Manifest.Sequence {
			t.Fatalf("counter %d after %d, sequence %d", again, counter, m.Manifest.Sequence)
		}
		counter = again
		s.set(func() { s.now = s.now.Add(time.Second); s.entries = append(s.entries, card(len(s.entries)+1)) })
		if grown, _ := published(t, p).CRLVersion(thumbprint); grown != counter+1 {
			t.Fatalf("counter %d after %d", grown, counter)
		}
		counter++
	}
}
