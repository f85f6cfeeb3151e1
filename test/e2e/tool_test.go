package e2e

import (
	"os/exec"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// runTool runs ddcc and gives everything it printed.
func runTool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), harness.Binary(t, "ddcc"), args...).CombinedOutput()
	return string(out), err
}
