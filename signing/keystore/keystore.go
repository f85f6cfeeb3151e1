// Package keystore names what the signing service needs from whatever holds its keys.
//
// A key store owns private keys and never hands one out: callers get a crypto.Signer.
// Every key comes with its document signer certificate (DSC) and the country signing
// certificate (CSCA) that issued it, so that a signature can be checked before it leaves.
package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

// Usage says what a key may sign. One DSC serves one usage.
type Usage string

// The usages of this release.
const (
	UsageVaccination Usage = "vaccination"
	UsageTest        Usage = "test"
	UsageDocument    Usage = "document"
)

// Usages lists them in a fixed order.
func Usages() []Usage { return []Usage{UsageVaccination, UsageTest, UsageDocument} }

// Extended key usages that restrict a DSC to one kind of HCERT content (HCERT
// specification, arc 1.3.6.1.4.1.1847.2021.1).
var (
	oidTest        = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1}
	oidVaccination = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}
)

// ExtendedKeyUsage gives the OID a DSC of this usage carries; ok is false where the
// governance table asks for none (documents).
func (u Usage) ExtendedKeyUsage() (oid asn1.ObjectIdentifier, ok bool) {
	switch u {
	case UsageVaccination:
		return oidVaccination, true
	case UsageTest:
		return oidTest, true
	default:
		return nil, false
	}
}

// ErrNoKey reports a usage without an active key.
var ErrNoKey = errors.New("keystore: no active key for this usage")

// Key is one signing key with its certificates.
type Key struct {
	Usage       Usage
	Label       string
	KID         []byte            // first 8 bytes of SHA-256 of Certificate.Raw
	Certificate *x509.Certificate // DSC
	Issuer      *x509.Certificate // CSCA
	Signer      crypto.Signer     // nil in a listing of public keys
}
