package software

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/keystoretest"
)

var passphrase = []byte("development only")

func create(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Create(dir, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func reopen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// another gives a second store on the file of s, as Open does but for the derivation of
// its key, which takes long on purpose.
func another(t *testing.T, s *Store) *Store {
	t.Helper()
	second := &Store{dir: s.dir, salt: s.salt, box: s.box}
	if _, err := second.reload(); err != nil {
		t.Fatal(err)
	}
	return second
}

// TestConformance runs the suite of the port. Nothing runs behind the file: a restart is
// that of the process, so what is there is opened again by every case.
func TestConformance(t *testing.T) {
	t.Parallel()
	maker, dir := create(t)
	keystoretest.Run(t, func(*testing.T) keystoretest.Engine {
		return keystoretest.Engine{
			Maker: maker,
			Open:  func(t *testing.T) keystore.Store { return another(t, maker) },
			Disable: func(t *testing.T, ref keystore.Ref) {
				if err := maker.Disable(t.Context(), ref); err != nil {
					t.Fatal(err)
				}
			},
			Overwrite: func(t *testing.T, ref keystore.Ref) { overwrite(t, maker, ref) },
			Restart:   func(t *testing.T) { reopen(t, dir) },
			Secrets:   []string{string(passphrase)},
		}
	})
}

// overwrite seals another key under ref, as only someone with the passphrase can.
func overwrite(t *testing.T, s *Store, ref keystore.Ref) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, s, func(f *file) {
		for i := range f.Keys {
			if f.Keys[i].Ref == ref {
				f.Keys[i].Sealed = s.box.Seal(purpose(ref), der)
			}
		}
	})
}

func edit(t *testing.T, s *Store, by func(*file)) {
	t.Helper()
	if err := s.change(t.Context(), func(f *file) error { by(f); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestKeyFileProtectsItself(t *testing.T) {
	t.Parallel()
	s, dir := create(t)
	path := filepath.Join(dir, FileName)
	checkMode(t, path)
	if _, err := Create(dir, passphrase); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second Create gives %v, want ErrExist", err)
	}
	for name, wrong := range map[string][]byte{"another": []byte("another"), "none": nil} {
		if _, err := Open(dir, wrong); err == nil || bytes.Contains([]byte(err.Error()), passphrase) {
			t.Errorf("opens an empty file with %s passphrase: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir(), passphrase); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opens an empty directory: %v", err)
	}
	if _, err := Create(t.TempDir(), nil); err == nil {
		t.Error("makes a file without a passphrase")
	}
	if _, _, err := s.Create(t.Context(), "dsc"); err != nil {
		t.Fatal(err)
	}
	checkMode(t, path)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	private := s.current.Load().keys
	reopened := reopen(t, dir)
	if len(private) != 0 || len(reopened.current.Load().keys) != 1 {
		t.Error("a snapshot changed")
	}
	scalar, err := reopened.current.Load().keys[keystore.Ref{Label: "dsc", Version: 1}].private.Bytes()
	if err != nil || bytes.Contains(raw, scalar) {
		t.Errorf("the file shows a key: %v", err)
	}
}

func checkMode(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// TestSealedKeysStayInTheirPlace: a sealed key moved to another label or version does not
// open, so that nobody swaps keys without the passphrase.
func TestSealedKeysStayInTheirPlace(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]keystore.Ref{
		"label": {Label: "other", Version: 1}, "version": {Label: "dsc", Version: 2},
	} {
		s, dir := create(t)
		if _, _, err := s.Create(t.Context(), "dsc"); err != nil {
			t.Fatal(err)
		}
		edit(t, s, func(f *file) { f.Keys[0].Ref = move })
		if _, err := Open(dir, passphrase); err == nil {
			t.Errorf("a key moved to another %s opens", name)
		}
		if _, err := s.Public(t.Context(), move); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("an open store with a key moved to another %s: %v", name, err)
		}
	}
}

func TestOpenStoreMeetsADamagedFile(t *testing.T) {
	t.Parallel()
	s, dir := create(t)
	ref, _, err := s.Create(t.Context(), "dsc")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere := create(t)
	other, err := os.ReadFile(filepath.Join(elsewhere, FileName))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": {}, "torn": good[:len(good)/2], "format": []byte(`{"format":1}`), "another": other,
		"huge": bytes.Repeat([]byte(" "), maxFileSize+1),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(t.Context(), ref, make([]keystore.Digest, 1)); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("%s file: sign gives %v", name, err)
		}
		if _, _, err := s.Create(t.Context(), "dsc"); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("%s file: create gives %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Public(t.Context(), ref); !errors.Is(err, keystore.ErrUnavailable) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Public(t.Context(), ref); err != nil {
		t.Errorf("the file is back, and the store is not: %v", err)
	}
}

// TestManyStoresMakeKeysAtOnce: each store is what another process would be.
func TestManyStoresMakeKeysAtOnce(t *testing.T) {
	t.Parallel()
	const stores, each = 4, 5
	first, dir := create(t)
	var wait sync.WaitGroup
	for range stores {
		s := another(t, first)
		wait.Go(func() {
			for range each {
				if _, _, err := s.Create(t.Context(), "dsc"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for version := 1; version <= stores*each; version++ {
		if _, err := first.Public(t.Context(), keystore.Ref{Label: "dsc", Version: version}); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files in the directory, want the keys and the lock: %v", len(left), err)
	}
	if err := first.Disable(t.Context(), keystore.Ref{Label: "dsc", Version: 99}); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("disable of an unknown version: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"format":2,"salt":"AAAA","check":"AAAA","keys":[{"label":"a","version":1,"sealed":"AAAA"}]}`))
	f.Add([]byte(`{"format":2,"keys":[{"label":"a","version":1},{"label":"a","version":1}]}`))
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		decoded, err := decode(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(again); err != nil {
			t.Errorf("what was read is not read again: %v", err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s, err := Create(b.TempDir(), passphrase)
	if err != nil {
		b.Fatal(err)
	}
	ref, _, err := s.Create(b.Context(), "dsc")
	if err != nil {
		b.Fatal(err)
	}
	digests := []keystore.Digest{sha256.Sum256([]byte("statement"))}
	for b.Loop() {
		if _, err := s.Sign(b.Context(), ref, digests); err != nil {
			b.Fatal(err)
		}
	}
}
