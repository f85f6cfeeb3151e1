package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// problem is what a refusal says.
type problem struct {
	Type   string
	Status int
	Errors []struct{ Path, Rule, Fix string }
}

func problemOf(t *testing.T, raw []byte) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	p.Type = strings.TrimPrefix(p.Type, "urn:ddcc-gateway:problem:")
	return p
}

// TestOperatorsAlone: every route asks for the certificate of an operator.
func TestOperatorsAlone(t *testing.T) {
	t.Parallel()
	s := start(t, options{bodies: true, replays: true})
	for _, route := range []string{
		"GET /transactions", "GET /transactions/statistics", "GET /transactions/" + certificate, "GET /transactions/" + certificate + "/request",
		"GET /transactions/" + certificate + "/response", "POST /transactions/" + certificate + "/legs/1/$replay",
	} {
		method, path, _ := strings.Cut(route, " ")
		for name, want := range map[string]int{"": 401, clientName: 403, openHIMName: 403} {
			if status, _ := s.do(s.client(name), method, path, ""); status != want {
				t.Errorf("%s as %q: %d, want %d", route, name, status, want)
			}
		}
		if status, _ := s.do(s.client(operatorName), method, path, ""); status != 200 && status != 404 {
			t.Errorf("%s as operator: %d", route, status)
		}
	}
	if len(s.trail.entries) != 0 {
		t.Errorf("%d audit entries about what does not exist", len(s.trail.entries))
	}
}

// TestQueriesAreStrict: every fault is named by parameter and rule, no value comes back.
func TestQueriesAreStrict(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	operator := s.client(operatorName)
	for query, want := range map[string]string{
		"client=Ngozi+Specimen": "client issuer-id", "route=%20": "route route-template", "outcome=": "outcome outcome", "status=6xx": "status status", "status=20": "status status",
		"certificate=x": "certificate uuid", "openhim=507F1F77BCF86CD799439011": "openhim openhim-id", "correlation=a%00": "correlation correlation-id",
		"since=yesterday": "since instant", "until=2026-11-21": "until instant", "cursor=%2B": "cursor opaque", "_count=0": "_count count", "_count=101": "_count count", "_count=1e1": "_count count",
		"Ngozi=1": "query unknown", "client=a&client=a": "client once", "since=2026-11-21T00:00:00Z&until=2026-11-20T00:00:00Z": "until window",
	} {
		status, body := s.do(operator, http.MethodGet, "/transactions?"+query, "")
		p := problemOf(t, body)
		if status != 400 || len(p.Errors) != 1 || p.Errors[0].Path+" "+p.Errors[0].Rule != want || p.Errors[0].Fix == "" || strings.Contains(string(body), "Ngozi") {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	for _, query := range []string{"a;b", "%zz", "x=" + strings.Repeat("a", 3000)} {
		if status, body := s.do(operator, http.MethodGet, "/transactions?"+query, ""); status != 400 {
			t.Errorf("%d %s", status, body)
		}
	}
	for _, path := range []string{"/transactions/statistics?status=5xx", "/transactions/" + certificate + "?x=1"} {
		if status, _ := s.do(operator, http.MethodGet, path, ""); status != 400 {
			t.Errorf("%s: %d, want 400", path, status)
		}
	}
	both := "client=%20&status=x"
	if _, body := s.do(operator, http.MethodGet, "/transactions?"+both, ""); len(problemOf(t, body).Errors) != 2 {
		t.Errorf("not every fault at once: %s", body)
	}
}

// TestSearchOverHTTP pages through what was asked for with every parameter.
func TestSearchOverHTTP(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	begin := time.Now().UTC().Add(-time.Second).Format(time.RFC3339)
	for range 5 {
		s.do(s.client(clientName), http.MethodPost, "/ddcc/echo/x", "hello", "X-Correlation-Id", "all-of-them")
	}
	s.do(s.client(clientName), http.MethodPost, "/ddcc/refuse", "")
	s.written(6)
	operator, cursor, pages, ids := s.client(operatorName), "", 0, []string{}
	for {
		q := url.Values{
			"client": {"demo-clinic"}, "route": {"/ddcc/echo/:hcid"}, "outcome": {"done"}, "status": {"2xx"}, "certificate": {certificate},
			"correlation": {"all-of-them"}, "since": {begin}, "until": {time.Now().Add(time.Minute).UTC().Format(time.RFC3339)}, "_count": {"2"},
		}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		status, body := s.do(operator, http.MethodGet, "/transactions?"+q.Encode(), "")
		var page struct {
			Transactions []record
			Next         string
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		for _, one := range page.Transactions {
			ids = append(ids, one.ID)
		}
		pages++
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 5 || pages != 3 {
		t.Errorf("%d transactions on %d pages", len(ids), pages)
	}
	status, body := s.do(operator, http.MethodGet, "/transactions/statistics?client=demo-clinic", "")
	var statistics struct {
		Counted  int
		Complete bool
		Groups   []struct {
			Route, Outcome string
			Count          int
			P50Micros      int
		}
	}
	if err := json.Unmarshal(body, &statistics); err != nil || status != 200 || statistics.Counted != 6 || !statistics.Complete || len(statistics.Groups) != 2 ||
		statistics.Groups[0].Count != 5 || statistics.Groups[0].P50Micros <= 0 {
		t.Errorf("%d %s", status, body)
	}
}

// TestBodiesOverHTTP: they are for saving, audited with the operator's name, and their routes
// are not there when none are kept.
func TestBodiesOverHTTP(t *testing.T) {
	t.Parallel()
	off, on := start(t, options{}), start(t, options{bodies: true})
	for s, want := range map[*site]int{off: 404, on: 200} {
		s.do(s.client(clientName), http.MethodPost, "/ddcc/echo/x", "hello", "Content-Type", "application/fhir+json")
		s.do(s.client(clientName), http.MethodPost, "/ddcc/secret", "passcode")
		s.written(2)
		secretOne, echoed := s.list("")[0], s.list("")[1]
		for _, part := range []string{"request", "response"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/transactions/"+echoed.ID+"/"+part, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := s.client(operatorName).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want || want == 200 && (resp.Header.Get("Content-Disposition") != "attachment" || resp.Header.Get("Content-Type") != "application/fhir+json" ||
				resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("%s: %d %v", part, resp.StatusCode, resp.Header)
			}
		}
		if status, _ := s.do(s.client(operatorName), http.MethodGet, "/transactions/"+secretOne.ID+"/request", ""); status != 404 {
			t.Errorf("a withheld body: %d", status)
		}
		if secretOne.Request.Kept != map[int]string{200: "withheld"}[want] {
			t.Errorf("%+v", secretOne.Request)
		}
	}
	if len(off.trail.entries) != 0 || len(on.trail.entries) != 6 || on.trail.entries[0].Actor != operatorName {
		t.Errorf("%d and %d audit entries: %+v", len(off.trail.entries), len(on.trail.entries), on.trail.entries)
	}
}

// TestReplayOverHTTP: the path is the whole request.
func TestReplayOverHTTP(t *testing.T) {
	t.Parallel()
	s := start(t, options{replays: true})
	s.recorder.RecordDelivery(transaction.Delivery{Started: time.Now(), Certificate: certificate, Outcome: "upstream", Legs: failedLegs()})
	s.written(1)
	operator, id := s.client(operatorName), s.list("?route=delivery")[0].ID
	at := "/transactions/" + id + "/legs/1/$replay"
	for i, want := range []bool{false, true} {
		status, body := s.do(operator, http.MethodPost, at, "")
		var done struct{ Repeated bool }
		if err := json.Unmarshal(body, &done); err != nil || status != 200 || done.Repeated != want {
			t.Errorf("%d: %d %s", i, status, body)
		}
	}
	for path, want := range map[string]int{
		"/transactions/" + id + "/legs/2/$replay": 404, "/transactions/" + id + "/legs/01/$replay": 404, "/transactions/" + id + "/legs/x/$replay": 404,
		"/transactions/" + certificate + "/legs/1/$replay": 404, at + "?x=1": 400,
	} {
		if status, _ := s.do(operator, http.MethodPost, path, ""); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status, _ := s.do(operator, http.MethodPost, at, "{}"); status != 400 {
		t.Errorf("with a body: %d", status)
	}
	if status, _ := s.do(operator, http.MethodGet, at, ""); status != 405 {
		t.Errorf("GET: %d", status)
	}
}

// TestOperatorsHaveALimit, each their own.
func TestOperatorsHaveALimit(t *testing.T) {
	t.Parallel()
	s := start(t, options{burst: time.Now()})
	operator := s.client(operatorName)
	for range 50 {
		if status, _ := s.do(operator, http.MethodGet, "/transactions", ""); status != 200 {
			t.Fatal(status)
		}
	}
	if status, _ := s.do(operator, http.MethodGet, "/transactions", ""); status != 429 {
		t.Errorf("%d, want 429", status)
	}
	if status, _ := s.do(s.client(clientName), http.MethodGet, "/transactions", ""); status != 403 {
		t.Errorf("%d, want 403", status)
	}
}
