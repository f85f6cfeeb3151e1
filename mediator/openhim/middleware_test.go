package openhim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

const fhirJSON = "application/fhir+json; charset=utf-8"

// issuing stands for issuance behind Track.
type issuing struct{ replayed bool }

func (issuing) Check(issuance.Issuer, fhir.CoreDataSet, []issuance.Format) ([]issuance.LeftOut, error) {
	return nil, nil
}

func (issuing) AssignHCID(string, fhir.Identifier) string { return "" }

func (issuing) Standing(context.Context, string, string) (string, error) { return "", nil }

func (i issuing) Issue(_ context.Context, in issuance.Request) (issuance.Issued, error) {
	if in.IdempotencyKey == "" {
		return issuance.Issued{}, errors.New("no")
	}
	return issuance.Issued{ID: in.IdempotencyKey, Replayed: i.replayed}, nil
}

// site is an engine with the middleware and routes that behave in all ways.
type site struct {
	engine *gin.Engine
	log    *bytes.Buffer
	chains map[string][]*x509.Certificate
	header []string // of every request, pairs
}

func newSite(t testing.TB, routes func(gin.IRouter)) *site {
	t.Helper()
	s := &site{log: &bytes.Buffer{}, chains: map[string][]*x509.Certificate{}}
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{coreName, "urn:clinic"} {
		cert, _, err := ca.Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(cert)
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		s.chains[name] = []*x509.Certificate{leaf}
	}
	s.engine, err = httpx.NewEngine(httpx.EngineOptions{
		Log: slog.New(slog.NewJSONHandler(s.log, nil)), NewID: func() string { return "c-1" }, Around: []gin.HandlerFunc{edgeOf(t).Middleware()},
	})
	if err != nil {
		t.Fatal(err)
	}
	routes(s.engine)
	return s
}

func (s *site) send(t testing.TB, peer, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, "https://gateway.test/", strings.NewReader(body))
	target, err := req.URL.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	req.URL, req.TLS = target, &tls.ConnectionState{}
	req.Header.Set("Authorization", basicAuth("route", sharedWord))
	for i := 0; i+1 < len(s.header); i += 2 {
		req.Header.Set(s.header[i], s.header[i+1])
	}
	if chain := s.chains[peer]; chain != nil {
		req.TLS.VerifiedChains = [][]*x509.Certificate{chain}
	}
	w := httptest.NewRecorder()
	s.engine.ServeHTTP(w, req)
	return w
}

// through is send over OpenHIM, taken apart.
func (s *site) through(t testing.TB, method, path, body string) (wire, int, string) {
	t.Helper()
	w := s.send(t, coreName, method, path, body)
	if media := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(media, MediaType) || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Fatalf("%s: %d %s: %.300s", path, w.Code, media, w.Body)
	}
	found := digestible(t, w.Body.Bytes())
	var code int
	var text string
	if json.Unmarshal(found.Response["status"], &code) != nil || json.Unmarshal(found.Response["body"], &text) != nil {
		t.Fatalf("%s", w.Body)
	}
	return found, code, text
}

// TestEveryAnswerHasTheForm: what handlers say, what the engine says, what is no text, and
// nothing at all.
func TestEveryAnswerHasTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc/generateHealthCertificate", func(c *gin.Context) {
			c.Header("Location", "/ddcc/Bundle/1")
			c.Writer.Header().Add("Link", "<a>")
			c.Writer.Header().Add("Link", "<b>")
			c.Header("X.Dotted", "no")
			c.Header("Set-Cookie", "no")
			orchestration.From(c.Request.Context()).Add(orchestration.Leg{Name: "sign certificate", Group: "signer", Status: 200, Started: start})
			if _, err := Track(issuing{}).Issue(c.Request.Context(), issuance.Request{IdempotencyKey: "id-1"}); err != nil {
				t.Error(err)
			}
			c.Data(http.StatusCreated, fhirJSON, []byte(`{"a":"<é>"}`))
		})
		r.POST("/ddcc/$convert", func(c *gin.Context) {
			for _, id := range []string{"id-1", "", "id-2"} {
				_, _ = Track(issuing{replayed: true}).Issue(c.Request.Context(), issuance.Request{IdempotencyKey: id})
			}
			c.String(http.StatusOK, "fine")
		})
		r.GET("/ddcc/png", func(c *gin.Context) { c.Data(http.StatusOK, "image/png", []byte{0x89, 'P', 0xff, 0}) })
		r.GET("/ddcc/same", func(c *gin.Context) { c.Header("ETag", `"1"`); c.Status(http.StatusNotModified) })
		r.GET("/ddcc/nothing", func(c *gin.Context) { c.Status(http.StatusNoContent) })
		r.GET("/ddcc/flushed", func(c *gin.Context) {
			c.Header("Content-Type", "text/plain")
			_, _ = c.Writer.WriteString("a")
			c.Writer.Flush()
			_, _ = c.Writer.WriteString("b")
		})
	})
	w, code, text := s.through(t, http.MethodPost, "/ddcc/generateHealthCertificate", "{}")
	if code != 201 || text != `{"a":"<é>"}` || w.Status != "Successful" || w.URN != testURN || len(w.Orchestrations) != 1 {
		t.Errorf("%d %s %+v", code, text, w)
	}
	if w.Properties["outcome"] != "issued" || w.Properties["replay"] != "false" || w.Properties["correlation-id"] != "c-1" || fmt.Sprint(w.Properties["certificates"]) != "[id-1]" {
		t.Errorf("%v", w.Properties)
	}
	var h map[string]string
	if err := json.Unmarshal(w.Response["headers"], &h); err != nil || h["Location"] != "/ddcc/Bundle/1" || h["Link"] != "<a>, <b>" || h["X.Dotted"]+h["Set-Cookie"] != "" ||
		h["Content-Type"] != fhirJSON || h["X-Correlation-Id"] != "c-1" || h["Cache-Control"] != "no-store" {
		t.Errorf("%v %v", err, h)
	}
	if w, _, text := s.through(t, http.MethodPost, "/ddcc/$convert", "{}"); text != "fine" || w.Properties["outcome"] != "replayed" || w.Properties["replay"] != "true" || fmt.Sprint(w.Properties["certificates"]) != "[id-1 id-2]" {
		t.Errorf("%s %v", text, w.Properties)
	}
	_, code, text = s.through(t, http.MethodGet, "/ddcc/png", "")
	var b struct{ ResourceType, ContentType, Data string }
	if err := json.Unmarshal([]byte(text), &b); err != nil || code != 200 || b.ResourceType != "Binary" || b.ContentType != "image/png" || b.Data != base64.StdEncoding.EncodeToString([]byte{0x89, 'P', 0xff, 0}) {
		t.Errorf("%d %s", code, text)
	}
	for path, want := range map[string]struct {
		code         int
		status, text string
	}{
		"/ddcc/same": {304, "Completed", ""}, "/ddcc/nothing": {204, "Successful", ""}, "/ddcc/flushed": {200, "Successful", "ab"},
	} {
		if w, code, text := s.through(t, http.MethodGet, path, ""); code != want.code || w.Status != want.status || text != want.text {
			t.Errorf("%s: %d %s %s", path, code, w.Status, text)
		}
	}
	for path, want := range map[string]int{"/ddcc/unknown": 404, "/ddcc/$convert": 405} {
		if w, code, _ := s.through(t, http.MethodGet, path, ""); code != want || w.Status != "Completed" || w.Error != nil {
			t.Errorf("%s: %d %s", path, code, w.Status)
		}
	}
	if log := s.log.String(); !strings.Contains(log, `"status":201`) || !strings.Contains(log, `"status":404`) || strings.Contains(log, "Basic ") || strings.Contains(log, sharedWord) {
		t.Errorf("the access log: %s", log)
	}
}

// TestOthersGetWhatTheyAlwaysGot: directly, and without a certificate.
func TestOthersGetWhatTheyAlwaysGot(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r gin.IRouter) {
		r.GET("/a", func(c *gin.Context) { c.Data(http.StatusCreated, fhirJSON, []byte(`{}`)) })
	})
	for _, peer := range []string{"urn:clinic", ""} {
		if w := s.send(t, peer, http.MethodGet, "/a", ""); w.Code != 201 || w.Body.String() != "{}" || w.Header().Get("Content-Type") != fhirJSON {
			t.Errorf("%q: %d %s", peer, w.Code, w.Body)
		}
	}
}

// TestWhenOpenHIMShallRepeat: only where a repetition can help and nothing was produced.
func TestWhenOpenHIMShallRepeat(t *testing.T) {
	t.Parallel()
	type try struct {
		kind    fault.Kind
		path    string
		produce bool
		retry   bool
	}
	var tries []try
	for kind := fault.Internal; kind <= fault.Timeout; kind++ {
		again := kind == fault.Upstream || kind == fault.Unavailable || kind == fault.Timeout
		for _, path := range []string{"/ddcc/generateHealthCertificate", "/ddcc/Bundle/$generateHealthFolder", "/ddcc/submitHealthEvent", "/ddcc/QuestionnaireResponse/$generateHealthCertificate"} {
			tries = append(tries, try{kind, path, false, again}, try{kind, path, true, false})
		}
		tries = append(tries, try{kind, "/ddcc/Bundle/:id/$health-link", false, false}, try{kind, "/ddcc/generateHealthCertificate/$validate", false, false})
	}
	var now try
	edge := edgeOf(t)
	s := newSite(t, func(r gin.IRouter) {
		seen := map[string]bool{}
		for _, tr := range tries {
			if !seen[tr.path] {
				r.POST(tr.path, func(c *gin.Context) {
					if _, _, err := edge.Issuer(c.Request, coreName); err != nil {
						t.Error(err)
					}
					if now.produce {
						_, _ = Track(issuing{}).Issue(c.Request.Context(), issuance.Request{IdempotencyKey: "id-1"})
					}
					httpx.Fail(c, fault.New(now.kind, "some-code", "A public sentence.").Because(errors.New("Ada Specimen at 10.0.0.7")))
				})
			}
			seen[tr.path] = true
		}
		r.GET("/ddcc/get", func(c *gin.Context) { httpx.Fail(c, fault.New(fault.Unavailable, "some-code", "A public sentence.")) })
	})
	s.header = []string{"Authorization", basicAuth("route-1", ownWord), clientHeader, "clinic-client"}
	for _, now = range tries {
		w, code, text := s.through(t, http.MethodPost, now.path, "{}")
		if (w.Error != nil) != now.retry || code != httpx.Status(now.kind) || w.Properties["outcome"] == "done" {
			t.Errorf("%+v: %d %v %v", now, code, w.Error, w.Properties)
		}
		if (w.Status == "Failed") != (code >= 500) || strings.Contains(text, "Specimen") || w.Error != nil && strings.Contains(w.Error.Message, "Specimen") {
			t.Errorf("%+v: %s %s", now, w.Status, text)
		}
	}
	s.header = []string{clientHeader, "clinic-client"}
	now = try{kind: fault.Unavailable, path: tries[0].path}
	if w, _, _ := s.through(t, http.MethodPost, now.path, "{}"); w.Error != nil {
		t.Error("a repetition is wanted over a channel where none is taken")
	}
	if w, _, _ := s.through(t, http.MethodGet, "/ddcc/get", ""); w.Error != nil || w.Status != "Failed" {
		t.Errorf("a read is queued: %+v", w)
	}
}

// TestAPanicIsAnsweredPlainly and is not repeated: OpenHIM repeats no plain 500.
func TestAPanicIsAnsweredPlainly(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc/generateHealthCertificate", func(c *gin.Context) {
			c.String(http.StatusOK, "half of it")
			panic("Ada Specimen")
		})
	})
	w := s.send(t, coreName, http.MethodPost, "/ddcc/generateHealthCertificate", "{}")
	if w.Code != 500 || strings.Contains(w.Header().Get("Content-Type"), "openhim") || strings.Contains(w.Body.String(), "half") || strings.Contains(w.Body.String()+s.log.String(), "Specimen") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// TestOversizedRequestsEndTheirConnection, as without the middleware.
func TestOversizedRequestsEndTheirConnection(t *testing.T) {
	t.Parallel()
	w := newCapture(gin.CreateTestContextOnly(httptest.NewRecorder(), gin.New()).Writer)
	if _, ok := w.Unwrap().(*httptest.ResponseRecorder); !ok {
		t.Errorf("%T is not net/http's own", w.Unwrap())
	}
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc/submitHealthEvent", httpx.LimitBody(10), func(c *gin.Context) { c.Status(http.StatusOK) })
	})
	for name, size := range map[string]int{"of the route": 11, "of the engine": httpx.DefaultMaxBody + 1} {
		if w, code, _ := s.through(t, http.MethodPost, "/ddcc/submitHealthEvent", strings.Repeat("a", size)); code != 413 || w.Error != nil {
			t.Errorf("the limit %s: %d", name, code)
		}
	}
}

// TestAnswersWithoutEnd: a file that is streamed is not held in memory whole, and OpenHIM
// hears why there is none.
func TestAnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	var wrote int
	part := bytes.Repeat([]byte("x"), 1<<20)
	s := newSite(t, func(r gin.IRouter) {
		r.GET("/ddcc/file", func(c *gin.Context) {
			c.Header("Content-Type", "application/fhir+ndjson")
			for range 1000 {
				n, err := c.Writer.Write(part)
				if err != nil {
					panic(http.ErrAbortHandler)
				}
				wrote += n
			}
		})
		r.GET("/ddcc/data", func(c *gin.Context) { c.Data(http.StatusOK, fhirJSON, bytes.Repeat(part, 40)) })
	})
	for _, path := range []string{"/ddcc/file", "/ddcc/data"} {
		if w, code, text := s.through(t, http.MethodGet, path, ""); code != http.StatusNotAcceptable || w.Status != "Completed" || w.Error != nil ||
			w.Properties["outcome"] != "openhim-answer-size" || strings.Contains(text, "xx") {
			t.Errorf("%s: %d %+v", path, code, w)
		}
	}
	if wrote > maxCaptured {
		t.Errorf("%d bytes were kept", wrote)
	}
}

// TestManyCallsAreCounted.
func TestManyCallsAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r gin.IRouter) {
		r.POST("/ddcc/submitHealthEvent", func(c *gin.Context) {
			for range orchestration.MaxLegs + 5 {
				orchestration.From(c.Request.Context()).Add(orchestration.Leg{Name: "sign", Started: start})
			}
			c.Data(http.StatusOK, fhirJSON, []byte(`{}`))
		})
	})
	w, _, _ := s.through(t, http.MethodPost, "/ddcc/submitHealthEvent", "{}")
	if len(w.Orchestrations) != maxOrchestrations || w.Properties[propertyOmitted] != fmt.Sprint(orchestration.MaxLegs+5-maxOrchestrations) {
		t.Errorf("%d %v", len(w.Orchestrations), w.Properties)
	}
}
