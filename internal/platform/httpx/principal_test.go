package httpx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// selfSigned makes a certificate for 127.0.0.1 that is its own CA.
func selfSigned(t *testing.T, cn, uri string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	tmpl.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	if uri != "" {
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		tmpl.URIs = []*url.URL{u}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestPrincipalComesFromTheVerifiedChainAlone(t *testing.T) {
	t.Parallel()
	const name = "spiffe://ministry.example/clinic"
	cert := selfSigned(t, "clinic", name)
	sum := sha256.Sum256(cert.Certificate[0])
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	tests := map[string]struct {
		auth tls.ClientAuthType
		want string
	}{
		"verified":                   {tls.RequireAndVerifyClientCert, name + " " + hex.EncodeToString(sum[:])},
		"presented but not verified": {tls.RequireAnyClientCert, "nobody"},
		"not asked":                  {tls.NoClientCert, "nobody"},
	}
	for what, tc := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e, lines := newEngine(t, nil)
			e.GET("/x", func(c *gin.Context) {
				if p, ok := httpx.PrincipalOf(c.Request.Context()); ok {
					c.String(200, p.Name+" "+p.Fingerprint)
					return
				}
				c.String(200, "nobody")
			})
			srv := httptest.NewUnstartedServer(e)
			srv.TLS = &tls.Config{ClientAuth: tc.auth, ClientCAs: pool}
			srv.StartTLS()
			defer srv.Close()
			client := srv.Client()
			client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{cert}
			req, _ := http.NewRequest("GET", srv.URL+"/x", nil)
			req.Header.Set("X-Forwarded-Client-Cert", "URI="+name) // never believed
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); string(body) != tc.want {
				t.Errorf("principal %q, want %q", body, tc.want)
			}
			srv.Close() // waits for the log line
			logged := lines.lines(t, "request")[0]["principal"]
			if (logged == name) != (tc.want != "nobody") {
				t.Errorf("log line names %v", logged)
			}
		})
	}
}

func TestPrincipalNames(t *testing.T) {
	t.Parallel()
	uri, _ := url.Parse("spiffe://ministry.example/a")
	tests := map[string]struct {
		cert *x509.Certificate
		want string
	}{
		"URI first":               {&x509.Certificate{URIs: []*url.URL{uri}, DNSNames: []string{"d"}, Subject: pkix.Name{CommonName: "c"}}, uri.String()},
		"DNS second":              {&x509.Certificate{DNSNames: []string{"d"}, Subject: pkix.Name{CommonName: "c"}}, "d"},
		"common name":             {&x509.Certificate{Subject: pkix.Name{CommonName: "c"}}, "c"},
		"common name like a URI":  {&x509.Certificate{Subject: pkix.Name{CommonName: "urn:ministry:operator:1"}}, ""},
		"common name like a path": {&x509.Certificate{Subject: pkix.Name{CommonName: "//ministry.example/a"}}, ""},
		"nameless":                {&x509.Certificate{}, ""},
	}
	for name, tc := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{tc.cert}}}
		tc.cert.NotAfter = time.Now().Add(time.Hour)
		if p, ok := httpx.PeerFrom(r); p.Name != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %+v %v", name, p, ok)
		}
		tc.cert.NotAfter = time.Now().Add(-time.Second)
		if p, ok := httpx.PeerFrom(r); ok {
			t.Errorf("%s: the connection outlives the certificate: %+v", name, p)
		}
	}
	if _, ok := httpx.PeerFrom(httptest.NewRequest("GET", "/", nil)); ok {
		t.Error("a plain connection has a principal")
	}
}
