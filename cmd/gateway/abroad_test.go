package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

var moment = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return moment }

// scrape gives what a scrape of one collector gives, without help and types.
func scrape(t *testing.T, collector prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(collector); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	telemetry.Handler(registry).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	var samples []string
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "ddcc_") {
			samples = append(samples, strings.TrimSpace(line))
		}
	}
	return strings.Join(samples, "\n")
}

func TestForeignMetricsAreThoseOfTheScrape(t *testing.T) {
	t.Parallel()
	m := &foreignMetrics{now: clock, status: func() []foreign.Status {
		return []foreign.Status{
			{Name: "eu", Imported: moment.Add(-90 * time.Second), Entries: 7, Failure: errors.New("secret text")},
			{Name: "never", Stale: true},
			{Name: "registry", Imported: moment.Add(time.Minute), Keys: 3}, // a clock that was set back
		}
	}}
	want := `ddcc_foreign_list_age_seconds{source="eu"} 90
ddcc_foreign_list_age_seconds{source="never"} +Inf
ddcc_foreign_list_age_seconds{source="registry"} 0
ddcc_foreign_list_entries{source="eu"} 7
ddcc_foreign_list_entries{source="never"} 0
ddcc_foreign_list_entries{source="registry"} 3
ddcc_foreign_list_stale{source="eu"} 0
ddcc_foreign_list_stale{source="never"} 1
ddcc_foreign_list_stale{source="registry"} 0`
	if got := scrape(t, m); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUploadMetricsAreThoseOfTheScrape(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status dgcgateway.Status
		want   string
	}{
		"not tried yet": {dgcgateway.Status{}, `ddcc_upload_age_seconds +Inf
ddcc_upload_certificates{state="accepted"} 0
ddcc_upload_certificates{state="failed"} 0
ddcc_upload_certificates{state="listed"} 0
ddcc_upload_failed 0`},
		"one fails": {dgcgateway.Status{Good: moment.Add(-time.Hour), Err: errors.New("secret text"), Entries: []dgcgateway.EntryStatus{
			{State: dgcgateway.StateListed}, {State: dgcgateway.StateFailed}, {State: dgcgateway.StateListed}, {State: dgcgateway.StateAccepted},
		}}, `ddcc_upload_age_seconds 3600
ddcc_upload_certificates{state="accepted"} 1
ddcc_upload_certificates{state="failed"} 1
ddcc_upload_certificates{state="listed"} 2
ddcc_upload_failed 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &uploadMetrics{now: clock, status: func() dgcgateway.Status { return test.status }}
			if got := scrape(t, m); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestUploadSource(t *testing.T) {
	t.Parallel()
	dsc := trusttest.CSCA(t).DSC(t)
	away := errors.New("away")
	for name, test := range map[string]struct {
		found []signing.Upload
		err   error
		want  error
	}{
		"one":              {[]signing.Upload{{KID: []byte{1}, Certificate: dsc.Cert.Raw, CMS: []byte("cms")}}, nil, nil},
		"none":             {nil, nil, errNoUploads},
		"signer away":      {nil, away, away},
		"no certificate":   {[]signing.Upload{{KID: []byte{1}, Certificate: []byte("x")}}, nil, errUploadForm},
		"second is broken": {[]signing.Upload{{Certificate: dsc.Cert.Raw}, {}}, nil, errUploadForm},
	} {
		source := uploadSource{func(context.Context) ([]signing.Upload, error) { return test.found, test.err }}
		got, err := source.Uploads(t.Context())
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (len(got) != 1 || !got[0].Certificate.Equal(dsc.Cert) || string(got[0].CMS) != "cms" || string(got[0].KID) != "\x01") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whatever is wrong with the settings about other countries is said by check-config, all at
// once, and nothing is made.
func TestCheckConfigOfForeignAndUpload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	install := devinstall.Installation(filepath.Join(dir, "installation"))
	if err := install.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const pin = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	upload := []string{
		"--upload-url=https://gateway.example.org/path", "--upload-pin=" + pin,
		"--upload-tls-cert=" + install.Path("tls", "gateway.pem"), "--upload-tls-key=" + install.Path("tls", "gateway.key"), "--upload-tls-ca=" + install.Path("tls", "ca.pem"),
	}
	digest := strings.Repeat("ab", 32)
	sources := file("sources.json", `{"sources": [{"name": "a", "format": "did", "digests": ["`+digest+`"]}]}`)
	for name, test := range map[string]struct {
		args []string
		want []string // parts of the error; none: it is usable
	}{
		"nothing set":      {nil, nil},
		"foreign":          {[]string{"--foreign-sources=" + sources}, nil},
		"upload":           {upload, nil},
		"both, two pins":   {append([]string{"--foreign-sources=" + sources, "--upload-pin=" + pin}, upload...), nil},
		"no file":          {[]string{"--foreign-sources=" + filepath.Join(dir, "absent")}, []string{"foreign-sources", "absent"}},
		"two bad sources":  {[]string{"--foreign-sources=" + file("bad.json", `{"sources": [{"name": "a", "format": "did", "maxAge": "x"}, {"name": "b", "format": "did", "digests": ["x"]}]}`)}, []string{`"a": maxAge`, `"b": digests`}},
		"not believed":     {[]string{"--foreign-sources=" + file("naked.json", `{"sources": [{"name": "a", "format": "did"}]}`)}, []string{"authentic"}},
		"retry too long":   {[]string{"--foreign-retry=2h"}, []string{"foreign-retry"}},
		"no refresh":       {[]string{"--foreign-refresh=0s"}, []string{"foreign-refresh"}},
		"upload, bare":     {[]string{"--upload-url=https://gateway.example.org"}, []string{"upload-pin"}},
		"upload, no files": {[]string{"--upload-url=https://gateway.example.org", "--upload-pin=" + pin, "--foreign-sources=" + filepath.Join(dir, "absent")}, []string{"upload-tls-cert", "upload-tls-key", "upload-tls-ca", "foreign-sources"}},
		"upload, http":     {append(upload, "--upload-url=http://gateway.example.org"), []string{"upload-url"}},
		"upload, query":    {append(upload, "--upload-url=https://gateway.example.org?x=1"), []string{"upload-url"}},
		"upload, bad pin":  {append(upload, "--upload-pin=AQ=="), []string{"upload-pin"}},
		"upload, no url":   {upload[1:], []string{"upload-url"}},
		"upload, never":    {append(upload, "--upload-every=0s"), []string{"upload-every"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"check-config"}, install.GatewayArgs("127.0.0.1:0", "127.0.0.1:1")[1:]...)
			err := run(t.Context(), append(args, test.args...), nil, nil, &bytes.Buffer{}, &bytes.Buffer{})
			if (err == nil) != (len(test.want) == 0) {
				t.Fatal(err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("no %s in: %v", part, err)
				}
			}
			if _, err := os.Stat(install.Path("gateway")); !os.IsNotExist(err) {
				t.Errorf("check-config made the data directory: %v", err)
			}
		})
	}
}
