package openhim

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// TestRequestsDoNotMix: what one request produced and called is told of no other.
func TestRequestsDoNotMix(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc/generateHealthCertificate", func(c *gin.Context) {
			id := c.Query("id")
			orchestration.From(c.Request.Context()).Add(orchestration.Leg{Name: id, Started: start})
			if _, err := Track(issuing{}).Issue(c.Request.Context(), issuance.Request{IdempotencyKey: id}); err != nil {
				t.Error(err)
			}
			c.Data(http.StatusCreated, fhirJSON, []byte(`{"id":"`+id+`"}`))
		})
	})
	var wait sync.WaitGroup
	for n := range 50 {
		wait.Go(func() {
			id := fmt.Sprintf("id-%d", n)
			w, _, text := s.through(t, http.MethodPost, "/ddcc/generateHealthCertificate?id="+id, "{}")
			if text != `{"id":"`+id+`"}` || fmt.Sprint(w.Properties["certificates"]) != "["+id+"]" || len(w.Orchestrations) != 1 || string(w.Orchestrations[0]["name"]) != `"`+id+`"` {
				t.Errorf("%s: %s %v", id, text, w.Properties)
			}
		})
	}
	wait.Wait()
}

// TestSettingsChangeWhileTheyAreRead: whoever reads gets one Config, never parts of two.
func TestSettingsChangeWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	var h Holder
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			for range 500 {
				h.set(Config{BatchEntries: n + 1, BatchConcurrency: n + 1})
			}
		})
		wait.Go(func() {
			for range 500 {
				if c := h.Tuning(); c.MaxEntries != c.Concurrency {
					t.Error("parts of two configurations")
					return
				}
			}
		})
	}
	wait.Wait()
}
