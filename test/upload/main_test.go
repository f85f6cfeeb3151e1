// Package upload tests what the running gateway does with other countries: it uploads our
// certificates to a national gateway, a stand-in here, and imports the trust lists of others.
package upload

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
