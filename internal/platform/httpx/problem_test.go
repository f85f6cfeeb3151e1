package httpx_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

var statuses = map[fault.Kind]int{
	fault.Internal: 500, fault.Malformed: 400, fault.Unauthenticated: 401, fault.Forbidden: 403,
	fault.NotFound: 404, fault.MethodNotAllowed: 405, fault.NotAcceptable: 406, fault.Conflict: 409,
	fault.PreconditionFailed: 412, fault.TooLarge: 413, fault.UnsupportedMedia: 415, fault.Rule: 422,
	fault.TooMany: 429, fault.Upstream: 502, fault.Unavailable: 503, fault.Timeout: 504,
}

func TestProblemRoundTripOfEveryKind(t *testing.T) {
	t.Parallel()
	if len(statuses) != int(fault.Timeout)+1 {
		t.Fatal("a kind is missing in this test")
	}
	for kind, status := range statuses {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			sent := fault.New(kind, "some-code", "What happened.").Because(errors.New("password of the store")).
				Retry(1500*time.Millisecond).With(
				fault.Issue{Path: "Patient.birthDate", Rule: "date-1", Detail: "Not a date.", Fix: "Send YYYY-MM-DD."},
				fault.Issue{Severity: fault.SeverityWarning, Path: "/name", Detail: "Long."})
			want := &fault.Error{Kind: kind, Code: "some-code", Detail: "What happened.", RetryAfter: 2 * time.Second, Issues: []fault.Issue{
				{Severity: fault.SeverityError, Path: "Patient.birthDate", Rule: "date-1", Detail: "Not a date.", Fix: "Send YYYY-MM-DD."},
				{Severity: fault.SeverityWarning, Path: "/name", Detail: "Long."},
			}}
			if kind == fault.Internal {
				want = fault.New(kind, "internal", "The server failed to process the request.")
			}

			e, _ := newEngine(t, nil)
			e.GET("/x", func(c *gin.Context) { httpx.Fail(c, fmt.Errorf("wrapped: %w", sent)) })
			w := do(e, "GET", "/x", nil)
			if w.Code != status || httpx.Status(kind) != status {
				t.Errorf("status %d, Status() %d, want %d", w.Code, httpx.Status(kind), status)
			}
			if strings.Contains(w.Body.String(), "password") || strings.Contains(w.Body.String(), "wrapped") {
				t.Errorf("the cause leaked: %s", w.Body)
			}
			got := httpx.ReadProblem(w.Result())
			if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(fault.Error{})); d != "" {
				t.Error(d)
			}
			if !errors.Is(got, want) {
				t.Error("the rebuilt fault does not match its model")
			}
		})
	}
}

func TestProblemDocument(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) {
		c.Header("ETag", `"1"`)
		c.Header("Content-Type", "application/pdf")
		c.Header("Cache-Control", "public, max-age=60")
		httpx.Fail(c, fault.New(fault.Unavailable, "signer-down", "The signer is not available.").Retry(time.Millisecond))
	})
	w := do(e, "GET", "/x", nil)
	want := map[string]any{
		"type": "urn:ddcc-gateway:problem:signer-down", "title": "Unavailable", "status": 503.0,
		"detail": "The signer is not available.", "retryAfter": 1.0,
	}
	if d := cmp.Diff(want, decode(t, w)); d != "" {
		t.Error(d)
	}
	for name, value := range map[string]string{"Retry-After": "1", "Cache-Control": "no-store", "ETag": "", "X-Content-Type-Options": "nosniff"} {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

func TestUnknownErrorIsAFixedText(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"plain":        errors.New("dial tcp 10.0.0.7: Erika"),
		"nil":          nil,
		"kind unknown": fault.New(fault.Kind(200), "odd", "Erika"),
	} {
		e, lines := newEngine(t, nil)
		e.GET("/x", func(c *gin.Context) { httpx.Fail(c, err) })
		w := do(e, "GET", "/x", nil)
		doc := decode(t, w)
		if w.Code != 500 || doc["type"] != "urn:ddcc-gateway:problem:internal" ||
			doc["detail"] != "The server failed to process the request." || len(doc) != 4 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := lines.lines(t, "request"); len(got) != 1 || got[0]["level"] != "ERROR" || got[0]["error"] == nil {
			t.Errorf("%s: the log does not have the cause: %v", name, got)
		}
	}
}

func TestProblemWithoutCode(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) { httpx.Problem(c, &fault.Error{Kind: fault.Conflict}) })
	if doc := decode(t, do(e, "GET", "/x", nil)); doc["type"] != "urn:ddcc-gateway:problem:conflict" {
		t.Errorf("type %v", doc["type"])
	}
}

func answer(status int, contentType, body string, headers ...string) *http.Response {
	h := http.Header{"Content-Type": {contentType}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func TestReadProblemOfForeignAnswers(t *testing.T) {
	t.Parallel()
	problem := `{"type":"urn:ddcc-gateway:problem:x","status":409}`
	tests := map[string]struct {
		resp *http.Response
		kind fault.Kind
		code string
		wait time.Duration
	}{
		"HTML from a proxy":     {answer(502, "text/html", "<h1>Erika</h1>"), fault.Upstream, "peer-answer", 0},
		"503 of an ingress":     {answer(503, "text/plain", "", "Retry-After", "7"), fault.Unavailable, "peer-unavailable", 7 * time.Second},
		"504 of an ingress":     {answer(504, "", ""), fault.Timeout, "peer-timeout", 0},
		"429 without problem":   {answer(429, "", "", "Retry-After", "soon"), fault.TooMany, "peer-busy", 0},
		"redirect":              {answer(302, "", ""), fault.Upstream, "peer-answer", 0},
		"foreign type":          {answer(404, httpx.ProblemType, `{"type":"about:blank"}`), fault.Upstream, "peer-answer", 0},
		"status without a kind": {answer(418, httpx.ProblemType, problem), fault.Upstream, "peer-answer", 0},
		"broken JSON":           {answer(409, httpx.ProblemType, problem[:20]), fault.Upstream, "peer-answer", 0},
		"too large":             {answer(409, httpx.ProblemType, problem+strings.Repeat(" ", 1<<20)), fault.Upstream, "peer-answer", 0},
		"charset tolerated":     {answer(409, httpx.ProblemType+"; charset=utf-8", problem), fault.Conflict, "x", 0},
		"status line wins":      {answer(412, httpx.ProblemType, problem), fault.PreconditionFailed, "x", 0},
		"wait is bounded":       {answer(503, httpx.ProblemType, problem, "Retry-After", "999999999"), fault.Unavailable, "x", 24 * time.Hour},
		"negative wait":         {answer(503, httpx.ProblemType, problem, "Retry-After", "-5"), fault.Unavailable, "x", 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *fault.Error
			if err := httpx.ReadProblem(tc.resp); !errors.As(err, &f) {
				t.Fatalf("ReadProblem = %v", err)
			}
			if f.Kind != tc.kind || f.Code != tc.code || f.RetryAfter != tc.wait {
				t.Errorf("got %v %q %v, want %v %q %v", f.Kind, f.Code, f.RetryAfter, tc.kind, tc.code, tc.wait)
			}
			if strings.Contains(f.Error(), "Erika") {
				t.Error("the body of the peer is in the error")
			}
		})
	}
	if err := httpx.ReadProblem(answer(204, "", "")); err != nil {
		t.Errorf("204: %v", err)
	}
}

func FuzzReadProblem(f *testing.F) {
	f.Add(409, httpx.ProblemType, `{"type":"urn:ddcc-gateway:problem:x","errors":[{"path":"a"}],"retryAfter":3}`, "5")
	f.Add(503, "text/html", "<", "x")
	f.Fuzz(func(t *testing.T, status int, contentType, body, retry string) {
		err := httpx.ReadProblem(answer(status, contentType, body, "Retry-After", retry))
		if status >= 200 && status < 300 {
			if err != nil {
				t.Fatal("an error for success")
			}
			return
		}
		var fe *fault.Error
		if !errors.As(err, &fe) || fe.Code == "" || fe.RetryAfter < 0 || fe.RetryAfter > 24*time.Hour {
			t.Fatalf("not a usable fault: %#v", err)
		}
	})
}
