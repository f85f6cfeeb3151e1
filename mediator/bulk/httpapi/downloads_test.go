package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
)

// holding is a service whose results come when they are let go.
type holding struct {
	began chan struct{}
	end   chan struct{}
}

func (holding) Receive(context.Context, bulk.Request) (bulk.Job, error) { return bulk.Job{}, nil }

func (holding) Get(_ context.Context, issuer, id string) (bulk.Job, error) {
	return bulk.Job{ID: id, Issuer: issuer}, nil
}

func (holding) Stop(context.Context, string, string) error { return nil }

func (h holding) Each(context.Context, bulk.Job, func(bulk.Result) error) error {
	h.began <- struct{}{}
	<-h.end
	return nil
}

// TestDownloadsOfAnIssuerAreLimited, and keep no other issuer waiting.
func TestDownloadsOfAnIssuerAreLimited(t *testing.T) {
	t.Parallel()
	jobs := holding{make(chan struct{}, maxDownloads+2), make(chan struct{})}
	engine := gin.New()
	Register(engine, Deps{Jobs: jobs, Authenticate: func(*gin.Context) {}, Issuer: func(c *gin.Context) mediator.IssuerPolicy {
		return mediator.IssuerPolicy{ID: c.GetHeader("Issuer")}
	}})
	fetch := func(issuer string) int {
		r := httptest.NewRequest(http.MethodGet, Route+"/1/"+fileLines, bytes.NewReader(nil))
		r.TLS = &tls.ConnectionState{}
		r.Header.Set("Issuer", issuer)
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, r)
		return w.Code
	}
	var wait sync.WaitGroup
	for range maxDownloads {
		wait.Go(func() {
			if code := fetch("a"); code != http.StatusOK {
				t.Errorf("%d", code)
			}
		})
	}
	for range maxDownloads {
		<-jobs.began
	}
	if code := fetch("a"); code != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", code)
	}
	wait.Go(func() {
		if code := fetch("b"); code != http.StatusOK {
			t.Errorf("another issuer: %d", code)
		}
	})
	<-jobs.began
	close(jobs.end)
	wait.Wait()
	if code := fetch("a"); code != http.StatusOK {
		t.Errorf("afterwards: %d", code)
	}
}
