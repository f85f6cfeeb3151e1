package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink/httpapi"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// document belongs to a person who does not exist.
var document = []byte(`{"resourceType":"Bundle","text":"Anna Specimen"}`)

const passcode = "correct horse"

type source struct{}

func (source) Files(context.Context, issuance.Issuer, string) ([]healthlink.File, error) {
	return []healthlink.File{{ContentType: shlink.FHIR, Content: document}}, nil
}

// buffer is a log that may be written to by several requests.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// site is a running server and the document it must obey.
type site struct {
	url     string
	service *healthlink.Service
	store   docstore.Store
	engine  *gin.Engine
	log     buffer
	doc     *openapi3.T
	router  routers.Router
	reached map[string]bool
}

func serve(t testing.TB, burst int) *site {
	t.Helper()
	now := func() time.Time { return begin }
	s := &site{reached: map[string]bool{}}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "links.db"), sqlite.Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.store = store
	s.engine, err = httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.engine)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.service, err = healthlink.New(healthlink.Deps{Store: store, Source: source{}, Secret: bytes.Repeat([]byte("s"), 32), BaseURL: s.url, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Register(s.engine, httpapi.Config{Links: s.service, PerSecond: 1, Burst: burst, Clock: now}); err != nil {
		t.Fatal(err)
	}
	s.load(t)
	return s
}

func (s *site) load(t testing.TB) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "..", "api", "healthlink.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil // the test listens elsewhere
	s.doc = doc
	if s.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
}

// create makes a link and gives its path.
func (s *site) create(t testing.TB, o healthlink.Options) (shlink.Link, string) {
	t.Helper()
	created, err := s.service.Create(t.Context(), issuance.Issuer{ID: "clinic"}, "certificate", o)
	if err != nil {
		t.Fatal(err)
	}
	link, err := shlink.Parse(created.Text)
	if err != nil {
		t.Fatal(err)
	}
	return link, strings.TrimPrefix(link.URL, s.url)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request, with JSON when there is a body, and holds the answer against the
// OpenAPI document.
func (s *site) do(t testing.TB, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{resp.StatusCode, resp.Header, string(raw)}
	s.check(t, req, a)
	return a
}

func (s *site) check(t testing.TB, req *http.Request, a answer) {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), req.Method, strings.TrimPrefix(req.URL.String(), s.url), nil)
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := s.router.FindRoute(again)
	if err != nil {
		return // an answer outside of the operations
	}
	if route.Operation.Responses.Status(a.status) == nil {
		t.Errorf("status %d of %s is not described", a.status, route.Operation.OperationID)
		return
	}
	s.reached[route.Operation.OperationID+" "+strconv.Itoa(a.status)] = true
	openapi3filter.RegisterBodyDecoder("application/jose", openapi3filter.PlainBodyDecoder)
	if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: again, PathParams: params, Route: route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}); err != nil {
		t.Errorf("%s: %v", route.Operation.OperationID, err)
	}
	for name, ref := range route.Operation.Responses.Status(a.status).Value.Headers {
		if ref.Value.Required && a.header.Get(name) == "" {
			t.Errorf("%s %d: header %s is missing", route.Operation.OperationID, a.status, name)
		}
	}
}
