package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
)

// answering is an operator's client of a server that does what answer does.
func answering(t *testing.T, answer http.HandlerFunc) *client.Operator {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	o, err := client.NewOperator(server.URL, client.Transport(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOperatorSendsNothingTwice(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	o := answering(t, func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic(http.ErrAbortHandler)
	})
	_, err := o.Propose(context.Background(), signing.OperationRequest{Kind: signing.OperationResume})
	if fault.KindOf(err) != fault.Unavailable || calls.Load() != 1 {
		t.Errorf("%v after %d calls; want unavailable after one", err, calls.Load())
	}
}

func TestOperatorReadsAnswersWithCare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   fault.Kind
	}{
		"not JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, fault.Upstream},
		"endless":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("[", 17<<20))) }, fault.Upstream},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, fault.Upstream},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"type":"urn:ddcc-gateway:problem:not-an-operator","title":"Not allowed","status":403}`))
		}, fault.Forbidden},
	} {
		if _, err := answering(t, c.answer).Keys(context.Background()); fault.KindOf(err) != c.want || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("[", 17<<20))) }
	if _, err := answering(t, endless).Keys(context.Background()); fault.From(err).Code != "signer-answer-size" {
		t.Errorf("too large: %v", err)
	}
	if _, err := client.NewOperator("http://plain", http.DefaultTransport, time.Second); err == nil {
		t.Error("plain HTTP accepted")
	}
}

func TestOperatorEscapesIDs(t *testing.T) {
	t.Parallel()
	var path atomic.Pointer[string]
	o := answering(t, func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		path.Store(&escaped)
		_, _ = w.Write([]byte("{}"))
	})
	if _, err := o.Approve(context.Background(), "../stop"); err != nil {
		t.Fatal(err)
	}
	if want := "/v1/operations/..%2Fstop/approval"; *path.Load() != want {
		t.Errorf("path %s, want %s", *path.Load(), want)
	}
}
