package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
)

// ErrPeerNotAllowed reports a verified peer that is not on the list.
var ErrPeerNotAllowed = errors.New("tlsconf: the peer is not on the list of allowed names")

// ErrNoVerifiedPeer reports a connection without a verified certificate of the peer.
var ErrNoVerifiedPeer = errors.New("tlsconf: the peer has no verified certificate")

// VerifiedPeer gives the certificate of the peer whose chain was verified. A
// certificate that was only presented does not count.
func VerifiedPeer(cs tls.ConnectionState) (*x509.Certificate, bool) {
	if len(cs.VerifiedChains) == 0 || len(cs.VerifiedChains[0]) == 0 {
		return nil, false
	}
	return cs.VerifiedChains[0][0], true
}

// PeerName gives the one name of a certificate: its first URI SAN (SPIFFE IDs are
// such), else its first DNS SAN, else its common name, which must not look like a URI:
// with ':' or '/' in it the certificate has no name, because common names often come from
// whoever asks for the certificate. Only one name counts, so that a certificate cannot act
// under several.
func PeerName(cert *x509.Certificate) string {
	switch {
	case len(cert.URIs) > 0:
		return cert.URIs[0].String()
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	case strings.ContainsAny(cert.Subject.CommonName, ":/"):
		return ""
	}
	return cert.Subject.CommonName
}

// VerifyPeerName admits verified peers whose PeerName is on the list, compared
// exactly. An empty list admits nobody.
func VerifyPeerName(names []string) func(tls.ConnectionState) error {
	allowed := make(map[string]bool, len(names))
	for _, n := range names {
		if n != "" {
			allowed[n] = true
		}
	}
	return VerifyPeer(func(name string) bool { return allowed[name] })
}

// VerifyPeer admits verified peers whose PeerName allowed says yes to, asked on every
// handshake: for a list that changes while the process runs. A nameless peer is refused
// without asking.
func VerifyPeer(allowed func(name string) bool) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		cert, ok := VerifiedPeer(cs)
		if !ok {
			return ErrNoVerifiedPeer
		}
		if name := PeerName(cert); name == "" || !allowed(name) {
			return ErrPeerNotAllowed
		}
		return nil
	}
}
