package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// fresh asks for the present state, as the gateway does.
type fresh struct{}

func (fresh) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Cache-Control", "no-cache")
	return http.DefaultTransport.RoundTrip(r)
}

// chime is the outbox of several gateways on one registry.
type chime []*delivery.Bell

func (c chime) Target() string { return c[0].Target() }

func (c chime) Due(folderID string) {
	for _, b := range c {
		b.Due(folderID)
	}
}

// system is a registry that several gateways deliver from to HAPI.
type system struct {
	*issuance.Service
	authority *deliverytest.Authority
	hapi      *client.Client
}

func newSystem(t *testing.T, gateways int) *system {
	t.Helper()
	c, err := client.New(client.Options{Base: hapi.Start(t), AllowHTTP: true, Transport: fresh{}, Attempts: 1, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	clock := deliverytest.Clock()
	s := &system{authority: deliverytest.NewAuthority(t, clock), hapi: c}
	var bells chime
	for range gateways {
		bells = append(bells, delivery.NewBell(func() string { return "hapi" }))
	}
	if gateways == 0 {
		return s // the test makes its own
	}
	s.Service = deliverytest.Registry(t, t.TempDir(), bells, s.authority, clock)
	for _, b := range bells {
		s.work(t, b, clock, c)
	}
	return s
}

func (s *system) work(t *testing.T, b *delivery.Bell, clock func() time.Time, c *client.Client) {
	t.Helper()
	w, err := delivery.New(delivery.Options{
		Queue: s.Deliveries(), Bell: b, Clock: clock, Poll: 200 * time.Millisecond, FirstPause: 100 * time.Millisecond, LongestPause: time.Second,
		Log:     slog.New(slog.NewTextHandler(t.Output(), nil)),
		Servers: func(name string) (delivery.Server, bool) { return delivery.Over(c), name == "hapi" },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// settled waits until nothing is left to deliver.
func (s *system) settled(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		open, _, err := s.Deliveries().Open(context.Background(), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(open) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the outbox is not empty")
		}
	}
	if failed, _, err := s.Deliveries().Undelivered(context.Background(), "", 10); err != nil || len(failed) > 0 {
		t.Fatalf("refused: %+v, %v", failed, err)
	}
}

// hcid is one that no other run has.
func hcid(n int) string { return fmt.Sprintf("HAPI-%d-%d", time.Now().UnixNano(), n) }

// list is a List as far as the tests read it.
type list struct {
	Entry []struct{ Item struct{ Reference string } }
}

// folder gives what the folder of a HCID refers to.
func (s *system) folder(t *testing.T, hcid string) []string {
	t.Helper()
	var refs []string
	n := 0
	for m, err := range s.hapi.Search(t.Context(), "List", url.Values{"identifier": {"http://smart.who.int/ddcc/Folder|" + hcid}}) {
		if err != nil {
			t.Fatal(err)
		}
		var l list
		if err := json.Unmarshal(m.Raw, &l); err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Entry {
			refs = append(refs, e.Item.Reference)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d folders of one HCID", n)
	}
	return refs
}

// registeredOf are the references of a certificate by its submission set.
func (s *system) registeredOf(t *testing.T, out issuance.Issued) []string {
	t.Helper()
	set, err := s.hapi.Read(t.Context(), "List", registration.SubmissionSetID(out.ID))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := registration.Listed(set.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		ids[i] = "DocumentReference/" + id
	}
	return ids
}

// exact fetches the file that a DocumentReference leads to.
func (s *system) exact(t *testing.T, ref string) []byte {
	t.Helper()
	r, err := s.hapi.Read(t.Context(), "DocumentReference", strings.TrimPrefix(ref, "DocumentReference/"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Content []struct{ Attachment struct{ URL string } }
	}
	if err := json.Unmarshal(r.Raw, &d); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, hapi.Start(t)+"/"+d.Content[0].Attachment.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestHAPIKeepsWhatWasSigned: HAPI gives the file as it was signed. The Bundle it writes anew,
// without ids that the fullUrls state; with these restored it verifies.
func TestHAPIKeepsWhatWasSigned(t *testing.T) {
	t.Parallel()
	s := newSystem(t, 1)
	person := hcid(0)
	out := deliverytest.Issue(t, s.Service, person, 1)
	s.settled(t)
	back, err := s.hapi.Read(t.Context(), "Bundle", out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if string(back.Raw) == string(out.Document) {
		t.Error("HAPI did not write the document anew: the test shows nothing")
	}
	verifier := s.authority.Verifier(t)
	if result := verifier.VerifyDocument(back.Raw); result.Valid {
		t.Error("HAPI keeps the ids of a document's resources by now: say so in docs/delivery.md")
	}
	restored, err := registration.Restore(back.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if result := verifier.VerifyDocument(restored); !result.Valid {
		t.Errorf("%+v", result)
	}
	if exact := s.exact(t, s.registeredOf(t, out)[0]); string(exact) != string(out.Document) {
		t.Errorf("the file is not what was signed: %.200s", exact)
	}
	refs := s.registeredOf(t, out)
	if got := s.folder(t, person); !slices.Equal(got, refs) || len(refs) != 2 {
		t.Errorf("folder %q, registered %q", got, refs)
	}
	for m, err := range s.hapi.Search(t.Context(), "Provenance", url.Values{"target": {"Bundle/" + out.ID}}) {
		if err != nil {
			t.Fatal(err)
		}
		var p struct{ Signature []struct{ Data string } }
		var d struct{ Signature struct{ Data string } }
		if json.Unmarshal(m.Raw, &p) != nil || json.Unmarshal(out.Document, &d) != nil || p.Signature[0].Data != d.Signature.Data {
			t.Error("the Provenance has another signature")
		}
	}
}

// TestHAPIWithdraws: what IG says of Revoke, on HAPI with its checks of references.
func TestHAPIWithdraws(t *testing.T) {
	t.Parallel()
	s := newSystem(t, 2)
	person := hcid(0)
	first := deliverytest.Issue(t, s.Service, person, 1)
	second := deliverytest.Issue(t, s.Service, person, 2)
	s.settled(t)
	gone, kept := s.registeredOf(t, first), s.registeredOf(t, second)
	if err := s.Revoke(context.Background(), deliverytest.Clinic, first.ID, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
	s.settled(t)
	if got := s.folder(t, person); !slices.Equal(got, kept) {
		t.Errorf("folder %q, want %q", got, kept)
	}
	if _, err := s.hapi.Read(t.Context(), "Bundle", first.ID); fault.KindOf(err) != fault.NotFound || err == nil {
		t.Errorf("the document: %v", err)
	}
	for _, ref := range gone {
		r, err := s.hapi.Read(t.Context(), "DocumentReference", strings.TrimPrefix(ref, "DocumentReference/"))
		if err != nil || !strings.Contains(string(r.Raw), `"entered-in-error"`) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := s.hapi.Read(t.Context(), "Bundle", second.ID); err != nil {
		t.Errorf("the other document: %v", err)
	}
}

// TestHAPIRefusesALateDocument: what the fence against late arrivals rests on. HAPI does not
// update a resource that was deleted since the version that the update names.
func TestHAPIRefusesALateDocument(t *testing.T) {
	t.Parallel()
	s := newSystem(t, 1)
	out := deliverytest.Issue(t, s.Service, hcid(0), 1)
	s.settled(t)
	if err := s.Revoke(context.Background(), deliverytest.Clinic, out.ID, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
	s.settled(t)
	_, _, err := s.hapi.Update(t.Context(), "Bundle", out.ID, out.Document, "1")
	if kind := fault.KindOf(err); err == nil || kind != fault.PreconditionFailed && kind != fault.Conflict && kind != fault.NotFound {
		t.Errorf("a late update: %v", err)
	}
	if _, err := s.hapi.Read(t.Context(), "Bundle", out.ID); err == nil {
		t.Error("the document is back")
	}
}

// TestHAPIUnderSeveralGateways: three gateways deliver what several clinics have issued into
// few folders. Nothing is lost, nothing is twice, all is in order.
func TestHAPIUnderSeveralGateways(t *testing.T) {
	t.Parallel()
	const people, doses = 4, 8
	s := newSystem(t, 3)
	ids := make([]string, people)
	issued := make([][]issuance.Issued, people)
	began := time.Now()
	var clinics sync.WaitGroup
	for p := range people {
		ids[p] = hcid(p)
		clinics.Go(func() {
			for dose := range doses {
				out, err := s.Issue(context.Background(), deliverytest.Request(ids[p], dose+1))
				if err != nil {
					t.Error(err)
					return
				}
				issued[p] = append(issued[p], out)
			}
		})
	}
	clinics.Wait()
	s.settled(t)
	t.Logf("%d certificates in %v", people*doses, time.Since(began).Round(time.Millisecond))
	for p := range people {
		var want []string
		for _, out := range issued[p] {
			want = append(want, s.registeredOf(t, out)...)
			r, err := s.hapi.Read(t.Context(), "Bundle", out.ID)
			if err != nil || r.VersionID != "2" || !registration.Stored(r.Raw) { // its place, and the document
				t.Errorf("document in version %q, %v", r.VersionID, err)
			}
		}
		if got := s.folder(t, ids[p]); !slices.Equal(got, want) {
			t.Errorf("folder\n%q\nwant\n%q", got, want)
		}
	}
}
