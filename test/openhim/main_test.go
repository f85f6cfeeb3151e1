package openhim

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
