package dgcgateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
)

// Config of a Client.
type Config struct {
	URL     string              // https, with the path of the gateway if it has one
	Country string              // ISO 3166-1 alpha-2 of the authority
	CSCAs   []*x509.Certificate // that issue the DSCs to upload
	TLS     pinned.Options      // CAs, pins and client certificate are required
	Timeout time.Duration       // of one attempt

	Attempts int                                              // of one call; 0: 4
	Now      func() time.Time                                 // the clock
	Sleep    func(ctx context.Context, d time.Duration) error // between attempts; nil: a timer
}

// Client is safe for concurrent use.
type Client struct {
	config Config
	base   string
	http   *http.Client
}

const defaultAttempts = 4

// New checks the settings. It does not speak to the gateway yet.
func New(config Config) (*Client, error) {
	address, err := url.Parse(config.URL)
	switch {
	case err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil || address.RawQuery != "" || address.Fragment != "":
		return nil, errors.New("dgcgateway: the address of the gateway must be https://host/path without user, query and fragment")
	case !isCountry(config.Country):
		return nil, errors.New("dgcgateway: the country must be two capital letters")
	case len(config.CSCAs) == 0:
		return nil, errors.New("dgcgateway: the CSCAs that issue the document signer certificates are required")
	case len(config.TLS.Pins) == 0 || config.TLS.ClientCertificate == nil:
		return nil, errors.New("dgcgateway: a client certificate and at least one pin of the gateway's key are required")
	case config.Timeout <= 0 || config.Now == nil || config.Attempts < 0:
		return nil, errors.New("dgcgateway: a positive timeout and a clock are required")
	}
	if config.Attempts == 0 {
		config.Attempts = defaultAttempts
	}
	if config.Sleep == nil {
		config.Sleep = task.Sleep
	}
	config.TLS.ClientCertificate = validOnly(config.TLS.ClientCertificate, config.Now)
	config.TLS.Now = config.Now
	transport, err := pinned.NewTransport(config.TLS)
	if err != nil {
		return nil, err
	}
	return &Client{
		config: config, base: strings.TrimSuffix(address.String(), "/"),
		http: &http.Client{Transport: transport, CheckRedirect: pinned.NoRedirect},
	}, nil
}

func isCountry(code string) bool {
	return len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z'
}

var errOwnCertificate = errors.New("dgcgateway: the own TLS client certificate is missing, not yet valid or expired")

// validOnly refuses to connect with a client certificate that the gateway will refuse: its
// alert may get lost, this error does not.
func validOnly(get func() (*tls.Certificate, error), now func() time.Time) func() (*tls.Certificate, error) {
	return func() (*tls.Certificate, error) {
		certificate, err := get()
		if err != nil {
			return nil, err
		}
		if certificate == nil || len(certificate.Certificate) == 0 {
			return nil, errOwnCertificate
		}
		leaf, err := x509.ParseCertificate(certificate.Certificate[0])
		if err != nil || now().Before(leaf.NotBefore) || now().After(leaf.NotAfter) {
			return nil, errOwnCertificate
		}
		return certificate, nil
	}
}

// Outcome of a call that succeeded.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created" // by this call
	Present Outcome = "present" // it was there before
	Deleted Outcome = "deleted" // by this call
	Absent  Outcome = "absent"  // it was gone before
)

// Upload puts a DSC on the gateway's list. The message is the CMS of the signer: DER, with
// the certificate as content.
func (c *Client) Upload(ctx context.Context, dsc *x509.Certificate, message []byte) (Outcome, error) {
	if err := c.check(dsc, message, true); err != nil {
		return "", err
	}
	answer, err := c.call(ctx, http.MethodPost, "/signerCertificate", message, maxProblem)
	switch {
	case err != nil:
		return "", err
	case answer.status == http.StatusCreated:
		return Created, nil
	case answer.status == http.StatusConflict && answer.code == codeExists:
		return Present, nil
	}
	return "", answer.fault()
}

// Delete withdraws a DSC, which makes every certificate it signed invalid abroad. The
// message is the same as for the upload.
func (c *Client) Delete(ctx context.Context, dsc *x509.Certificate, message []byte) (Outcome, error) {
	if err := c.check(dsc, message, false); err != nil {
		return "", err
	}
	// The other form, DELETE with a body, does not survive every proxy.
	answer, err := c.call(ctx, http.MethodPost, "/signerCertificate/delete", message, maxProblem)
	switch {
	case err != nil:
		return "", err
	case answer.status == http.StatusNoContent:
		return Deleted, nil
	case answer.status == http.StatusNotFound && (answer.code == codeMissing || answer.code == codeDeleteFailed):
		return Absent, nil
	}
	return "", answer.fault()
}

// TrustList downloads the whole list as JSON, for a source of foreign.FormatGateway.
// Nothing of it is authenticated yet.
func (c *Client) TrustList(ctx context.Context) ([]byte, error) {
	return c.get(ctx, "/trustList")
}

// Fetch is TrustList: with it, the client is a foreign.Fetcher.
func (c *Client) Fetch(ctx context.Context) ([]byte, error) { return c.TrustList(ctx) }

// Pinned is always true.
func (c *Client) Pinned() bool { return true }

var _ foreign.Fetcher = (*Client)(nil)

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	answer, err := c.call(ctx, http.MethodGet, path, nil, foreign.MaxBytes)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, answer.fault()
	}
	return answer.body, nil
}

// Listed gives the SHA-256 thumbprints of the own country's DSCs on the gateway. They tell
// what need not be uploaded and are no base for trust.
func (c *Client) Listed(ctx context.Context) (map[[sha256.Size]byte]bool, error) {
	raw, err := c.get(ctx, "/trustList/DSC/"+c.config.Country)
	if err != nil {
		return nil, err
	}
	var entries []struct {
		RawData string `json:"rawData"`
	}
	if err := json.Unmarshal(raw, &entries); err != nil || len(entries) > foreign.MaxEntries {
		return nil, errAnswer.Because(err)
	}
	listed := make(map[[sha256.Size]byte]bool, len(entries))
	for _, entry := range entries {
		if der, err := base64.StdEncoding.DecodeString(entry.RawData); err == nil {
			listed[sha256.Sum256(der)] = true
		}
	}
	return listed, nil
}

// Waiting between attempts.
const (
	firstWait = 500 * time.Millisecond // doubled each time
	longest   = time.Minute            // a gateway that asks for more ends the call
)

// call repeats what may work at the next attempt. All calls may be repeated: after an
// upload whose answer was lost, the next one is told that the certificate exists.
func (c *Client) call(ctx context.Context, method, path string, message []byte, limit int64) (answer, error) {
	wait := firstWait
	for attempt := 1; ; attempt++ {
		got, err := c.send(ctx, method, path, message, limit)
		again, after := false, time.Duration(0)
		if err != nil {
			again = fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.Timeout
		} else {
			again, after = got.retryable()
		}
		if !again || attempt >= c.config.Attempts || after > longest || ctx.Err() != nil {
			return got, err
		}
		if c.config.Sleep(ctx, max(wait, after)) != nil {
			return got, err
		}
		wait *= 2
	}
}

func (c *Client) send(ctx context.Context, method, path string, message []byte, limit int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	body := []byte(base64.StdEncoding.EncodeToString(message))
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, errAway.Because(err)
	}
	if message != nil {
		request.Header.Set("Content-Type", "application/cms")
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, connectionFault(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= 400 {
		limit = maxProblem
	}
	raw, err := pinned.ReadAll(response.Body, limit)
	switch {
	case errors.Is(err, pinned.ErrTooLarge):
		return answer{}, errAnswer.Because(err)
	case err != nil:
		return answer{}, connectionFault(err)
	}
	return newAnswer(response, raw, c.config.Now()), nil
}

// connectionFault tells a gateway that is away from one that is not the right one.
func connectionFault(err error) error {
	var verification *tls.CertificateVerificationError
	var remote *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errOwnCertificate):
		return errClient.Because(err)
	case errors.Is(err, pinned.ErrPin) || errors.As(err, &verification):
		return errIdentity.Because(err)
	case errors.As(err, &remote) && remote.Op == "remote error": // a TLS alert of the gateway
		return errClient.Because(err)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout.Because(err)
	}
	return errAway.Because(err)
}

// ownCSCAs are those whose subject is the issuer of the DSC.
func (c *Client) ownCSCAs(dsc *x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(c.config.CSCAs), func(csca *x509.Certificate) bool {
		return !bytes.Equal(csca.RawSubject, dsc.RawIssuer)
	})
}
