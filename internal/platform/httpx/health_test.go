package httpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

type ready struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

func ask(t *testing.T, r *httpx.Readiness) (int, ready) {
	t.Helper()
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest("GET", "/readyz", nil)
	r.Handler(c)
	var body ready
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return w.Code, body
}

func TestReadyzTellsNamesOnly(t *testing.T) {
	t.Parallel()
	log, lines := newLog(t)
	r := httpx.NewReadiness(map[string]httpx.Check{
		"store":  func(context.Context) error { return nil },
		"signer": func(context.Context) error { return errors.New("dial 10.0.0.9") },
		"events": func(context.Context) error { panic("broken") },
	}, httpx.ReadyOptions{Log: log})
	code, body := ask(t, r)
	want := ready{"failed", map[string]string{"store": "ok", "signer": "failed", "events": "failed"}}
	if d := cmp.Diff(want, body); d != "" || code != 503 {
		t.Errorf("%d %s", code, d)
	}
	if !strings.Contains(lines.String(), "10.0.0.9") || len(lines.lines(t, "readiness check failed")) != 2 {
		t.Errorf("the causes are not in the log: %s", lines)
	}
}

func TestReadyzCachesAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, lines := newLog(t)
		var calls atomic.Int32
		var broken atomic.Bool
		broken.Store(true)
		r := httpx.NewReadiness(map[string]httpx.Check{"store": func(context.Context) error {
			calls.Add(1)
			if broken.Load() {
				return errors.New("down")
			}
			return nil
		}}, httpx.ReadyOptions{Log: log, TTL: time.Second})

		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if code, _ := ask(t, r); code != 503 {
					t.Errorf("code %d", code)
				}
			})
		}
		wg.Wait()
		if calls.Load() != 1 {
			t.Errorf("%d checks for 20 callers at once", calls.Load())
		}
		broken.Store(false)
		time.Sleep(time.Second)
		if code, body := ask(t, r); code != 200 || body.Status != "ok" || calls.Load() != 2 {
			t.Errorf("%d %v after %d checks", code, body, calls.Load())
		}
		if len(lines.lines(t, "readiness check failed")) != 1 || len(lines.lines(t, "readiness check recovered")) != 1 {
			t.Errorf("log %s", lines)
		}
	})
}

func TestReadyzDoesNotWaitForAHangingCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var started atomic.Int32
		r := httpx.NewReadiness(map[string]httpx.Check{
			"stuck": func(context.Context) error { started.Add(1); <-release; return nil }, // ignores its context
			"slow":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		}, httpx.ReadyOptions{Timeout: 2 * time.Second, TTL: time.Second})
		for range 3 {
			began := time.Now()
			if code, _ := ask(t, r); code != 503 || time.Since(began) != 2*time.Second {
				t.Errorf("code %d after %v", code, time.Since(began))
			}
			time.Sleep(time.Second)
		}
		if started.Load() != 1 {
			t.Errorf("the stuck check was started %d times", started.Load())
		}
		close(release)
	})
}

func TestReadyzWhileDraining(t *testing.T) {
	t.Parallel()
	r := httpx.NewReadiness(nil, httpx.ReadyOptions{})
	if code, _ := ask(t, r); code != 200 {
		t.Errorf("code %d before", code)
	}
	r.Drain()
	if code, body := ask(t, r); code != 503 || body.Status != "draining" {
		t.Errorf("%d %v", code, body)
	}
}

func TestLivez(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/livez", httpx.Livez)
	if w := do(e, "GET", "/livez", nil); w.Code != 200 || w.Body.String() != `{"status":"ok"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
