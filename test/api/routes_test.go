package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/trust"
)

var parameter = regexp.MustCompile(`:([a-z]+)`)

// TestEveryRouteIsDescribed compares the routes of the engines with the documents, both
// ways.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g := newGateway(t, p, newSigner(t, p))
	didPath, err := trust.DIDPath(did)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		engine *gin.Engine
		files  []string
	}{
		"mediator": {g.mediator, []string{"mediator.yaml"}},
		"trust":    {g.trust, []string{"trust.yaml"}},
		"signer":   {g.signer.engine, []string{"signing.yaml", "signer-operator.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var served []string
			for _, r := range test.engine.Routes() {
				if r.Path != didPath { // depends on the configuration; the document tells of it
					served = append(served, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
				}
			}
			var described []string
			for _, file := range test.files {
				for path, item := range load(t, file).doc.Paths.Map() {
					for method := range item.Operations() {
						described = append(described, method+" "+path)
					}
				}
			}
			slices.Sort(served)
			slices.Sort(described)
			if !slices.Equal(served, described) {
				t.Errorf("served\n%q\ndescribed\n%q", served, described)
			}
		})
	}
}

// TestRoutesThatDoNotExist: the answers that belong to no operation have a schema, too.
func TestRoutesThatDoNotExist(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g := newGateway(t, p, newSigner(t, p))
	anyone := p.client(t, devpki.IssuerName)
	for name, test := range map[string]struct {
		file, url, method string
		want              int
	}{
		"mediator, no route":  {"mediator.yaml", g.mediatorURL + "/ddcc/nothing", http.MethodGet, 404},
		"mediator, no method": {"mediator.yaml", g.mediatorURL + "/ddcc/metadata", http.MethodPut, 405},
		"trust, no route":     {"trust.yaml", g.trustURL + "/trust/nothing", http.MethodGet, 404},
		"trust, no method":    {"trust.yaml", g.trustURL + "/trust/jwks.json", http.MethodPost, 405},
		"signing, no route":   {"signing.yaml", g.signer.url + "/v1/sign", http.MethodPost, 404},
		"signing, no method":  {"signing.yaml", g.signer.url + "/v1/trust", http.MethodPost, 405},
		"operator, no route":  {"signer-operator.yaml", g.signer.url + "/v1/operations/1/execution", http.MethodPost, 404},
		"operator, no method": {"signer-operator.yaml", g.signer.url + "/v1/register", http.MethodPost, 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), test.method, test.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := anyone.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != test.want || (test.want == 405) != (resp.Header.Get("Allow") != "") {
				t.Errorf("status %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
			}
			var body map[string]any
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			schema := "Problem"
			if test.file == "mediator.yaml" {
				schema = "OperationOutcome"
			}
			load(t, test.file).matches(t, schema, body)
		})
	}
}
