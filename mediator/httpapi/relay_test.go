package httpapi_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

// relay stands for OpenHIM: it brings requests of whom a header names.
type relay struct{ issuers mediator.Issuers }

func (r relay) Issuer(req *http.Request, peer string) (mediator.IssuerPolicy, bool, error) {
	if peer != "urn:nobody" {
		return mediator.IssuerPolicy{}, false, nil
	}
	by, err := r.issuers.Authenticate(req.Header.Get("Of"))
	if err != nil {
		err = fault.New(fault.Unauthenticated, "of", "Of whom?")
	}
	return by, true, err
}

// TestARelaySaysWhoseRequestItIs, and nobody else does.
func TestARelaySaysWhoseRequestItIs(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var err error
	if e.engine, err = httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler), Render: httpapi.Render}); err != nil {
		t.Fatal(err)
	}
	e.deps.Relay = relay{e.deps.Issuers}
	httpapi.Register(e.engine, e.deps)
	if w := e.send(t, "nobody", http.MethodGet, "/ddcc/Bundle/"+id, "", "Of", "urn:clinic"); w.Code != 200 {
		t.Errorf("relayed: %d", w.Code)
	}
	refused(t, e.send(t, "nobody", http.MethodGet, "/ddcc/Bundle/"+id, "", "Of", "urn:neighbour"), 404)
	refused(t, e.send(t, "nobody", http.MethodGet, "/ddcc/Bundle/"+id, "", "Of", "urn:clinic "), 401)
	refused(t, e.send(t, "neighbour", http.MethodGet, "/ddcc/Bundle/"+id, "", "Of", "urn:clinic"), 404)
	refused(t, e.send(t, "", http.MethodGet, "/ddcc/Bundle/"+id, "", "Of", "urn:clinic"), 401)
}
