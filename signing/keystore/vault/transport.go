package vault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

// maxAnswer bounds one answer: 256 signatures take about 40 KiB.
const maxAnswer = 1 << 20

// maxFile bounds the CA file, the Kubernetes token and public keys.
const maxFile = 1 << 20

var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

// newHTTP gives the one HTTP client of a store. HTTP/1.1 with a connection for each request
// in flight: measured against a real Vault, HTTP/2 over one connection makes 15 to 45 % fewer
// single signatures and as many in large batches.
func newHTTP(c Config, report func(error)) (*http.Client, error) {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: c.Timeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: c.Timeout,
		MaxIdleConns:        c.MaxInFlight,
		MaxIdleConnsPerHost: c.MaxInFlight,
		MaxConnsPerHost:     2 * c.MaxInFlight,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	if strings.HasPrefix(c.Address, "https:") {
		config, err := clientTLS(c, report)
		if err != nil {
			return nil, err
		}
		config.NextProtos = []string{"http/1.1"}
		transport.TLSClientConfig = config
	}
	return &http.Client{
		Transport:     limited{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func clientTLS(c Config, report func(error)) (*tls.Config, error) {
	if c.Auth == AuthCert {
		return tlsconf.NewClient(tlsconf.ClientOptions{
			Files: tlsconf.ClientFiles{Identity: c.Client, CA: c.CA, ServerName: c.ServerName}, Report: report,
		})
	}
	pem, err := config.ReadFile(c.CA, maxFile)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca: the file holds no PEM certificate; give the CA certificates that sign Vault's")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: c.ServerName}, nil
}

// limited bounds the bodies of answers.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

type limitedBody struct {
	io.ReadCloser
	left int
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// newClient gives a client of the library that has nothing from the environment: neither
// its token, its namespace, its headers nor its wrapping.
func newClient(c Config, httpClient *http.Client) (*api.Client, error) {
	client, err := api.NewClient(&api.Config{
		Address: c.Address, HttpClient: httpClient, DisableRedirects: true,
		// Retries are this package's business; one second is the library's floor.
		MaxRetries: 0, MinRetryWait: time.Second, MaxRetryWait: time.Second,
	})
	if err != nil {
		// The library reads its variables before anything else and fails on one that it
		// cannot read, though nothing of them would be used.
		return nil, fmt.Errorf("the environment holds %s, which the Vault library cannot read; unset them", strings.Join(variables(), ", "))
	}
	client.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	client.ClearToken()
	client.SetWrappingLookupFunc(func(string, string) string { return "" })
	if namespace := strings.Trim(c.Namespace, "/"); namespace != "" {
		client.SetNamespace(namespace)
	}
	return client, nil
}

// variables names the VAULT_ variables of the environment, without their values.
func variables() []string {
	var names []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "VAULT_") {
			names = append(names, name)
		}
	}
	return names
}
