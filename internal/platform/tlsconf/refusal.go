package tlsconf

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Reason says why a server refused a client. The set is closed.
type Reason string

// The reasons. Where several rules are broken, the first that crypto/x509 finds counts: an
// expired certificate of another CA is expired.
const (
	ReasonNoCertificate    Reason = "no-certificate"
	ReasonExpired          Reason = "expired"           // the client's certificate or one above it
	ReasonNotYetValid      Reason = "not-yet-valid"     // as above
	ReasonUnknownAuthority Reason = "unknown-authority" // no chain to a client CA
	ReasonNameNotListed    Reason = "name-not-listed"   // ServerOptions.Verify said no
	ReasonBadCertificate   Reason = "bad-certificate"   // unreadable, wrong usage, no proof of the key, broken constraint
)

// Refusal is what a server knows about a client it refused. The client only showed the
// certificate; it did not prove that it has the key.
type Refusal struct {
	Reason      Reason
	Name        string // PeerName, if a client CA vouches for it: ReasonNameNotListed alone; else empty
	Fingerprint string // hex SHA-256 of the client's certificate; empty when there is none to read
	Remote      string // host of the client, without its port
}

// maxName bounds the name in a Refusal, in bytes.
const maxName = 256

// OnRefused gives a hook for http.Server.ConnState that reports each client whose
// certificate the handshake refused. It looks at finished handshakes alone, so that it
// has no part in the decision. report is called on the goroutine of the connection, which
// is closed by then, and must be safe for concurrent use. A nil now means time.Now.
func OnRefused(now func() time.Time, report func(Refusal)) func(net.Conn, http.ConnState) {
	now = clock(now)
	return func(conn net.Conn, state http.ConnState) {
		if state != http.StateClosed {
			return
		}
		if c, ok := conn.(*tls.Conn); ok {
			if refusal, refused := RefusalOf(c, now()); refused {
				report(refusal)
			}
		}
	}
}

// RefusalOf tells whether and why the handshake of a server's connection failed over the
// client's certificate. The handshake must have ended. Other failures (not TLS, another
// version, a client that hung up) are no refusals.
func RefusalOf(conn *tls.Conn, now time.Time) (Refusal, bool) {
	err := conn.HandshakeContext(context.Background()) // a finished handshake gives its result again
	if err == nil {
		return Refusal{}, false
	}
	state := conn.ConnectionState()
	reason, leaf, ok := reasonOf(err, state.PeerCertificates, now)
	if !ok {
		return Refusal{}, false
	}
	r := Refusal{Reason: reason, Remote: host(conn.RemoteAddr())}
	if leaf != nil {
		sum := sha256.Sum256(leaf.Raw)
		r.Fingerprint = hex.EncodeToString(sum[:])
	}
	if peer, verified := VerifiedPeer(state); verified && reason == ReasonNameNotListed {
		r.Name = shown(PeerName(peer))
	}
	return r, true
}

// peerError marks what ServerOptions.Verify said, so that it is told from the errors of
// the connection.
type peerError struct{ cause error }

func (e *peerError) Error() string { return e.cause.Error() }
func (e *peerError) Unwrap() error { return e.cause }

func marked(verify func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	if verify == nil {
		return nil
	}
	return func(cs tls.ConnectionState) error {
		if err := verify(cs); err != nil {
			return &peerError{err}
		}
		return nil
	}
}

func reasonOf(err error, presented []*x509.Certificate, now time.Time) (Reason, *x509.Certificate, bool) {
	var leaf *x509.Certificate
	if len(presented) > 0 {
		leaf = presented[0]
	}
	var own *peerError
	if errors.As(err, &own) {
		if leaf == nil {
			return ReasonNoCertificate, nil, true
		}
		return ReasonNameNotListed, leaf, true
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		if leaf == nil && len(verification.UnverifiedCertificates) > 0 {
			leaf = verification.UnverifiedCertificates[0]
		}
		return reasonOfChain(verification.Err, now), leaf, true
	}
	reason, ok := reasonOfText(err.Error())
	return reason, leaf, ok
}

func reasonOfChain(err error, now time.Time) Reason {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return ReasonUnknownAuthority
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if invalid.Cert != nil && now.Before(invalid.Cert.NotBefore) {
			return ReasonNotYetValid
		}
		return ReasonExpired
	}
	return ReasonBadCertificate
}

// reasonOfText knows the refusals for which crypto/tls has no type. The tests make each
// of them, so that a new wording does not go unseen.
func reasonOfText(text string) (Reason, bool) {
	if strings.HasPrefix(text, "tls: client didn't provide a certificate") {
		return ReasonNoCertificate, true
	}
	for _, prefix := range [...]string{
		"tls: failed to parse client certificate",
		"tls: client sent certificate",
		"tls: client certificate",
		"tls: invalid signature by the client certificate",
	} {
		if strings.HasPrefix(text, prefix) {
			return ReasonBadCertificate, true
		}
	}
	return "", false
}

// shown makes a name fit for logs.
func shown(name string) string {
	name = strings.ToValidUTF8(name, "?")
	if len(name) <= maxName {
		return name
	}
	cut := maxName
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}

func host(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	h, _, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "" // a socket without hosts
	}
	return h
}
