// Package client calls the signing service over mutual TLS.
//
// Every call is safe to repeat, because intents are idempotent by id; a call whose
// connection broke is repeated once. A service that cannot be reached is
// fault.Unavailable; its own refusals come back as the faults it stated.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20 // a statement with its revocation lists

// Client is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New makes a client for the service at base ("https://host:port"). The transport carries
// the client certificate and the service's CA; every call is bounded by timeout.
func New(base string, transport http.RoundTripper, timeout time.Duration) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, errors.New("signing client: the signer's address must be https://host:port")
	}
	if transport == nil || timeout <= 0 {
		return nil, errors.New("signing client: transport and timeout are required")
	}
	return &Client{base: u.Scheme + "://" + u.Host, http: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

var errAway = fault.New(fault.Unavailable, "signer-unavailable", "The signing service cannot be reached at the moment.").Retry(5 * time.Second)

// Issue asks for the certificate of an intent.
func (c *Client) Issue(ctx context.Context, in signing.Intent) (signing.Certificate, error) {
	var out signing.Certificate
	err := c.call(ctx, http.MethodPost, "/v1/certificates", in, &out)
	return out, err
}

// SignDocument asks for the signature of an intent's document.
func (c *Client) SignDocument(ctx context.Context, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	var out signing.DocumentSignature
	err := c.call(ctx, http.MethodPost, "/v1/documents", in, &out)
	return out, err
}

// Cancel gives an intent up.
func (c *Client) Cancel(ctx context.Context, id string) (signing.Cancellation, error) {
	var out signing.Cancellation
	err := c.call(ctx, http.MethodDelete, "/v1/certificates/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Statement gives what the service says about its keys, signed by it.
func (c *Client) Statement(ctx context.Context) (signing.TrustStatement, error) {
	var out signing.TrustStatement
	err := c.call(ctx, http.MethodGet, "/v1/trust", nil, &out)
	return out, err
}

// Uploads gives the service's certificates, signed for a national or WHO gateway.
func (c *Client) Uploads(ctx context.Context) ([]signing.Upload, error) {
	var out []signing.Upload
	err := c.call(ctx, http.MethodGet, "/v1/uploads", nil, &out)
	return out, err
}

// Ready asks whether the service would sign now.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return err
	}
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp, maxAnswer, out)
}

// send repeats a call once whose connection broke; a timeout is final, so that every call
// ends within its bound.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		resp, err := c.sendOnce(ctx, method, path, body)
		if err == nil {
			return resp, nil
		}
		var timeout interface{ Timeout() bool }
		if attempt > 0 || ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
			return nil, errAway.Because(err)
		}
	}
}

func (c *Client) sendOnce(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if id := telemetry.CorrelationID(ctx); id != "" {
		req.Header.Set(httpx.CorrelationHeader, id)
	}
	return c.http.Do(req)
}

// encode makes the body of a call; nil without one.
func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fault.From(err)
	}
	return body, nil
}

// read takes an answer of at most limit bytes; out may be nil.
func read(resp *http.Response, limit int64, out any) error {
	if resp.StatusCode != http.StatusOK {
		return httpx.ReadProblem(resp)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return errAway.Because(err)
	case int64(len(raw)) > limit:
		return fault.Newf(fault.Upstream, "signer-answer-size", "The answer of the signing service is larger than the %d MiB that are read.", limit>>20)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fault.New(fault.Upstream, "signer-answer", "The signing service gave an answer that cannot be read.")
	}
	return nil
}

// Transport is what a client needs for many concurrent calls to one service.
func Transport(config *tls.Config) *http.Transport {
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	return &http.Transport{
		TLSClientConfig:     config,
		MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
	}
}
