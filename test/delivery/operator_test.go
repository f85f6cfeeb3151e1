package delivery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// strict is a server that refuses all transactions until it is mended.
type strict struct {
	*clienttest.Store
	mended atomic.Bool
}

func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/fhir" && !s.mended.Load() {
		w.Header().Set("Content-Type", "application/fhir+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invariant","diagnostics":"Ada Specimen"}]}`))
		return
	}
	s.Store.ServeHTTP(w, r)
}

// TestOperatorHasARefusedDeliveryRepeated: what a server refused is in the record; when it is
// mended, several operators have it repeated, and it is done once.
func TestOperatorHasARefusedDeliveryRepeated(t *testing.T) {
	t.Parallel()
	server := &strict{Store: clienttest.NewStore()}
	s := deliver(t, clienttest.NewPeerOf(t, server))
	id, _ := issue(t, s, "REFUSED-1")
	eventually(t, s, "the refusal is not counted", func() bool {
		a, err := s.Admin("gateway", "/metrics")
		return err == nil && bytes.Contains(a.Body, []byte(`ddcc_deliveries_total{outcome="refused",server="national"} 1`))
	})
	var failed string
	eventually(t, s, "the attempt is not in the record", func() bool {
		failed = deliveryOf(t, s, id)
		return failed != ""
	})
	if strings.Contains(s.Logs(), "Specimen") {
		t.Error("the log repeats the server's words")
	}
	server.mended.Store(true)
	operator := s.Client("operator-1")
	var done atomic.Int32
	var racing sync.WaitGroup
	for range 5 {
		racing.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/transactions/%s/legs/2/$replay", s.URL, failed), http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			a, err := harness.Do(operator, req)
			switch {
			case err != nil:
				t.Error(err)
			case a.Status == http.StatusOK, a.Status == http.StatusAccepted:
				done.Add(1)
			case a.Status != http.StatusConflict:
				t.Errorf("status %d: %s", a.Status, a.Body)
			}
		})
	}
	racing.Wait()
	eventually(t, s, "it does not arrive", func() bool { return registration.Stored(server.Get("Bundle", id)) })
	if done.Load() == 0 || server.Versions("Bundle", id) != 2 {
		t.Errorf("%d were told that it was done; the document was written %d times", done.Load(), server.Versions("Bundle", id)-1)
	}
}

// deliveryOf gives the id of the recorded delivery of a certificate, empty for none.
func deliveryOf(t *testing.T, s *harness.System, certificate string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/transactions?route=delivery&certificate="+certificate, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(s.Client("operator-1"), req)
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v, status %d: %s", err, a.Status, a.Body)
	}
	var page struct {
		Transactions []struct{ ID, Outcome, Client string }
	}
	if err := json.Unmarshal(a.Body, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Transactions) == 0 {
		return ""
	}
	if one := page.Transactions[0]; one.Outcome != "fhir-rule" || one.Client != "demo-clinic" {
		t.Errorf("%+v", one)
	}
	return page.Transactions[0].ID
}
