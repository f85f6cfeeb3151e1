package httpapi_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/httpapi"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

type source []trust.PublicKey

func (s source) Keys(context.Context) ([]trust.PublicKey, error) {
	if len(s) == 0 {
		return nil, errors.New("down")
	}
	return s, nil
}

func serve(t *testing.T, s source, maxAge time.Duration) (*httptest.Server, *trust.Publisher) {
	t.Helper()
	p, err := trust.NewPublisher(trust.PublisherConfig{
		Source: s, Country: "XX", Interval: time.Hour, Retry: 1500 * time.Millisecond, Timeout: time.Second,
		Now: func() time.Time { return trusttest.Start }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s) > 0 {
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	if err := httpapi.Register(engine, httpapi.Config{Publications: p, MaxAge: maxAge, Render: render}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	return server, p
}

func render(c *gin.Context, err error) {
	f := fault.From(err)
	status := map[fault.Kind]int{fault.Unavailable: 503, fault.NotFound: 404, fault.Malformed: 400}[f.Kind]
	c.AbortWithStatusJSON(status, gin.H{"code": f.Code})
}

func ask(t *testing.T, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	dsc := ca.DSC(t)
	server, p := serve(t, source{{KID: trust.KID(dsc.Cert), Usage: trust.UsageTest, Certificate: dsc.Cert.Raw, Issuer: ca.Cert.Raw}}, 0)
	publication, err := p.Current()
	if err != nil {
		t.Fatal(err)
	}
	der, _ := publication.Certificate(trust.KID(dsc.Cert))
	for path, want := range map[string]struct {
		media string
		what  trust.Representation
	}{
		"/trust/jwks.json":      {"application/jwk-set+json", publication.JWKS},
		"/trust/trustlist.json": {"application/json", publication.TrustList},
		"/trust/csca.pem":       {"application/pem-certificate-chain", publication.CSCA},
		"/trust/certificates/" + base64.RawURLEncoding.EncodeToString(trust.KID(dsc.Cert)): {"application/pkix-cert", der},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			response, body := ask(t, http.MethodGet, server.URL+path, nil)
			if response.StatusCode != http.StatusOK || body != string(want.what.Body) || body == "" {
				t.Fatalf("%d %q", response.StatusCode, body)
			}
			for name, value := range map[string]string{
				"Content-Type": want.media, "ETag": want.what.ETag, "Cache-Control": "public, max-age=3600",
				"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Access-Control-Allow-Origin": "*",
			} {
				if got := response.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			head, nothing := ask(t, http.MethodHead, server.URL+path, nil)
			if head.StatusCode != http.StatusOK || nothing != "" || head.ContentLength != int64(len(body)) || head.Header.Get("ETag") != want.what.ETag {
				t.Errorf("HEAD: %d, %d bytes, length %d", head.StatusCode, len(nothing), head.ContentLength)
			}
			for _, header := range []http.Header{
				{"If-None-Match": {want.what.ETag}},
				{"If-None-Match": {`"other", W/` + want.what.ETag}},
				{"If-None-Match": {"*"}},
				{"If-Modified-Since": {"Thu, 01 Jan 2026 00:00:00 GMT"}},
			} {
				again, nothing := ask(t, http.MethodGet, server.URL+path, header)
				if again.StatusCode != http.StatusNotModified || nothing != "" || again.Header.Get("ETag") != want.what.ETag || again.Header.Get("Cache-Control") == "" {
					t.Errorf("%v: %d %q", header, again.StatusCode, nothing)
				}
			}
			if again, _ := ask(t, http.MethodGet, server.URL+path, http.Header{"If-None-Match": {`"other"`}}); again.StatusCode != http.StatusOK {
				t.Errorf("other ETag: %d", again.StatusCode)
			}
			if post, _ := ask(t, http.MethodPost, server.URL+path, nil); post.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST: %d", post.StatusCode)
			}
		})
	}
}

func TestMaxAgeIsConfigurable(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	dsc := ca.DSC(t)
	server, _ := serve(t, source{{KID: trust.KID(dsc.Cert), Usage: trust.UsageTest, Certificate: dsc.Cert.Raw, Issuer: ca.Cert.Raw}}, 90*time.Second)
	response, _ := ask(t, http.MethodGet, server.URL+"/trust/jwks.json", nil)
	if got := response.Header.Get("Cache-Control"); got != "public, max-age=90" {
		t.Errorf("Cache-Control %q", got)
	}
	for path, want := range map[string]int{
		"/trust/certificates/AAAAAAAAAAA": http.StatusNotFound,
		"/trust/certificates/AA":          http.StatusNotFound,
		"/trust/certificates/A+==":        http.StatusBadRequest,
		"/trust/certificates/":            http.StatusNotFound,
	} {
		response, _ := ask(t, http.MethodGet, server.URL+path, nil)
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestNothingLoadedIsUnavailable(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, nil, 0)
	for _, path := range []string{"/trust/jwks.json", "/trust/trustlist.json", "/trust/csca.pem", "/trust/certificates/AAAAAAAAAAA"} {
		response, body := ask(t, http.MethodGet, server.URL+path, nil)
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "2" || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, response.StatusCode, response.Header)
		}
		if body != `{"code":"trust-not-loaded"}` {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestRegisterRefusesBadWiring(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]httpapi.Config{
		"no publications": {Render: render},
		"no renderer":     {Publications: &trust.Publisher{}},
		"negative age":    {Publications: &trust.Publisher{}, Render: render, MaxAge: -1},
	} {
		if err := httpapi.Register(gin.New(), config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
