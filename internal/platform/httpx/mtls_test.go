package httpx_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

func writeIdentity(t *testing.T, cert tls.Certificate) tlsconf.Identity {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	id := tlsconf.Identity{Cert: filepath.Join(dir, "cert.pem"), Key: config.SecretFile(filepath.Join(dir, "key.pem"))}
	for path, block := range map[string]*pem.Block{
		id.Cert:        {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		string(id.Key): {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// The server, the TLS settings and the principal together, over HTTP/2.
func TestMutualTLSEndToEnd(t *testing.T) {
	t.Parallel()
	const name = "spiffe://ministry.example/issuance"
	server := writeIdentity(t, selfSigned(t, "", "spiffe://ministry.example/signer"))
	client := writeIdentity(t, selfSigned(t, "", name))
	serverConf, err := tlsconf.NewServer(tlsconf.ServerOptions{
		Files:  tlsconf.ServerFiles{Identity: server, ClientCA: client.Cert},
		Verify: tlsconf.VerifyPeerName([]string{name}),
	})
	if err != nil {
		t.Fatal(err)
	}
	clientConf, err := tlsconf.NewClient(tlsconf.ClientOptions{Files: tlsconf.ClientFiles{Identity: client, CA: server.Cert}})
	if err != nil {
		t.Fatal(err)
	}

	e, lines := newEngine(t, nil)
	e.GET("/x", func(c *gin.Context) {
		p, _ := httpx.PrincipalOf(c.Request.Context())
		c.String(200, p.Name)
	})
	addr, stop, result, _ := start(t, e, func(o *httpx.ServerOptions) { o.TLS = serverConf })
	transport := &http.Transport{TLSClientConfig: clientConf, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + addr + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != name || resp.ProtoMajor != 2 || resp.TLS.Version != tls.VersionTLS13 {
		t.Errorf("principal %q over HTTP/%d, TLS %x", body, resp.ProtoMajor, resp.TLS.Version)
	}
	stop()
	if err := <-result; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if got := lines.lines(t, "request"); len(got) != 1 || got[0]["principal"] != name {
		t.Errorf("log lines %v", got)
	}
}
