package keystoretest

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// suite is one case at work.
type suite struct {
	*testing.T
	engine Engine
	labels int
}

// key is one version with the public key its maker told.
type key struct {
	ref    keystore.Ref
	public *ecdsa.PublicKey
}

// label gives a label that no other case of any run uses.
func (s *suite) label() string {
	s.labels++
	return fmt.Sprintf("suite-%s-%d", strings.ToLower(rand.Text()[:12]), s.labels)
}

// create makes the next version of a label.
func (s *suite) create(label string) key {
	s.Helper()
	ref, public, err := s.engine.Maker.Create(s.Context(), label)
	if err != nil {
		s.Fatalf("create: %v", err)
	}
	if ref.Label != label || ref.Validate() != nil || public == nil {
		s.Fatalf("create of %q gives %s, public key %v", label, ref, public)
	}
	return key{ref, public}
}

// digest makes a digest that occurs nowhere else.
func digest() (d keystore.Digest) {
	_, _ = rand.Read(d[:]) // crypto/rand.Read never fails (Go 1.24 and later)
	return d
}

func digests(n int) []keystore.Digest {
	all := make([]keystore.Digest, n)
	for i := range all {
		all[i] = digest()
	}
	return all
}

func verifies(public *ecdsa.PublicKey, d keystore.Digest, signature keystore.Signature) bool {
	return ecdsa.VerifyASN1(public, d[:], signature.ASN1())
}

// sign signs one digest and verifies it; the error is the call's or the result's.
func (s *suite) sign(ctx context.Context, store keystore.Store, k key) error {
	s.Helper()
	d := digest()
	results, err := store.Sign(ctx, k.ref, []keystore.Digest{d})
	s.secretFree(err, d)
	switch {
	case err != nil && len(results) > 0:
		s.Errorf("%s: %d results beside the error %v", k.ref, len(results), err)
		return err
	case err != nil:
		return err
	case len(results) != 1:
		s.Errorf("%s: %d results for one digest", k.ref, len(results))
		return errors.New("no result")
	}
	s.secretFree(results[0].Err, d)
	if results[0].Err == nil && !verifies(k.public, d, results[0].Signature) {
		s.Errorf("%s: a signature that does not verify", k.ref)
	}
	return results[0].Err
}

// mustSign fails the test unless the store signs with k.
func (s *suite) mustSign(store keystore.Store, k key) {
	s.Helper()
	if err := s.sign(s.Context(), store, k); err != nil {
		s.Errorf("%s: %v", k.ref, err)
	}
}

// wantErr demands an error that wraps one of the wanted.
func (s *suite) wantErr(err error, wanted ...error) {
	s.Helper()
	for _, want := range wanted {
		if errors.Is(err, want) {
			return
		}
	}
	s.Errorf("error %v, want one of %v", err, wanted)
}

// portErrors are all a store may wrap.
var portErrors = []error{
	keystore.ErrNoKey, keystore.ErrDisabled, keystore.ErrUnavailable,
	keystore.ErrExists, keystore.ErrOverwritten,
}

// secretFree demands that an error wraps one of the port's and repeats neither a secret
// nor a digest.
func (s *suite) secretFree(err error, used ...keystore.Digest) {
	s.Helper()
	if err == nil {
		return
	}
	s.wantErr(err, portErrors...)
	text := err.Error()
	for _, secret := range s.engine.Secrets {
		if strings.Contains(text, secret) {
			s.Error("an error repeats a secret")
		}
	}
	for _, d := range used {
		for _, form := range []string{
			hex.EncodeToString(d[:]), base64.StdEncoding.EncodeToString(d[:]),
			base64.RawURLEncoding.EncodeToString(d[:]), fmt.Sprint([32]byte(d)),
		} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(form[:16])) {
				s.Errorf("an error repeats a digest: %v", err)
			}
		}
	}
}

// comesBack signs until it works: only ErrUnavailable may come before that, at most lost
// times in a row and not after MaxAway.
func (s *suite) comesBack(store keystore.Store, k key, lost int) {
	s.Helper()
	deadline := time.Now().Add(MaxAway)
	for failed := 0; ; failed++ {
		err := s.sign(s.Context(), store, k)
		if err == nil {
			return
		}
		if !errors.Is(err, keystore.ErrUnavailable) || failed >= lost || time.Now().After(deadline) {
			s.Fatalf("%s: after %d failures still %v", k.ref, failed+1, err)
		}
		time.Sleep(10 * time.Millisecond) // a poll, not a guess: the bounds above decide
	}
}
