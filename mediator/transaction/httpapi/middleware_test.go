package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction/httpapi"
)

// what the API says of a transaction.
type record struct {
	ID, Client, ClientUnknown, Peer, Via, Route, Method, Outcome string
	OpenHIMTransaction, Correlation, Parent                      string
	Status, DurationMicros                                       int
	Certificates                                                 []string
	Replayed                                                     bool
	Request, Response                                            struct {
		Size         int
		Digest, Kept string
	}
	Calls []struct {
		Peer, Host string
		Failed     int
		Legs       []struct {
			N, Status  int
			Name, Path string
			Request    struct{ Size int }
		}
	}
}

// list is the record of all requests, the newest first.
func (s *site) list(query string) []record {
	s.t.Helper()
	status, body := s.do(s.client(operatorName), http.MethodGet, "/transactions"+query, "")
	var page struct{ Transactions []record }
	if err := json.Unmarshal(body, &page); err != nil || status != http.StatusOK {
		s.t.Fatalf("%d %s", status, body)
	}
	return page.Transactions
}

func (s *site) show(id string) record {
	s.t.Helper()
	status, body := s.do(s.client(operatorName), http.MethodGet, "/transactions/"+id, "")
	var one record
	if err := json.Unmarshal(body, &one); err != nil || status != http.StatusOK {
		s.t.Fatalf("%d %s", status, body)
	}
	return one
}

// TestWhatIsRecorded: each kind of request with what the record says of it.
func TestWhatIsRecorded(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	const him = "507f1f77bcf86cd799439011"
	type want struct {
		client, unknown, via, route, outcome, him string
		status, request, response                 int
	}
	for name, test := range map[string]struct {
		as, method, path, body string
		header                 []string
		want                   want
	}{
		"issued":        {clientName, "POST", "/ddcc/echo/HCID-7", "hello", nil, want{"demo-clinic", "", "direct", "/ddcc/echo/:hcid", "done", "", 201, 5, 5}},
		"not modified":  {clientName, "GET", "/ddcc/cached", "", nil, want{"demo-clinic", "", "direct", "/ddcc/cached", "done", "", 304, 0, 0}},
		"public":        {"", "GET", "/ddcc/metadata", "", nil, want{"", "public", "direct", "/ddcc/metadata", "done", "", 200, 0, 6}},
		"refused":       {clientName, "POST", "/ddcc/refuse", "x", nil, want{"demo-clinic", "", "direct", "/ddcc/refuse", "hcid-conflict", "", 422, 0, -1}},
		"nobody":        {"", "GET", "/ddcc/forbidden", "", nil, want{"", "not-an-issuer", "direct", "/ddcc/forbidden", "not-an-issuer", "", 403, 0, -1}},
		"no route":      {clientName, "GET", "/ddcc/HCID-7", "", nil, want{"", "public", "direct", "unmatched", "no-such-route", "", 404, 0, -1}},
		"no method":     {clientName, "PUT", "/ddcc/metadata", "", nil, want{"", "public", "direct", "unmatched", "method-not-allowed", "", 405, 0, -1}},
		"odd method":    {clientName, "HCID-7", "/ddcc/metadata", "", nil, want{"", "public", "direct", "unmatched", "method-not-allowed", "", 405, 0, -1}},
		"panic":         {clientName, "GET", "/ddcc/panic", "", nil, want{"demo-clinic", "", "direct", "/ddcc/panic", "aborted", "", 500, 0, 0}},
		"our failure":   {clientName, "GET", "/ddcc/broken", "", nil, want{"demo-clinic", "", "direct", "/ddcc/broken", "internal", "", 500, 0, -1}},
		"too large":     {clientName, "POST", "/ddcc/small", "12345678901", nil, want{"demo-clinic", "", "direct", "/ddcc/small", "body-too-large", "", 413, 0, -1}},
		"openhim":       {openHIMName, "POST", "/ddcc/echo/x", "a", []string{"X-OpenHIM-TransactionID", him}, want{"demo-clinic", "", "openhim", "/ddcc/echo/:hcid", "done", him, 201, 1, 1}},
		"openhim, odd":  {openHIMName, "POST", "/ddcc/echo/x", "a", []string{"X-OpenHIM-TransactionID", "Ngozi Specimen"}, want{"demo-clinic", "", "openhim", "/ddcc/echo/:hcid", "done", "", 201, 1, 1}},
		"says openhim":  {clientName, "POST", "/ddcc/echo/x", "a", []string{"X-OpenHIM-TransactionID", him}, want{"demo-clinic", "", "direct", "/ddcc/echo/:hcid", "done", "", 201, 1, 1}},
		"trailing text": {clientName, "POST", "/ddcc/echo/x?name=Ngozi", "a", nil, want{"demo-clinic", "", "direct", "/ddcc/echo/:hcid", "done", "", 201, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			correlation := "case-" + strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", "")
			s.do(s.client(test.as), test.method, test.path, test.body, append(test.header, "X-Correlation-Id", correlation)...)
			s.written(s.recorder.Counts().Kept + 1)
			got := s.list("?correlation=" + correlation)
			if len(got) != 1 {
				t.Fatalf("%d records", len(got))
			}
			g, w := got[0], test.want
			if g.Client != w.client || g.ClientUnknown != w.unknown || g.Via != w.via || g.Route != w.route || g.Outcome != w.outcome || g.OpenHIMTransaction != w.him ||
				g.Status != w.status || g.Request.Size != w.request || w.response >= 0 && g.Response.Size != w.response || g.Peer != test.as {
				t.Errorf("got  %+v\nwant %+v", g, w)
			}
			if g.Request.Kept != "" || (g.Request.Digest == "") != (w.request == 0) {
				t.Errorf("%+v", g.Request)
			}
		})
	}
}

// TestOtherPathsAreNotRecorded: not those of operators, and none that only begins alike.
func TestOtherPathsAreNotRecorded(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for _, path := range []string{"/elsewhere", "/ddccx", "/", "/transactions"} {
		s.do(s.client(clientName), http.MethodGet, path, "")
	}
	s.do(s.client(clientName), http.MethodGet, "/ddcc/cached", "")
	s.written(1)
	if c := s.recorder.Counts(); c.Kept != 1 || c.Queued != 0 {
		t.Errorf("%+v, want one record", c)
	}
}

// TestCallsAreATree: a transaction shows its calls below the systems that were called.
func TestCallsAreATree(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.do(s.client(clientName), http.MethodPost, "/ddcc/echo/x", "hello")
	s.written(1)
	one := s.show(s.list("")[0].ID)
	if len(one.Calls) != 1 || one.Calls[0].Peer != "signer" || len(one.Calls[0].Legs) != 1 {
		t.Fatalf("%+v", one.Calls)
	}
	if leg := one.Calls[0].Legs[0]; leg.N != 1 || leg.Name != "sign" || leg.Path != "/v1/certificates/{id}" || leg.Status != 201 || leg.Request.Size != 5 {
		t.Errorf("%+v", leg)
	}
	if len(one.Certificates) != 1 || one.Certificates[0] != certificate {
		t.Errorf("%q", one.Certificates)
	}
}

// TestNothingPersonalIsKept posts a person in every place of a request, with bodies kept, and
// searches the files, the log and the answers to operators.
func TestNothingPersonalIsKept(t *testing.T) {
	t.Parallel()
	s := start(t, options{bodies: true})
	const body = `{"name":"Ngozi Specimen","hcid":"HCID-1979-55","lot":"SPECLOT7"}`
	for _, path := range []string{"/ddcc/echo/HCID-1979-55", "/ddcc/secret", "/ddcc/refuse", "/ddcc/nothing/HCID-1979-55", "/ddcc/small"} {
		s.do(s.client(clientName), http.MethodPost, path+"?name=Ngozi+Specimen&lot=SPECLOT7", body,
			"Idempotency-Key", "HCID-1979-55", "Content-Type", "application/fhir+json; title=SPECLOT7", "X-OpenHIM-ClientID", "Ngozi Specimen", "X-Correlation-Id", "SPECLOT7 Ngozi",
			"X-OpenHIM-TransactionID", "SPECLOT7SPECLOT7SPECLOT7")
	}
	s.do(s.client(clientName), http.MethodGet, "/ddcc/panic", "")
	s.written(6)
	var seen strings.Builder
	for _, one := range s.list("") {
		_, raw := s.do(s.client(operatorName), http.MethodGet, "/transactions/"+one.ID, "")
		seen.Write(raw)
	}
	_, page := s.do(s.client(operatorName), http.MethodGet, "/transactions?_count=100", "")
	_, statistics := s.do(s.client(operatorName), http.MethodGet, "/transactions/statistics", "")
	seen.Write(page)
	seen.Write(statistics)
	places := map[string]string{"answers to operators": seen.String()}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		places[filepath.Base(path)] = string(raw)
		return err
	})
	if err != nil || len(places) < 3 {
		t.Fatalf("%d places, %v", len(places), err)
	}
	for place, content := range places {
		if content == "" {
			t.Errorf("%s is empty", place)
		}
		for _, text := range []string{"Ngozi", "HCID-1979-55", "SPECLOT7"} {
			if strings.Contains(content, text) {
				t.Errorf("%s shows %q", place, text)
			}
		}
	}
	// The body of the first request is there, for those who may have it.
	oldest := s.list("")
	status, got := s.do(s.client(operatorName), http.MethodGet, "/transactions/"+oldest[len(oldest)-1].ID+"/request", "")
	if status != 200 || string(got) != body {
		t.Errorf("%d %s", status, got)
	}
}

// TestMeasuringKeepsTheGuards: an oversized body of unknown length is cut where it was
// without the record, and its connection is closed.
func TestMeasuringKeepsTheGuards(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/ddcc/small", io.MultiReader(strings.NewReader(strings.Repeat("x", 1000))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client(clientName).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	s.written(1)
	if one := s.list("")[0]; resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close || one.Outcome != "body-too-large" || one.Request.Size > 1000 || one.Request.Size < 10 {
		t.Errorf("status %d, close %t, %+v", resp.StatusCode, resp.Close, one)
	}
}

// BenchmarkMiddleware is what the record adds to a request that does nothing: compare both.
func BenchmarkMiddleware(b *testing.B) {
	for name, prefix := range map[string]string{"recorded": "/ddcc", "not": "/nothing"} {
		b.Run(name, func(b *testing.B) {
			store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "transactions.db"), sqlite.Options{CacheMiB: 8})
			if err != nil {
				b.Fatal(err)
			}
			recorder, err := transaction.NewRecorder(transaction.Options{
				Store: store, Secret: secret, Retention: time.Hour, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				b.Fatal(err)
			}
			engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			engine.Use(httpapi.Record(httpapi.Recording{
				Recorder: recorder, Prefixes: []string{prefix}, Clock: time.Now,
				Client: func(*gin.Context) (string, bool) { return "demo-clinic", true },
			}))
			answer := bytes.Repeat([]byte("a"), 12<<10)
			engine.POST("/ddcc/issue", func(c *gin.Context) {
				_, _ = io.Copy(io.Discard, c.Request.Body)
				c.Data(http.StatusCreated, "application/fhir+json", answer)
			})
			body := bytes.Repeat([]byte("q"), 2<<10)
			b.ResetTimer()
			for b.Loop() {
				engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/ddcc/issue", bytes.NewReader(body)))
			}
			if err := recorder.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			_ = store.Close()
		})
	}
}
