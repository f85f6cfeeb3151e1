package delivery

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// over makes a Server of a peer. impatience is how long it waits for an answer; 0: long.
func over(t testing.TB, p *clienttest.Peer, impatience time.Duration) Server {
	t.Helper()
	c, err := client.New(client.Options{Base: p.URL(), Transport: p.Transport(), Timeout: impatience, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return Over(c)
}

// servers is a configuration of one server.
func servers(name string, server Server) func(string) (Server, bool) {
	return func(asked string) (Server, bool) { return server, asked == name }
}

// system is a registry with a worker, and the server that it delivers to.
type system struct {
	*issuance.Service
	authority *deliverytest.Authority
	clock     func() time.Time
	dir       string
	bell      *Bell
	peer      *clienttest.Peer
	log       *journal
}

func newSystem(t testing.TB) *system {
	t.Helper()
	clock := deliverytest.Clock()
	s := &system{
		clock: clock, authority: deliverytest.NewAuthority(t, clock), dir: t.TempDir(),
		bell: NewBell(func() string { return "national" }), peer: clienttest.NewPeer(t), log: &journal{},
	}
	s.Service = deliverytest.Registry(t, s.dir, s.bell, s.authority, clock)
	return s
}

// worker makes an impatient worker.
func (s *system) worker(t testing.TB, change ...func(*Options)) *Worker {
	t.Helper()
	o := Options{
		Queue: s.Deliveries(), Bell: s.bell, Servers: servers("national", over(t, s.peer, 0)), Clock: s.clock,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Timeout: 5 * time.Second, Poll: 50 * time.Millisecond,
		FirstPause: 20 * time.Millisecond, LongestPause: 200 * time.Millisecond,
	}
	for _, c := range change {
		c(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs a worker until the test ends or stop is called.
func run(t testing.TB, w *Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// settled waits until the outbox is empty.
func settled(t testing.TB, s *issuance.Service) {
	t.Helper()
	eventually(t, "the outbox is not empty", func() bool {
		open, _, err := s.Deliveries().Open(context.Background(), "", 10)
		return err == nil && len(open) == 0
	})
}

func eventually(t testing.TB, complaint string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatal(complaint)
}

// journal is a log to be searched.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

var _ io.Writer = (*journal)(nil)

// tree reads JSON.
func tree(t testing.TB, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %.200s", err, raw)
	}
	return v
}

// folders gives what each folder of the store lists, by HCID.
func folders(t testing.TB, store *clienttest.Store) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, raw := range store.All("List") {
		var l struct {
			Code       struct{ Coding []struct{ Code string } }
			Identifier []struct{ Use, Value string }
			Entry      []struct{ Item struct{ Reference string } }
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		if l.Code.Coding[0].Code != "folder" {
			continue
		}
		hcid := l.Identifier[0].Value
		if _, twice := all[hcid]; twice {
			t.Errorf("two folders of one HCID")
		}
		all[hcid] = []string{}
		for _, e := range l.Entry {
			all[hcid] = append(all[hcid], e.Item.Reference)
		}
	}
	return all
}

// entriesOf are the references of certificates as a folder lists them.
func entriesOf(t testing.TB, store *clienttest.Store, issued ...issuance.Issued) []string {
	t.Helper()
	var all []string
	for _, out := range issued {
		document := ""
		for _, raw := range store.All("DocumentReference") {
			r := tree(t, raw)
			if r["masterIdentifier"].(map[string]any)["value"] == "urn:uuid:"+out.ID {
				document = r["id"].(string)
			}
		}
		all = append(all, "DocumentReference/"+document, "DocumentReference/"+out.ReferenceID)
	}
	return all
}
