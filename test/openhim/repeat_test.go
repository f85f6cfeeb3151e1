package openhim

import (
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// rerun has a transaction sent again by the core and gives the new transaction.
func (s *system) rerun(t *testing.T, id string) transaction {
	t.Helper()
	var parent transaction
	s.must(t, http.MethodGet, "/transactions/"+id, nil, &parent)
	before := len(parent.ChildIDs)
	s.must(t, http.MethodPost, "/tasks", map[string]any{"tids": []string{id}, "batchSize": 1}, nil)
	wait(t, "rerun", func() bool {
		parent = transaction{}
		s.must(t, http.MethodGet, "/transactions/"+id, nil, &parent)
		return len(parent.ChildIDs) > before
	})
	return s.transaction(t, parent.ChildIDs[len(parent.ChildIDs)-1])
}

// rerun: the same certificate, however often, with a key and without.
func rerun(t *testing.T, s *system) {
	for name, header := range map[string][]string{"key": {"Idempotency-Key", "visit-10"}, "none": nil} {
		a := s.send(t, clinic, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-10-"+name), header...)
		_, id := a.resource(t)
		for range 2 {
			child := s.rerun(t, a.transaction())
			certificates, _ := child.Properties["certificates"].([]any)
			if child.ParentID != a.transaction() || child.Status != "Successful" || child.Response.Status != http.StatusOK ||
				!slices.Equal(certificates, []any{id}) || child.Properties["replay"] != "true" || child.Properties["outcome"] != "replayed" || child.Response.Body != string(a.body) {
				t.Errorf("%s: %s %d %v", name, child.Status, child.Response.Status, child.Properties)
			}
		}
	}
}

// retries: the gateway is killed in the middle, the core gives up on it, and the signer is
// away; the core's own retries issue what is missing, and nothing twice.
func retries(t *testing.T, s *system) {
	s.Gateway.Stop()
	s.StartGateway("DDCC_FAULT=gateway-after-intent-recorded")
	if a := s.send(t, clinic, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-22")); a.status != http.StatusInternalServerError {
		t.Fatalf("the gateway was not killed: %s", a)
	}
	<-s.Gateway.Done
	s.StartGateway()
	if err := s.Signer.Command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	late := s.send(t, clinic, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-11"))
	if err := s.Signer.Command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if late.status != http.StatusInternalServerError {
		t.Fatalf("the core did not give up: %s", late)
	}
	harness.Kill(s.Signer)
	out := s.send(t, clinic, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-12"))
	wait(t, "the failure is queued for a retry", func() bool { return s.transaction(t, out.transaction()).AutoRetry })
	if tx := s.transaction(t, out.transaction()); out.status != http.StatusServiceUnavailable || tx.Status != "Failed" || tx.Error == nil || tx.Properties["outcome"] != "signer-unavailable" {
		t.Fatalf("%s %s, %v", out, tx.Status, tx.Properties)
	}
	unwanted := s.send(t, clinic, http.MethodPost, "/own/generateHealthCertificate", harness.VS(t, "HCID-OH-13", harness.Items{"birthDate": {"valueDate": "2099-01-01"}}))
	if tx := s.transaction(t, unwanted.transaction()); tx.AutoRetry {
		t.Error("a refusal is queued for a retry")
	}
	s.StartSigner()
	for _, hcid := range []string{"HCID-OH-11", "HCID-OH-12", "HCID-OH-22"} {
		var again transaction
		wait(t, "the core's retry of "+hcid, func() bool {
			for _, outcome := range []string{"replayed", "issued"} {
				for _, tx := range s.find(t, "outcome", outcome) {
					if tx.ParentID != "" && strings.HasPrefix(tx.Request.Path, "/own/") && strings.Contains(s.bodyOf(t, tx.ID), hcid) {
						again = tx
						return true
					}
				}
			}
			return false
		})
		certificates, _ := again.Properties["certificates"].([]any)
		if len(certificates) != 1 || again.Status != "Successful" {
			t.Fatalf("%s: %v", hcid, again.Properties)
		}
		// The client, which only saw the failure, comes again and gets the same one.
		a := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, hcid))
		if _, id := a.resource(t); a.status != http.StatusOK || id != certificates[0] {
			t.Errorf("%s: there are two certificates: %s", hcid, a)
		}
	}
}

func (s *system) bodyOf(t *testing.T, id string) string {
	t.Helper()
	var tx struct{ Request struct{ Body string } }
	s.must(t, http.MethodGet, "/transactions/"+id, nil, &tx)
	return tx.Request.Body
}
