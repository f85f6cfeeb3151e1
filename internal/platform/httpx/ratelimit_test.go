package httpx_test

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

type limited struct {
	e   *gin.Engine
	now time.Time
}

func newLimited(t *testing.T, perSecond float64, burst, keys int) *limited {
	t.Helper()
	l := &limited{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	mw, err := httpx.NewRateLimiter(httpx.RateLimit{
		PerSecond: perSecond, Burst: burst, MaxKeys: keys,
		Now: func() time.Time { return l.now },
		Key: func(c *gin.Context) string { return c.Query("as") },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.e, _ = newEngine(t, nil)
	l.e.GET("/x", mw, ok)
	return l
}

func (l *limited) get(caller string) *httptest.ResponseRecorder {
	return do(l.e, "GET", "/x?as="+caller, nil)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	l := newLimited(t, 0.4, 3, 0) // one token in 2.5 s
	for i := range 3 {
		if w := l.get("a"); w.Code != 200 {
			t.Fatalf("request %d of the burst: %d", i, w.Code)
		}
	}
	w := l.get("a")
	if doc := decode(t, w); w.Code != 429 || w.Header().Get("Retry-After") != "3" || doc["type"] != "urn:ddcc-gateway:problem:rate-limit" || doc["retryAfter"] != 3.0 {
		t.Errorf("%d Retry-After %q %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := l.get("b"); w.Code != 200 {
		t.Errorf("another caller is refused too: %d", w.Code)
	}
	for range 10 { // refused requests cost nothing
		l.get("a")
	}
	l.now = l.now.Add(2500 * time.Millisecond)
	if first, second := l.get("a"), l.get("a"); first.Code != 200 || second.Code != 429 {
		t.Errorf("after the wait: %d and %d, want 200 and 429", first.Code, second.Code)
	}
}

func TestRateLimitForgetsTheQuietest(t *testing.T) {
	t.Parallel()
	l := newLimited(t, 0.001, 1, 2)
	l.get("a")
	l.now = l.now.Add(time.Second)
	l.get("b")
	l.now = l.now.Add(time.Second)
	l.get("c") // pushes a out
	if b, a := l.get("b").Code, l.get("a").Code; b != 429 || a != 200 {
		t.Errorf("b %d, a %d; want b remembered and a forgotten", b, a)
	}
}

func TestRateLimitIsBoundedAndSafe(t *testing.T) {
	t.Parallel()
	mw, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: 1, Burst: 50, MaxKeys: 10,
		Key: func(c *gin.Context) string { return c.Query("as") }, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := newEngine(t, nil)
	e.GET("/x", mw, ok)
	var passed atomic.Int32
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 25 {
				if do(e, "GET", "/x?as=one", nil).Code == 200 {
					passed.Add(1)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
	if n := passed.Load(); n != 50 {
		t.Errorf("%d of 200 concurrent requests passed, want exactly the burst of 50", n)
	}
}

func TestRateLimitRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, r := range []httpx.RateLimit{{}, {PerSecond: 1}, {Burst: 1}, {PerSecond: -1, Burst: 1}, {PerSecond: 1, Burst: 1, MaxKeys: -1}} {
		if _, err := httpx.NewRateLimiter(r); err == nil {
			t.Errorf("%+v accepted", r)
		}
	}
}

func TestCallerKeyOfAddresses(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) { c.String(200, httpx.CallerKey(c)) })
	for remote, want := range map[string]string{
		"203.0.113.7:1":               "addr:203.0.113.7",
		"[::ffff:203.0.113.7]:1":      "addr:203.0.113.7",
		"[2001:db8:1:2:3:4:5:6]:1":    "addr:2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:4242": "addr:2001:db8:1:2::/64",
		"nonsense":                    "addr:unknown",
	} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Body.String() != want {
			t.Errorf("%s: %q, want %q", remote, w.Body, want)
		}
	}
}

func BenchmarkRateLimit(b *testing.B) {
	mw, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: 1e9, Burst: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]*gin.Context, 100)
	for i := range keys {
		keys[i], _ = gin.CreateTestContext(httptest.NewRecorder())
		keys[i].Request = httptest.NewRequest("GET", "/", nil)
		keys[i].Request.RemoteAddr = fmt.Sprintf("203.0.113.%d:1", i)
	}
	for i := 0; b.Loop(); i++ {
		mw(keys[i%len(keys)])
	}
}
