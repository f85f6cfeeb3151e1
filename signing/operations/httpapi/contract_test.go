package httpapi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing/operations/httpapi"
)

// contract is api/signer-operator.yaml.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

func loadContract(t testing.TB) contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "..", "api", "signer-operator.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(ctx); err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil // tests listen elsewhere
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return contract{doc, router}
}

// held holds each exchange of a client against the contract: what succeeds must have been
// described on both sides, a refusal on its own.
type held struct {
	t        testing.TB
	contract contract
	next     http.RoundTripper
}

func (h held) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := h.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	again := req.Clone(ctx)
	again.URL.Scheme, again.URL.Host, again.Host = "", "", ""
	again.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := h.contract.router.FindRoute(again)
	if err != nil {
		h.t.Errorf("%s %s: %v", req.Method, req.URL.Path, err)
		return resp, nil
	}
	in := &openapi3filter.RequestValidationInput{
		Request: again, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if resp.StatusCode == http.StatusOK {
		if err := openapi3filter.ValidateRequest(ctx, in); err != nil {
			h.t.Errorf("%s %s: request: %v", req.Method, req.URL.Path, err)
		}
	}
	err = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(got)), Options: in.Options,
	})
	if err != nil {
		h.t.Errorf("%s %s: response %d: %v", req.Method, req.URL.Path, resp.StatusCode, err)
	}
	return resp, nil
}

var parameter = regexp.MustCompile(`:([a-z]+)`)

// TestEveryRouteIsDescribed compares the routes with the document, both ways.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Register(engine, nil, time.Now); err != nil {
		t.Fatal(err)
	}
	var served, described []string
	for _, r := range engine.Routes() {
		served = append(served, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	for path, item := range loadContract(t).doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served\n%q\ndescribed\n%q", served, described)
	}
}
