package httpapi_test

import (
	"io/fs"
	"net/http"
	"testing"
	"testing/fstest"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// webFiles fetches what a verifier keeps: the manifest and all it names but slices.
type webFiles struct {
	t *testing.T
	s *site
	p *revocation.Publication
}

func (w webFiles) fs() fs.FS {
	out := fstest.MapFS{}
	names := []string{"manifest.jws"}
	for _, a := range w.p.Manifest.Artefacts {
		if a.Kind != format.KindSlices {
			names = append(names, a.Name)
		}
	}
	for _, name := range names {
		resp, body := w.s.do(w.t, http.MethodGet, "/trust/revocation/"+name)
		if resp.StatusCode != http.StatusOK {
			w.t.Fatalf("%s: %d", name, resp.StatusCode)
		}
		out[name] = &fstest.MapFile{Data: body}
	}
	return out
}
