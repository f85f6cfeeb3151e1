package trusttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// Signer is a trust.ListSigner that holds its key in memory.
type Signer struct {
	Pair
	CA Pair
}

// ListSigner makes a key for trust lists with its certificate.
func (ca Pair) ListSigner(t testing.TB, changes ...Change) Signer {
	t.Helper()
	return Signer{ca.DSC(t, changes...), ca}
}

// Certificate implements trust.ListSigner.
func (s Signer) Certificate() *x509.Certificate { return s.Cert }

// Issuer implements trust.ListSigner.
func (s Signer) Issuer() *x509.Certificate { return s.CA.Cert }

// Sign implements trust.ListSigner.
func (s Signer) Sign(ctx context.Context, digest [sha256.Size]byte) ([64]byte, error) {
	var out [64]byte
	key, ok := s.Key.(*ecdsa.PrivateKey)
	if !ok {
		return out, errors.New("trusttest: not an ECDSA key")
	}
	r, v, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return out, err
	}
	r.FillBytes(out[:32])
	v.FillBytes(out[32:])
	return out, ctx.Err()
}

// PublicKey is a DSC of this authority as claims list it.
func (ca Pair) PublicKey(dsc Pair, usage trust.Usage, state trust.State) trust.PublicKey {
	return trust.PublicKey{
		KID: trust.KID(dsc.Cert), Usage: usage, State: state, ActiveFrom: dsc.Cert.NotBefore, ListedFrom: dsc.Cert.NotBefore,
		Certificate: dsc.Cert.Raw, Issuer: ca.Cert.Raw,
	}
}

// Claims states the keys and the signer's own for one day.
func (s Signer) Claims(at time.Time, keys ...trust.PublicKey) trust.Claims {
	return trust.Claims{
		Country: "XX", IssuedAt: at, NextUpdate: at.Add(24 * time.Hour),
		Keys: append([]trust.PublicKey{s.CA.PublicKey(s.Pair, trust.UsageTrustList, trust.StateActive)}, keys...),
	}
}

// DID is a DID for tests.
var DID = trust.DID{ID: "did:web:trust.example:v2:trustlist:DCC:XXA:DSC", Domain: "DCC", Participant: "XXA"}

// Statement signs claims in both forms and fails the test if they are refused.
func (s Signer) Statement(t testing.TB, claims trust.Claims) trust.Signed {
	t.Helper()
	signed, err := trust.Sign(t.Context(), claims, DID, s)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// CRL makes a revocation list of this authority, as DER.
func (ca Pair) CRL(t testing.TB, at time.Time, revoked ...Pair) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.AddDate(0, 1, 0)}
	for _, dsc := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: dsc.Cert.SerialNumber, RevocationTime: at})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Source is a trust.Source whose answer a test changes. The zero value is down.
type Source struct {
	mu     sync.Mutex
	signed trust.Signed
	err    error
	calls  int
}

// Answer sets what is given from now on.
func (s *Source) Answer(signed trust.Signed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed, s.err = signed, err
}

// Calls says how often the source was asked.
func (s *Source) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Statement implements trust.Source.
func (s *Source) Statement(ctx context.Context) (trust.Signed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err == nil && s.signed.JWS == nil {
		return trust.Signed{}, errors.New("trusttest: the source is down")
	}
	return s.signed, errors.Join(s.err, ctx.Err())
}
