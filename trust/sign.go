package trust

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// ListSigner is the key that signs trust lists, held by the signing service. It is handed
// digests of what this package has built and nothing else.
type ListSigner interface {
	// Certificate is the DSC of the key.
	Certificate() *x509.Certificate
	// Issuer is the CSCA that issued it.
	Issuer() *x509.Certificate
	// Sign gives the ES256 signature of a SHA-256 digest as r and s, 32 bytes each
	// (RFC 7518 §3.4).
	Sign(ctx context.Context, digest [sha256.Size]byte) ([2 * scalarSize]byte, error)
}

// scalarSize is the length of a number modulo the order of P-256, in bytes.
const scalarSize = 32

// Signed is a statement as it travels from the signing service to those who publish it.
type Signed struct {
	JWS []byte // of SignStatement
	DID []byte // of SignDID; none when no DID is configured
}

// Sign states the claims in both signed forms; a DID without ID leaves the second out.
func Sign(ctx context.Context, claims Claims, did DID, signer ListSigner) (Signed, error) {
	list, err := NewStatement(claims)
	if err != nil {
		return Signed{}, err
	}
	var signed Signed
	if signed.JWS, err = SignStatement(ctx, list, signer); err != nil {
		return Signed{}, err
	}
	if did.ID == "" {
		return signed, nil
	}
	signed.DID, err = SignDID(ctx, list, did, signer)
	return signed, err
}

// signerEntry finds the signer's key on the list and checks that it may sign it: the list
// names it as an active key for trust lists, which is one for nothing else and on P-256, and
// both certificates outlive the list.
func signerEntry(list TrustList, certificate, issuer *x509.Certificate) (Entry, error) {
	if certificate == nil || issuer == nil {
		return Entry{}, errors.New("the signer has no certificate or no issuer")
	}
	entries := list.List.Lookup(KID(certificate))
	at := slices.IndexFunc(entries, func(e Entry) bool { return e.DSC.Equal(certificate) })
	if at < 0 {
		return Entry{}, errors.New("the list does not name the key that signs it")
	}
	entry := entries[at]
	switch {
	case !entry.Allows(UsageTrustList) || entry.State != StateActive:
		return Entry{}, errors.New("the key that signs the list is not an active key for trust lists")
	case !entry.CSCA.Equal(issuer):
		return Entry{}, errors.New("the issuer of the signing key is not the listed one")
	case !entry.validAt(list.IssuedAt) || !entry.validAt(list.NextUpdate):
		return Entry{}, errors.New("the certificate of the signing key or its issuer is not valid from issuedAt to nextUpdate")
	}
	return entry, nil
}

func p256(certificate *x509.Certificate) (*ecdsa.PublicKey, error) {
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the key is not on P-256")
	}
	return key, nil
}

// signES256 asks for a signature and verifies it with the certificate: whoever holds the
// wrong key finds out here and not at the verifiers.
func signES256(ctx context.Context, input []byte, signer ListSigner) ([]byte, error) {
	key, err := p256(signer.Certificate())
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	signature, err := signer.Sign(ctx, sha256.Sum256(input))
	if err != nil {
		return nil, fmt.Errorf("trust: sign: %w", err)
	}
	if !verifyES256(key, input, signature[:]) {
		return nil, errors.New("trust: the signature does not verify with the certificate of the signer")
	}
	return signature[:], nil
}

// verifyES256 checks a signature of r and s (RFC 7518 §3.4).
func verifyES256(key *ecdsa.PublicKey, input, signature []byte) bool {
	if len(signature) != 2*scalarSize {
		return false
	}
	digest := sha256.Sum256(input)
	r, s := new(big.Int).SetBytes(signature[:scalarSize]), new(big.Int).SetBytes(signature[scalarSize:])
	return ecdsa.Verify(key, digest[:], r, s)
}
