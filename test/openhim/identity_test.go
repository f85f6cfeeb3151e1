package openhim

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// public: whatever a caller says, it is nobody; and a direct peer that says it is OpenHIM's
// client stays who it is.
func public(t *testing.T, s *system) {
	for _, header := range [][]string{nil, {"X-OpenHIM-ClientID", clinic}, {"X-OpenHIM-ClientID", clinic, "Authorization", basic(routeUser, "wrong")}} {
		a := s.send(t, "", http.MethodPost, "/public/generateHealthCertificate", harness.VS(t, "HCID-OH-7"), header...)
		rules, ok := harness.OutcomeRules(a.body)
		if a.status != http.StatusUnauthorized || !ok {
			t.Errorf("%s %v", a, rules)
		}
		if tx := s.transaction(t, a.transaction()); tx.Status != "Completed" || tx.Properties["outcome"] != "openhim-channel" {
			t.Errorf("%s %v", tx.Status, tx.Properties)
		}
	}
	if a := s.send(t, "", http.MethodGet, "/public/metadata", nil); a.status != http.StatusOK {
		t.Errorf("metadata: %s", a)
	}
	direct, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-8"), "X-OpenHIM-ClientID", neighbour, "X-OpenHIM-TransactionID", strings.Repeat("a", 24))
	if err != nil || direct.Status != http.StatusCreated || !strings.HasPrefix(direct.Header.Get("Content-Type"), "application/fhir+json") {
		t.Fatalf("%v %d", err, direct.Status)
	}
	_, id := (&answer{body: direct.Body}).resource(t)
	if a := s.send(t, clinic, http.MethodGet, "/ddcc/Bundle/"+id, nil); a.status != http.StatusOK {
		t.Errorf("issued directly for the same issuer: %s", a)
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func spoofed(t *testing.T, s *system) {
	a := s.send(t, neighbour, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-9"),
		"X-OpenHIM-ClientID", clinic)
	_, id := a.resource(t)
	if a.status != http.StatusCreated {
		t.Fatal(a)
	}
	if got := s.send(t, clinic, http.MethodGet, "/ddcc/Bundle/"+id, nil); got.status != http.StatusNotFound {
		t.Error("the certificate belongs to the client that was named, not to the one that sent it")
	}
	if got := s.send(t, neighbour, http.MethodGet, "/ddcc/Bundle/"+id, nil); got.status != http.StatusOK {
		t.Errorf("%s", got)
	}
	for _, header := range []string{"clientid", "parentid", "taskid"} { // only ever take rights away
		if got := s.send(t, clinic, http.MethodGet, "/ddcc/Bundle/"+id, nil, header, strings.Repeat("a", 24)); got.status != http.StatusForbidden {
			t.Errorf("%s: %s", header, got)
		}
	}
	// The core stores what the client sent beside what it knows itself, and repeats either.
	for _, id := range []string{a.transaction(), s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-9-a")).transaction()} {
		if child := s.rerun(t, id); child.Response.Status != http.StatusForbidden || child.Properties["outcome"] != "openhim-rerun" || child.AutoRetry {
			t.Errorf("a repetition over a channel of several clients: %d %v", child.Response.Status, child.Properties)
		}
	}
	// A channel of one client lets nobody else in, so that what it repeats is its own.
	other := s.send(t, neighbour, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-9-b"), "X-OpenHIM-ClientID", clinic)
	if other.status != http.StatusUnauthorized || other.transaction() != "" {
		t.Errorf("over the channel of another: %s", other)
	}
}
