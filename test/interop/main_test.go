package interop

import (
	"flag"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

var update = flag.Bool("update", false, "write the results into docs/interoperability.md")

func TestMain(m *testing.M) { harness.Main(m) }
