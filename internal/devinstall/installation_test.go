package devinstall_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

func TestLimitIssuer(t *testing.T) {
	t.Parallel()
	install := devinstall.Installation(filepath.Join(t.TempDir(), "installation"))
	if err := install.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	before := policy(t, install)
	if err := install.LimitIssuer(7, 8); err != nil {
		t.Fatal(err)
	}
	after := policy(t, install)
	if err := after.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := after.Issuers[0]; got.Rate != 7 || got.Burst != 8 || got.ID != before.Issuers[0].ID {
		t.Errorf("got %+v", got)
	}
}

func policy(t *testing.T, install devinstall.Installation) mediator.Policy {
	t.Helper()
	raw, err := os.ReadFile(install.Path("issuers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p mediator.Policy
	if err := json.Unmarshal(raw, &p); err != nil || len(p.Issuers) != 1 {
		t.Fatalf("%d issuers, %v", len(p.Issuers), err)
	}
	return p
}
