package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

const transactionRoute = "GET /transactions"

func transactionPageOf(next string, n int) scriptedAnswer {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"id":"%s-%d","started":"2026-11-21T09:00:00Z","durationMicros":1500,"client":"demo-clinic","route":"/ddcc/x","status":201,"outcome":"done","replayed":true}`, next, i))
	}
	return scriptedAnswer{status: 200, body: `{"transactions":[` + strings.Join(all, ",") + `],"next":"` + next + `"}`}
}

// TestTransactionsList: pages are put together up to the limit, filters are sent, and a
// gateway that asks for patience gets it.
func TestTransactionsList(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(transactionRoute, transactionPageOf("p2", 100), scriptedAnswer{status: 429, header: []string{"Retry-After", "0"}}, transactionPageOf("p3", 50), transactionPageOf("p4", 10))
	code, out, errs := s.run("transactions", "list", "--limit", "160", "--status", "5xx", "--client", "demo-clinic", "--since", "90m")
	if code != exitOK || strings.Count(out, "\n") != 161 || !strings.Contains(out, "done (replayed)") || !strings.Contains(out, "1.5 ms") || !strings.Contains(errs, "There are more") {
		t.Fatalf("exit %d: %d lines\n%.400s%s", code, strings.Count(out, "\n"), out, errs)
	}
	for i, want := range []string{"100", "60", "60", "10"} {
		_, query, _ := strings.Cut(s.asked[i], "?")
		q, err := url.ParseQuery(query)
		since, timeErr := time.Parse(time.RFC3339, q.Get("since"))
		if err != nil || timeErr != nil || q.Get("_count") != want || q.Get("status") != "5xx" || q.Get("client") != "demo-clinic" || (q.Get("cursor") == "") != (i == 0) ||
			time.Since(since) < 89*time.Minute || time.Since(since) > 91*time.Minute {
			t.Errorf("%d: %s", i, s.asked[i])
		}
	}
	s.gives(transactionRoute, transactionPageOf("", 2))
	code, out, _ = s.run("transactions", "list", "--json", "--limit", "0")
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if code != exitOK || strings.Count(out, "\n") != 2 {
		t.Errorf("exit %d: %s", code, out)
	}
	s.gives(transactionRoute, transactionPageOf("", 0))
	if code, out, _ := s.run("transactions", "list"); code != exitOK || out != "No transaction matches.\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := s.run("transactions", "list", "--since", "yesterday"); code != exitUsage || !strings.Contains(errs, "--since") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestTransactionsRefused: what the gateway says about a request is shown, rule by rule.
func TestTransactionsRefused(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(transactionRoute, scriptedAnswer{status: 400, body: `{"detail":"The query cannot be used.","errors":[{"path":"status","rule":"status","detail":"No.","fix":"Send a status."}]}`})
	if code, out, errs := s.run("transactions", "list", "--status", "x"); code != exitNegative || out != "" || !strings.Contains(errs, "status: status: No. Send a status.") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := s.run("transactions", "list", "--status", "x", "--json"); code != exitNegative || !strings.Contains(out, `"detail"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := s.run("transactions", "show", aDocument); code != exitNegative || !strings.Contains(errs, "418") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestTransactionsShow(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives("GET /transactions/"+aDocument, scriptedAnswer{status: 200, body: `{"id":"` + aDocument + `","started":"2026-11-21T09:00:00Z","durationMicros":2000,"clientUnknown":"not-an-issuer","via":"direct",
		"route":"delivery","outcome":"fhir-refused","certificates":["cert-1"],"parent":"before","request":{"size":7,"digest":"0123456789abcdef0123","kept":"sealed"},
		"calls":[{"peer":"fhir","host":"fhir.example","legs":[{"n":1,"name":"store","method":"POST","path":"/","durationMicros":900,"failure":"timeout"},{"n":2,"name":"store","method":"POST","path":"/","status":422}]}]}`})
	code, out, errs := s.run("transactions", "show", aDocument)
	for _, want := range []string{"(not-an-issuer)", "cert-1", "before", "7 bytes, digest 0123456789abcdef, sealed", "fhir.example", "1   store: POST /  timeout", "2   store: POST /  422", "fhir-refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	if code != exitOK || t.Failed() {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestTransactionsStats(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives("GET /transactions/statistics", scriptedAnswer{status: 200, body: `{"from":"2026-11-21T08:00:00Z","until":"2026-11-21T09:00:00Z","counted":3,"complete":false,
		"groups":[{"route":"/ddcc/x","outcome":"done","count":3,"p50Micros":1000,"p95Micros":2000,"p99Micros":3000,"maxMicros":4000}]}`})
	code, out, _ := s.run("transactions", "stats", "--route", "/ddcc/x", "--until", "2026-11-21T09:00:00Z")
	if code != exitOK || !strings.Contains(out, "The window has more") || !strings.Contains(out, "/ddcc/x  done     3      1.0 ms  2.0 ms  3.0 ms  4.0 ms") || !strings.Contains(s.asked[0], "until=2026-11-21T09%3A00%3A00Z") {
		t.Errorf("exit %d: %s %v", code, out, s.asked)
	}
}

func TestTransactionsReplay(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	route := "POST /transactions/" + aDocument + "/legs/2/$replay"
	for answer, want := range map[string]string{
		`{"replayedAt":"2026-11-21T09:00:00Z","repeated":false}`: "is delivered again", `{"replayedAt":"2026-11-21T09:00:00Z","repeated":true}`: "replayed at 2026-11-21 09:00:00 UTC; nothing",
	} {
		s.gives(route, scriptedAnswer{status: 200, body: answer})
		if code, out, errs := s.run("transactions", "replay", aDocument, "2"); code != exitOK || !strings.Contains(out, want) {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	}
	s.gives(route, scriptedAnswer{status: 409, body: `{"detail":"Another operator replays this call at the moment."}`})
	if code, _, errs := s.run("transactions", "replay", aDocument, "2"); code != exitNegative || !strings.Contains(errs, "Another operator") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, _ := s.run("transactions", "replay", aDocument); code != exitUsage {
		t.Errorf("without a call: exit %d", code)
	}
}
