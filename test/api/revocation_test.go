package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	revocationapi "github.com/trustedparty/ddcc-gateway/trust/revocation/httpapi"
)

const (
	pathRevocations = "/v1/revocations"
	pathChanges     = "/revocation-list"
	cardKey         = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"
)

// revocationStatement is the example of the document, with a member changed.
func (s spec) revocationStatement(t *testing.T, name string, value any) []byte {
	t.Helper()
	media := s.doc.Paths.Value(pathRevocations).Post.RequestBody.Value.Content["application/json"]
	claims := map[string]any{}
	if err := json.Unmarshal(marshal(t, media.Examples["nothingRevoked"].Value.Value), &claims); err != nil {
		t.Fatal(err)
	}
	claims["sequence"] = fixed.Unix()
	if name != "" {
		claims[name] = value
	}
	return marshal(t, claims)
}

// TestRevocationManifests runs every answer of the signing service's route.
func TestRevocationManifests(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	service, s := newSigner(t, p), load(t, "signing.yaml")
	caller, good := p.client(t, devpki.GatewayName), s.revocationStatement(t, "", nil)
	steps := []exchange{
		{header: plainJSON, body: good, client: p.client(t, ""), want: 401},
		{header: plainJSON, body: good, client: p.client(t, "urn:nobody"), want: 403},
		{header: plainJSON, body: []byte(`{`), client: caller, want: 400},
		{header: plainJSON, body: s.revocationStatement(t, "extra", 1), client: caller, want: 400},
		{header: plainJSON, body: s.revocationStatement(t, "country", "YY"), client: caller, want: 422},
		{header: plainJSON, body: s.revocationStatement(t, "falsePositiveRate", 0.5), client: caller, want: 422},
		{header: plainJSON, body: s.revocationStatement(t, "artefacts", []any{}), client: caller, want: 422},
		{header: plainJSON, body: s.revocationStatement(t, "sequence", fixed.Unix()+3600), client: caller, want: 422},
		{header: plainJSON, body: bytes.Repeat([]byte(" "), 2<<20+1), client: caller, want: 413},
		{header: fhirJSON, body: good, client: caller, want: 415},
		{header: plainJSON, body: good, client: caller, want: 200},
		{header: plainJSON, body: good, client: caller, want: 200}, // the same once more
		{header: plainJSON, body: s.revocationStatement(t, "revocations", 1), client: caller, want: 409},
	}
	for _, x := range steps {
		x.method, x.path, x.lenient = http.MethodPost, pathRevocations, x.want != 200
		s.do(t, service.url, x)
	}
	service.audit.set(true)
	s.do(t, service.url, exchange{
		method: http.MethodPost, path: pathRevocations, header: plainJSON, body: s.revocationStatement(t, "sequence", fixed.Unix()+1), client: caller, want: 503,
	})
}

// revoked gives entries to a publisher; there may be more later.
type revoked struct {
	mu  sync.Mutex
	all []format.Entry
}

func (r *revoked) Revoked(context.Context, string, int) ([]format.Entry, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all), "", nil
}

func (r *revoked) add(entries ...format.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, entries...)
}

// manifests has manifests signed as cmd/gateway does.
type manifests struct{ *client.Client }

func (m manifests) SignRevocations(ctx context.Context, claims format.Claims) ([]byte, error) {
	signed, err := m.Client.SignRevocations(ctx, claims)
	return []byte(signed.JWS), err
}

var revokedKID = []byte{0xd5, 0x47, 0xde, 0xbb, 0x26, 0x4e, 0x8d, 0xc1}

func revokedEvent(n byte) []format.Entry {
	end := fixed.AddDate(1, 0, 0)
	h := func(kind byte) format.Hash { return format.Hash{n, kind, 7} }
	return []format.Entry{
		{Format: "dcc", KID: revokedKID, Signature: h(1), UCI: h(2), CountryUCI: h(3), ExpiresAt: end, RevokedAt: fixed},
		{Format: format.FormatSHC, SHCKID: cardKey, RID: "card-" + strconv.Itoa(int(n)), Signature: h(4), ExpiresAt: end, RevokedAt: fixed},
	}
}

// largeKID has so much revoked that its list is cut by two bytes.
var largeKID = []byte{0xe1, 0x47, 0xde, 0xbb, 0x26, 0x4e, 0x8d, 0xc1}

func manyRevoked() []format.Entry {
	const many = 256_001
	all := make([]format.Entry, many)
	for n := range all {
		h := format.Hash{byte(n), byte(n >> 8), byte(n >> 16), 1}
		all[n] = format.Entry{Format: format.FormatWHO, KID: largeKID, Signature: h, ExpiresAt: fixed.AddDate(1, 0, 0), RevokedAt: fixed}
	}
	return all
}

// TestRevocationLists holds the routes of the lists and every answer against the document.
func TestRevocationLists(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s, anyone, source := newGateway(t, p, newSigner(t, p)), load(t, "revocation.yaml"), p.client(t, ""), &revoked{}
	publisher, err := revocation.NewPublisher(revocation.PublisherConfig{
		Source: source, Signer: manifests{g.signer.client(t, p)}, Country: "XX", Dir: t.TempDir(),
		Keys:     func() (revocation.Keys, error) { return g.publish(t).Trust.List, nil },
		Interval: time.Hour, Retry: time.Second, Timeout: time.Minute, Now: clock, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := newEngine(t, 0, httpx.Problem)
	if err := revocationapi.Register(engine, revocationapi.Config{Publications: publisher, Now: clock, Render: httpx.Problem}); err != nil {
		t.Fatal(err)
	}
	s.sameRoutes(t, engine.Routes())
	url := p.serve(t, engine)
	paths := listPaths()
	for _, path := range append(paths, "/revocation-list/9b1deb4d-3b7d-8bad-9bdd-2b0d7b3dcb6d") {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			s.do(t, url, exchange{method: method, path: path, client: anyone, want: 503})
		}
	}
	s.changes(t, url, anyone, fixed, 503)
	source.add(append(revokedEvent(1), manyRevoked()...)...)
	publish(t, publisher)
	for _, path := range paths {
		s.conditions(t, url, exchange{path: path, client: anyone}, true)
	}
	s.batchRoutes(t, url, anyone, func() { source.add(revokedEvent(2)...); publish(t, publisher) })
	s.unknownLists(t, url, anyone)
}

func publish(t *testing.T, p *revocation.Publisher) {
	t.Helper()
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// listPaths are addresses of lists that are or may be published, one a route.
func listPaths() []string {
	slices := "/trust/revocation/slices/"
	return []string{
		"/trust/revocation/manifest.jws", "/trust/revocation/batches.json", "/trust/revocation/who.json", "/trust/revocation/filter/2027H2",
		slices + rawURL(revokedKID) + "/01", slices + rawURL(largeKID) + "/00/00", "/trust/revocation/crl/" + cardKey + ".json", "/shc_issuer/.well-known/crl/" + cardKey + ".json",
	}
}

// sameRoutes compares the routes of an engine with the document, both ways.
func (s spec) sameRoutes(t *testing.T, routes gin.RoutesInfo) {
	t.Helper()
	var served, described []string
	for _, r := range routes {
		served = append(served, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	for path, item := range s.doc.Paths.Map() {
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

// changes asks what became of batches, with both methods, and gives what GET answers.
func (s spec) changes(t *testing.T, url string, anyone *http.Client, since time.Time, want int) (http.Header, []byte) {
	t.Helper()
	x := exchange{method: http.MethodHead, path: pathChanges, header: map[string]string{"If-Modified-Since": since.Format(time.RFC3339)}, client: anyone, want: want}
	s.do(t, url, x)
	x.method = http.MethodGet
	return s.do(t, url, x)
}

// batchRoutes runs every answer of the EU's routes; more has another event revoked.
func (s spec) batchRoutes(t *testing.T, url string, anyone *http.Client, more func()) {
	t.Helper()
	header, body := s.changes(t, url, anyone, fixed.AddDate(-5, 0, 0), 200)
	var list struct {
		Batches []struct {
			BatchID string
			Date    time.Time
		}
	}
	if err := json.Unmarshal(body, &list); err != nil || len(list.Batches) < 4 {
		t.Fatalf("%v, %d batches", err, len(list.Batches))
	}
	s.changes(t, url, anyone, list.Batches[len(list.Batches)-1].Date, 204)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.do(t, url, exchange{method: method, path: pathChanges, client: anyone, want: 304, header: map[string]string{
			"If-Modified-Since": fixed.AddDate(-5, 0, 0).Format(time.RFC3339), "If-None-Match": header.Get("ETag"),
		}})
		s.do(t, url, exchange{method: method, path: pathChanges, client: anyone, want: 400, header: map[string]string{"If-Modified-Since": "yesterday"}, lenient: true})
	}
	s.do(t, url, exchange{method: http.MethodOptions, path: pathChanges, client: anyone, want: 204})
	s.conditions(t, url, exchange{path: pathChanges + "/" + list.Batches[0].BatchID, client: anyone}, false)
	more()
	gone := 0
	for _, b := range list.Batches {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			x := exchange{method: method, path: pathChanges + "/" + b.BatchID, client: anyone, want: 200}
			if statusOf(t, url, x) == http.StatusGone {
				x.want = http.StatusGone
				gone++
			}
			s.do(t, url, x)
		}
	}
	if gone != 2*3 { // three types of hash of one key, with both methods
		t.Errorf("%d answers say that a batch is gone", gone)
	}
}

func statusOf(t *testing.T, url string, x exchange) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), x.method, url+x.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := x.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// unknownLists: names that nothing has, and names that nothing can have.
func (s spec) unknownLists(t *testing.T, url string, anyone *http.Client) {
	t.Helper()
	slice := "/trust/revocation/slices/" + rawURL(revokedKID)
	for path, want := range map[string]int{
		"/trust/revocation/filter/2099H1": 404, "/trust/revocation/crl/x.json": 404, "/shc_issuer/.well-known/crl/x.json": 404,
		"/trust/revocation/slices/AAAAAAAAAAA/00": 404, "/trust/revocation/slices/AAAAAAAAAAA/00/00": 404, slice + "/00/00": 404,
		slice + "/0": 400, slice + "/00/zz": 400, "/trust/revocation/slices/x/00": 400,
		pathChanges + "/1": 400, pathChanges + "/9b1deb4d-3b7d-8bad-9bdd-2b0d7b3dcb6d": 404,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			s.do(t, url, exchange{method: method, path: path, client: anyone, want: want, lenient: true})
		}
	}
}
