package e2e

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// runTool runs ddcc and gives everything it printed.
func runTool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), harness.Binary(t, "ddcc"), args...).CombinedOutput()
	return string(out), err
}

// TestAuditToolFindsTampering changes one word of a log that the tool called whole.
func TestAuditToolFindsTampering(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	mustIssue(t, s, "/ddcc/generateHealthCertificate", harness.VS(t, "AUDIT-1"))
	s.Stop()
	checkAuditLog(t, s)
	path := s.Install.Path("signer", "audit", "audit.jsonl")
	write(t, path, bytes.Replace(read(t, path), []byte("success"), []byte("failure"), 1))
	args := []string{"audit", "verify", s.Install.Path("signer", "audit"), "--key", s.Install.Path("audit.pub")}
	for want, args := range map[string][]string{"NOT WHOLE": args, `"kind": "changed"`: append(args, "--json")} {
		if printed, err := runTool(t, args...); exit(err) != 1 || !strings.Contains(printed, want) {
			t.Errorf("exit %d, want 1 with %s:\n%s", exit(err), want, printed)
		}
	}
}
