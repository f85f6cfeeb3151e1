package api_test

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

const fhirMedia = "application/fhir+json"

func newFHIR(t *testing.T, change func(*server.Options)) *server.Server {
	t.Helper()
	o := server.Options{
		Path: filepath.Join(t.TempDir(), "fhir.db"), Log: slog.New(slog.DiscardHandler), Clock: clock, Base: "https://gateway.example:8443/fhir",
		Clients: []string{devpki.IssuerName}, PerSecond: 1000, Burst: 1000, MaxBody: 2000, MaxEntries: 3,
	}
	if change != nil {
		change(&o)
	}
	s, err := server.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestFHIRRoutesAreDescribed compares the routes with the document, both ways. /fhir/ is
// described as /fhir.
func TestFHIRRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	engine, ok := newFHIR(t, nil).Handler().(*gin.Engine)
	if !ok {
		t.Fatal("the handler is no engine")
	}
	served := map[string]bool{}
	for _, r := range engine.Routes() {
		served[r.Method+" "+strings.TrimSuffix(parameter.ReplaceAllString(r.Path, "{$1}"), "/")] = true
	}
	described := map[string]bool{}
	for path, item := range load(t, "fhir.yaml").doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	if !maps.Equal(served, described) {
		t.Errorf("served\n%q\ndescribed\n%q", slices.Sorted(maps.Keys(served)), slices.Sorted(maps.Keys(described)))
	}
}

// example gives the address of an operation.
func fhirAddress(path string) string {
	typ := "Patient"
	if strings.HasSuffix(path, "$document") {
		typ = "Composition"
	}
	return strings.NewReplacer("{type}", typ, "{id}", "a", "{vid}", "1").Replace(path)
}

// TestFHIREveryOperation: what every operation answers to who may not call, calls too
// often, wants XML, or comes when the store is away.
func TestFHIREveryOperation(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	doc := load(t, "fhir.yaml")
	away := newFHIR(t, nil)
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	url := p.serve(t, newFHIR(t, nil).Handler())
	limited := p.serve(t, newFHIR(t, func(o *server.Options) { o.PerSecond, o.Burst = 0.0001, 1 }).Handler())
	closed := p.serve(t, away.Handler())
	nobody, stranger, friend := p.client(t, ""), p.client(t, "urn:ddcc-gateway:issuer:stranger"), p.client(t, devpki.IssuerName)
	if resp, err := friend.Get(limited + "/fhir/Patient"); err != nil { // the one request there is
		t.Fatal(err)
	} else {
		_ = resp.Body.Close()
	}
	for path, item := range doc.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			x := exchange{method: method, path: fhirAddress(path), like: fhirAddress(path), lenient: true}
			x.header, x.body = fhirBody(operation.OperationID, method)
			for _, caller := range []struct {
				client *http.Client
				url    string
				want   int
			}{{nobody, url, 401}, {stranger, url, 403}, {friend, limited, 429}, {friend, closed, 503}} {
				if caller.want == 503 && strings.Contains(operation.OperationID, "validate") {
					continue // needs no store
				}
				x.client, x.want = caller.client, caller.want
				doc.do(t, caller.url, x)
			}
			x.header = maps.Clone(x.header)
			x.header["Accept"] = "application/fhir+xml"
			x.client, x.want = friend, 406
			doc.do(t, url, x)
			if operation.RequestBody == nil {
				continue
			}
			x.header = map[string]string{"Content-Type": "text/plain"}
			x.want = 415
			doc.do(t, url, x)
			x.header, _ = fhirBody(operation.OperationID, method)
			x.body, x.want = bytes.Repeat([]byte(" "), 3000), 413
			doc.do(t, url, x)
		}
	}
}

// fhirBody gives a sound body for an operation.
func fhirBody(operation, method string) (map[string]string, []byte) {
	switch {
	case strings.HasSuffix(operation, "ByPost") && strings.HasPrefix(operation, "search"):
		return map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte("_type=Patient")
	case method == http.MethodPatch:
		return map[string]string{"Content-Type": "application/json-patch+json"}, []byte(`[]`)
	case operation == "interactions":
		return map[string]string{"Content-Type": fhirMedia}, []byte(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/a"}}]}`)
	case method == http.MethodPost && operation != "documentByPost", method == http.MethodPut:
		return map[string]string{"Content-Type": fhirMedia}, []byte(`{"resourceType":"Patient","id":"a"}`)
	}
	return map[string]string{}, nil
}

// TestFHIRAnswers goes through the statuses of each operation, one after the other on one
// server.
func TestFHIRAnswers(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	doc := load(t, "fhir.yaml")
	url := p.serve(t, newFHIR(t, nil).Handler())
	friend := p.client(t, devpki.IssuerName)
	for i, step := range fhirSteps {
		x := exchange{method: step.method, path: step.path, header: map[string]string{}, body: []byte(step.body), client: friend, want: step.want, lenient: step.want >= 300}
		switch {
		case strings.HasPrefix(step.body, "_"):
			x.header["Content-Type"] = "application/x-www-form-urlencoded"
		case step.method == http.MethodPatch:
			x.header["Content-Type"] = "application/json-patch+json"
		case step.body != "":
			x.header["Content-Type"] = fhirMedia
		}
		if name, value, ok := strings.Cut(step.header, ": "); ok {
			x.header[name] = value
		}
		doc.do(t, url, x)
		if t.Failed() {
			t.Fatalf("step %d: %s %s", i, step.method, step.path)
		}
	}
}
