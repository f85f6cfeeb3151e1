// Package trusttest makes throw-away certificates and signed trust lists for tests. Nothing
// else imports it.
package trusttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// Start is when test certificates begin to be valid. A CSCA is valid for four years, a
// DSC for two.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Object identifiers of extended key usages, arc 1.3.6.1.4.1.1847.2021.1.
var (
	TestOID        = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1}
	VaccinationOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}
	RecoveryOID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 3}
)

// Pair is a certificate with its private key.
type Pair struct {
	Key  crypto.Signer
	Cert *x509.Certificate
}

// Change alters a template before it is signed.
type Change func(*x509.Certificate)

// URI makes a Change that names a URL as subject alternative name.
func URI(t testing.TB, address string) Change {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) { c.URIs = []*url.URL{parsed} }
}

// EKU makes a Change that restricts a DSC.
func EKU(oids ...asn1.ObjectIdentifier) Change {
	return func(c *x509.Certificate) { c.UnknownExtKeyUsage = oids }
}

// Validity makes a Change of both dates.
func Validity(from, until time.Time) Change {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}

// CSCA makes an authority of country XX.
func CSCA(t testing.TB, changes ...Change) Pair {
	t.Helper()
	template := &x509.Certificate{
		Subject:   name("Test CSCA"),
		NotBefore: Start, NotAfter: Start.AddDate(4, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:     true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	return issue(t, template, nil, newKey(t), changes)
}

// DSC makes a document signer certificate with a new P-256 key.
func (ca Pair) DSC(t testing.TB, changes ...Change) Pair {
	t.Helper()
	return ca.DSCFor(t, newKey(t), changes...)
}

// DSCFor makes a document signer certificate for a key.
func (ca Pair) DSCFor(t testing.TB, key crypto.Signer, changes ...Change) Pair {
	t.Helper()
	template := &x509.Certificate{
		Subject:   name("Test DSC"),
		NotBefore: Start, NotAfter: Start.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	return issue(t, template, &ca, key, changes)
}

// Entry is the trust list entry of a DSC of this authority.
func (ca Pair) Entry(dsc Pair, usages ...trust.Usage) trust.Entry {
	return trust.Entry{KID: trust.KID(dsc.Cert), Usages: usages, DSC: dsc.Cert, CSCA: ca.Cert}
}

// List makes a list and fails the test if an entry is refused.
func List(t testing.TB, entries ...trust.Entry) *trust.List {
	t.Helper()
	list, refusals := trust.NewList(entries, trust.Options{})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	return list
}

func name(common string) pkix.Name {
	return pkix.Name{Country: []string{"XX"}, Organization: []string{"Specimen authority"}, CommonName: common}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t testing.TB, template *x509.Certificate, ca *Pair, key crypto.Signer, changes []Change) Pair {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	for _, change := range changes {
		change(template)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{Key: key, Cert: certificate}
}
