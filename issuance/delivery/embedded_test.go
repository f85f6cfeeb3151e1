package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// TestEmbeddedServer delivers from several gateways at once to the server that newcomers have,
// and takes certificates back from there.
func TestEmbeddedServer(t *testing.T) {
	t.Parallel()
	const people, doses = 3, 5
	ctx := context.Background()
	embedded, err := server.Open(ctx, server.Options{Path: filepath.Join(t.TempDir(), "fhir.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Close() })
	c, err := client.New(client.Options{Base: "http://embedded/fhir", InProcess: true, Transport: embedded.Transport(), Attempts: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s := newSystem(t)
	bells := chime{NewBell(func() string { return "national" }), NewBell(func() string { return "national" })}
	s.Service = deliverytest.Registry(t, t.TempDir(), bells, s.authority, s.clock)
	for _, b := range bells {
		run(t, s.worker(t, func(o *Options) { o.Bell, o.Servers, o.Timeout = b, servers("national", Over(c)), time.Minute }))
	}
	issued := make([][]issuance.Issued, people)
	var clinics sync.WaitGroup
	for p := range people {
		clinics.Go(func() {
			for dose := range doses {
				out, err := s.Issue(ctx, deliverytest.Request(fmt.Sprint("HCID-", p), dose+1))
				if err == nil && dose == 1 {
					err = s.Revoke(ctx, deliverytest.Clinic, out.ID, issuance.ReasonError)
				}
				if err != nil {
					t.Error(err)
					return
				}
				issued[p] = append(issued[p], out)
			}
		})
	}
	clinics.Wait()
	settled(t, s.Service)
	verifier := s.authority.Verifier(t)
	for p := range people {
		var want []string
		for n, out := range issued[p] {
			bundle, err := c.Read(ctx, "Bundle", out.ID)
			if n == 1 {
				if fault.KindOf(err) != fault.NotFound || err == nil {
					t.Errorf("the revoked document: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if result := verifier.VerifyDocument(bundle.Raw); !result.Valid {
				t.Errorf("%+v", result)
			}
			set, err := c.Read(ctx, "List", registration.SubmissionSetID(out.ID))
			if err != nil {
				t.Fatal(err)
			}
			listed, err := registration.Listed(set.Raw)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range listed {
				want = append(want, "DocumentReference/"+id)
			}
		}
		if got := embeddedFolder(t, c, issued[p][0].FolderID); !slices.Equal(got, want) {
			t.Errorf("folder\n%q\nwant\n%q", got, want)
		}
	}
	if failed, _, err := s.Deliveries().Undelivered(ctx, "", 10); err != nil || len(failed) > 0 {
		t.Errorf("%+v, %v", failed, err)
	}
}

func embeddedFolder(t *testing.T, c *client.Client, folderID string) []string {
	t.Helper()
	found, err := Over(c).Find(t.Context(), "List", registration.FolderQuery(folderID))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d folders, %v", len(found), err)
	}
	var l struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(found[0].Raw, &l); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, e := range l.Entry {
		refs = append(refs, e.Item.Reference)
	}
	return refs
}
