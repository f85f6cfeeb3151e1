package terminology

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every row of our own maps is listed with its source, and the list has no other row.
func TestOwnRowsAreListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("data", "CORRECTIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(block(t, string(text), "rows")) {
		row := strings.TrimSuffix(line, "\n")
		if listed[row] {
			t.Errorf("listed twice: %s", row)
		}
		listed[row] = true
	}
	ours := rowsOf(func(id string) bool { return strings.HasPrefix(id, "gateway-") })
	for row := range ours {
		if !listed[row] {
			t.Errorf("not listed: %s", row)
		}
	}
	for row := range listed {
		id, _, _ := strings.Cut(row, " | ")
		if !ours[row] || !strings.Contains(string(text), "| `"+id+"` |") {
			t.Errorf("no such row, or a map without a source: %s", row)
		}
	}
}
