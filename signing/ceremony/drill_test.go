package ceremony

import (
	"crypto/ecdsa"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
)

var passphrase = []byte("a passphrase of the drill")

// hold with a software store instead of the one in memory.
func (s *site) holdWith(keys keystore.Maker, file content) *Result {
	s.t.Helper()
	plan, err := s.prepare(file)
	if err != nil {
		s.t.Fatal(describe(err))
	}
	result, err := plan.Perform(s.t.Context(), Tools{Keys: keys, Now: clock})
	if err != nil {
		s.t.Fatal(describe(err))
	}
	return result
}

// TestBackupAndRestoreDrill is the drill of docs/ceremony.md for keys and certificates:
// after the loss of a machine its backup, restored elsewhere, signs for the same
// certificates, and the CSCA goes on where it was.
func TestBackupAndRestoreDrill(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	machine, backup, restored := s.path("machine"), s.path("backup"), s.path("restored")
	if err := os.Mkdir(machine, 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := software.Create(machine, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	csca := s.holdWith(keys, cscaFile).Certificates[0]
	issuer := content{"label": "csca", "version": 1, "certificate": "out/xx-csca.pem", "sha256": digest(csca.Raw)}
	s.holdWith(keys, dscFile(issuer, allKeys()...))
	before := s.operation("xx-dsc.register.json").Registrations

	copyDir(t, machine, backup)
	if err := os.RemoveAll(machine); err != nil {
		t.Fatal(err)
	}
	digests := []keystore.Digest{{1}}
	if results, err := keys.Sign(t.Context(), keystore.Ref{Label: "csca", Version: 1}, digests); err == nil && results[0].Err == nil {
		t.Error("the lost machine still signs")
	}

	copyDir(t, backup, restored)
	if _, err := software.Open(restored, []byte("another passphrase")); err == nil {
		t.Error("the backup opens without its passphrase")
	}
	again, err := software.Open(restored, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range before {
		checkRegistration(t, again, r)
	}
	next := s.holdWith(again, dscFile(issuer, allKeys()[0]).with(content{"name": "after"})).Certificates[0]
	if err := next.CheckSignatureFrom(csca); err != nil {
		t.Error(err)
	}
	if r := s.operation("after.register.json").Registrations[0]; r.Version != 2 {
		t.Errorf("the restored store makes version %d after version 1", r.Version)
	}
}

// A backup that is older than a key is found by the check of the drill.
func TestDrillFindsABackupThatIsTooOld(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	machine, backup := s.path("machine"), s.path("backup")
	if err := os.Mkdir(machine, 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := software.Create(machine, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	copyDir(t, machine, backup)
	certificate := s.holdWith(keys, cscaFile).Certificates[0]
	old, err := software.Open(backup, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	ref := keystore.Ref{Label: "csca", Version: 1}
	if _, err := NewKeyStoreCA(t.Context(), old, ref, certificate); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("%v", err)
	}
	if _, _, err := old.Create(t.Context(), "csca"); err != nil {
		t.Fatal(err)
	}
	if _, err := NewKeyStoreCA(t.Context(), old, ref, certificate); !errors.Is(err, errNotItsKey) {
		t.Errorf("%v", err)
	}
	public, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if held, err := old.Public(t.Context(), ref); err != nil || !ok || held.Equal(public) {
		t.Error("two stores made one key")
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
