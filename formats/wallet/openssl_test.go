package wallet_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// openssl knows the root alone, as a phone does: the chain is built from the certificates
// inside the signature.
func TestOpenSSLBuildsTheChain(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing, and CI must not skip this test")
		}
		t.Skip("openssl is missing")
	}
	for name, newKey := range keys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := apple(newKey(), nil)
			files := unpack(t, mustPass(t, a, specimenCard(t)))
			dir := t.TempDir()
			write(t, dir, "signature", files["signature"])
			write(t, dir, "manifest.json", files["manifest.json"])
			write(t, dir, "other.json", bytes.Replace(files["manifest.json"], []byte("pass.json"), []byte("pass.jsoN"), 1))
			write(t, dir, "root.pem", pemOf(specimenAuthority().root))
			write(t, dir, "foreign.pem", pemOf(specimenForeignCA()))
			if out, err := verify(t, dir, "manifest.json", "root.pem"); err != nil || !bytes.Equal(out, files["manifest.json"]) {
				t.Errorf("openssl refuses it: %v", err)
			}
			if _, err := verify(t, dir, "other.json", "root.pem"); err == nil {
				t.Error("openssl takes another manifest: the test proves nothing")
			}
			if _, err := verify(t, dir, "manifest.json", "foreign.pem"); err == nil {
				t.Error("openssl takes any root: the test proves nothing")
			}
		})
	}
}

func verify(t *testing.T, dir, content, root string) ([]byte, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-inform", "DER", "-in", "signature", "-binary",
		"-content", content, "-CAfile", root, "-purpose", "any", "-no_check_time")
	command.Dir = dir
	return command.Output()
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
