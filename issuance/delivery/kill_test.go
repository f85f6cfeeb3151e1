package delivery

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"crypto/tls"
	"crypto/x509"
	"log/slog"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// order is what a gateway in a process of its own is to do.
type order struct {
	Dir    string
	Server string
	CA     string
	People int
	Doses  int
	DieAt  int64 // at which step it dies without warning; 0: it does not
}

const orderVariable = "DDCC_TEST_DELIVERY_ORDER"

// TestGatewayProcess is the process: it issues and revokes as ordered, once more what a
// gateway before it did, and prints what it answered; then it waits for the outbox to empty.
func TestGatewayProcess(t *testing.T) {
	text := os.Getenv(orderVariable)
	if text == "" {
		t.Skip("it is started by the tests that kill it")
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	clock, steps := deliverytest.Clock(), &stepping{dieAt: o.DieAt}
	bell := NewBell(func() string { return "national" })
	s := deliverytest.Registry(t, o.Dir, bell, deliverytest.NewAuthority(t, clock), clock)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(o.CA))
	c, err := client.New(client.Options{
		Base: o.Server, Timeout: 300 * time.Millisecond, Attempts: 1,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Options{
		Queue: mortalQueue{s.Deliveries(), steps}, Bell: bell, Servers: servers("national", mortalServer{Over(c), steps}), Clock: clock,
		Log: slog.New(slog.DiscardHandler), Poll: 50 * time.Millisecond, FirstPause: 20 * time.Millisecond, LongestPause: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, w)
	for dose := range o.Doses {
		for person := range o.People {
			out, err := s.Issue(context.Background(), deliverytest.Request(fmt.Sprint("HCID-", person), dose+1))
			revoked := err != nil && strings.Contains(err.Error(), "certificate-revoked")
			if err != nil && !revoked {
				t.Fatal(err)
			}
			if revoked {
				continue
			}
			fmt.Printf("issued %d %s %s\n", person, out.ID, out.ReferenceID)
			if dose == 1 {
				fmt.Printf("revoked %d %s %s\n", person, out.ID, out.ReferenceID) // now or after the next start
				if err := s.Revoke(context.Background(), deliverytest.Clinic, out.ID, issuance.ReasonError); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	settled(t, s)
	fmt.Println("settled 0 - -")
}

// stepping counts the steps of all conversations, and dies at one.
type stepping struct {
	n     atomic.Int64
	dieAt int64
}

func (s *stepping) step() {
	if s.n.Add(1) == s.dieAt {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// mortalServer can die before and behind each transaction.
type mortalServer struct {
	Server
	steps *stepping
}

func (m mortalServer) Transaction(ctx context.Context, bundle []byte) ([]client.EntryResponse, error) {
	m.steps.step()
	written, err := m.Server.Transaction(ctx, bundle)
	m.steps.step()
	return written, err
}

func (m mortalServer) Update(ctx context.Context, typ, id string, raw []byte, version string) error {
	m.steps.step()
	err := m.Server.Update(ctx, typ, id, raw, version)
	m.steps.step()
	return err
}

func (m mortalServer) Find(ctx context.Context, typ string, q url.Values) ([]client.Resource, error) {
	found, err := m.Server.Find(ctx, typ, q)
	m.steps.step()
	return found, err
}

// mortalQueue can die behind the end of each delivery.
type mortalQueue struct {
	Queue
	steps *stepping
}

func (m mortalQueue) Done(ctx context.Context, at issuance.Delivery) error {
	err := m.Queue.Done(ctx, at)
	m.steps.step()
	return err
}

// gateway runs the process to its end, or kills it after a while; it reports whether the
// outbox was emptied, and adds to what was answered.
func gateway(t *testing.T, o order, killAfter time.Duration, answers *answers) (settled bool) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestGatewayProcess$", "-test.v")
	cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if killAfter > 0 {
		time.AfterFunc(killAfter, func() { _ = cmd.Process.Kill() })
	}
	var rest []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var word, id, reference string
		var person int
		if n, _ := fmt.Sscan(lines.Text(), &word, &person, &id, &reference); n != 4 {
			rest = append(rest, lines.Text())
			continue
		}
		switch word {
		case "settled":
			settled = true
		default:
			answers.add(word, person, id, reference)
		}
	}
	if err := cmd.Wait(); err != nil && killAfter == 0 && o.DieAt == 0 {
		t.Fatalf("%v\n%s", err, strings.Join(rest, "\n"))
	}
	return settled
}

// answers are what clients were told.
type answers struct {
	issued  map[int][]issuance.Issued
	revoked map[string]bool
}

func (a *answers) add(word string, person int, id, reference string) {
	if word == "revoked" {
		a.revoked[id] = true
		return
	}
	known := slices.ContainsFunc(a.issued[person], func(out issuance.Issued) bool { return out.ID == id })
	if !known {
		a.issued[person] = append(a.issued[person], issuance.Issued{ID: id, ReferenceID: reference})
	}
}

func newAnswers() *answers {
	return &answers{issued: map[int][]issuance.Issued{}, revoked: map[string]bool{}}
}

// check compares the server with what clients were told.
func (a *answers) check(t *testing.T, o order, peer *clienttest.Peer) {
	t.Helper()
	store := peer.Store()
	got := folders(t, store)
	for person := range o.People {
		if n := len(a.issued[person]); n != o.Doses {
			t.Errorf("%d certificates, want %d", n, o.Doses)
		}
		standing := slices.DeleteFunc(slices.Clone(a.issued[person]), func(out issuance.Issued) bool { return a.revoked[out.ID] })
		if want := entriesOf(t, store, standing...); !slices.Equal(got[fmt.Sprint("HCID-", person)], want) {
			t.Errorf("folder\n%q\nwant\n%q", got[fmt.Sprint("HCID-", person)], want)
		}
		for _, out := range standing {
			if n := store.Versions("Bundle", out.ID); n != 2 || !registration.Stored(store.Get("Bundle", out.ID)) { // its place, and the document
				t.Errorf("a document was written %d times", n-1)
			}
		}
	}
	if n := store.Count("Bundle"); n != o.People*(o.Doses-1) {
		t.Errorf("%d documents, want %d", n, o.People*(o.Doses-1))
	}
}

// TestDeathAtEveryStep kills the gateway at each step of the conversations, one after the
// other, on one registry and one server; then it runs once to the end.
func TestDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts many processes")
	}
	for _, first := range []int64{1, 2, 3} {
		t.Run(fmt.Sprint("every third from ", first), func(t *testing.T) {
			t.Parallel()
			peer, told := clienttest.NewPeer(t), newAnswers()
			o := order{Dir: t.TempDir(), Server: peer.URL(), CA: string(peer.CAPEM()), People: 2, Doses: 3, DieAt: first}
			deaths := 0
			for !gateway(t, o, 0, told) {
				deaths++
				if o.DieAt += 3; o.DieAt > 90 {
					t.Fatal("it never gets to the end")
				}
			}
			if deaths < 2 {
				t.Errorf("it died %d times", deaths)
			}
			told.check(t, o, peer)
		})
	}
}

// TestKilledDuringOutages kills the gateway at any moment while the server fails in any way.
func TestKilledDuringOutages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts many processes")
	}
	peer, told := clienttest.NewPeer(t), newAnswers()
	o := order{Dir: t.TempDir(), Server: peer.URL(), CA: string(peer.CAPEM()), People: 3, Doses: 6}
	modes := clienttest.Modes()
	for range 12 {
		for range 6 {
			peer.Fail(modes[rand.IntN(len(modes))], 1+rand.IntN(2))
		}
		gateway(t, o, time.Duration(150+rand.IntN(700))*time.Millisecond, told)
	}
	peer.Mend()
	if !gateway(t, o, 0, told) {
		t.Fatal("the outbox is not empty")
	}
	told.check(t, o, peer)
}
