package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// TestOutageMatrix fails in each way before, between and while certificates are issued and
// revoked. In the end every certificate is there once, and each folder has it once, in order.
func TestOutageMatrix(t *testing.T) {
	t.Parallel()
	for _, mode := range clienttest.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.peer.Fail(mode, 3)
			w := s.worker(t, func(o *Options) { o.Servers = servers("national", over(t, s.peer, 300*time.Millisecond)) })
			run(t, w)
			books := newBooks()
			for dose := 1; dose <= 4; dose++ {
				for _, hcid := range []string{"HCID-1", "HCID-2"} {
					books.issue(t, s, hcid, dose)
					s.peer.Fail(mode, 1)
					if dose == 3 {
						books.revoke(t, s, hcid, 0)
					}
				}
				time.Sleep(20 * time.Millisecond)
			}
			eventually(t, "the failures were not met", func() bool {
				open, _, err := s.Deliveries().Open(context.Background(), "", 1)
				return err == nil && (len(open) == 0 || s.peer.Left() == 0)
			})
			s.peer.Mend()
			settled(t, s.Service)
			waitIdle(t, []*Worker{w})
			books.check(t, s)
			if failed, _, err := s.Deliveries().Undelivered(context.Background(), "", 10); err != nil || len(failed) != 0 {
				t.Errorf("given up: %+v, %v", failed, err)
			}
			if log := s.log.String(); strings.Contains(log, "Specimen") || strings.Contains(log, "10.0.0.1") || strings.Contains(log, "HCID-") {
				t.Errorf("the log repeats what it must not:\n%s", log)
			}
		})
	}
}

// TestDownIsLeftAlone: a server that is away gets few calls, and what was issued meanwhile
// when it is back.
func TestDownIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.peer.Fail(clienttest.Status503, -1)
	w := s.worker(t, func(o *Options) { o.LongestPause = 300 * time.Millisecond })
	run(t, w)
	began, books := time.Now(), newBooks()
	for i := range 40 {
		books.issue(t, s, fmt.Sprint("HCID-", i), 1)
	}
	time.Sleep(time.Second)
	// Eight at once, then one at a time, after pauses that soon last 150 ms or longer.
	if calls, most := len(s.peer.Exchanges()), 8+10+int(time.Since(began)/(150*time.Millisecond)); calls > most {
		t.Errorf("%d calls of a server that is away, at most %d expected", calls, most)
	}
	eventually(t, "the numbers do not say so", func() bool {
		now := w.Status()
		return len(now) == 1 && now[0].Waiting == 40 && !now[0].Oldest.IsZero() && now[0].Delivered == 0 && now[0].Failed > 0
	})
	s.peer.Mend()
	settled(t, s.Service)
	books.check(t, s)
	eventually(t, "the numbers are not back", func() bool {
		now := w.Status()[0]
		return now.Waiting == 0 && now.Oldest.IsZero() && !now.Paused && now.Delivered == 40
	})
	if n := strings.Count(s.log.String(), "the FHIR server is back"); n != 1 {
		t.Errorf("it came back %d times", n)
	}
}

// TestRetryAfterIsHonoured: nobody calls before the server said.
func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.peer.Fail(clienttest.TooMany, 1) // Retry-After: 1
	run(t, s.worker(t, func(o *Options) { o.LongestPause = time.Minute }))
	began := time.Now()
	deliverytest.Issue(t, s.Service, "HCID-1", 1)
	settled(t, s.Service)
	if took := time.Since(began); took < time.Second {
		t.Errorf("called again after %s", took)
	}
}

// TestRegistryTroubleIsNotTheServers: the server is not paused for it.
func TestRegistryTroubleIsNotTheServers(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	trouble := &troubled{Queue: s.Deliveries(), left: 3}
	w := s.worker(t, func(o *Options) { o.Queue = trouble })
	run(t, w)
	out := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	settled(t, s.Service)
	onceEach(t, s, []issuance.Issued{out})
	if strings.Contains(s.log.String(), "takes no certificates") {
		t.Error("the server was blamed")
	}
}

// troubled fails to note what was done.
type troubled struct {
	Queue
	left int
}

func (q *troubled) Done(ctx context.Context, at issuance.Delivery) error {
	if q.left--; q.left >= 0 {
		return errContent
	}
	return q.Queue.Done(ctx, at)
}

// books say what must be on the server in the end.
type books struct {
	issued  map[string][]issuance.Issued // by HCID, in order
	revoked map[string]bool
}

func newBooks() *books {
	return &books{issued: map[string][]issuance.Issued{}, revoked: map[string]bool{}}
}

func (b *books) issue(t testing.TB, s *system, hcid string, dose int) {
	t.Helper()
	b.issued[hcid] = append(b.issued[hcid], deliverytest.Issue(t, s.Service, hcid, dose))
}

func (b *books) revoke(t testing.TB, s *system, hcid string, nth int) {
	t.Helper()
	id := b.issued[hcid][nth].ID
	b.revoked[id] = true
	if err := s.Revoke(context.Background(), deliverytest.Clinic, id, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
}

func (b *books) check(t *testing.T, s *system) {
	t.Helper()
	store, total := s.peer.Store(), 0
	got := folders(t, store)
	for hcid, issued := range b.issued {
		standing := slices.DeleteFunc(slices.Clone(issued), func(out issuance.Issued) bool { return b.revoked[out.ID] })
		total += len(standing)
		if want := entriesOf(t, store, standing...); !slices.Equal(got[hcid], want) {
			t.Errorf("folder\n%q\nwant\n%q", got[hcid], want)
		}
		onceEach(t, s, standing)
	}
	if n := store.Count("Bundle"); n != total || len(got) != len(b.issued) {
		t.Errorf("%d documents of %d, %d folders of %d", n, total, len(got), len(b.issued))
	}
}
