//go:build cgo

package pkcs11

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// hsm is a token reached with crypto11.
type hsm struct {
	keys    *crypto11.Context
	witness *witness
}

// openToken loads the library, finds the token and logs in. The error is errPIN when the
// token refuses the PIN.
func openToken(c Config, pin string) (token, error) {
	keys, err := configure(c, pin)
	if code(err) == pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED {
		// Another user of the library in this process shut it down under us.
		if err = initialize(c.Module); err == nil {
			keys, err = configure(c, pin)
		}
	}
	if err != nil {
		return nil, opening(err)
	}
	w, err := newWitness(c)
	if err != nil {
		return nil, errors.Join(opening(err), keys.Close())
	}
	return &hsm{keys, w}, nil
}

// configure is crypto11.Configure, which panics over a token with too few sessions.
func configure(c Config, pin string) (keys *crypto11.Context, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the token permits too few sessions at a time")
		}
	}()
	return crypto11.Configure(&crypto11.Config{
		Path: c.Module, TokenLabel: c.TokenLabel, TokenSerial: c.TokenSerial, SlotNumber: c.Slot,
		Pin: pin, MaxSessions: c.MaxSessions - 1, PoolWaitTimeout: c.Timeout,
	})
}

func initialize(module string) error {
	library := pkcs11.New(module)
	if library == nil {
		return errors.New("the library cannot be loaded")
	}
	defer library.Destroy()
	return library.Initialize()
}

func (h *hsm) close() {
	h.witness.closeSession()
	_ = h.keys.Close() // it has nothing to say
	h.witness.library.Destroy()
}

func (h *hsm) find(ref keystore.Ref) (key, error) {
	pairs, err := h.keys.FindKeyPairs(id(ref), []byte(ref.Label))
	if err != nil {
		return nil, failed(err)
	}
	switch {
	case len(pairs) > 1:
		return nil, fmt.Errorf("%w: the token holds %d keys for %s", keystore.ErrOverwritten, len(pairs), ref)
	case len(pairs) == 0 && !h.witness.loggedIn():
		return nil, errLost
	case len(pairs) == 0:
		return nil, fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	}
	public, ok := pairs[0].Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: %s is not a P-256 key", keystore.ErrNoKey, ref)
	}
	return pair{pairs[0], public}, nil
}

// pair is a key pair in the token.
type pair struct {
	signer crypto11.Signer
	point  *ecdsa.PublicKey
}

func (p pair) public() *ecdsa.PublicKey {
	public := *p.point
	return &public
}

// sign asks for CKM_ECDSA over the digest; crypto11 gives the answer in ASN.1.
func (p pair) sign(digest keystore.Digest) (keystore.Signature, error) {
	der, err := p.signer.Sign(nil, digest[:], nil)
	if err != nil {
		return keystore.Signature{}, failed(err)
	}
	signature, err := keystore.SignatureFromASN1(der)
	if err != nil {
		return keystore.Signature{}, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	return signature, nil
}
