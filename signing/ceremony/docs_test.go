package ceremony

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/governance"
)

// TestDocumentedExamplesAreRead: what docs/ceremony.md shows can be copied.
func TestDocumentedExamplesAreRead(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "ceremony.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	shown := map[Kind]bool{}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(page, -1) {
		file, err := decode([]byte(block[1]))
		if err != nil {
			t.Errorf("%s\n%s", block[1], describe(err))
		}
		shown[file.Kind] = true
	}
	for kind := range parts {
		if !shown[kind] {
			t.Errorf("there is no example of %s", kind)
		}
	}
	for _, id := range governance.Rules() {
		if !strings.Contains(page, "`"+id+"`") {
			t.Errorf("rule %s is not listed", id)
		}
	}
}
