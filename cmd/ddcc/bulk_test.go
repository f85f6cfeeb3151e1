package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

// bulkGateway certifies every event that does not say "bad"; the same event has the same id.
type bulkGateway struct {
	dir    string
	server *httptest.Server
	mu     sync.Mutex
	known  map[string]int
	calls  int
	busy   func(call int) int // a status instead of an answer; 0: none
	delay  time.Duration
}

func newBulkGateway(t *testing.T) *bulkGateway {
	t.Helper()
	g := &bulkGateway{dir: t.TempDir(), known: map[string]int{}}
	if err := devpki.Write(filepath.Join(g.dir, "tls"), time.Now(), map[string]string{"gateway": devpki.GatewayName, "issuer": devpki.IssuerName}); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(g.dir, "tls", "gateway.pem"), filepath.Join(g.dir, "tls", "gateway.key"))
	if err != nil {
		t.Fatal(err)
	}
	g.server = httptest.NewUnstartedServer(g)
	g.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert}
	g.server.StartTLS()
	t.Cleanup(g.server.Close)
	return g
}

// ServeHTTP implements http.Handler.
func (g *bulkGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	time.Sleep(g.delay)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	if g.busy != nil {
		if status := g.busy(g.calls); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	if bytes.Contains(raw, []byte("bad")) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}`))
		return
	}
	if strings.HasSuffix(r.URL.Path, "$validate") {
		_, _ = w.Write([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"information"}]}`))
		return
	}
	sum := sha256.Sum256(raw)
	id := hex.EncodeToString(sum[:8])
	g.known[id]++
	w.Header().Set("Location", "/ddcc/Bundle/"+id)
	if g.known[id] == 1 {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = fmt.Fprintf(w, `{"resourceType":"Bundle","id":%q}`, id)
}

func (g *bulkGateway) run(ctx context.Context, file string, more ...string) (int, string) {
	var out, errs bytes.Buffer
	tlsDir := filepath.Join(g.dir, "tls")
	args := append([]string{
		"issue", "--bulk", "--gateway", g.server.URL, "--cert", filepath.Join(tlsDir, "issuer.pem"), "--key", filepath.Join(tlsDir, "issuer.key"),
		"--ca", filepath.Join(tlsDir, "ca.pem"), "--out", g.dir, file,
	}, more...)
	code := run(streams{ctx, strings.NewReader(""), &out, &errs}, args)
	return code, out.String() + errs.String()
}

func (g *bulkGateway) write(t *testing.T, name string, lines int) string {
	t.Helper()
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "{\"%s\":%d}\n", map[bool]string{true: "bad", false: "good"}[i%10 == 9], i)
	}
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// outputs reads results and errors: the line numbers of each, in order.
func (g *bulkGateway) outputs(t *testing.T, file string) (results, failures []int) {
	t.Helper()
	read := func(name string) (numbers []int) {
		f, err := os.Open(file + "." + name + ".ndjson")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var r bulkResult
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatalf("%s: %v: %s", name, err, lines.Bytes())
			}
			numbers = append(numbers, r.Line)
		}
		return numbers
	}
	return read("results"), read("errors")
}

// wantAll checks that each line has one result, in order.
func wantAll(t *testing.T, results, failures []int, lines int) {
	t.Helper()
	if len(results)+len(failures) != lines {
		t.Fatalf("%d results and %d errors of %d lines", len(results), len(failures), lines)
	}
	for n, r := 1, 0; n <= lines; n++ {
		list := results
		if n%10 == 0 {
			list = failures
			r = n/10 - 1
		} else {
			r = n - 1 - n/10
		}
		if list[r] != n {
			t.Fatalf("line %d: the outputs have %d there", n, list[r])
		}
	}
}

func TestBulkFile(t *testing.T) {
	t.Parallel()
	g := newBulkGateway(t)
	file := g.write(t, "events.ndjson", 1000)
	code, out := g.run(t.Context(), file, "--documents")
	if code != exitNegative || !strings.Contains(out, "900 issued (0 of them before), 100 failed") {
		t.Fatalf("exit %d: %s", code, out)
	}
	results, failures := g.outputs(t, file)
	wantAll(t, results, failures, 1000)
	documents, err := os.ReadFile(file + ".documents.ndjson")
	if err != nil || bytes.Count(documents, []byte("\n")) != 900 {
		t.Errorf("%d documents, %v", bytes.Count(documents, []byte("\n")), err)
	}
	if _, err := os.Stat(file + ".progress.json"); err == nil {
		t.Error("the progress file is still there")
	}
}

// TestBulkGoesOn: a run that ends anywhere, with whatever it had written beyond its record.
func TestBulkGoesOn(t *testing.T) {
	t.Parallel()
	g := newBulkGateway(t)
	g.delay = time.Millisecond
	file := g.write(t, "events.ndjson", 1500)
	for range 4 {
		ctx, stop := context.WithTimeout(t.Context(), 80*time.Millisecond)
		code, out := g.run(ctx, file)
		stop()
		if code != exitNegative || !strings.Contains(out, "run the same command again") {
			t.Fatalf("exit %d: %s", code, out)
		}
		f, err := os.OpenFile(file+".results.ndjson", os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"line":99999,"sta`); err != nil { // what a crash leaves
			t.Fatal(err)
		}
		_ = f.Close()
	}
	if code, out := g.run(t.Context(), file); code != exitNegative {
		t.Fatalf("exit %d: %s", code, out)
	}
	results, failures := g.outputs(t, file)
	wantAll(t, results, failures, 1500)
	if len(g.known) != 1350 {
		t.Errorf("%d certificates", len(g.known))
	}
}

func TestBulkWaitsForTheGateway(t *testing.T) {
	t.Parallel()
	g := newBulkGateway(t)
	g.busy = func(call int) int {
		return []int{0, 0, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, 0}[call%6]
	}
	file := g.write(t, "events.ndjson", 60)
	if code, out := g.run(t.Context(), file); code != exitNegative || !strings.Contains(out, "54 issued") {
		t.Fatalf("exit %d: %s", code, out)
	}
	results, failures := g.outputs(t, file)
	wantAll(t, results, failures, 60)
	g.busy = func(int) int { return http.StatusServiceUnavailable }
	if code, out := g.run(t.Context(), g.write(t, "others.ndjson", 10), "--patience", "300ms"); code != exitNegative || !strings.Contains(out, "run the same command again") {
		t.Errorf("a gateway that stays away: exit %d: %s", code, out)
	}
}

func TestBulkCSVAndDry(t *testing.T) {
	t.Parallel()
	g := newBulkGateway(t)
	file := filepath.Join(g.dir, "events.csv")
	if err := os.WriteFile(file, []byte("name,dose\nAda Specimen,1\nBea Specimen,x\nbad,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := g.run(t.Context(), file, "--dry", "--json")
	if code != exitNegative || !strings.Contains(out, `"issued":1`) || !strings.Contains(out, `"failed":2`) || len(g.known) != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	errors, err := os.ReadFile(file + ".errors.ndjson")
	if err != nil || bytes.Contains(errors, []byte("Bea")) || !bytes.Contains(errors, []byte("column(dose)")) {
		t.Errorf("%v %s", err, errors)
	}
}

func TestBulkUsage(t *testing.T) {
	t.Parallel()
	g := newBulkGateway(t)
	file := g.write(t, "events.ndjson", 10)
	if err := os.WriteFile(file+".progress.json", []byte(`{"input":"other","line":5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	csv := filepath.Join(g.dir, "bad.csv")
	if err := os.WriteFile(csv, []byte("Ada,Specimen\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"progress of another file": {file},
		"no such file":             {filepath.Join(g.dir, "none.ndjson")},
		"no header":                {csv},
		"concurrency":              {file, "--concurrency", "0"},
		"card":                     {file, "--card"},
	} {
		if code, out := g.run(t.Context(), args[0], args[1:]...); code != exitUsage || strings.Contains(out, "Ada") {
			t.Errorf("%s: exit %d: %s", name, code, out)
		}
	}
	if g.calls != 0 {
		t.Errorf("%d requests", g.calls)
	}
}
