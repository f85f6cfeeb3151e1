package server_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const racers = 32

// race sends from many goroutines at once and counts the statuses.
func race(send func(i int) int) map[int]int {
	var counts [600]atomic.Int64
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			<-start
			counts[send(i)].Add(1)
		})
	}
	close(start)
	wg.Wait()
	out := map[int]int{}
	for status := range counts {
		if n := counts[status].Load(); n > 0 {
			out[status] = int(n)
		}
	}
	return out
}

// TestRaces: of racing conditional requests exactly one wins.
func TestRaces(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	named := `{"resourceType":"Patient","identifier":[{"value":"one"}]}`
	if got := race(func(int) int {
		return p.do("POST", "/Patient", []byte(named), "If-None-Exist", "identifier=one").status
	}); got[201] != 1 || got[200] != racers-1 {
		t.Errorf("If-None-Exist: %v", got)
	}
	if got := race(func(int) int {
		return p.do("PUT", "/Patient/a", []byte(withID(ada, "a")), "If-None-Match", "*").status
	}); got[201] != 1 || got[412] != racers-1 {
		t.Errorf("If-None-Match: %v", got)
	}
	if got := race(func(int) int {
		return p.do("PUT", "/Patient/a", []byte(withID(ada, "a")), "If-Match", `W/"1"`).status
	}); got[200] != 1 || got[412] != racers-1 {
		t.Errorf("If-Match: %v", got)
	}
	if got := race(func(int) int { return p.do("DELETE", "/Patient/a", nil, "If-Match", `W/"2"`).status }); got[204] != 1 || got[412] != racers-1 {
		t.Errorf("deletion: %v", got)
	}
	if got := race(func(int) int {
		return p.do("PUT", "/Basic?identifier=two", []byte(`{"resourceType":"Basic","identifier":[{"value":"two"}]}`)).status
	}); got[201] != 1 || got[200] != racers-1 {
		t.Errorf("conditional update: %v", got)
	}
	if got := race(func(i int) int {
		return p.do("POST", "/", []byte(bundleOf("transaction",
			entryOf("", "POST", "Observation", `{"resourceType":"Observation","subject":{"reference":"`+urnA+`"}}`),
			entryOf(urnA, "POST", "Patient", strings.Replace(named, "one", "three", 1), `,"ifNoneExist":"identifier=three"`),
		))).status
	}); got[200] != racers {
		t.Errorf("transactions: %v", got)
	}
	for _, name := range []string{"one", "three"} {
		if n := p.want(200, "GET", "/Patient?_summary=count&identifier="+name, "").text(t, "total"); n != "1" {
			t.Errorf("%s patients called %s", n, name)
		}
	}
}

// TestPatchesAreNotLost: patches of one list, sent at once, all arrive.
func TestPatchesAreNotLost(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	p.want(201, "PUT", "/List/l", `{"resourceType":"List","id":"l","entry":[{"item":{"display":"first"}}]}`)
	race(func(i int) int {
		patch := fmt.Sprintf(`[{"op":"add","path":"/entry/-","value":{"item":{"display":"%d"}}}]`, i)
		return p.do("PATCH", "/List/l", []byte(patch), "Content-Type", "application/json-patch+json").status
	})
	entries, _ := p.want(200, "GET", "/List/l", "").at(t, "entry").([]any)
	if len(entries) != racers+1 {
		t.Errorf("%d entries of %d", len(entries), racers+1)
	}
}
