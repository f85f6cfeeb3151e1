package openhim

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// Bounds of the trust settings.
const (
	maxCA   = 1 << 20 // bytes of a CA file
	maxPins = 4       // the present certificate and the next ones
)

// Trust says how the certificate of the management API is known: by its CAs, or, since the
// one a core is delivered with has no name to check, by the SHA-256 of the certificate.
type Trust struct {
	CA   string   // PEM file
	Pins []string // hex, with or without colons
}

// Validate checks what needs no file.
func (t Trust) Validate() error {
	if (t.CA == "") == (len(t.Pins) == 0) {
		return errors.New("either a CA file or pins of the certificate are needed")
	}
	_, err := t.pins()
	return err
}

// TLS gives the client settings. There is no way to check nothing. TLS 1.3 is the lowest
// version.
func (t Trust) TLS(now func() time.Time) (*tls.Config, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS13, Time: now}
	if t.CA == "" {
		pins, _ := t.pins()         // Validate has seen them
		c.InsecureSkipVerify = true // the pin takes the place of chain and name
		c.VerifyConnection = func(state tls.ConnectionState) error { return pinned(state, pins, now()) }
		return c, nil
	}
	pem, err := config.ReadFile(t.CA, maxCA)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: holds no PEM certificate", t.CA)
	}
	return c, nil
}

func (t Trust) pins() ([][]byte, error) {
	if len(t.Pins) > maxPins {
		return nil, fmt.Errorf("at most %d pins are taken", maxPins)
	}
	pins := make([][]byte, len(t.Pins))
	for i, text := range t.Pins {
		pin, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		if err != nil || len(pin) != sha256.Size {
			return nil, errors.New("a pin is not the SHA-256 of a certificate in hex")
		}
		pins[i] = pin
	}
	return pins, nil
}

var errPin = errors.New("openhim: the certificate of the management API is not a pinned one, or not valid now")

// pinned admits a certificate by its digest alone. That the peer has its key, the handshake
// has shown.
func pinned(state tls.ConnectionState, pins [][]byte, now time.Time) error {
	if len(state.PeerCertificates) == 0 {
		return errPin
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	found := 0
	for _, pin := range pins {
		found |= subtle.ConstantTimeCompare(sum[:], pin)
	}
	if found == 0 || now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return errPin
	}
	return nil
}
