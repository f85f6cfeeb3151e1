package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
	transactionapi "github.com/trustedparty/ddcc-gateway/mediator/transaction/httpapi"
)

// slowReplay waits with each replay until it may end.
type slowReplay struct{ begun, end chan struct{} }

// Replay implements transaction.Replayer.
func (r slowReplay) Replay(ctx context.Context, _ string) error {
	select {
	case r.begun <- struct{}{}:
	case <-ctx.Done():
	}
	<-r.end
	return nil
}

// archive is the record behind its routes, with one request and one failed delivery on it.
type archive struct {
	t                 *testing.T
	spec              spec
	url               string
	engine            *gin.Engine
	store             *sqlite.Store
	trail             *nullAudit
	replays           slowReplay
	request, delivery string // paths
	first, second     *http.Client
	issuer, anonymous *http.Client
	recorder          *transaction.Recorder
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	p := newPKI(t)
	a := &archive{
		t: t, spec: load(t, "transaction.yaml"), store: newStore(t, "transactions.db"), trail: &nullAudit{}, engine: newEngine(t, 0, httpx.Problem),
		replays: slowReplay{make(chan struct{}), make(chan struct{})},
		first:   p.client(t, firstOperator), second: p.client(t, secondOperator), issuer: p.client(t, devpki.IssuerName), anonymous: p.client(t, ""),
	}
	var err error
	a.recorder, err = transaction.NewRecorder(transaction.Options{
		Store: a.store, Secret: secret, Retention: time.Hour, BodyRetention: time.Minute, Clock: clock, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	service, err := transaction.New(transaction.Deps{Store: a.store, Secret: secret, Audit: a.trail, Replayer: a.replays, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	err = transactionapi.Register(a.engine, transactionapi.Config{
		Transactions: service, Operators: []string{firstOperator, secondOperator}, Bodies: true, Replays: true, Clock: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.url = p.serve(t, a.engine)
	a.fill()
	return a
}

// fill records what the tests look at.
func (a *archive) fill() {
	a.t.Helper()
	legs := []orchestration.Leg{
		{Name: "sign certificate", Group: "signer", Method: "POST", Host: "signer.internal", Path: "/v1/certificates", Started: fixed, Took: time.Millisecond, Status: 200},
		{Name: "store", Group: "fhir", Method: "POST", Host: "fhir.internal", Path: "/", Started: fixed, Failure: "timeout"},
	}
	in, out := a.recorder.Meter(), a.recorder.Meter()
	_, _ = in.Write([]byte(`{"resourceType":"Parameters"}`))
	_, _ = out.Write([]byte("\x00"))
	a.recorder.Record(transaction.Transaction{
		Started: fixed, Took: time.Millisecond, Client: "demo-clinic", Peer: devpki.IssuerName, Via: transaction.ViaOpenHIM, OpenHIM: "507f1f77bcf86cd799439011",
		Correlation: "request", Method: "POST", Route: "/ddcc/submitHealthEvent", Status: 200, Outcome: transaction.OutcomePartial, Gone: true,
		Certificates: []string{newID()}, Omitted: 1, Replayed: true, Failed: 1, Legs: legs, LegsOmitted: 1,
	}, transaction.Bodies{Request: in, Response: out, RequestType: "application/fhir+json", ResponseType: "text/html"})
	_, record := orchestration.With(context.Background())
	for _, l := range legs {
		record.Add(l)
	}
	a.recorder.RecordDelivery(transaction.Delivery{Started: fixed, Client: "demo-clinic", Certificate: newID(), Correlation: "delivery", Outcome: "fhir-refused", Legs: record})
	if err := a.recorder.Close(context.Background()); err != nil {
		a.t.Fatal(err)
	}
	for correlation, path := range map[string]*string{"request": &a.request, "delivery": &a.delivery} {
		var page struct{ Transactions []struct{ ID string } }
		if err := json.Unmarshal(a.do(a.first, 200, http.MethodGet, "/transactions?correlation="+correlation), &page); err != nil || len(page.Transactions) != 1 {
			a.t.Fatalf("%v, %d transactions", err, len(page.Transactions))
		}
		*path = "/transactions/" + page.Transactions[0].ID
	}
}

func (a *archive) do(client *http.Client, want int, method, path string) []byte {
	a.t.Helper()
	_, body := a.spec.do(a.t, a.url, exchange{method: method, path: path, client: client, want: want, lenient: want != 200})
	return body
}

// routes are all of them, about one transaction.
func (a *archive) routes(at string) [][2]string {
	return [][2]string{
		{http.MethodGet, "/transactions"}, {http.MethodGet, "/transactions/statistics"}, {http.MethodGet, at},
		{http.MethodGet, at + "/request"}, {http.MethodGet, at + "/response"}, {http.MethodPost, at + "/legs/2/$replay"},
	}
}

// TestTransactionRoutesAreDescribed compares the routes with the document, both ways.
func TestTransactionRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	var served, described []string
	for _, r := range a.engine.Routes() {
		served = append(served, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	for path, item := range a.spec.doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served\n%q\ndescribed\n%q", served, described)
	}
}

// TestTransactionAnswers runs every answer but those of a replay and of a limit.
func TestTransactionAnswers(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, path := range []string{
		"/transactions?client=demo-clinic&status=2xx&outcome=partial&openhim=507f1f77bcf86cd799439011&since=2026-11-21T00:00:00Z&until=2026-11-22T00:00:00Z&_count=1",
		"/transactions?_count=1", "/transactions?route=delivery", "/transactions/statistics?until=2026-11-22T00:00:00Z&since=2026-11-21T00:00:00Z",
		a.request, a.delivery, a.request + "/request", a.request + "/response",
	} {
		a.do(a.first, 200, http.MethodGet, path)
	}
	for _, route := range a.routes(a.request) {
		a.do(a.anonymous, 401, route[0], route[1])
		a.do(a.issuer, 403, route[0], route[1])
		a.do(a.first, 400, route[0], route[1]+"?person=1")
	}
	for _, route := range a.routes("/transactions/" + newID())[2:] {
		a.do(a.first, 404, route[0], route[1])
	}
	a.do(a.first, 422, http.MethodPost, a.request+"/legs/2/$replay")
	a.trail.set(true)
	for _, route := range a.routes(a.delivery)[3:] {
		a.do(a.first, 503, route[0], route[1])
	}
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, route := range a.routes(a.delivery)[:3] {
		a.do(a.first, 503, route[0], route[1])
	}
}

// TestReplayAnswers: one replays, another is told so, and later ones learn when it was.
func TestReplayAnswers(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	at := a.delivery + "/legs/2/$replay"
	var wg sync.WaitGroup
	wg.Go(func() { a.do(a.first, 200, http.MethodPost, at) })
	<-a.replays.begun
	a.do(a.second, 409, http.MethodPost, at)
	close(a.replays.end)
	wg.Wait()
	if body := a.do(a.second, 200, http.MethodPost, at); !strings.Contains(string(body), `"repeated":true`) {
		t.Errorf("%s", body)
	}
}

// TestTransactionLimits: the fifty-first request of an instant is refused on every route.
func TestTransactionLimits(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for range 50 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"/transactions", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := a.first.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for _, route := range a.routes(a.request) {
		a.do(a.first, 429, route[0], route[1])
	}
}
