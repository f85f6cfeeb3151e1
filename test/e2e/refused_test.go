package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestRefusedConnectionsAreAudited: clients whom TLS refuses get nothing, and each has its
// entry with the reason.
func TestRefusedConnectionsAreAudited(t *testing.T) {
	t.Parallel()
	own, other := newAuthority(t), newAuthority(t)
	s := harness.Start(t, harness.Options{Prepare: func(install devinstall.Installation) {
		own.trusted(install)
		own.issue(install, "expired", devpki.GatewayName, time.Now().Add(-time.Hour))
		own.issue(install, "listed", devpki.GatewayName, time.Now().Add(time.Hour))
		own.issue(install, "stranger", "urn:ddcc-gateway:gateway:2", time.Now().Add(time.Hour))
		other.issue(install, "foreign", devpki.GatewayName, time.Now().Add(time.Hour))
	}})
	if err := connect(t, s, "listed"); err != nil {
		t.Fatalf("a listed name from a second CA of the signer is refused: %v", err)
	}
	for file, want := range map[string]struct {
		reason tlsconf.Reason
		actor  string
	}{
		"":         {tlsconf.ReasonNoCertificate, ""},
		"expired":  {tlsconf.ReasonExpired, ""},
		"foreign":  {tlsconf.ReasonUnknownAuthority, ""},
		"stranger": {tlsconf.ReasonNameNotListed, "urn:ddcc-gateway:gateway:2"},
		"issuer":   {tlsconf.ReasonNameNotListed, devpki.IssuerName},
	} {
		if err := connect(t, s, file); err == nil {
			t.Errorf("%q: the signer answered", file)
		}
		fingerprint := ""
		if file != "" {
			block, _ := pem.Decode(read(t, s.Install.Path("tls", file+".pem")))
			sum := sha256.Sum256(block.Bytes)
			fingerprint = hex.EncodeToString(sum[:])
		}
		waitAudit(t, s, file, func(e auditEntry) bool {
			return e.Action == "connection.refused" && e.Reason == string(want.reason) && e.Actor == want.actor &&
				e.Subject == fingerprint && e.Outcome == "failure" && e.Attributes["remote"] == "127.0.0.1"
		})
	}
	s.Stop()
	checkAuditLog(t, s)
}

// connect asks the signer for its readiness over one connection, which no library
// repeats.
func connect(t *testing.T, s *harness.System, file string) error {
	t.Helper()
	config := s.Client(file).Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName, config.NextProtos = "localhost", []string{"http/1.1"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.SignerAddress)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1)) // a client of TLS 1.3 hears of its refusal here
	return err
}

// TestRefusedRequestsAreAudited: an operator gets no certificate, a gateway no key
// operation, and both attempts stand in the log.
func TestRefusedRequestsAreAudited(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	const id = "0b0f3c52-6a53-4b0e-a1a5-4f1f3f3f8c12"
	intent := harness.JSON(t, map[string]any{
		"id": id, "profile": "who-ddcc-vs", "issuer": "demo-clinic",
		"claims": map[string]any{"ddcc": map[string]any{
			"name": "Ngozi Specimen", "certificate": map[string]any{"issuer": map[string]any{"code": "x"}, "hcid": "x", "version": "x"},
		}},
	})
	document := harness.JSON(t, map[string]any{"id": id, "document": map[string]any{}})
	for _, tc := range []struct{ client, method, path, body, actor, action, reason string }{
		{"operator-1", http.MethodPost, "/v1/certificates", string(intent), devpki.Operator1Name, "certificate.refused", "caller-not-allowed"},
		{"operator-1", http.MethodPost, "/v1/documents", string(document), devpki.Operator1Name, "document.refused", "caller-not-allowed"},
		{"operator-2", http.MethodDelete, "/v1/certificates/" + id, "", devpki.Operator2Name, "certificate.refused", "caller-not-allowed"},
		{"gateway", http.MethodGet, "/v1/register", "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodGet, "/v1/operations", "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodPost, "/v1/operations", `{"kind":"resume"}`, devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodGet, "/v1/operations/" + id, "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodDelete, "/v1/operations/" + id, "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodPost, "/v1/operations/" + id + "/approval", "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodGet, "/v1/stop", "", devpki.GatewayName, "operation.refused", "not-an-operator"},
		{"gateway", http.MethodPost, "/v1/stop", `{"reason":"drill"}`, devpki.GatewayName, "operation.refused", "not-an-operator"},
	} {
		before := len(auditLog(t, s))
		a := callSigner(t, s, tc.client, tc.method, tc.path, "application/json", []byte(tc.body))
		if a.Status != http.StatusForbidden || !bytes.Contains(a.Body, []byte(tc.reason)) {
			t.Errorf("%s %s as %s: %d %s", tc.method, tc.path, tc.client, a.Status, a.Body)
		}
		waitAudit(t, s, tc.method+" "+tc.path, func(e auditEntry) bool {
			return e.Seq > before && e.Action == tc.action && e.Actor == tc.actor && strings.Contains(e.Reason, tc.reason)
		})
	}
	if stop, err := operator(t, s, 1).StopState(t.Context()); err != nil || stop.Stopped {
		t.Errorf("a gateway stopped the signer: %+v, %v", stop, err)
	}
	s.Stop()
	checkAuditLog(t, s)
}

// callSigner sends one request to the signer with a certificate of the installation.
func callSigner(t *testing.T, s *harness.System, certificate, method, path, media string, body []byte) harness.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.SignerAddress+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", media)
	}
	a, err := harness.Do(s.Client(certificate), req)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, s.Logs())
	}
	return a
}
