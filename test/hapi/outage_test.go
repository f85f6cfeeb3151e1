package hapi_test

import (
	"fmt"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// TestOutages puts a failing peer in front of HAPI: whatever happened, a caller that goes on
// until it succeeds has stored one patient and one document that refers to it.
func TestOutages(t *testing.T) {
	t.Parallel()
	origin, err := url.Parse(hapi.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	origin.Path = ""
	direct := open(t, origin.String()+"/fhir")
	for _, mode := range clienttest.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			peer := clienttest.NewPeerOf(t, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }})
			c, err := client.New(client.Options{
				Base: peer.URL(), Transport: peer.Transport(), Timeout: limit(mode), FirstPause: time.Millisecond, MaxBody: 1 << 20,
			})
			if err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprintf("outage-%s-%d", mode, time.Now().UnixNano())
			q := url.Values{"identifier": {"urn:example:outage|" + id}}
			bundle := fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[
				{"fullUrl":"urn:uuid:6f0d1b1c-6b5e-4b37-9a45-0d6b4e7f2a11","resource":{"resourceType":"Patient","identifier":[{"system":"urn:example:outage","value":%q}]},
				 "request":{"method":"POST","url":"Patient","ifNoneExist":%q}},
				{"resource":{"resourceType":"Basic","id":%q,"code":{"text":"specimen"},"subject":{"reference":"urn:uuid:6f0d1b1c-6b5e-4b37-9a45-0d6b4e7f2a11"}},
				 "request":{"method":"PUT","url":%q}}]}`, id, q.Encode(), id, "Basic/"+id)
			peer.Fail(mode, 2)
			for try := 0; ; try++ {
				if _, err := c.Transaction(t.Context(), bundle); err == nil {
					break
				} else if try > 10 || !client.IsTemporary(err) {
					t.Fatal(err)
				}
			}
			if peer.Left() != 0 {
				t.Errorf("%d failures were not met", peer.Left())
			}
			var patients []client.Match
			for m, err := range direct.Search(t.Context(), "Patient", q) {
				if err != nil {
					t.Fatal(err)
				}
				patients = append(patients, m)
			}
			if len(patients) != 1 {
				t.Fatalf("%d patients", len(patients))
			}
			if r, err := direct.Read(t.Context(), "Basic", id); err != nil || r.VersionID != "1" {
				t.Errorf("version %q of the document: %v", r.VersionID, err)
			}
		})
	}
}

// limit is short for a peer that hangs.
func limit(mode clienttest.Mode) time.Duration {
	if mode.Hangs() {
		return 3 * time.Second
	}
	return 30 * time.Second
}
