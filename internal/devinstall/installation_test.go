package devinstall_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	signerpolicy "github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service"
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

// TestPolicyIsTheSigners: the file is one the signer takes, with every profile there are
// keys for, and both the signer and the gateway let the demo issuer have all of them.
func TestPolicyIsTheSigners(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		usages []keystore.Usage
		want   int
	}{
		"all":         {nil, 10},
		"tests alone": {[]keystore.Usage{keystore.UsageTest, keystore.UsageDocument}, 2},
	} {
		install := devinstall.Installation(filepath.Join(t.TempDir(), "installation"))
		if err := install.Create(time.Now(), tc.usages...); err != nil {
			t.Fatal(err)
		}
		p, err := signerpolicy.Read(install.Path("policy.json"), service.Checks())
		if err != nil {
			t.Fatal(name, err)
		}
		if len(p.Profiles) != tc.want || len(p.Issuers[0].Profiles) != tc.want || p.ICAOState != devinstall.ICAOState {
			t.Errorf("%s: %+v", name, p)
		}
		if got := policy(t, install).Issuers[0].Profiles; len(got) != tc.want {
			t.Errorf("%s: the gateway grants %v", name, got)
		}
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
