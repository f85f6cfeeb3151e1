package e2e

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestEmbeddedServer: a newcomer has a FHIR server without installing one. What is issued is
// found there, what is revoked is gone, and nobody but the named clients may look.
func TestEmbeddedServer(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--fhir-embedded", "--fhir-embedded-clients="+devpki.IssuerName, "--fhir-embedded-base=https://gateway.example/fhir")
	answer, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "EMBEDDED-1"))
	if err != nil || answer.Status != http.StatusCreated {
		t.Fatalf("%v %d", err, answer.Status)
	}
	issued := harness.ReadCertificate(t, answer.Body)
	document := "/fhir/Bundle/" + issued.ID
	awaitStatus(t, s, document, http.StatusOK, []byte(`"type":"document"`))
	for path, want := range map[string]string{
		"/fhir/DocumentReference?status=current&_summary=count": `"total":2`, // of the document, and of its QR code
		"/fhir/List?code=folder&_summary=count":                 `"total":1`,
		"/fhir/Provenance?_summary=count":                       `"total":1`,
	} {
		if a, err := s.Get(path); err != nil || a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(want)) {
			t.Errorf("%s: %v %d %.300s", path, err, a.Status, a.Body)
		}
	}
	harness.Kill(s.Gateway)
	s.StartGateway()
	awaitStatus(t, s, document, http.StatusOK, []byte(`"type":"document"`))
	for name, client := range map[string]*http.Client{"nobody": s.Anonymous, "another": s.Client("operator-1")} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+document, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := harness.Do(client, req); err != nil || a.Status != http.StatusUnauthorized && a.Status != http.StatusForbidden {
			t.Errorf("%s: %v %d", name, err, a.Status)
		}
	}
	revokeEvent(t, s, issued.ID)
	awaitStatus(t, s, document, http.StatusGone, nil)
}

// awaitStatus asks until the answer is the one wanted.
func awaitStatus(t *testing.T, s *harness.System, path string, status int, part []byte) {
	t.Helper()
	var last harness.Answer
	for range 200 {
		var err error
		if last, err = s.Get(path); err != nil {
			t.Fatal(err)
		}
		if last.Status == status && bytes.Contains(last.Body, part) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %d %.300s\n%s", path, last.Status, last.Body, s.Logs())
}
