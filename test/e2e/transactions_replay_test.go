package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestReplayOfADelivery: a FHIR server refuses a certificate for good; the record has the
// delivery with its calls, operators race to repeat it, and the certificate is there once.
func TestReplayOfADelivery(t *testing.T) {
	t.Parallel()
	store := clienttest.NewStore()
	var refuses atomic.Bool
	refuses.Store(true)
	peer := clienttest.NewPeerOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && refuses.Load() {
			w.Header().Set("Content-Type", "application/fhir+json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"business-rule","diagnostics":"Ngozi Specimen is not welcome"}]}`))
			return
		}
		store.ServeHTTP(w, r)
	}))
	flags := []string{""}
	s := harness.Start(t, harness.Options{Gateway: flags, Prepare: func(install devinstall.Installation) {
		write(t, install.Path("fhir-ca.pem"), peer.CAPEM())
		write(t, install.Path("fhir.json"), []byte(`{"servers":[{"name":"national","base":"`+peer.URL()+`","ca":"`+install.Path("fhir-ca.pem")+`"}]}`))
		flags[0] = "--fhir-servers=" + install.Path("fhir.json")
	}})
	a, err := s.Post(generate, harness.VS(t, "REPLAY-1"), "X-Correlation-Id", "issue")
	if err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
	issued := transactionsOf(t, s, "correlation=issue", 1)[0]
	failed := transactionsOf(t, s, "route=delivery", 1)[0]
	if failed.Via != "gateway" || failed.Client != "demo-clinic" || failed.Outcome == "done" || len(failed.Certificates) != 1 || failed.Certificates[0] != issued.Certificates[0] {
		t.Fatalf("%+v", failed)
	}
	operatorGet(t, s, "/transactions/"+failed.ID, &failed)
	if failed.Parent != issued.ID || len(failed.Calls) != 1 || failed.Calls[0].Peer != "fhir" {
		t.Fatalf("%+v", failed)
	}
	last := failed.Calls[0].Legs[len(failed.Calls[0].Legs)-1]
	if last.Status != http.StatusUnprocessableEntity {
		t.Errorf("%+v", last)
	}
	refuses.Store(false)
	replayRace(t, s, failed.ID, last.N)
	for deadline := time.Now().Add(20 * time.Second); store.Count("DocumentReference") == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not delivered after the replay\n%s", s.Logs())
		}
	}
	if n := store.Count("Bundle"); n != 1 {
		t.Errorf("%d documents", n)
	}
	nothingOfThePerson(t, s, []transactionOf{issued, failed})
}

// replayRace has two operators' tools repeat a call at the same time.
func replayRace(t *testing.T, s *harness.System, id string, n int) {
	t.Helper()
	args := []string{
		"transactions", "replay", id, strconv.Itoa(n), "--gateway", s.URL, "--ca", s.Install.Path("tls", "ca.pem"),
		"--cert", s.Install.Path("tls", "operator-1.pem"), "--key", s.Install.Path("tls", "operator-1.key"),
	}
	var did atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			out, err := runTool(t, args...)
			switch {
			case err == nil && strings.Contains(out, "is delivered again"):
				did.Add(1)
			case err == nil && strings.Contains(out, "nothing was done now"), exit(err) == 1 && strings.Contains(out, "Another operator"):
			default:
				t.Errorf("%v %s", err, out)
			}
		})
	}
	wg.Wait()
	if did.Load() != 1 {
		t.Errorf("%d of 4 replayed, want 1", did.Load())
	}
}
