package keystore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"time"
)

// Key is one signing key with its certificates, as the register hands it to the service.
type Key struct {
	Usage       Usage
	Ref         Ref
	KID         []byte            // first 8 bytes of SHA-256 of Certificate.Raw
	Certificate *x509.Certificate // DSC
	Issuer      *x509.Certificate // CSCA
	ActiveFrom  time.Time         // when it starts to sign
	ActiveUntil time.Time         // when it stops: retirement, or the end of its private key usage period
	State       State
	store       Store // nil in a listing of public keys
}

// KID is the key id of a certificate in DER (HCERT specification §3.3.2).
func KID(certificate []byte) []byte {
	sum := sha256.Sum256(certificate)
	return sum[:8:8]
}

// Held gives the key with the store that holds it, so that it can sign.
func (k Key) Held(by Store) Key {
	k.store = by
	return k
}

// Sign signs one digest. The signature is not verified here: whoever assembles the
// signed object verifies the whole of it with Certificate.
func (k Key) Sign(ctx context.Context, digest Digest) (Signature, error) {
	if k.store == nil {
		return Signature{}, fmt.Errorf("%w: %s is listed for verification only", ErrDisabled, k.Ref)
	}
	results, err := k.store.Sign(ctx, k.Ref, []Digest{digest})
	if err != nil {
		return Signature{}, err
	}
	if len(results) != 1 {
		return Signature{}, fmt.Errorf("%w: %d results for one digest", ErrUnavailable, len(results))
	}
	return results[0].Signature, results[0].Err
}

// Signer gives the key as a crypto.Signer for libraries that want one. Its signatures
// are in ASN.1 and are verified before they are handed out.
func (k Key) Signer(ctx context.Context) crypto.Signer {
	public, _ := k.Certificate.PublicKey.(*ecdsa.PublicKey)
	return cryptoSigner{ctx: ctx, public: public, sign: k.Sign}
}

// NewSigner gives one version of a store as a crypto.Signer, for certificate requests
// and certificates. Its signatures are verified against public before they are handed out.
func NewSigner(ctx context.Context, store Store, ref Ref, public *ecdsa.PublicKey) crypto.Signer {
	return cryptoSigner{ctx: ctx, public: public, sign: Key{Ref: ref}.Held(store).Sign}
}

// cryptoSigner carries a context because crypto.Signer has no place for one; it lives as
// long as one operation.
type cryptoSigner struct {
	ctx    context.Context
	public *ecdsa.PublicKey
	sign   func(context.Context, Digest) (Signature, error)
}

func (s cryptoSigner) Public() crypto.PublicKey { return s.public }

func (s cryptoSigner) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if len(digest) != len(Digest{}) {
		return nil, fmt.Errorf("%w: not a SHA-256 digest", ErrDisabled)
	}
	signature, err := s.sign(s.ctx, Digest(digest))
	if err != nil {
		return nil, err
	}
	der := signature.ASN1()
	if s.public == nil || !ecdsa.VerifyASN1(s.public, digest, der) {
		return nil, ErrOverwritten
	}
	return der, nil
}
