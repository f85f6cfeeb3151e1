package keystoretest

import (
	"context"
	"crypto"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func (s *suite) publicKeys() {
	label := s.label()
	keys := []key{s.create(label), s.create(label), s.create(s.label())}
	store := s.engine.Open(s.T)
	for i, k := range keys {
		if want := []int{1, 2, 1}[i]; k.ref.Version != want {
			s.Errorf("create gives %s, want version %d", k.ref, want)
		}
		public, err := store.Public(s.Context(), k.ref)
		if err != nil {
			s.Fatalf("%s: %v", k.ref, err)
		}
		if !public.Equal(k.public) {
			s.Errorf("%s: not the public key that was made", k.ref)
		}
		for _, other := range keys[:i] {
			if public.Equal(other.public) {
				s.Errorf("%s and %s are one key", k.ref, other.ref)
			}
		}
	}
}

func (s *suite) signs() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	for range 3 {
		s.mustSign(store, k)
	}
	s.mustSign(s.engine.Maker, k)
	d := digest()
	der, err := keystore.NewSigner(s.Context(), store, k.ref, k.public).Sign(nil, d[:], crypto.SHA256)
	if err != nil || len(der) == 0 {
		s.Errorf("as a crypto.Signer: %v", err)
	}
}

func (s *suite) batches() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	for _, size := range []int{1, 2, 3, 17, 128, 256, 257, 300} {
		s.batch(store, k, digests(size))
	}
	same := digest() // twice the same digest is two signatures
	s.batch(store, k, []keystore.Digest{same, digest(), same})
}

func (s *suite) batch(store keystore.Store, k key, all []keystore.Digest) {
	s.Helper()
	given := slices.Clone(all)
	results, err := store.Sign(s.Context(), k.ref, given)
	if err != nil || len(results) != len(all) {
		s.Fatalf("%d results for %d digests, %v", len(results), len(all), err)
	}
	if !slices.Equal(given, all) {
		s.Errorf("%d digests: the store changed its caller's slice", len(all))
	}
	for i, r := range results {
		if r.Err != nil || !verifies(k.public, all[i], r.Signature) {
			s.Fatalf("digest %d of %d: not signed in its place: %v", i, len(all), r.Err)
		}
	}
}

func (s *suite) emptyBatch() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	for _, none := range [][]keystore.Digest{nil, {}} {
		if results, err := store.Sign(s.Context(), k.ref, none); err != nil || len(results) != 0 {
			s.Errorf("%d results for no digest, %v", len(results), err)
		}
	}
}

func (s *suite) versionsPinned() {
	label := s.label()
	first := s.create(label)
	store := s.engine.Open(s.T)
	s.mustSign(store, first)
	second, third := s.create(label), s.create(label)
	for range 2 {
		s.mustSign(store, first)
		s.mustSign(store, third)
		s.mustSign(store, second)
	}
}

func (s *suite) laterVersions() {
	label := s.label()
	first := s.create(label)
	store := s.engine.Open(s.T)
	s.mustSign(store, first)
	next := keystore.Ref{Label: label, Version: 2}
	s.wantErr(s.sign(s.Context(), store, key{next, first.public}), keystore.ErrNoKey)
	second, other := s.create(label), s.create(s.label())
	s.mustSign(store, second)
	s.mustSign(store, other)
	if public, err := store.Public(s.Context(), second.ref); err != nil || !public.Equal(second.public) {
		s.Errorf("%s: %v", second.ref, err)
	}
}

func (s *suite) unknown() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	for _, ref := range []keystore.Ref{
		{Label: k.ref.Label, Version: 2}, {Label: k.ref.Label, Version: 1 << 30},
		{Label: s.label(), Version: 1}, {Label: k.ref.Label + "x", Version: 1},
		{Label: k.ref.Label[:len(k.ref.Label)-1] + "z", Version: 1},
	} {
		s.refused(store, ref, keystore.ErrNoKey)
	}
	s.mustSign(store, k)
}

// refused demands that neither call works and that both give want.
func (s *suite) refused(store keystore.Store, ref keystore.Ref, want error) {
	s.Helper()
	s.refusedWith(s.Context(), store, ref, want)
}

func (s *suite) refusedWith(ctx context.Context, store keystore.Store, ref keystore.Ref, want error) {
	s.Helper()
	public, err := store.Public(ctx, ref)
	s.wantErr(err, want)
	s.secretFree(err)
	all := digests(2)
	results, err := store.Sign(ctx, ref, all)
	s.wantErr(err, want)
	s.secretFree(err, all...)
	if public != nil || len(results) != 0 {
		s.Errorf("%s: a public key or %d results beside an error", ref, len(results))
	}
}

func (s *suite) malformed() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	ended, cancel := context.WithCancel(s.Context())
	cancel()
	for _, ref := range []keystore.Ref{
		{}, {Version: 1}, {Label: k.ref.Label}, {Label: k.ref.Label, Version: -1},
		{Label: "../" + k.ref.Label, Version: 1}, {Label: k.ref.Label + "/x", Version: 1},
		{Label: strings.ToUpper(k.ref.Label), Version: 1}, {Label: k.ref.Label + "\x00", Version: 1},
		{Label: k.ref.Label + "\n", Version: 1}, {Label: k.ref.Label + "?a=b", Version: 1},
		{Label: "-" + k.ref.Label, Version: 1}, {Label: strings.Repeat("a", 65), Version: 1},
		{Label: strings.Repeat("a", 1<<20), Version: 1}, {Label: "\xff", Version: 1},
	} {
		if ref.Validate() == nil {
			s.Fatalf("%q is well-formed", ref.Label)
		}
		// The engine cannot be asked under an ended context, so who asked it first would
		// answer ErrUnavailable.
		s.refusedWith(ended, store, ref, keystore.ErrNoKey)
		if ref.Version != 1 {
			continue
		}
		made, public, err := s.engine.Maker.Create(s.Context(), ref.Label)
		s.secretFree(err)
		if err == nil || public != nil || made != (keystore.Ref{}) {
			s.Errorf("create takes the label %.40q: %s", ref.Label, made)
		}
	}
	s.mustSign(store, k)
}

func (s *suite) disabled() {
	label := s.label()
	first, second, other := s.create(label), s.create(label), s.create(s.label())
	before := s.engine.Open(s.T)
	s.mustSign(before, first)
	s.engine.Disable(s.T, first.ref)
	for _, store := range []keystore.Store{before, s.engine.Open(s.T)} {
		s.wantErr(s.sign(s.Context(), store, first), keystore.ErrDisabled)
		s.mustSign(store, second)
		s.mustSign(store, other)
	}
	if again := s.create(label); again.ref.Version != 3 {
		s.Errorf("create behind a disabled version gives %s", again.ref)
	}
	s.wantErr(s.sign(s.Context(), before, first), keystore.ErrDisabled)
}

func (s *suite) overwritten() {
	if s.engine.Overwrite == nil {
		s.Skip("the engine makes it impossible to overwrite a key")
	}
	label := s.label()
	k, other := s.create(label), s.create(label)
	before := s.engine.Open(s.T)
	s.mustSign(before, k)
	s.engine.Overwrite(s.T, k.ref)
	for _, store := range []keystore.Store{before, s.engine.Open(s.T)} {
		for range 2 {
			s.neverOld(store, k)
		}
		s.mustSign(store, other)
	}
}

// neverOld demands that nothing the store signs passes for the key that was overwritten.
func (s *suite) neverOld(store keystore.Store, old key) {
	s.Helper()
	d := digest()
	der, err := keystore.NewSigner(s.Context(), store, old.ref, old.public).Sign(nil, d[:], crypto.SHA256)
	s.secretFree(err, d)
	if err == nil || der != nil {
		s.Errorf("%s: signs with a key that was overwritten", old.ref)
	}
	all := digests(3)
	results, err := store.Sign(s.Context(), old.ref, all)
	s.secretFree(err, all...)
	for i, r := range results {
		if r.Err == nil && verifies(old.public, all[i], r.Signature) {
			s.Errorf("%s: still signs with the key that was overwritten", old.ref)
		}
	}
}

func (s *suite) contexts() {
	k := s.create(s.label())
	store := s.engine.Open(s.T)
	ended, cancel := context.WithCancel(s.Context())
	cancel()
	late, cancel := context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{ended, late} {
		s.refusedWith(ctx, store, k.ref, keystore.ErrUnavailable)
		label := s.label()
		_, public, err := s.engine.Maker.Create(ctx, label)
		s.wantErr(err, keystore.ErrUnavailable)
		if public != nil {
			s.Error("create gives a public key under an ended context")
		}
	}
	s.mustSign(store, k)
}

func (s *suite) createKeeps() {
	label := s.label()
	first := s.create(label)
	store := s.engine.Open(s.T)
	for range 3 {
		s.create(label)
	}
	public, err := store.Public(s.Context(), first.ref)
	if err != nil || !public.Equal(first.public) {
		s.Errorf("%s changed: %v", first.ref, err)
	}
	s.mustSign(store, first)
}
