package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// attemptLimit is for tests that wait for it; others have an easyLimit.
const (
	attemptLimit = 400 * time.Millisecond
	easyLimit    = 10 * time.Second
)

// open makes a client of a peer that waits for nothing between attempts; change may be nil.
func open(t *testing.T, p *clienttest.Peer, change func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{Base: p.URL(), Transport: p.Transport(), Timeout: easyLimit, MaxBody: 1 << 20, Sleep: noPause}
	if change != nil {
		change(&o)
	}
	return mustNew(t, o)
}

// impatient gives up on a peer that hangs.
func impatient(mode clienttest.Mode) func(*client.Options) {
	return func(o *client.Options) {
		if mode.Hangs() {
			o.Timeout = attemptLimit
		}
	}
}

func mustNew(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// roundTripper is a server without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering gives a client whose server always answers the same.
func answering(t *testing.T, status int, body string, header ...string) *client.Client {
	t.Helper()
	return mustNew(t, client.Options{Base: "http://embedded/fhir", InProcess: true, Sleep: noPause, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return reply(status, body, header...), nil
	})})
}

// reply makes an answer of FHIR JSON; header are pairs.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/fhir+json;charset=utf-8"}}
	for n := 0; n < len(header); n += 2 {
		h.Set(header[n], header[n+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// patient is a Patient of the tests.
func patient(id string) []byte {
	return []byte(`{"resourceType":"Patient","id":"` + id + `","identifier":[{"system":"urn:example:s","value":"` + id + `"}],"name":[{"family":"Specimen"}]}`)
}

// condition is the search for it.
func condition(id string) string { return "identifier=urn%3Aexample%3As%7C" + id }

// words are of the peer's OperationOutcomes: nobody may see them.
var words = []string{"Ada Specimen", "10.0.0.1"}

// check that an error is a fault, and leaks nothing.
func check(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Internal {
		t.Fatalf("%v is no fault", err)
	}
	for _, w := range words {
		if strings.Contains(err.Error(), w) || strings.Contains(f.Detail, w) {
			t.Errorf("the error tells the peer's words: %v", err)
		}
	}
	return f
}
