package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation/httpapi"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const thumbprint = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"

var kid = []byte{1, 2, 3, 4, 5, 6, 7, 8}

// site is a running server, its publisher and what it publishes.
type site struct {
	url       string
	publisher *revocation.Publisher
	key       trusttest.Signer
	entries   []format.Entry
	offset    atomic.Int64
}

func (s *site) now() time.Time { return begin.Add(time.Duration(s.offset.Load())) }

func (s *site) Revoked(context.Context, string, int) ([]format.Entry, string, error) {
	return s.entries, "", nil
}

func (s *site) SignRevocations(ctx context.Context, claims format.Claims) ([]byte, error) {
	m := format.Manifest{Claims: claims, IssuedAt: s.now(), NextUpdate: s.now().Add(24 * time.Hour)}
	payload, err := m.Encode()
	if err != nil {
		return nil, err
	}
	input := format.SigningInput(trust.KID(s.key.Cert), payload)
	signature, err := s.key.Sign(ctx, sha256.Sum256(input))
	return base64.RawURLEncoding.AppendEncode(append(input, '.'), signature[:]), err
}

func init() { gin.SetMode(gin.TestMode) }

func serve(t *testing.T, entries ...format.Entry) *site {
	t.Helper()
	ca := trusttest.CSCA(t)
	s := &site{key: ca.ListSigner(t), entries: entries}
	list := trusttest.List(t, ca.Entry(s.key.Pair, trust.UsageTrustList))
	var err error
	s.publisher, err = revocation.NewPublisher(revocation.PublisherConfig{
		Source: s, Signer: s, Keys: func() (revocation.Keys, error) { return list, nil }, Country: "XX", Dir: t.TempDir(),
		Interval: time.Minute, Retry: 1500 * time.Millisecond, Timeout: time.Minute, Now: s.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := gin.New()
	render := func(c *gin.Context, err error) {
		c.JSON(httpx.Status(fault.KindOf(err)), gin.H{"code": fault.From(err).Code})
	}
	if err := httpapi.Register(engine, httpapi.Config{Publications: s.publisher, Now: s.now, Render: render}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) publish(t *testing.T) *revocation.Publication {
	t.Helper()
	if err := s.publisher.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := s.publisher.Current()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *site) do(t *testing.T, method, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp, body
}

func hcert(n int) format.Entry {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return format.Entry{KID: kid, Format: format.FormatDCC, Signature: format.Hash(sum[:]), UCI: format.Hash(sum[16:]), RevokedAt: begin, ExpiresAt: begin.AddDate(1, 0, 0)}
}

func card() format.Entry {
	return format.Entry{SHCKID: thumbprint, RID: "MKyCxh7p6uQ", Format: format.FormatSHC, RevokedAt: begin}
}

const since = "2021-06-01T00:00:00Z"

func TestBeforeTheFirstPublication(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{"/trust/revocation/manifest.jws", "/trust/revocation/who.json", "/revocation-list", "/revocation-list/01234567-89ab-8def-8123-456789abcdef", "/trust/revocation/slices/AQIDBAUGBwg/00"} {
		resp, _ := s.do(t, http.MethodGet, path, "If-Modified-Since", since)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "2" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
}

// TestEveryListIsServedAndCached: each route with its media, a strong validator, and what the
// manifest says of it.
func TestEveryListIsServedAndCached(t *testing.T) {
	t.Parallel()
	s := serve(t, hcert(1), card())
	p := s.publish(t)
	paths := map[string]string{"/trust/revocation/manifest.jws": "application/jose", "/shc_issuer/.well-known/crl/" + thumbprint + ".json": "application/json"}
	sums := map[string]string{}
	for _, a := range p.Manifest.Artefacts {
		path, media := "/trust/revocation/"+a.Name, "application/json"
		switch a.Kind {
		case format.KindFilter:
			media = "application/octet-stream"
		case format.KindSlices:
			h := hcert(1).Signature
			path, media = "/trust/revocation/"+revocation.SlicePath(format.KID(kid), h[:a.Depth]), "application/octet-stream"
		}
		if paths[path] = media; a.Kind != format.KindSlices {
			sums[path] = a.SHA256
		}
	}
	if len(paths) != 8 {
		t.Fatalf("%d lists", len(paths))
	}
	for path, media := range paths {
		resp, body := s.do(t, http.MethodGet, path)
		etag := resp.Header.Get("ETag")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != media || len(body) == 0 || resp.Header.Get("Cache-Control") != "public, max-age=300" || !strings.HasPrefix(etag, `"`) {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(resp.Header.Get("Link"), "manifest.jws") {
			t.Errorf("%s: %v", path, resp.Header)
		}
		if want, ok := sums[path]; ok && etag != `"`+want+`"` {
			t.Errorf("%s: the validator is not the digest of the manifest", path)
		}
		again, none := s.do(t, http.MethodGet, path, "If-None-Match", etag)
		if again.StatusCode != http.StatusNotModified || len(none) != 0 {
			t.Errorf("%s: %d", path, again.StatusCode)
		}
		head, none := s.do(t, http.MethodHead, path)
		if head.StatusCode != 200 || head.ContentLength != int64(len(body)) || len(none) != 0 {
			t.Errorf("%s: HEAD %d, %d bytes", path, head.StatusCode, head.ContentLength)
		}
	}
	if _, body := s.do(t, http.MethodGet, "/shc_issuer/.well-known/crl/"+thumbprint+".json"); string(body) != `{"kid":"`+thumbprint+`","method":"rid","ctr":1,"rids":["MKyCxh7p6uQ"]}` {
		t.Errorf("%s", body)
	}
	s.offset.Store(int64(24*time.Hour - 10*time.Second))
	if resp, _ := s.do(t, http.MethodGet, "/trust/revocation/who.json"); resp.Header.Get("Cache-Control") != "public, max-age=10" {
		t.Error(resp.Header.Get("Cache-Control"))
	}
	s.offset.Store(int64(48 * time.Hour))
	if resp, _ := s.do(t, http.MethodGet, "/trust/revocation/who.json"); resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "public, max-age=0" {
		t.Error("stale lists are served, and not to be cached")
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := serve(t, hcert(1))
	s.publish(t)
	for path, want := range map[string]int{
		"/trust/revocation/filter/1999H1": 404, "/trust/revocation/filter/..who.json": 404, "/trust/revocation/crl/" + thumbprint + ".json": 404, "/shc_issuer/.well-known/crl/x": 404,
		"/trust/revocation/slices/AQIDBAUGBwg/00/00": 404, "/trust/revocation/slices/CQIDBAUGBwg/00": 404,
		"/trust/revocation/slices/AQIDBAUGBwg/0": 400, "/trust/revocation/slices/AQIDBAUGBwg/FF": 400, "/trust/revocation/slices/AQIDBAUGBwg=/00": 400, "/trust/revocation/slices/AQID/00": 400, "/trust/revocation/slices/AQIDBAUGBwg/00/0g": 400, "/trust/revocation/slices/AQIDBAUG%0ABwg/00": 400,
		"/revocation-list/01234567-89ab-8def-8123-456789abcdef": 404, "/revocation-list/1": 400, "/revocation-list/01234567-89AB-8def-8123-456789abcdef": 400,
	} {
		if resp, body := s.do(t, http.MethodGet, path); resp.StatusCode != want || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s, want %d", path, resp.StatusCode, body, want)
		}
	}
}

type batchList struct {
	More    bool `json:"more"`
	Batches []struct {
		BatchID string `json:"batchId"`
		Country string `json:"country"`
		Date    string `json:"date"`
		Deleted bool   `json:"deleted"`
	} `json:"batches"`
}

// TestTheListOfBatches walks the way of a national backend in the EU.
func TestTheListOfBatches(t *testing.T) {
	t.Parallel()
	s := serve(t, hcert(1))
	s.publish(t)
	for _, header := range []string{"", "yesterday", "2021-06-01", "1622505600", strings.Repeat("2", 100)} {
		if resp, _ := s.do(t, http.MethodGet, "/revocation-list", "If-Modified-Since", header); resp.StatusCode != 400 {
			t.Errorf("%q: %d", header, resp.StatusCode)
		}
	}
	if resp, _ := s.do(t, http.MethodGet, "/revocation-list"); resp.StatusCode != 400 {
		t.Errorf("without a date: %d", resp.StatusCode)
	}
	var list batchList
	for _, header := range []string{since, "2021-06-01T02:00:00+02:00", "Tue, 01 Jun 2021 00:00:00 GMT"} {
		resp, body := s.do(t, http.MethodGet, "/revocation-list", "If-Modified-Since", header)
		if list = (batchList{}); resp.StatusCode != 200 || json.Unmarshal(body, &list) != nil || list.More || len(list.Batches) != 2 || list.Batches[0].Country != "XX" || list.Batches[0].Deleted || resp.Header.Get("Vary") != "If-Modified-Since" {
			t.Fatalf("%s: %d %s", header, resp.StatusCode, body)
		}
		if again, _ := s.do(t, http.MethodGet, "/revocation-list", "If-Modified-Since", header, "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("revalidation: %d", again.StatusCode)
		}
		if head, none := s.do(t, http.MethodHead, "/revocation-list", "If-Modified-Since", header); head.StatusCode != 200 || len(none) != 0 {
			t.Errorf("HEAD: %d", head.StatusCode)
		}
	}
	last := list.Batches[1].Date
	if resp, body := s.do(t, http.MethodGet, "/revocation-list", "If-Modified-Since", last); resp.StatusCode != 204 || len(body) != 0 {
		t.Errorf("nothing new: %d %s", resp.StatusCode, body)
	}
	types := map[format.HashType]bool{}
	for _, line := range list.Batches {
		resp, body := s.do(t, http.MethodGet, "/revocation-list/"+line.BatchID)
		b, err := format.ParseBatch(body)
		if resp.StatusCode != 200 || err != nil || resp.Header.Get("ETag") != `"`+line.BatchID+`"` || format.BatchID(body) != line.BatchID {
			t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
		}
		types[b.HashType] = true
	}
	if len(types) != 2 {
		t.Errorf("%v", types)
	}
	s.entries = []format.Entry{hcert(1), hcert(2)}
	s.offset.Store(int64(time.Hour))
	s.publish(t)
	resp, body := s.do(t, http.MethodGet, "/revocation-list", "If-Modified-Since", last)
	var next batchList
	deleted := 0
	if resp.StatusCode != 200 || json.Unmarshal(body, &next) != nil || len(next.Batches) != 4 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	for _, line := range next.Batches {
		want := 200
		if line.Deleted {
			deleted, want = deleted+1, 410
		}
		if resp, _ := s.do(t, http.MethodGet, "/revocation-list/"+line.BatchID); resp.StatusCode != want {
			t.Errorf("deleted %t: %d", line.Deleted, resp.StatusCode)
		}
	}
	if deleted != 2 {
		t.Errorf("%d deleted", deleted)
	}
	if resp, _ := s.do(t, http.MethodOptions, "/revocation-list"); resp.StatusCode != 204 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "If-Modified-Since") {
		t.Errorf("preflight: %d", resp.StatusCode)
	}
}

// TestAVerifierOverHTTP loads what is served and confirms a hit with one slice.
func TestAVerifierOverHTTP(t *testing.T) {
	t.Parallel()
	s := serve(t, hcert(1), card())
	p := s.publish(t)
	fetched := 0
	fetch := func(kid format.KID, prefix []byte) ([]byte, error) {
		fetched++
		resp, body := s.do(t, http.MethodGet, "/trust/revocation/"+revocation.SlicePath(kid, prefix))
		if resp.StatusCode != 200 {
			return nil, errors.New(resp.Status)
		}
		return body, nil
	}
	list := trusttest.List(t, s.key.CA.Entry(s.key.Pair, trust.UsageTrustList))
	dir := webFiles{t, s, p}.fs()
	set, err := revocation.Load(dir, list, s.now())
	if err != nil {
		t.Fatal(err)
	}
	set = set.WithSlices(fetch)
	if v := set.Check(revocation.Identity{KID: kid, Signature: hcert(1).Signature}); v != (revocation.Verdict{Revoked: true, Certainty: revocation.Exact}) || fetched != 1 {
		t.Errorf("%+v after %d slices", v, fetched)
	}
	if v := set.Check(revocation.Identity{KID: kid, Signature: hcert(2).Signature}); v.Revoked || fetched != 1 {
		t.Errorf("%+v after %d slices", v, fetched)
	}
	if v := set.Check(revocation.Identity{SHCKID: thumbprint, RID: "MKyCxh7p6uQ"}); v != (revocation.Verdict{Revoked: true, Certainty: revocation.Exact}) {
		t.Errorf("%+v", v)
	}
}

func TestWiring(t *testing.T) {
	t.Parallel()
	if httpapi.Register(gin.New(), httpapi.Config{}) == nil {
		t.Error("routes without publications")
	}
}
