package validate

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// refusals are OperationOutcomes.
func (g gateway) refusals(t *testing.T) {
	t.Helper()
	vs := harness.VS(t, "VALIDATE-1")
	broken := harness.VS(t, "VALIDATE-R", harness.Items{"lot": nil, "dose": {"valueInteger": 0}, "date": {"valueDate": "2999-01-01"}, "country": coding("urn:x", "y")})
	for _, r := range []struct {
		path   string
		body   []byte
		want   int
		header []string
	}{
		{generate, broken, http.StatusUnprocessableEntity, nil},
		{generate, []byte(`{`), http.StatusBadRequest, nil},
		{generate, []byte(`{"resourceType":"Patient"}`), http.StatusBadRequest, nil},
		{generate, vs, http.StatusPreconditionFailed, []string{"If-None-Match", "*"}},
		{generate, vs, http.StatusNotAcceptable, []string{"Accept", "application/pdf"}},
		{generate, vs, http.StatusUnsupportedMediaType, []string{"Content-Type", "text/plain"}},
		{generate, vs, http.StatusBadRequest, []string{"Idempotency-Key", "a b"}},
		{generate + "?format=passport", vs, http.StatusBadRequest, nil},
		{generate, harness.VS(t, "VALIDATE-1", harness.Items{"name": {"valueString": "Berta Specimen"}}), http.StatusConflict, nil},
		{generate, bytes.Repeat([]byte(" "), 512<<10+1), http.StatusRequestEntityTooLarge, nil},
		{"/ddcc/submitHealthEvent", []byte(`{"resourceType":"Bundle","type":"transaction"}`), http.StatusBadRequest, nil},
		{"/ddcc", []byte(`{"resourceType":"Bundle","type":"history"}`), http.StatusBadRequest, nil},
		{"/ddcc/$convert", g.example(t, "RevokeThis"), http.StatusBadRequest, nil},
		{"/ddcc/Bundle/$revokeHealthCertificate", g.example(t, "Revoke"), http.StatusNotFound, nil},
		{"/ddcc/ClinicalDocument/$convert", []byte(`<!DOCTYPE x>`), http.StatusBadRequest, []string{"Content-Type", "text/xml"}},
		{"/ddcc/nowhere", nil, http.StatusNotFound, nil},
		{"/ddcc/metadata", nil, http.StatusMethodNotAllowed, nil},
	} {
		g.ask(t, http.MethodPost, r.path, r.body, r.want, r.header...)
	}
	g.askAs(t, g.Anonymous, http.MethodPost, generate, vs, http.StatusUnauthorized)
	g.askAs(t, g.Client("operator-1"), http.MethodPost, generate, vs, http.StatusForbidden)
}

// bulk is a file of events.
func (g gateway) bulk(t *testing.T) {
	t.Helper()
	var file bytes.Buffer
	for i, lot := range []map[string]any{{"valueString": "A"}, nil, {"valueString": "C"}} {
		file.Write(harness.VS(t, fmt.Sprint("VALIDATE-L", i), harness.Items{"lot": lot}))
		file.WriteByte('\n')
	}
	a := g.ask(t, http.MethodPost, "/ddcc/$bulk-issue", file.Bytes(), http.StatusAccepted, "Content-Type", "application/fhir+ndjson", "Prefer", "respond-async")
	job := a.Header.Get("Content-Location")
	for a.Status = 0; a.Status != http.StatusOK; time.Sleep(50 * time.Millisecond) {
		var err error
		if a, err = g.Get(job); err != nil || a.Status > http.StatusAccepted {
			t.Fatalf("%v %d %s", err, a.Status, a.Body)
		}
	}
	for name, count := range map[string]int{"lines": 3, "documents": 2, "errors": 1} {
		path := job + "/" + name + ".ndjson"
		a, err := g.Get(path)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v %d", path, err, a.Status)
		}
		lines(t, name+".ndjson", a.Body, count)
	}
	g.ask(t, http.MethodGet, job+"/other.ndjson", nil, http.StatusNotFound)
	g.ask(t, http.MethodPost, "/ddcc/$bulk-issue", file.Bytes(), http.StatusUnsupportedMediaType)
}
