package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
)

// linkedDocument has health links lead to documents.
type linkedDocument struct{ service *issuance.Service }

// Files implements healthlink.Source.
func (l linkedDocument) Files(ctx context.Context, issuer issuance.Issuer, id string) ([]healthlink.File, error) {
	out, err := l.service.Get(ctx, issuer, id)
	if err != nil {
		return nil, err
	}
	return []healthlink.File{{ContentType: shlink.FHIR, Content: out.Document}}, nil
}

// accountKey is made once: RSA takes its time.
var accountKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func googleWallet(t testing.TB) *wallet.Google {
	t.Helper()
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	return &wallet.Google{IssuerID: "3388000000000000000", ServiceAccount: "specimen@specimen.iam.gserviceaccount.com", Key: key}
}

// TestSharing runs every answer of wallet files and health links.
func TestSharing(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer := p.client(t, devpki.IssuerName)
	header, answer := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "WithFormats"), client: issuer, want: 201,
	})
	id, reference := idOf(header), ""
	for _, c := range named(answerOf(t, answer), "certificate") {
		reference = first(c.Part, "reference").ValueReference.Reference
	}
	file := "/ddcc/" + reference + "/$wallet"
	link, withdraw := "/ddcc/Bundle/"+id+"/$health-link", "/ddcc/$withdraw-health-link"
	google := map[string]string{"Accept": "application/jwt"}
	get := func(path string, client *http.Client, header map[string]string, want int) {
		t.Helper()
		s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: path, header: header, client: client, want: want})
	}
	get(file+"?consent=true", issuer, google, 200)
	get(file, issuer, google, 422) // nobody consented
	get(file, issuer, nil, 404)    // Apple's is switched off
	get(file, issuer, map[string]string{"Accept": "text/html"}, 406)
	get(file+"?consent=true", p.client(t, otherIssuer), google, 404)
	get(file, p.client(t, ""), nil, 401)
	get(file, p.client(t, "urn:nobody"), nil, 403)

	for _, path := range []string{link, withdraw} {
		s.guarded(t, p, g, path)
	}
	body, other := s.example(t, "LinkWithPasscode"), p.client(t, otherIssuer)
	post := func(path string, client *http.Client, body []byte, want int) []byte {
		t.Helper()
		_, answer := s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path, header: fhirJSON, body: body, client: client, want: want, lenient: true})
		return answer
	}
	post(link, other, body, 404)
	post("/ddcc/Bundle/1/$health-link", issuer, body, 404)
	slow := p.client(t, slowIssuer)
	post(link, slow, body, 404) // of another, which takes the place all the same
	post(link, slow, body, 429)
	post(link, issuer, []byte(`{"resourceType":"Parameters","parameter":[{"name":"expires","valueString":"soon"}]}`), 400)
	post(link, issuer, []byte(`{"resourceType":"Parameters","parameter":[{"name":"expires","valueString":"2020-01-01T00:00:00Z"}]}`), 422)
	made := answerOf(t, post(link, issuer, body, 201))
	if text := first(made, "link").ValueString; !strings.Contains(text, "shlink:/") {
		t.Errorf("the link is %.40s", text)
	}
	handle := bytes.Replace(s.example(t, "LinkId"), []byte("c3BlY2ltZW4"), []byte(first(made, "id").ValueString), 1)
	post(withdraw, other, handle, 404)
	post(withdraw, issuer, handle, 200)
	post(withdraw, issuer, []byte(`{"resourceType":"Parameters","parameter":[{"name":"id","valueString":"none"}]}`), 404)
	if err := g.registry.Close(); err != nil {
		t.Fatal(err)
	}
	get(file+"?consent=true", issuer, google, 503)
	post(link, issuer, body, 503)
	post(withdraw, issuer, handle, 503)
}
