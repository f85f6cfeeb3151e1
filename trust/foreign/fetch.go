package foreign

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
)

// HTTPFetcher gets a document over HTTPS.
type HTTPFetcher struct {
	url    string
	pinned bool
	client *http.Client
}

// HTTPOptions describe where a document is and how the server proves itself.
type HTTPOptions struct {
	URL     string // https
	Timeout time.Duration
	TLS     pinned.Options
}

// NewHTTPFetcher checks the address and makes the transport.
func NewHTTPFetcher(o HTTPOptions) (*HTTPFetcher, error) {
	address, err := url.Parse(o.URL)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil || address.Fragment != "" {
		return nil, errors.New("foreign: the address of a list must be https://host/path without user and fragment")
	}
	if o.Timeout <= 0 {
		return nil, errors.New("foreign: the timeout of a fetch must be positive")
	}
	transport, err := pinned.NewTransport(o.TLS)
	if err != nil {
		return nil, err
	}
	return &HTTPFetcher{
		url: address.String(), pinned: len(o.TLS.Pins) > 0,
		client: &http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: pinned.NoRedirect},
	}, nil
}

// Pinned says whether the server must have a pinned key.
func (f *HTTPFetcher) Pinned() bool { return f.pinned }

var (
	errUnreachable = fault.New(fault.Unavailable, "foreign-list-unreachable", "The foreign trust list cannot be fetched at the moment.")
	errAnswer      = fault.New(fault.Upstream, "foreign-list-answer", "The server of the foreign trust list did not answer with the list.")
)

// Fetch gets the document. Redirects, compression and anything but 200 are refused.
func (f *HTTPFetcher) Fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, errUnreachable.Because(err)
	}
	request.Header.Set("Accept", "application/json, text/csv, */*;q=0.1")
	response, err := f.client.Do(request)
	if err != nil {
		return nil, errUnreachable.Because(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errAnswer.Because(errors.New("HTTP status " + response.Status))
	}
	raw, err := pinned.ReadAll(response.Body, MaxBytes)
	switch {
	case errors.Is(err, pinned.ErrTooLarge):
		return nil, errSize
	case err != nil:
		return nil, errUnreachable.Because(err)
	}
	return raw, nil
}
