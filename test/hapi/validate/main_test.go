package validate

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestMain shows in the end what the validator warned of, and which limits were needed.
func TestMain(m *testing.M) {
	code := m.Run()
	if testing.Verbose() {
		fmt.Printf("%d resources validated, findings let pass by limit: %v\n", seen.resources, seen.passed[:len(limits)])
		for _, w := range slices.Sorted(maps.Keys(seen.warnings)) {
			fmt.Printf("%6d %s\n", seen.warnings[w], w)
		}
	}
	harness.Clean()
	os.Exit(code)
}
