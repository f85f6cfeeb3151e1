package httpx_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

func ok(c *gin.Context) { c.String(http.StatusOK, "ok") }

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.POST("/fhir", ok)
	e.DELETE("/fhir", ok)

	w := do(e, "GET", "/nowhere/Erika?name=Erika", nil)
	if doc := decode(t, w); w.Code != 404 || doc["type"] != "urn:ddcc-gateway:problem:no-such-route" || strings.Contains(w.Body.String(), "Erika") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = do(e, "GET", "/fhir", nil)
	if decode(t, w); w.Code != 405 {
		t.Errorf("status %d", w.Code)
	}
	if allow := w.Header().Get("Allow"); !strings.Contains(allow, "POST") || !strings.Contains(allow, "DELETE") {
		t.Errorf("Allow %q", allow)
	}
	if w = do(e, "POST", "/fhir/", nil); w.Code != 404 || w.Header().Get("Location") != "" {
		t.Errorf("trailing slash: %d to %q, want no redirect", w.Code, w.Header().Get("Location"))
	}
}

func TestRendererIsInjected(t *testing.T) {
	t.Parallel()
	outcome := func(c *gin.Context, err error) {
		f := httpx.Public(err)
		httpx.SetErrorHeaders(c, f)
		c.Data(httpx.Status(f.Kind), "application/fhir+json", []byte(`{"resourceType":"OperationOutcome"}`))
	}
	e, _ := newEngine(t, func(o *httpx.EngineOptions) { o.Render = outcome })
	admin := e.Group("/admin", httpx.RenderWith(httpx.Problem))
	reached := false
	admin.GET("/x", func(c *gin.Context) { httpx.Fail(c, errors.New("x")) }, func(*gin.Context) { reached = true })
	e.GET("/fhir", func(c *gin.Context) { httpx.Fail(c, errors.New("x")) }, func(*gin.Context) { reached = true })

	for target, want := range map[string]string{"/nowhere": "application/fhir+json", "/fhir": "application/fhir+json", "/admin/x": httpx.ProblemType} {
		if got := do(e, "GET", target, nil).Header().Get("Content-Type"); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	if reached {
		t.Error("the chain went on after Fail")
	}
}

func TestPanicBecomesFixed500(t *testing.T) {
	t.Parallel()
	e, lines := newEngine(t, nil)
	e.POST("/x/:id", func(c *gin.Context) { panic("Erika Mustermann") })
	w := do(e, "POST", "/x/Mustermann?birthdate=1964-08-12", strings.NewReader("Mustermann"), "X-Name", "Mustermann")
	if doc := decode(t, w); w.Code != 500 || doc["detail"] != "The server failed to process the request." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	panics := lines.lines(t, "handler panicked")
	if len(panics) != 1 || !strings.Contains(panics[0]["stack"].(string), "engine_test.go") || panics[0]["correlation_id"] != "made-1" {
		t.Errorf("panic lines %v", panics)
	}
	if got := lines.lines(t, "request"); len(got) != 1 || got[0]["status"] != 500.0 || got[0]["route"] != "/x/:id" {
		t.Errorf("request lines %v", got)
	}
	for _, s := range []string{"Mustermann", "1964"} {
		if strings.Contains(lines.String(), s) {
			t.Errorf("the log holds %q", s)
		}
	}
}

func TestPanicAfterTheResponseBeganCutsTheConnection(t *testing.T) {
	t.Parallel()
	e, lines := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) {
		c.String(200, strings.Repeat("half of the answer", 1000))
		c.Writer.Flush()
		panic("late")
	})
	srv := httptest.NewServer(e)
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/x")
	if err == nil {
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the client took half an answer for a whole one")
	}
	if got := lines.lines(t, "request"); len(got) != 1 || got[0]["aborted"] != true || got[0]["level"] != "ERROR" {
		t.Errorf("request lines %v", got)
	}
}

func TestCorrelationID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	tests := map[string]struct {
		given []string
		want  string
	}{
		"none":          {nil, "made-1"},
		"taken over":    {[]string{"Order_7.b-2"}, "Order_7.b-2"},
		"longest":       {[]string{long}, long},
		"too long":      {[]string{long + "a"}, "made-1"},
		"empty":         {[]string{""}, "made-1"},
		"line break":    {[]string{"a\r\nSet-Cookie: x=1"}, "made-1"},
		"forged log":    {[]string{`a","level":"ERROR","msg":"forged`}, "made-1"},
		"script":        {[]string{"<script>"}, "made-1"},
		"space":         {[]string{"a b"}, "made-1"},
		"non-ASCII":     {[]string{"é"}, "made-1"},
		"NUL":           {[]string{"a\x00"}, "made-1"},
		"two different": {[]string{"a", "b"}, "made-1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, lines := newEngine(t, nil)
			var inCtx string
			e.GET("/x", func(c *gin.Context) { inCtx = telemetry.CorrelationID(c.Request.Context()) })
			var headers []string
			for _, g := range tc.given {
				headers = append(headers, httpx.CorrelationHeader, g)
			}
			w := do(e, "GET", "/x", nil, headers...)
			logged := lines.lines(t, "request")[0]["correlation_id"]
			if got := w.Header().Values(httpx.CorrelationHeader); len(got) != 1 || got[0] != tc.want || inCtx != tc.want || logged != tc.want {
				t.Errorf("header %q, context %q, log %q; want %q", got, inCtx, logged, tc.want)
			}
		})
	}
}

func TestCorrelationIDsAreMade(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, func(o *httpx.EngineOptions) { o.NewID = nil })
	e.GET("/x", ok)
	a, b := do(e, "GET", "/x", nil), do(e, "GET", "/x", nil)
	if x, y := a.Header().Get(httpx.CorrelationHeader), b.Header().Get(httpx.CorrelationHeader); len(x) != 36 || x == y {
		t.Errorf("ids %q and %q", x, y)
	}
}

func TestAccessLogAndMetricsNeverHoldTheURL(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	metrics, err := telemetry.NewHTTPMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	e, lines := newEngine(t, func(o *httpx.EngineOptions) { o.Metrics, o.Quiet = metrics, []string{"/livez"} })
	e.GET("/patient/:id", ok)
	e.GET("/livez", httpx.Livez)
	do(e, "GET", "/patient/Mustermann?name=Mustermann", nil, "Referer", "https://x/Mustermann", "User-Agent", "Mustermann")
	do(e, "GET", "/missing/Mustermann", nil)
	do(e, "MUSTERMANN", "/patient/Mustermann", nil)
	do(e, "GET", "/livez", nil)

	w := httptest.NewRecorder()
	telemetry.Handler(reg).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for where, text := range map[string]string{"log": lines.String(), "metrics": w.Body.String()} {
		if strings.Contains(strings.ToLower(text), "mustermann") {
			t.Errorf("the %s holds a part of the request:\n%s", where, text)
		}
	}
	for _, want := range []string{
		`{method="GET",route="/patient/:id",status="2xx"} 1`, `{method="GET",route="unmatched",status="4xx"} 1`,
		`{method="other",route="unmatched",status="4xx"} 1`, "ddcc_http_requests_in_flight 0",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %s\n%s", want, w.Body)
		}
	}
	got := lines.lines(t, "request")
	if len(got) != 4 || got[0]["route"] != "/patient/:id" || got[0]["bytes"] != 2.0 || got[0]["duration_us"] == nil || got[3]["level"] != "DEBUG" {
		t.Errorf("lines %v", got)
	}
}

func TestSecurityHeadersAndCacheOverride(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/private", ok)
	e.GET("/trust", func(c *gin.Context) { c.Header("Cache-Control", "public, max-age=300"); ok(c) })
	private, public := do(e, "GET", "/private", nil).Header(), do(e, "GET", "/trust", nil).Header()
	if private.Get("Cache-Control") != "no-store" || public.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("Cache-Control %q and %q", private.Get("Cache-Control"), public.Get("Cache-Control"))
	}
	if private.Get("X-Content-Type-Options") != "nosniff" || private.Get("Content-Security-Policy") == "" {
		t.Errorf("headers %v", private)
	}
}

func TestForwardedHeadersAreNotBelieved(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) { c.String(200, httpx.CallerKey(c)) })
	w := do(e, "GET", "/x", nil, "X-Forwarded-For", "6.6.6.6", "X-Real-IP", "6.6.6.6")
	if got := w.Body.String(); got != "addr:192.0.2.1" {
		t.Errorf("caller %q", got)
	}
}

func TestFailAfterTheResponseBegan(t *testing.T) {
	t.Parallel()
	e, lines := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) { ok(c); httpx.Fail(c, fault.New(fault.Conflict, "late", "x")) })
	if w := do(e, "GET", "/x", nil); w.Body.String() != "ok" {
		t.Errorf("body %q", w.Body)
	}
	if got := lines.lines(t, "request"); got[0]["code"] != "late" {
		t.Errorf("lines %v", got)
	}
}

func TestEngineNeedsALog(t *testing.T) {
	t.Parallel()
	if _, err := httpx.NewEngine(httpx.EngineOptions{}); err == nil {
		t.Error("an engine without a log was made")
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader("ab"), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
	tests := map[string]struct {
		body io.Reader
		want string
		kind fault.Kind
	}{
		"fits exactly":        {strings.NewReader("12345678"), "12345678", 0},
		"announced too large": {strings.NewReader("123456789"), "", fault.TooLarge},
		"streamed too large":  {io.MultiReader(strings.NewReader("123456789")), "", fault.TooLarge},
		"above the engine":    {io.MultiReader(bytes.NewReader(make([]byte, 100))), "", fault.TooLarge},
		"ends early":          {broken, "", fault.Malformed},
		"empty":               {http.NoBody, "", 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, func(o *httpx.EngineOptions) { o.MaxBody = 50 })
			var got []byte
			var err error
			e.POST("/x", func(c *gin.Context) { got, err = httpx.ReadBody(c, 8) })
			do(e, "POST", "/x", tc.body)
			if tc.kind != 0 {
				if fault.KindOf(err) != tc.kind {
					t.Fatalf("ReadBody = %v", err)
				}
				return
			}
			if err != nil || string(got) != tc.want {
				t.Fatalf("ReadBody = %q, %v", got, err)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRequireContentType(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.POST("/x", httpx.RequireContentType("application/json", "application/fhir+json"), ok)
	tests := []struct {
		headers []string
		status  int
	}{
		{[]string{"Content-Type", "application/json"}, 200},
		{[]string{"Content-Type", "Application/JSON; Charset=UTF-8"}, 200},
		{[]string{"Content-Type", "application/fhir+json; fhirVersion=4.0; charset=utf-8"}, 200},
		{[]string{"Content-Type", "application/json", "Content-Encoding", "identity"}, 200},
		{[]string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415},
		{[]string{"Content-Type", "application/json; charset=latin1"}, 415},
		{[]string{"Content-Type", "text/plain"}, 415},
		{[]string{"Content-Type", "application/json, text/plain"}, 415},
		{[]string{"Content-Type", "application/json", "Content-Type", "text/plain"}, 415},
		{[]string{"Content-Type", "application/jsonx"}, 415},
		{[]string{"Content-Type", ";;"}, 415},
		{nil, 415},
	}
	for _, tc := range tests {
		w := do(e, "POST", "/x", strings.NewReader("{}"), tc.headers...)
		if w.Code != tc.status {
			t.Errorf("%q: status %d, want %d", tc.headers, w.Code, tc.status)
		}
	}
}
