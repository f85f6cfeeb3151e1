package revocation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// TestAReaderOfBatchesMissesNothing: whatever is published, and whenever a reader comes, with
// the last date it saw or with its own clock, it ends with the batches there are.
func TestAReaderOfBatchesMissesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
		var states []batchState
		known, since, last := map[string]bool{}, time.Time{}, now
		for step := range rapid.IntRange(1, 12).Draw(r, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40*86400).Draw(r, "seconds")) * time.Second)
			size, from := rapid.IntRange(0, 3500).Draw(r, "batches"), rapid.IntRange(0, 3000).Draw(r, "first")
			var refs []revocation.BatchRef
			want := map[string]bool{}
			for i := from; i < from+size; i++ {
				id := fmt.Sprintf("%04d", i)
				refs, want[id] = append(refs, revocation.BatchRef{ID: id}), true
			}
			states = nextBatches(states, refs, map[string]int64{}, now)
			checkDates(r, states)
			if rapid.Bool().Draw(r, "skips this one") {
				continue
			}
			if now.Sub(last) >= deletedFor { // what was deleted meanwhile is not listed any more
				known, since = map[string]bool{}, time.Time{}
			}
			since, last = readAll(r, states, known, since), now
			for id := range known {
				if !want[id] {
					r.Fatalf("step %d: a deleted batch is kept", step)
				}
			}
			if len(known) != len(want) {
				r.Fatalf("step %d: %d batches known, %d there", step, len(known), len(want))
			}
			if rapid.Bool().Draw(r, "trusts its clock") && now.Before(since) {
				since = now
			}
			if step > 0 && rapid.IntRange(0, 5).Draw(r, "starts anew") == 0 {
				known, since = map[string]bool{}, time.Time{}
			}
		}
	})
}

func readAll(r *rapid.T, states []batchState, known map[string]bool, since time.Time) time.Time {
	for more := true; more; {
		var page []batchState
		if page, more = pageAfter(states, since); len(page) == 0 {
			if more {
				r.Fatal("more of nothing")
			}
			return since
		}
		if len(page) > BatchPage {
			r.Fatalf("a page of %d", len(page))
		}
		for _, s := range page {
			if s.Deleted {
				delete(known, s.ID)
			} else {
				known[s.ID] = true
			}
		}
		since = page[len(page)-1].Date
	}
	return since
}

func checkDates(r *rapid.T, states []batchState) {
	perDate := map[time.Time]int{}
	for _, s := range states {
		if perDate[s.Date]++; perDate[s.Date] > BatchPage {
			r.Fatal("one date has more changes than a page")
		}
	}
	if !slices.IsSortedFunc(states, compareStates) {
		r.Fatal("not in order")
	}
}

func TestDeletedBatchesAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	one := []revocation.BatchRef{{ID: "a"}}
	states := nextBatches(nil, one, nil, now)
	states = nextBatches(states, nil, nil, now.Add(time.Hour))
	if len(states) != 1 || !states[0].Deleted || !states[0].Date.After(now.Add(time.Hour)) {
		t.Fatalf("%+v", states)
	}
	if states = nextBatches(states, nil, nil, now.Add(13*24*time.Hour)); len(states) != 1 {
		t.Error("forgotten before seven days")
	}
	again := nextBatches(states, one, nil, now.Add(13*24*time.Hour))
	if len(again) != 1 || again[0].Deleted || !again[0].Date.After(now.Add(13*24*time.Hour)) {
		t.Errorf("%+v", again)
	}
	if states = nextBatches(states, nil, nil, now.Add(15*24*time.Hour)); len(states) != 0 {
		t.Error("kept for ever")
	}
}
