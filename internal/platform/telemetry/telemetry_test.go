package telemetry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestLoggerAddsWhatTheContextKnows(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := NewLogger(&out, "info", FormatJSON)
	if err != nil {
		t.Fatal(err)
	}
	ctx := WithPrincipal(WithCorrelationID(t.Context(), "abc-1"), "spiffe://ministry.example/clinic")
	log.With("module", "issuance").InfoContext(ctx, "stored")
	log.DebugContext(ctx, "hidden below the level")

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("want exactly one JSON line: %v\n%s", err, out.String())
	}
	if at, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil || at.Location() != time.UTC {
		t.Errorf("time %v is not UTC (%v)", line["time"], err)
	}
	delete(line, "time")
	want := map[string]any{
		"level": "INFO", "msg": "stored", "module": "issuance",
		"correlation_id": "abc-1", "principal": "spiffe://ministry.example/clinic",
	}
	if d := cmp.Diff(want, line); d != "" {
		t.Error(d)
	}
}

func TestLoggerWithoutContextAndWithGroup(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := NewLogger(&out, "debug", FormatText)
	if err != nil {
		t.Fatal(err)
	}
	log.WithGroup("store").Debug("opened", "rows", 3)
	if got := out.String(); !strings.Contains(got, "store.rows=3") || strings.Contains(got, "correlation_id") {
		t.Errorf("line %q", got)
	}
}

func TestLoggerRefusesUnknownSettings(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{{"loud", FormatJSON}, {"", FormatJSON}, {"info", "xml"}, {"info", ""}} {
		if _, err := NewLogger(io.Discard, tc[0], tc[1]); err == nil {
			t.Errorf("level %q format %q accepted", tc[0], tc[1])
		}
	}
}

func TestMetricsHaveClosedLabels(t *testing.T) {
	t.Parallel()
	reg, err := NewRegistry(Build{Version: "v1.2.3", Revision: "abc", Go: "go1"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewHTTPMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	m.Begin()("/fhir/:type", "POST", 201, 20*time.Millisecond)
	m.Begin()("/fhir/:type", "ERIKA", 999, time.Second)
	m.Begin()

	body := scrape(t, reg)
	for _, want := range []string{
		`ddcc_http_requests_total{method="POST",route="/fhir/:type",status="2xx"} 1`,
		`ddcc_http_requests_total{method="other",route="/fhir/:type",status="other"} 1`,
		`ddcc_http_request_duration_seconds_bucket{method="POST",route="/fhir/:type",status="2xx",le="0.025"} 1`,
		`ddcc_http_requests_in_flight 1`,
		`ddcc_build_info{go="go1",revision="abc",version="v1.2.3"} 1`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(body, "ERIKA") {
		t.Error("a method from the wire became a label")
	}
}

func TestMetricsRegisterOnce(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	if _, err := NewHTTPMetrics(reg); err != nil {
		t.Fatal(err)
	}
	if _, err := NewHTTPMetrics(reg); err == nil {
		t.Error("the same metrics registered twice")
	}
}

func scrape(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(reg).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

func TestBuild(t *testing.T) {
	t.Parallel()
	got := buildOf(&debug.BuildInfo{
		GoVersion: "go1.26",
		Main:      debug.Module{Version: "v0.1.0"},
		Settings:  []debug.BuildSetting{{Key: "vcs.revision", Value: "f00"}, {Key: "vcs.modified", Value: "true"}},
	})
	if d := cmp.Diff(Build{Version: "v0.1.0", Revision: "f00", Modified: true, Go: "go1.26"}, got); d != "" {
		t.Error(d)
	}
	if b := ReadBuild(); b.Version == "" || b.Go == "" {
		t.Errorf("own build %+v has empty fields", b)
	}
}
