//go:build !cgo

package hsm

import (
	"os"
	"testing"
)

// TestNeedsCgo says that nothing was tested, and fails where that would hide something.
func TestNeedsCgo(t *testing.T) {
	const missing = "the PKCS #11 key store needs cgo; set CGO_ENABLED=1 and install a C compiler"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}
