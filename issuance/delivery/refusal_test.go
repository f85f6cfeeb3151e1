package delivery

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

func TestRefusalForGoodBlocksNobody(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	picky := picky{Server: over(t, s.peer, 0), hcid: "HCID-2", mended: new(atomic.Bool)}
	w := s.worker(t, func(o *Options) { o.Servers = servers("national", picky) })
	run(t, w)
	first := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	bad := deliverytest.Issue(t, s.Service, "HCID-2", 1)
	settled(t, s.Service)
	worse := deliverytest.Issue(t, s.Service, "HCID-2", 2)
	last := deliverytest.Issue(t, s.Service, "HCID-1", 2)
	settled(t, s.Service)
	store := s.peer.Store()
	if got, want := folders(t, store)["HCID-1"], entriesOf(t, store, first, last); !slices.Equal(got, want) || store.Count("Bundle") != 2 {
		t.Errorf("folder %q, want %q", got, want)
	}
	failed, _, err := s.Deliveries().Undelivered(context.Background(), "", 10)
	if err != nil || len(failed) != 2 || failed[0].Failure != "fhir-rule" {
		t.Fatalf("%+v, %v", failed, err)
	}
	if log := s.log.String(); strings.Count(log, "waits for an operator") != 2 || !strings.Contains(log, bad.ID) || !strings.Contains(log, "fhir-rule") ||
		strings.Contains(log, "HCID") || strings.Contains(log, "Specimen") {
		t.Errorf("log:\n%s", log)
	}
	if status := w.Status(); status[0].Refused != 2 || status[0].Delivered != 2 {
		t.Errorf("%+v", status)
	}
	// The server was repaired: an operator has the younger one sent first. The older one takes
	// its place all the same.
	picky.mended.Store(true)
	for _, id := range []string{worse.ID, bad.ID} {
		if err := s.Deliveries().Replay(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		settled(t, s.Service)
	}
	if got, want := folders(t, store)["HCID-2"], entriesOf(t, store, bad, worse); !slices.Equal(got, want) {
		t.Errorf("folder %q, want %q", got, want)
	}
}

// picky refuses the certificates of one HCID, as a validating server might.
type picky struct {
	Server
	hcid   string
	mended *atomic.Bool
}

func (p picky) Transaction(ctx context.Context, bundle []byte) ([]client.EntryResponse, error) {
	if !p.mended.Load() && strings.Contains(string(bundle), `Adaeze Specimen `+p.hcid+`"`) {
		return nil, errFHIRRule
	}
	return p.Server.Transaction(ctx, bundle)
}

// TestPoisonHoldsItsFolderAlone: a delivery at which the server fails each time.
func TestPoisonHoldsItsFolderAlone(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	poison := poison{over(t, s.peer, 0), "HCID-1"}
	run(t, s.worker(t, func(o *Options) { o.Servers = servers("national", poison) }))
	held := deliverytest.Issue(t, s.Service, "HCID-1", 1)
	behind := deliverytest.Issue(t, s.Service, "HCID-1", 2)
	var others []issuance.Issued
	for dose := range 20 {
		others = append(others, deliverytest.Issue(t, s.Service, "HCID-2", dose+1))
	}
	eventually(t, "the poison holds another folder", func() bool {
		open, _, err := s.Deliveries().Open(context.Background(), "", 100)
		return err == nil && len(open) == 2
	})
	store := s.peer.Store()
	if got, want := folders(t, store)["HCID-2"], entriesOf(t, store, others...); !slices.Equal(got, want) {
		t.Errorf("folder %q, want %q", got, want)
	}
	if store.Get("Bundle", held.ID) != nil || store.Get("Bundle", behind.ID) != nil {
		t.Error("the order of the folder was broken")
	}
}

// poison breaks the server.
type poison struct {
	Server
	hcid string
}

func (p poison) Transaction(ctx context.Context, bundle []byte) ([]client.EntryResponse, error) {
	if strings.Contains(string(bundle), `Adaeze Specimen `+p.hcid+`"`) {
		return nil, errFHIRServer
	}
	return p.Server.Transaction(ctx, bundle)
}
