package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// bulkEvents is a file with one event a line; every hundredth breaks a rule.
func bulkEvents(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		dose := 1
		if i%100 == 99 {
			dose = 0
		}
		b.Write(harness.VS(t, fmt.Sprintf("BULK-%06d", i), harness.Items{"dose": {"valueInteger": dose}}))
		b.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const bulkLines = 1000

// TestBulkToolIsKilled: kill -9 of the tool and of the gateway, anywhere in a file. Each
// line ends with one certificate or one reason.
func TestBulkToolIsKilled(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	file := bulkEvents(t, bulkLines)
	for n := range 3 {
		tool := bulkTool(t, s, file)
		if err := tool.Start(); err != nil {
			t.Fatal(err)
		}
		awaitLines(t, file+".results.ndjson", 100*(n+1))
		_ = tool.Process.Kill()
		_ = tool.Wait()
	}
	tool := bulkTool(t, s, file)
	if err := tool.Start(); err != nil {
		t.Fatal(err)
	}
	awaitLines(t, file+".results.ndjson", 500)
	address := strings.TrimPrefix(s.URL, "https://")
	harness.Kill(s.Gateway)
	s.Reconfigure("--listen=" + address)
	s.StartGateway()
	if err := tool.Wait(); err == nil || tool.ProcessState.ExitCode() != 1 { // some lines were refused
		t.Fatalf("%v", err)
	}
	seen := map[int]string{}
	for _, name := range []string{"results", "errors"} {
		for _, r := range readBulk(t, file+"."+name+".ndjson") {
			if seen[r.Line] != "" {
				t.Errorf("line %d is there twice", r.Line)
			}
			seen[r.Line] = name
			if want := map[bool]string{true: "errors", false: "results"}[r.Line%100 == 0]; name != want {
				t.Errorf("line %d is in %s", r.Line, name)
			}
		}
	}
	if len(seen) != bulkLines {
		t.Errorf("%d lines have a result", len(seen))
	}
}

func bulkTool(t *testing.T, s *harness.System, file string) *exec.Cmd {
	t.Helper()
	tls := func(name string) string { return s.Install.Path("tls", name) }
	return exec.CommandContext(t.Context(), harness.Binary(t, "ddcc"), "issue", "--bulk", "--gateway", s.URL, "--ca", tls("ca.pem"),
		"--cert", tls("issuer.pem"), "--key", tls("issuer.key"), "--out", filepath.Dir(file), file)
}

// awaitLines waits until a file has so many lines.
func awaitLines(t *testing.T, path string, n int) {
	t.Helper()
	for range 1200 {
		if raw, err := os.ReadFile(path); err == nil && bytes.Count(raw, []byte("\n")) >= n {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s never has %d lines", filepath.Base(path), n)
}

type bulkLine struct {
	Line   int
	Status int
	ID     string
}

func readBulk(t *testing.T, path string) (out []bulkLine) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r bulkLine
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestBulkJobSurvivesKills: a job goes on after each kill of the gateway, and nothing of a
// line is readable in its store.
func TestBulkJobSurvivesKills(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	raw, err := os.ReadFile(bulkEvents(t, bulkLines))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Post("/ddcc/$bulk-issue", raw, "Content-Type", "application/fhir+ndjson", "Prefer", "respond-async", "Idempotency-Key", "file-1")
	if err != nil || answer.Status != http.StatusAccepted {
		t.Fatalf("%v %d %s", err, answer.Status, answer.Body)
	}
	job := answer.Header.Get("Content-Location")
	for _, env := range []string{"bulk-after-results", "gateway-after-intent-recorded"} {
		harness.Kill(s.Gateway)
		s.StartGateway("DDCC_FAULT=" + env)
		select {
		case <-s.Gateway.Done: // the fault point killed it
		case <-time.After(2 * time.Minute):
			t.Fatalf("the gateway never came to %s", env)
		}
	}
	s.StartGateway()
	if done := awaitBulk(t, s, job); done != "done" {
		t.Fatalf("the job is %s", done)
	}
	lines, err := s.Get(job + "/lines.ndjson")
	if err != nil || bytes.Count(lines.Body, []byte("\n")) != bulkLines || bytes.Count(lines.Body, []byte(`"422"`)) != bulkLines/100 {
		t.Errorf("%v, %d lines, %d refused", err, bytes.Count(lines.Body, []byte("\n")), bytes.Count(lines.Body, []byte(`"422"`)))
	}
	documents, err := s.Get(job + "/documents.ndjson")
	if err != nil || bytes.Count(documents.Body, []byte("\n")) != bulkLines-bulkLines/100 {
		t.Errorf("%v, %d documents", err, bytes.Count(documents.Body, []byte("\n")))
	}
	for _, name := range []string{"registry.db", "bulk.db", "bulk.db-wal"} {
		store, err := os.ReadFile(s.Install.Path("gateway", name))
		if err != nil || bytes.Contains(store, []byte("Specimen")) {
			t.Errorf("%v, or a name stands in %s", err, name)
		}
	}
}

// awaitBulk waits until a job has ended and says how.
func awaitBulk(t *testing.T, s *harness.System, job string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		answer, err := s.Get(job)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status == http.StatusOK {
			var m struct{ Extension struct{ State string } }
			if err := json.Unmarshal(answer.Body, &m); err != nil {
				t.Fatal(err)
			}
			return m.Extension.State
		}
		time.Sleep(200 * time.Millisecond)
	}
	return "not at its end"
}
