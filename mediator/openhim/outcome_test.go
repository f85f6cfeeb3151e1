package openhim

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestBatches: entries are counted without reading what is in them.
func TestBatches(t *testing.T) {
	t.Parallel()
	resource := `"fullUrl":"urn:uuid:1","resource":{"resourceType":"Bundle","entry":[{"response":{"status":"500 x"}}],"a":["}",{"status":"4"}]},`
	for body, want := range map[string][2]int{
		`{"resourceType":"Bundle","entry":[]}`: {0, 0},
		`{"type":"batch-response","entry":[{` + resource + `"response":{"status":"201 Created","location":"x"}},{"response":{"status":"422 Unprocessable Entity","outcome":{"a":[1]}}},{` + resource + `"response":{"status":"503 Service Unavailable"}}]}`: {3, 2},
		`{"entry":[{},{"response":{}},{"response":{"status":404}},{"response":"x"}]}`: {4, 0},
		`{"entry":{}}`: {0, 0}, `[]`: {0, 0}, ``: {0, 0}, `{"entry":[{"response":{"status":"400`: {1, 0},
	} {
		all, failed := entries([]byte(body))
		if all != want[0] || failed != want[1] {
			t.Errorf("%.90s: %d of %d", body, failed, all)
		}
	}
	body := `{"resourceType":"Bundle","entry":[{` + resource + `"response":{"status":"201 Created"}},{"response":{"status":"422 Unprocessable Entity"}}]}`
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc", func(c *gin.Context) { c.Data(http.StatusOK, fhirJSON, []byte(body)) })
		r.POST("/ddcc/submitHealthEvent", func(c *gin.Context) { c.Data(http.StatusOK, fhirJSON, []byte(body)) })
	})
	if w, _, _ := s.through(t, http.MethodPost, "/ddcc", "{}"); w.Status != "Completed with error(s)" {
		t.Errorf("a system batch: %s", w.Status)
	}
	if w, code, _ := s.through(t, http.MethodPost, "/ddcc/submitHealthEvent", "{}"); code != 200 || w.Status != "Completed with error(s)" || w.Properties["outcome"] != "partly" ||
		w.Properties["entries"] != "2" || w.Properties["failed"] != "1" || w.Error != nil {
		t.Errorf("%d %s %v", code, w.Status, w.Properties)
	}
}

func FuzzEntries(f *testing.F) {
	for _, seed := range []string{`{"entry":[{"response":{"status":"422 x"}}]}`, `{"a":{"entry":[]},"entry":[{"a":[{}],"response":{"status":"201"}}]}`, `{"entry":[`, `[[[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if all, failed := entries(raw); failed > all || all > len(raw) {
			t.Fatalf("%d of %d", failed, all)
		}
	})
}

func BenchmarkEntries(b *testing.B) {
	entry := `{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Bundle","data":"` + strings.Repeat("a", 20_000) + `"},"response":{"status":"201 Created"}}`
	raw := []byte(`{"entry":[` + strings.Join(slices.Repeat([]string{entry}, 100), ",") + `]}`)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if all, _ := entries(raw); all != 100 {
			b.Fatal(all)
		}
	}
}
