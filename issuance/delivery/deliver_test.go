package delivery

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

func TestIssuedIsRegistered(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	w := s.worker(t, func(o *Options) { o.Poll = time.Hour })
	run(t, w)
	began := time.Now()
	first := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	second := deliverytest.Issue(t, s.Service, "HCID-1", 2)
	settled(t, s.Service)
	t.Logf("two issued and delivered in %v", time.Since(began).Round(time.Millisecond)) // a second on a machine with nothing else to do
	store := s.peer.Store()
	if got, want := folders(t, store), entriesOf(t, store, first, second); !slices.Equal(got["HCID-1"], want) {
		t.Errorf("folder %q, want %q", got, want)
	}
	for typ, want := range map[string]int{"Bundle": 2, "Binary": 4, "DocumentReference": 4, "Patient": 1, "List": 3, "Provenance": 2, "AuditEvent": 2} {
		if got := store.Count(typ); got != want {
			t.Errorf("%d resources of type %s, want %d", got, typ, want)
		}
	}
	if status := w.Status(); len(status) != 1 || status[0].Delivered != 2 || status[0].Refused+status[0].Failed != 0 {
		t.Errorf("%+v", status)
	}
}

// TestReadBackVerifies: the server wrote the document anew, and its signature is good; so is
// the one that Provenance carries.
func TestReadBackVerifies(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	run(t, s.worker(t))
	out := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	settled(t, s.Service)
	store := s.peer.Store()
	exact := 0
	for _, raw := range store.All("Binary") {
		if data, err := base64.StdEncoding.DecodeString(tree(t, raw)["data"].(string)); err == nil && string(data) == string(out.Document) {
			exact++
		}
	}
	if exact != 1 {
		t.Errorf("%d files have the very bytes that were signed", exact)
	}
	back := store.Get("Bundle", out.ID)
	verifier := s.authority.Verifier(t)
	if result := verifier.VerifyDocument(back); !result.Valid {
		t.Fatalf("read back: %+v", result)
	}
	provenance := tree(t, store.All("Provenance")[0])
	target := provenance["target"].([]any)[0].(map[string]any)["reference"]
	if target != "Bundle/"+out.ID {
		t.Errorf("target %q", target)
	}
	carried := provenance["signature"].([]any)[0].(map[string]any)
	bundle := tree(t, back)
	delete(carried, "who")
	own := bundle["signature"].(map[string]any)
	who := own["who"]
	delete(own, "who")
	if diff := cmp.Diff(own, carried); diff != "" {
		t.Error(diff)
	}
	// The document verifies with the signature of the Provenance in place of its own, and
	// with no other.
	carried["who"] = who
	bundle["signature"] = carried
	swapped, err := json.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if result := verifier.VerifyDocument(swapped); !result.Valid {
		t.Errorf("with the signature of the Provenance: %+v", result)
	}
	jws, err := base64.StdEncoding.DecodeString(carried["data"].(string))
	if err != nil {
		t.Fatal(err)
	}
	jws[len(jws)-10] ^= 1
	carried["data"] = base64.StdEncoding.EncodeToString(jws)
	if swapped, err = json.Marshal(bundle); err != nil {
		t.Fatal(err)
	}
	if result := verifier.VerifyDocument(swapped); result.Valid {
		t.Error("another signature verifies too")
	}
}

func TestRevokedIsWithdrawn(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	run(t, s.worker(t))
	first := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	second := deliverytest.Issue(t, s.Service, "HCID-1", 2)
	settled(t, s.Service)
	store := s.peer.Store()
	kept, gone := entriesOf(t, store, second), entriesOf(t, store, first)
	if err := s.Revoke(context.Background(), deliverytest.Clinic, first.ID, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
	settled(t, s.Service)
	withdrawn(t, s, gone, kept)
	if store.Get("Bundle", first.ID) != nil || store.Get("Bundle", second.ID) == nil || store.Count("Binary") != 2 || store.Count("Provenance") != 1 {
		t.Error("the content of the wrong certificate is gone, or that of none")
	}
	writes := len(store.Writes())
	// Once more changes nothing: the answer of the first time may have been lost.
	all, err := s.Deliveries().InFolder(context.Background(), first.FolderID)
	if err != nil {
		t.Fatal(err)
	}
	c := conversation{server: over(t, s.peer, 0), queue: always{s.Deliveries()}, at: all[0], now: s.clock, pause: s.worker(t).contend}
	if err := c.run(context.Background()); err != nil || len(store.Writes()) != writes {
		t.Errorf("once more: %d writes, %v", len(store.Writes())-writes, err)
	}
}

// always is a queue in which every delivery stands.
type always struct{ Queue }

func (always) Standing(context.Context, issuance.Delivery) (bool, error) { return true, nil }

func withdrawn(t *testing.T, s *system, gone, kept []string) {
	t.Helper()
	store := s.peer.Store()
	if got := folders(t, store)["HCID-1"]; !slices.Equal(got, kept) {
		t.Errorf("folder %q, want %q", got, kept)
	}
	for want, refs := range map[string][]string{"entered-in-error": gone, "current": kept} {
		for _, ref := range refs {
			_, id, _ := strings.Cut(ref, "/")
			if got := tree(t, store.Get("DocumentReference", id))["status"]; got != want {
				t.Errorf("status %q, want %q", got, want)
			}
		}
	}
}

// TestRevokedBeforeRegistration: nothing of the certificate gets to the server.
func TestRevokedBeforeRegistration(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	first := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	second := deliverytest.Issue(t, s.Service, "HCID-1", 2)
	if err := s.Revoke(context.Background(), deliverytest.Clinic, first.ID, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
	run(t, s.worker(t))
	settled(t, s.Service)
	store := s.peer.Store()
	if store.Get("Bundle", first.ID) != nil || store.Get("Bundle", second.ID) == nil || store.Count("Bundle") != 1 {
		t.Errorf("%d documents", store.Count("Bundle"))
	}
	if got, want := folders(t, store)["HCID-1"], entriesOf(t, store, second); !slices.Equal(got, want) {
		t.Errorf("folder %q, want %q", got, want)
	}
}

// late holds a transaction back until it is let go, as a network may.
type late struct {
	Server
	hold func(body []byte) bool
	held chan struct{}
	let  chan struct{}
}

func (l late) Transaction(ctx context.Context, bundle []byte) ([]client.EntryResponse, error) {
	if l.hold(bundle) {
		l.held <- struct{}{}
		<-l.let
	}
	return l.Server.Transaction(ctx, bundle)
}

func (l late) Update(ctx context.Context, typ, id string, raw []byte, version string) error {
	if l.hold(raw) {
		l.held <- struct{}{}
		<-l.let
	}
	return l.Server.Update(ctx, typ, id, raw, version)
}

// TestLateRegistrationDoesNotResurrect: a registration that is under way when the certificate
// is revoked and withdrawn arrives afterwards.
func TestLateRegistrationDoesNotResurrect(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]string{
		"the registration": "ProvideDocumentBundle", "the new folder": "DDCCFolder", "the document": `"type":"document"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			slow := late{Server: over(t, s.peer, 0), held: make(chan struct{}, 8), let: make(chan struct{})}
			slow.hold = func(bundle []byte) bool { return strings.Contains(string(bundle), hold) }
			out := deliverytest.Issue(t, s.Service, "HCID-1", 1)
			run(t, s.worker(t, func(o *Options) { o.Servers, o.Timeout = servers("national", slow), time.Minute }))
			<-slow.held
			if err := s.Revoke(context.Background(), deliverytest.Clinic, out.ID, issuance.ReasonError); err != nil {
				t.Fatal(err)
			}
			another := s.worker(t, func(o *Options) { o.Bell = NewBell(func() string { return "national" }) }) // of another gateway
			run(t, another)
			settled(t, s.Service)
			close(slow.let)
			time.Sleep(200 * time.Millisecond)
			store := s.peer.Store()
			current := 0
			for _, raw := range store.All("DocumentReference") {
				if tree(t, raw)["status"] != "entered-in-error" {
					current++
				}
			}
			if store.Count("Bundle") != 0 || store.Count("Binary") != 0 || current != 0 || len(folders(t, store)["HCID-1"]) != 0 {
				t.Error("what was revoked is there")
			}
		})
	}
}

func TestServerOfAnotherName(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	aim := atomic.Pointer[string]{}
	old, national := "old", "national"
	aim.Store(&old)
	s.bell = NewBell(func() string { return *aim.Load() })
	s.Service = deliverytest.Registry(t, t.TempDir(), s.bell, s.authority, s.clock)
	out := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	aim.Store(&national) // the configuration has no server of the old name any more
	run(t, s.worker(t))
	settled(t, s.Service)
	if s.peer.Store().Get("Bundle", out.ID) == nil {
		t.Error("it was not delivered")
	}
}

func TestAttemptsAreObserved(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	seen := make(chan Attempt, 100)
	s.peer.Fail(clienttest.Status503, 1)
	run(t, s.worker(t, func(o *Options) { o.Observe = func(_ context.Context, a Attempt) { seen <- a } }))
	out := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	first, second := <-seen, <-seen
	if first.Outcome != "away" || first.Code != "fhir-busy" || second.Outcome != "delivered" || second.Code != "" ||
		first.CertificateID != out.ID || first.Issuer != "clinic" || first.Target != "national" || first.Kind != issuance.DeliverRegistration || first.Took < 0 {
		t.Errorf("%+v, %+v", first, second)
	}
}
