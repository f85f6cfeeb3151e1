// Package e2e tests the running system: real binaries, real TLS, real files.
package e2e

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
