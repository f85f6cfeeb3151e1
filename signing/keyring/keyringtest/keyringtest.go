// Package keyringtest has what tests of the key register and of key operations need: a
// CSCA, document signer certificates that pass the lints, a register on them, and a
// document store that fails when told to. Nothing of it is linked into a program.
package keyringtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// Start is when tests begin.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Clock is a time that tests move.
type Clock struct {
	mu  sync.RWMutex
	now time.Time
}

// NewClock gives a clock at Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now is the current time of the test.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

// Set moves the time.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Advance moves the time on.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Authority is a CSCA with a key store for the keys it certifies.
type Authority struct {
	CSCA  *x509.Certificate
	Store *signingtest.Memory
	key   *ecdsa.PrivateKey
}

var subject = governance.Subject{Country: "XX", Organization: "Test Authority", CommonName: "Test CSCA"}

// NewAuthority makes a CSCA that is valid for four years from shortly before Start.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template, err := governance.CSCATemplate(governance.Request{Subject: subject, Public: &key.PublicKey, NotBefore: Start.Add(-time.Hour)})
	check(t, err)
	a := &Authority{Store: signingtest.NewMemory(), key: key}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	a.CSCA, err = x509.ParseCertificate(der)
	check(t, err)
	return a
}

// Key makes a key in the store and registers it from now on: published at once, active as
// soon as the lead time allows.
func (a *Authority) Key(t testing.TB, usage keystore.Usage) signing.Registration {
	t.Helper()
	ref, public, err := a.Store.Create(context.Background(), "dsc-"+string(usage))
	check(t, err)
	return a.Certify(t, usage, ref, public, 0)
}

// Certify issues a certificate for a key; a private use of 0 means that of the profile.
func (a *Authority) Certify(t testing.TB, usage keystore.Usage, ref keystore.Ref, public *ecdsa.PublicKey, use time.Duration) signing.Registration {
	t.Helper()
	dsc := subject
	dsc.CommonName = "Test DSC " + ref.String()
	template, err := governance.Template(usage, governance.Request{
		Subject: dsc, Public: public, NotBefore: Start.Add(-time.Hour), PrivateUse: use,
		IssuerURL: "https://issuer.example", DocumentTypes: []string{governance.DocumentVaccination},
	})
	check(t, err)
	return signing.Registration{
		Usage: string(usage), Label: ref.Label, Version: ref.Version,
		Certificate: a.Issue(t, template, public), Issuer: a.CSCA.Raw,
	}
}

// Issue signs any certificate.
func (a *Authority) Issue(t testing.TB, template *x509.Certificate, public *ecdsa.PublicKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.CSCA, public, a.key)
	check(t, err)
	return der
}

// CRL issues a revocation list that names certificates.
func (a *Authority) CRL(t testing.TB, number int64, now time.Time, revoked ...*x509.Certificate) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(30 * 24 * time.Hour)}
	for _, c := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.CSCA, a.key)
	check(t, err)
	return der
}

// Deps wires a register of this authority with a refresh of a second.
func (a *Authority) Deps(records docstore.Store, clock func() time.Time, lead time.Duration) keyring.Deps {
	return keyring.Deps{
		Records: records, Store: a.Store, Anchors: []*x509.Certificate{a.CSCA}, Lead: lead,
		Lint: func(usage keystore.Usage, certificate, issuer *x509.Certificate) []keyring.Finding {
			var out []keyring.Finding
			for _, f := range governance.Lint(usage, certificate, issuer) {
				out = append(out, keyring.Finding(f))
			}
			return out
		},
		PrivateUse: governance.PrivateUse,
		Clock:      clock, Refresh: time.Second,
	}
}

// Ring opens a register of this authority.
func (a *Authority) Ring(t testing.TB, records docstore.Store, clock *Clock, lead time.Duration) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(context.Background(), a.Deps(records, clock.Now, lead))
	check(t, err)
	return ring
}

// Records opens an empty document store on disk.
func Records(t testing.TB, clock *Clock) docstore.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "register.db"), sqlite.Options{Clock: clock.Now})
	check(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// CRLNaming issues a revocation list with another authority key identifier.
func (a *Authority) CRLNaming(t testing.TB, number int64, now time.Time, authority []byte) []byte {
	t.Helper()
	issuer := *a.CSCA
	issuer.SubjectKeyId = authority
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, &issuer, a.key)
	check(t, err)
	return der
}

// Renewed is another certificate of the CSCA for the same name and key.
func (a *Authority) Renewed(t testing.TB) *x509.Certificate {
	t.Helper()
	template, err := governance.CSCATemplate(governance.Request{Subject: subject, Public: &a.key.PublicKey, NotBefore: Start.Add(-time.Hour)})
	check(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	check(t, err)
	out, err := x509.ParseCertificate(der)
	check(t, err)
	return out
}

// SelfSigned makes a key in the store whose certificate for usage is its own issuer.
func (a *Authority) SelfSigned(t testing.TB, usage keystore.Usage) signing.Registration {
	t.Helper()
	ref, public, err := a.Store.Create(context.Background(), "own-"+string(usage))
	check(t, err)
	own := subject
	own.CommonName = "Test own " + ref.String()
	template, err := governance.Template(usage, governance.Request{
		Subject: own, Public: public, NotBefore: Start.Add(-time.Hour),
		IssuerURL: "https://issuer.example", DocumentTypes: []string{governance.DocumentVaccination},
	})
	check(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, keystore.NewSigner(context.Background(), a.Store, ref, public))
	check(t, err)
	return signing.Registration{Usage: string(usage), Label: ref.Label, Version: ref.Version, Certificate: der, Issuer: der}
}
