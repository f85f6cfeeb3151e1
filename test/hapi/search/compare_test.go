package search

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

func TestAnswersAreHAPIs(t *testing.T) {
	all := examples(t)
	theirs := peer{hapi.Start(t, hapi.Lenient), http.DefaultClient}
	ours := embedded(t)
	began := time.Now()
	valid := ours.load(t, all)
	places := complete(t, valid)
	theirs.prepare(t, places)
	taken := theirs.load(t, valid)
	theirs.clear(t, places, taken)
	ours.clear(t, valid, taken)
	if len(taken)*10 < len(all)*9 {
		t.Fatalf("both take %d of %d examples", len(taken), len(all))
	}
	for _, e := range taken {
		loaded[e.name()] = e.raw
	}
	t.Logf("%d examples loaded in %v", len(taken), time.Since(began).Round(time.Second))
	queries := append(made(t, taken), chosen()...)
	began = time.Now()
	compare(t, ours, theirs, queries)
	t.Logf("%d searches compared in %v", len(queries), time.Since(began).Round(time.Second))
}

// compare asks both and reports what differs without a reason.
func compare(t *testing.T, ours, theirs peer, queries []query) {
	t.Helper()
	same, found, explained := 0, 0, map[string]int{}
	var mu sync.Mutex
	work := make(chan query)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for q := range work {
				a, b := ours.ask(t, q), theirs.ask(t, q)
				mu.Lock()
				switch reason := why(q, a, b); {
				case equal(a, b):
					same++
					if len(a.matches) > 0 {
						found++
					}
				case reason != "":
					explained[reason]++
				default:
					t.Errorf("%s\n\tours   %s\n\tHAPI's %s", q, show(a, b), show(b, a))
				}
				mu.Unlock()
			}
		})
	}
	for _, q := range queries {
		work <- q
	}
	close(work)
	workers.Wait()
	t.Logf("%d searches have the same answer, %d of them with matches", same, found)
	for _, d := range differences {
		t.Logf("%d differ: %s", explained[d.reason], d.reason)
		if explained[d.reason] == 0 {
			t.Errorf("no search differs any more for the reason %q", d.reason)
		}
	}
}

func equal(a, b answer) bool {
	return (a.refused == "") == (b.refused == "") && slices.Equal(a.matches, b.matches) && slices.Equal(a.includes, b.includes)
}

// show gives what only the first has.
func show(a, b answer) string {
	if a.refused != "" {
		return "refused: " + a.refused
	}
	var only []string
	for _, name := range slices.Concat(a.matches, a.includes) {
		if !slices.Contains(b.matches, name) && !slices.Contains(b.includes, name) {
			only = append(only, name)
		}
	}
	return fmt.Sprintf("%d matches, %d includes, alone %.400v", len(a.matches), len(a.includes), only)
}
