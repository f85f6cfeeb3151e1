package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// chime is the outbox of several gateways on one registry.
type chime []*Bell

func (c chime) Target() string { return c[0].Target() }

func (c chime) Due(folderID string) {
	for _, b := range c {
		b.Due(folderID)
	}
}

// TestWritersOfOneFolder has certificates of one folder registered all at once, by nobody who
// keeps an order: no entry is lost, none is there twice, and all are in order of issue.
func TestWritersOfOneFolder(t *testing.T) {
	t.Parallel()
	const writers = 24
	s := newSystem(t)
	var issued []issuance.Issued
	for dose := range writers {
		issued = append(issued, deliverytest.Issue(t, s.Service, "HCID-1", dose+1))
	}
	all, err := s.Deliveries().InFolder(context.Background(), issued[0].FolderID)
	if err != nil || len(all) != writers {
		t.Fatal(len(all), err)
	}
	server, w := over(t, s.peer, 0), s.worker(t)
	var racing sync.WaitGroup
	for i, d := range all {
		for range 2 { // of two gateways
			racing.Go(func() {
				c := conversation{server: server, queue: s.Deliveries(), at: d, now: s.clock, pause: w.contend}
				for _, l := range all[i+1:] {
					c.later = append(c.later, l.ID)
				}
				for range 100 {
					err := c.run(context.Background())
					if err == nil {
						return
					}
					if !contended(err) {
						t.Error(err)
						return
					}
				}
				t.Error("never got through")
			})
		}
	}
	racing.Wait()
	store := s.peer.Store()
	if got, want := folders(t, store)["HCID-1"], entriesOf(t, store, issued...); !slices.Equal(got, want) {
		t.Errorf("folder\n%q\nwant\n%q", got, want)
	}
	onceEach(t, s, issued)
}

// TestSeveralGateways has several workers empty one outbox while certificates are issued and
// revoked.
func TestSeveralGateways(t *testing.T) {
	t.Parallel()
	const gateways, people, doses = 3, 6, 5
	s := newSystem(t)
	var bells chime
	for range gateways {
		bells = append(bells, NewBell(func() string { return "national" }))
	}
	s.Service = deliverytest.Registry(t, t.TempDir(), bells, s.authority, s.clock)
	var workers []*Worker
	for _, b := range bells {
		w := s.worker(t, func(o *Options) { o.Bell = b })
		workers = append(workers, w)
		run(t, w)
	}
	issued := make([][]issuance.Issued, people)
	var clinics sync.WaitGroup
	for person := range people {
		clinics.Go(func() {
			for dose := range doses {
				out, err := s.Issue(context.Background(), deliverytest.Request(fmt.Sprint("HCID-", person), dose+1))
				if err != nil {
					t.Error(err)
					return
				}
				issued[person] = append(issued[person], out)
				if dose == 2 { // at once: its registration may be on its way
					if err := s.Revoke(context.Background(), deliverytest.Clinic, out.ID, issuance.ReasonError); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	clinics.Wait()
	settled(t, s.Service)
	store := s.peer.Store()
	got := folders(t, store)
	for person := range people {
		standing := slices.Delete(slices.Clone(issued[person]), 2, 3)
		if hcid := fmt.Sprint("HCID-", person); !slices.Equal(got[hcid], entriesOf(t, store, standing...)) {
			t.Errorf("folder of person %d: %q", person, got[hcid])
		}
		onceEach(t, s, standing)
		if store.Get("Bundle", issued[person][2].ID) != nil {
			t.Error("a revoked document is there")
		}
	}
	if n := store.Count("Bundle"); n != people*(doses-1) {
		t.Errorf("%d documents", n)
	}
	waitIdle(t, workers)
}

// onceEach checks that each certificate was written once.
func onceEach(t *testing.T, s *system, issued []issuance.Issued) {
	t.Helper()
	store := s.peer.Store()
	for _, out := range issued {
		if n := store.Versions("Bundle", out.ID); n != 2 { // its place, and the document
			t.Errorf("a document was written %d times", n-1)
		}
		if !registration.Stored(store.Get("Bundle", out.ID)) {
			t.Error("a document is not there")
		}
		if n := store.Versions("DocumentReference", out.ReferenceID); n != 1 {
			t.Errorf("a reference was written %d times", n)
		}
	}
}

// waitIdle waits until no folder is in work: then nothing comes late.
func waitIdle(t *testing.T, workers []*Worker) {
	t.Helper()
	eventually(t, "a worker is not idle", func() bool {
		for _, w := range workers {
			w.mu.Lock()
			busy := len(w.running)
			w.mu.Unlock()
			if busy > 0 {
				return false
			}
		}
		return true
	})
}

// TestIdleCostsNothing: an outbox with nothing in it is read once a poll, and no server is
// called.
func TestIdleCostsNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	counting := &counting{Queue: s.Deliveries()}
	run(t, s.worker(t, func(o *Options) { o.Queue, o.Poll = counting, 20*time.Millisecond }))
	time.Sleep(200 * time.Millisecond)
	if n := counting.reads(); n < 2 || n > 11 {
		t.Errorf("%d reads in ten polls", n)
	}
	if n := len(s.peer.Exchanges()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

type counting struct {
	Queue
	mu sync.Mutex
	n  int
}

func (c *counting) Open(ctx context.Context, after string, limit int) ([]issuance.Delivery, string, error) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return c.Queue.Open(ctx, after, limit)
}

func (c *counting) reads() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}
