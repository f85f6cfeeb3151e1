package docstoretest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// oneWinner lets racers insert different documents with one unique key.
func oneWinner(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	for round := range 10 {
		key := fmt.Sprint("one time code ", round)
		var mu sync.Mutex
		var winners, told []string
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				id := fmt.Sprintf("%d-%d", round, i)
				_, err := s.Insert(ctx, certs, doc(id, []string{"own " + id, key}, nil))
				var e *docstore.ExistsError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					winners = append(winners, id)
				case errors.As(err, &e) && e.Key == key:
					told = append(told, e.ID)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(winners) != 1 {
			t.Fatalf("%d winners", len(winners))
		}
		for _, id := range told {
			if id != winners[0] {
				t.Error("a loser was told another winner")
			}
		}
	}
}

// noLostUpdate counts in the body of one document.
func noLostUpdate(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	insert(t, s, docstore.Document{ID: "counter", Body: []byte("0")})
	const racers, each = 8, 25
	var all sync.WaitGroup
	for range racers {
		all.Go(func() {
			for done := 0; done < each; {
				d, err := s.Get(ctx, certs, "counter")
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := strconv.Atoi(string(d.Body))
				d.Body = []byte(strconv.Itoa(n + 1))
				_, err = s.Update(ctx, certs, d)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, docstore.ErrVersion):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	d, err := s.Get(ctx, certs, "counter")
	if err != nil || string(d.Body) != strconv.Itoa(racers*each) || d.Version != racers*each+1 {
		t.Errorf("%d updates gave %q in version %d, %v", racers*each, d.Body, d.Version, err)
	}
}

// rangeWhileInserting walks pages while other documents come.
func rangeWhileInserting(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	for i := range 60 {
		insert(t, s, doc(fmt.Sprintf("old-%02d", i), nil, []string{"i"}))
	}
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 200 {
			id := fmt.Sprintf("%c-%d", "anz"[i%3], i)
			if _, err := s.Insert(ctx, certs, doc(id, nil, []string{"i"})); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 10 {
		seen := map[string]bool{}
		last, after := "", ""
		for {
			docs, next, err := s.Range(ctx, certs, "i", after, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				if d.ID <= last {
					t.Fatal("not in order of ids, or twice")
				}
				last, seen[d.ID] = d.ID, true
			}
			if after = next; next == "" {
				break
			}
		}
		for i := range 60 {
			if !seen[fmt.Sprintf("old-%02d", i)] {
				t.Fatal("a document that was there all the time is missing")
			}
		}
	}
	all.Wait()
}

// insertAndDeleteRace passes one unique key from document to document.
func insertAndDeleteRace(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	var mu sync.Mutex
	held := 0
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 40 {
				id := fmt.Sprintf("%d-%d", i, j)
				var e *docstore.ExistsError
				_, err := s.Insert(ctx, certs, doc(id, []string{"token"}, []string{"i"}))
				if errors.As(err, &e) {
					continue
				}
				mu.Lock()
				if held++; err != nil || held != 1 {
					t.Errorf("%d holders, %v", held, err)
				}
				held--
				mu.Unlock()
				if err := s.Delete(ctx, certs, id, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "token"))
	wantIDs(t, s, "i")
}
