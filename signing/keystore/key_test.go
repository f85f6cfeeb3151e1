package keystore_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var ref = keystore.Ref{Label: "dsc-vaccination", Version: 3}

// answers is a store whose every answer a test chooses.
type answers struct {
	keystore.Store
	sign  func(keystore.Digest) ([]keystore.Result, error)
	asked []keystore.Ref
}

func (a *answers) Sign(_ context.Context, of keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	a.asked = append(a.asked, of)
	return a.sign(digests[0])
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// with signs as a store that holds private would.
func with(t *testing.T, private *ecdsa.PrivateKey) *answers {
	return &answers{sign: func(d keystore.Digest) ([]keystore.Result, error) {
		der, err := ecdsa.SignASN1(rand.Reader, private, d[:])
		if err != nil {
			t.Error(err)
		}
		signature, err := keystore.SignatureFromASN1(der)
		return []keystore.Result{{Signature: signature, Err: err}}, nil
	}}
}

func TestKeySigns(t *testing.T) {
	t.Parallel()
	private, digest := newKey(t), keystore.Digest{1}
	store := with(t, private)
	signature, err := keystore.Key{Ref: ref}.Held(store).Sign(t.Context(), digest)
	if err != nil || !ecdsa.VerifyASN1(&private.PublicKey, digest[:], signature.ASN1()) {
		t.Error(err)
	}
	if len(store.asked) != 1 || store.asked[0] != ref {
		t.Errorf("the store was asked for %v", store.asked)
	}
}

func TestKeySignsNotWithoutAResult(t *testing.T) {
	t.Parallel()
	none := func(results []keystore.Result, err error) *answers {
		return &answers{sign: func(keystore.Digest) ([]keystore.Result, error) { return results, err }}
	}
	for name, tc := range map[string]struct {
		key  keystore.Key
		want error
	}{
		"a listed key":     {keystore.Key{Ref: ref}, keystore.ErrDisabled},
		"the call failed":  {keystore.Key{Ref: ref}.Held(none(nil, keystore.ErrNoKey)), keystore.ErrNoKey},
		"the digest alone": {keystore.Key{Ref: ref}.Held(none([]keystore.Result{{Err: keystore.ErrDisabled}}, nil)), keystore.ErrDisabled},
		"no result":        {keystore.Key{Ref: ref}.Held(none(nil, nil)), keystore.ErrUnavailable},
		"two results":      {keystore.Key{Ref: ref}.Held(none(make([]keystore.Result, 2), nil)), keystore.ErrUnavailable},
	} {
		if signature, err := tc.key.Sign(t.Context(), keystore.Digest{1}); !errors.Is(err, tc.want) || signature != (keystore.Signature{}) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestSignerMakesCertificates is what crypto.Signer is there for.
func TestSignerMakesCertificates(t *testing.T) {
	t.Parallel()
	private := newKey(t)
	signer := keystore.NewSigner(t.Context(), with(t, private), ref, &private.PublicKey)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil || certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) != nil {
		t.Errorf("the certificate does not verify: %v", err)
	}
	key := keystore.Key{Ref: ref, Certificate: certificate}.Held(with(t, private))
	digest := keystore.Digest{1}
	if der, err := key.Signer(t.Context()).Sign(nil, digest[:], crypto.SHA256); err != nil || !ecdsa.VerifyASN1(&private.PublicKey, digest[:], der) {
		t.Errorf("the key as a crypto.Signer: %v", err)
	}
}

func TestSignerHandsNothingWrongOut(t *testing.T) {
	t.Parallel()
	private, other := newKey(t), newKey(t)
	digest := make([]byte, 32)
	for name, tc := range map[string]struct {
		store  *answers
		public *ecdsa.PublicKey
		digest []byte
		want   error
	}{
		"another key":   {with(t, other), &private.PublicKey, digest, keystore.ErrOverwritten},
		"no public key": {with(t, private), nil, digest, keystore.ErrOverwritten},
		"short digest":  {with(t, private), &private.PublicKey, digest[:31], keystore.ErrDisabled},
		"long digest":   {with(t, private), &private.PublicKey, make([]byte, 48), keystore.ErrDisabled},
		"a zero signature": {&answers{sign: func(keystore.Digest) ([]keystore.Result, error) {
			return make([]keystore.Result, 1), nil
		}}, &private.PublicKey, digest, keystore.ErrOverwritten},
	} {
		signer := keystore.NewSigner(t.Context(), tc.store, ref, tc.public)
		if der, err := signer.Sign(nil, tc.digest, crypto.SHA256); !errors.Is(err, tc.want) || der != nil {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func TestRefValidate(t *testing.T) {
	t.Parallel()
	for _, good := range []keystore.Ref{{Label: "a", Version: 1}, {Label: "csca-2", Version: 9}, {Label: strings.Repeat("x", 64), Version: 1}} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []keystore.Ref{
		{}, {Label: "a"}, {Label: "a", Version: -1}, {Version: 1}, {Label: "A", Version: 1}, {Label: "-a", Version: 1}, {Label: "a-", Version: 1},
		{Label: "a/b", Version: 1}, {Label: "a.b", Version: 1}, {Label: "a\n", Version: 1}, {Label: "\u00e9", Version: 1}, {Label: strings.Repeat("x", 65), Version: 1},
	} {
		if bad.Validate() == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
