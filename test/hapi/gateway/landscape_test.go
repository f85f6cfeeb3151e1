package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// server is the name of HAPI in the gateway's configuration.
const server = "national"

const fhirJSON = "application/fhir+json"

// landscape is a gateway and HAPI behind a proxy that ends TLS and fails as it is told. All
// addresses stay when a process is killed and started again.
type landscape struct {
	*harness.System
	hapi   *hapi.Own
	peer   *clienttest.Peer        // the proxy
	origin atomic.Pointer[url.URL] // HAPI
	direct string                  // its base
	url    string                  // of the gateway
}

// newLandscape starts the gateway. HAPI has to be started by startHAPI.
func newLandscape(t *testing.T, prepare func(devinstall.Installation)) *landscape {
	t.Helper()
	l := &landscape{}
	l.origin.Store(&url.URL{Scheme: "http", Host: freeAddress(t)}) // nobody is there yet
	l.peer = clienttest.NewPeerOf(t, &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(l.origin.Load())
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Forwarded-Host", r.In.Host)
			r.Out.Header.Set("X-Forwarded-Proto", "https")
		},
	})
	flags := []string{"--listen=" + freeAddress(t), "--fhir-poll=1s", "--fhir-timeout=5s", ""}
	l.System = harness.Start(t, harness.Options{Gateway: flags, Prepare: func(i devinstall.Installation) {
		write(t, i.Path("fhir-ca.pem"), l.peer.CAPEM())
		write(t, i.Path("fhir.json"), []byte(`{"servers":[{"name":"`+server+`","base":"`+l.peer.URL()+`","ca":"`+i.Path("fhir-ca.pem")+`"}]}`))
		flags[len(flags)-1] = "--fhir-servers=" + i.Path("fhir.json")
		if prepare != nil {
			prepare(i)
		}
	}})
	l.url = l.URL
	return l
}

// startHAPI starts or restarts HAPI.
func (l *landscape) startHAPI(t *testing.T) {
	t.Helper()
	began := time.Now()
	l.direct = l.hapi.Start()
	t.Logf("HAPI serves after %v", time.Since(began).Round(100*time.Millisecond))
	u, err := url.Parse(l.direct)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = ""
	l.origin.Store(u)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait polls until done is true.
func wait(t *testing.T, what string, limit time.Duration, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// send is a request to the gateway as the issuer. It is safe beside restarts.
func (l *landscape) send(method, path string, body []byte, header ...string) (harness.Answer, error) {
	req, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	if err != nil {
		return harness.Answer{}, err
	}
	req.Header.Set("Content-Type", fhirJSON)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return harness.Do(l.Issuer, req)
}

// ask is a request to HAPI itself, past the proxy.
func (l *landscape) ask(t *testing.T, method, path string, body any) (int, []byte) {
	t.Helper()
	var sent io.Reader = http.NoBody
	if body != nil {
		sent = bytes.NewReader(harness.JSON(t, body))
	}
	req, err := http.NewRequestWithContext(context.Background(), method, l.direct+"/"+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", fhirJSON)
	req.Header.Set("Cache-Control", "no-cache")
	a, err := harness.Do(http.DefaultClient, req)
	if err != nil {
		t.Fatalf("%v\n%s", err, l.hapi.Log())
	}
	return a.Status, a.Body
}

// read gives what HAPI has at a path, and fails the test if it has nothing there.
func (l *landscape) read(t *testing.T, path string, into any) []byte {
	t.Helper()
	status, raw := l.ask(t, http.MethodGet, path, nil)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return raw
}

// found is a searchset.
type found struct {
	Total int
	Entry []struct{ Resource json.RawMessage }
}

// total counts what a search finds.
func (l *landscape) total(t *testing.T, search string) int {
	t.Helper()
	separator := "?"
	if strings.Contains(search, "?") {
		separator = "&"
	}
	var f found
	l.read(t, search+separator+"_summary=count", &f)
	return f.Total
}

// folder gives the DocumentReferences in the folder of a HCID, in order; nil when there is
// none.
func (l *landscape) folder(t *testing.T, hcid string) []string {
	t.Helper()
	var f found
	l.read(t, "List?identifier="+url.QueryEscape("http://smart.who.int/ddcc/Folder|"+hcid), &f)
	if len(f.Entry) > 1 {
		t.Errorf("%d folders of one HCID", len(f.Entry))
	}
	var refs []string
	for _, e := range f.Entry {
		refs = append(refs, items(t, e.Resource)...)
	}
	return refs
}

// items are the references of a List.
func items(t *testing.T, list []byte) []string {
	t.Helper()
	var in struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	if err := json.Unmarshal(list, &in); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, e := range in.Entry {
		refs = append(refs, e.Item.Reference)
	}
	return refs
}

// transaction is what the gateway's record shows.
type transaction struct {
	ID, Client, Route, Outcome, Parent, Started string
	Status                                      int
	Replayed                                    bool
	Certificates                                []string
	Calls                                       []struct {
		Peer string
		Legs []struct {
			Name, Path string
			Status     int
		}
	}
}

// transactions are those that an operator finds, the latest first.
func (l *landscape) transactions(t *testing.T, query string) []transaction {
	t.Helper()
	var page struct{ Transactions []transaction }
	l.operator(t, "/transactions?_count=100&"+query, &page)
	return page.Transactions
}

func (l *landscape) operator(t *testing.T, path string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(l.Client("operator-1"), req)
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, a.Status, a.Body, err)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatal(err)
	}
}
