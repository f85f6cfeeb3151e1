// Package pinned speaks HTTPS to a server whose key is known beforehand: besides a chain to
// the configured CAs, one certificate of that chain must have a pinned key (RFC 7469 §2.4).
//
// Owner of the transport to gateways and publishers of trust lists. Invariants: no system
// roots unless they are handed in; no proxy and no redirect; TLS 1.2 at least, since
// gateways of other authorities decide about their own version; an empty set of pins pins
// nothing and says so. It must never log or return key material.
package pinned

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// Pin is the SHA-256 of a SubjectPublicKeyInfo.
type Pin [sha256.Size]byte

// PinOf gives the pin of a certificate's key.
func PinOf(certificate *x509.Certificate) Pin {
	return sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
}

// String is the usual form: standard base64 of the digest.
func (p Pin) String() string { return base64.StdEncoding.EncodeToString(p[:]) }

// Errors of this package.
var (
	ErrPin      = errors.New("pinned: no certificate of the server's chain has a pinned key")
	ErrPinForm  = errors.New("pinned: a pin is the base64 of a SHA-256, 44 characters; make one with openssl x509 -pubkey, openssl pkey -pubin -outform DER, openssl dgst -sha256 -binary and base64")
	ErrTooLarge = errors.New("pinned: the answer is larger than the limit")
	ErrRoots    = errors.New("pinned: the CAs that sign the server's certificate are required")
)

// ParsePin reads the form of String; a leading "sha256/" is dropped.
func ParsePin(text string) (Pin, error) {
	const prefix = "sha256/"
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		text = text[len(prefix):]
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return Pin{}, ErrPinForm
	}
	return Pin(raw), nil
}

// Options describe the connections to one server.
type Options struct {
	Roots *x509.CertPool // CAs of the server; required

	// Pins are keys of which one must occur in the verified chain. Give the present and
	// the next key. Pinning the server's own key is strictest; that of its CA survives a
	// new server certificate.
	Pins []Pin

	// ClientCertificate gives the own certificate for mutual TLS; nil: none.
	ClientCertificate func() (*tls.Certificate, error)

	ServerName string           // empty: host of the address
	Now        func() time.Time // nil: time.Now
}

// NewTransport makes a transport for one server.
func NewTransport(o Options) (*http.Transport, error) {
	if o.Roots == nil {
		return nil, ErrRoots
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    o.Roots,
		ServerName: o.ServerName,
		Time:       o.Now,
	}
	if len(o.Pins) > 0 {
		config.VerifyConnection = verifyPins(slices.Clone(o.Pins))
	}
	if o.ClientCertificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return o.ClientCertificate() }
	}
	return &http.Transport{
		TLSClientConfig: config, ForceAttemptHTTP2: true, DisableCompression: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 2,
		MaxResponseHeaderBytes: 64 << 10,
	}, nil
}

// verifyPins is asked after chain and name were verified, for resumed sessions too.
func verifyPins(pins []Pin) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		for _, chain := range state.VerifiedChains {
			for _, certificate := range chain {
				if slices.Contains(pins, PinOf(certificate)) {
					return nil
				}
			}
		}
		return ErrPin
	}
}

// NoRedirect makes a client hand back a redirect instead of following it.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ReadAll reads a body of at most limit bytes.
func ReadAll(body io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, ErrTooLarge
	}
	return raw, nil
}
