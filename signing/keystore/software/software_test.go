package software

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var (
	passphrase = []byte("development only")
	subject    = Subject{Country: "XX", Organization: "Test Authority"}
)

func create(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := Create(dir, passphrase, subject, time.Now()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCreateOpenSign(t *testing.T) {
	t.Parallel()
	store, err := Open(create(t), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, usage := range keystore.Usages() {
		key, err := store.Active(context.Background(), usage)
		if err != nil {
			t.Fatal(usage, err)
		}
		sum := sha256.Sum256(key.Certificate.Raw)
		if !bytes.Equal(key.KID, sum[:8]) {
			t.Errorf("%s: kid is not the hash of the DSC", usage)
		}
		digest := sha256.Sum256([]byte("statement"))
		sig, err := key.Signer.Sign(rand.Reader, digest[:], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := key.Certificate.CheckSignature(x509.ECDSAWithSHA256, []byte("statement"), sig); err != nil {
			t.Errorf("%s: the DSC does not verify its key's signature: %v", usage, err)
		}
		checkDSC(t, usage, key)
	}
	if _, err := store.Active(context.Background(), "unheard-of"); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("unknown usage: %v", err)
	}
	listed, err := store.Published(context.Background())
	if err != nil || len(listed) != len(keystore.Usages()) {
		t.Fatal(len(listed), err)
	}
	for _, k := range listed {
		if k.Signer != nil {
			t.Errorf("the public listing of %s carries a signer", k.Usage)
		}
	}
}

// checkDSC holds a DSC against the GDHCN certificate governance table.
func checkDSC(t *testing.T, usage keystore.Usage, key keystore.Key) {
	t.Helper()
	dsc, csca := key.Certificate, key.Issuer
	if dsc.KeyUsage != x509.KeyUsageDigitalSignature || dsc.IsCA {
		t.Errorf("%s: key usage %v, CA %v", usage, dsc.KeyUsage, dsc.IsCA)
	}
	if !bytes.Equal(dsc.AuthorityKeyId, csca.SubjectKeyId) || len(dsc.AuthorityKeyId) == 0 {
		t.Errorf("%s: AKI does not name the CSCA", usage)
	}
	if dsc.NotAfter.After(csca.NotAfter) {
		t.Errorf("%s: outlives its CSCA", usage)
	}
	if len(dsc.Subject.Country) != 1 || dsc.Subject.CommonName == "" {
		t.Errorf("%s: subject %v", usage, dsc.Subject)
	}
	want, restricted := usage.ExtendedKeyUsage()
	switch {
	case restricted && (len(dsc.UnknownExtKeyUsage) != 1 || !dsc.UnknownExtKeyUsage[0].Equal(want)):
		t.Errorf("%s: extended key usage %v, want %v", usage, dsc.UnknownExtKeyUsage, want)
	case !restricted && len(dsc.UnknownExtKeyUsage) != 0:
		t.Errorf("%s: unexpected extended key usage", usage)
	}
}

func TestKeyFileProtectsItself(t *testing.T) {
	t.Parallel()
	dir := create(t)
	path := filepath.Join(dir, FileName)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := Create(dir, passphrase, subject, time.Now()); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second Create gives %v, want ErrExist", err)
	}
	if _, err := Open(dir, []byte("another")); err == nil {
		t.Error("opens with the wrong passphrase")
	}
	if _, err := Open(t.TempDir(), passphrase); err == nil {
		t.Error("opens an empty directory")
	}
	if err := os.WriteFile(path, []byte(`{"format":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, passphrase); err == nil {
		t.Error("opens an unknown format")
	}
	if err := Create(t.TempDir(), passphrase, Subject{Country: "XXX"}, time.Now()); err == nil {
		t.Error("accepts a three-letter country")
	}
}
