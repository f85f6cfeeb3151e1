// Package vault_test runs the key store suite, the outages and the demo on a real Vault
// server (test/vaultpeer), set up with the files of k8s/vault.
package vault_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
