package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/httpapi"
)

const id = "018f3b5e-7c1a-7b2d-8e4f-0123456789ab"

// holders knows one certificate and records what reaches it.
type holders struct {
	calls int
	err   error
}

func (h *holders) Status(_ context.Context, certificate, birthDate string) (issuance.HolderStatus, error) {
	h.calls++
	if h.err != nil {
		return issuance.HolderStatus{}, h.err
	}
	if certificate != id || birthDate != "1944-02-29" {
		return issuance.HolderStatus{}, fault.New(fault.NotFound, "status-unknown", "There is no certificate with this id for a person born then.")
	}
	at := time.Unix(0, 0).UTC()
	return issuance.HolderStatus{Status: issuance.HolderValid, Formats: []issuance.Format{issuance.FormatWHO}, IssuedAt: at, ExpiresAt: at}, nil
}

// server gives a function that asks, and the log. The engine's own renderer is another, as
// in the gateway's.
func server(t *testing.T, h *holders, burst int) (func(body string, header ...string) *httptest.ResponseRecorder, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	engine, err := httpx.NewEngine(httpx.EngineOptions{
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	err = httpapi.Register(engine, httpapi.Config{Holders: h, PerSecond: 0.1, Burst: burst, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return func(body string, header ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, httpapi.StatusPath, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, req)
		return w
	}, log
}

func question(certificate, birthDate string) string {
	return `{"certificate":"` + certificate + `","birthDate":"` + birthDate + `"}`
}

func TestStatusOfACertificate(t *testing.T) {
	t.Parallel()
	ask, log := server(t, &holders{}, 1000)
	w := ask(question(id, "1944-02-29"))
	const want = `{"status":"valid","formats":["who"],"issuedAt":"1970-01-01T00:00:00Z","expiresAt":"1970-01-01T00:00:00Z"}`
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %s", w.Code, w.Body, w.Header())
	}
	if a, b := ask(question(id, "1944-02-28")), ask(question(strings.Replace(id, "0", "1", 1), "1944-02-29")); a.Code != 404 || b.Code != 404 || a.Body.String() != b.Body.String() {
		t.Errorf("a guesser learns what was wrong: %s, %s", a.Body, b.Body)
	}
	if strings.Contains(log.String(), "1944") || strings.Contains(log.String(), id) || log.Len() == 0 {
		t.Errorf("the log shows a question: %s", log)
	}
}

func TestQuestionsThatAreNone(t *testing.T) {
	t.Parallel()
	h := &holders{}
	ask, log := server(t, h, 1000)
	for name, x := range map[string]struct {
		body, kind string
		status     int
	}{
		"nothing":        {``, "application/json", 400},
		"null":           {`null`, "application/json", 400},
		"an array":       {`[{}]`, "application/json", 400},
		"empty":          {`{}`, "application/json", 400},
		"number":         {`{"certificate":1}`, "application/json", 400},
		"another member": {`{"certificate":"` + id + `","name":"Zoe Specimen"}`, "application/json", 400},
		"a member twice": {`{"certificate":"` + id + `","certificate":"` + id + `"}`, "application/json", 400},
		"other case":     {`{"CERTIFICATE":"` + id + `"}`, "application/json", 400},
		"capitals":       {question(strings.ToUpper(id), ""), "application/json", 400},
		"braces":         {question("{"+id+"}", ""), "application/json", 400},
		"URN":            {question("urn:uuid:"+id, ""), "application/json", 400},
		"two values":     {question(id, "") + question(id, ""), "application/json", 400},
		"no UTF-8":       {question(id, "\xff"), "application/json", 400},
		"deep":           {strings.Repeat("[", 1000), "application/json", 400},
		"large":          {question(id, strings.Repeat("1", 1<<10)), "application/json", 413},
		"a form":         {`certificate=` + id, "application/x-www-form-urlencoded", 415},
		"text":           {question(id, ""), "text/plain", 415},
		"FHIR":           {question(id, ""), "application/fhir+json", 415},
		"latin-1":        {question(id, ""), "application/json; charset=iso-8859-1", 415},
		"no type":        {question(id, ""), "", 415},
	} {
		w := ask(x.body, "Content-Type", x.kind)
		var problem struct{ Type, Title string }
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != x.status || problem.Type == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s", name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "Specimen") {
			t.Errorf("%s: the refusal repeats the question", name)
		}
	}
	if h.calls != 0 {
		t.Errorf("%d questions got through", h.calls)
	}
	if strings.Contains(log.String(), "Specimen") || strings.Contains(log.String(), id) {
		t.Error("the log shows a question")
	}
}

// TestRateIsOfTheAddress counts wrong requests, too, and believes no header.
func TestRateIsOfTheAddress(t *testing.T) {
	t.Parallel()
	h := &holders{}
	ask, _ := server(t, h, 5)
	for range 4 {
		ask(`{`)
	}
	if w := ask(question(id, "1944-02-29")); w.Code != 200 {
		t.Errorf("the fifth: %d", w.Code)
	}
	w := ask(question(id, "1944-02-29"), "X-Forwarded-For", "192.0.2.99", "X-Real-IP", "192.0.2.98", "Forwarded", "for=192.0.2.97")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || h.calls != 1 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("the sixth: %d, %d reached, %s", w.Code, h.calls, w.Header())
	}
}

func TestFailuresAreFixedTexts(t *testing.T) {
	t.Parallel()
	h := &holders{}
	ask, _ := server(t, h, 1000)
	for status, err := range map[int]error{
		500: errors.New("disk on fire"), 429: fault.New(fault.TooMany, "status-attempts", "d").Retry(time.Minute),
		503: fault.New(fault.Unavailable, "registry-unavailable", "d").Retry(time.Second),
	} {
		h.err = err
		w := ask(question(id, "1944-02-29"))
		if w.Code != status || strings.Contains(w.Body.String(), "fire") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d, want %d: %s", w.Code, status, w.Body)
		}
		if status != 500 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%d without Retry-After", status)
		}
	}
}

func TestRegisterRefusesNonsense(t *testing.T) {
	t.Parallel()
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Register(engine, httpapi.Config{Holders: &holders{}, Clock: time.Now}); err == nil {
		t.Error("no rate is taken for a rate")
	}
}
