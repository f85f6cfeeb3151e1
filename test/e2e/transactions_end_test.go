package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestTransactionsAreWrittenAtTheEnd: a gateway that is stopped writes what waits; and who
// reads a body afterwards is in the audit log, which stays whole.
func TestTransactionsAreWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--transaction-bodies")
	event := harness.VS(t, "END-1")
	if a, err := s.Post(generate, event, "X-Correlation-Id", "end"); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
	s.Gateway.Stop()
	s.StartGateway()
	one := transactionsOf(t, s, "correlation=end", 1)[0]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/transactions/"+one.ID+"/request", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(s.Client("operator-1"), req)
	if err != nil || a.Status != http.StatusOK || !bytes.Equal(a.Body, event) {
		t.Errorf("%d, %v: not the body that was sent", a.Status, err)
	}
	s.Stop()
	log := string(read(t, s.Install.Path("gateway", "audit", "audit.jsonl")))
	for _, want := range []string{`"action":"transaction.body.intent"`, `"action":"transaction.body.read"`, `"actor":"` + devpki.Operator1Name + `"`, `"subject":"` + one.ID + `"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %s", want)
		}
	}
	if out, err := runTool(t, "audit", "verify", s.Install.Path("gateway", "audit"), "--key", s.Install.Path("gateway-audit.pub")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
