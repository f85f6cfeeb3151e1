package software

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// FileName of the key file inside the key directory.
const FileName = "keys.json"

const (
	lockName    = "keys.lock"
	format      = 2       // of the file; a store refuses any other
	maxFileSize = 8 << 20 // bytes; some 20,000 keys
)

type file struct {
	Format int      `json:"format"`
	Salt   []byte   `json:"salt"`  // of the passphrase derivation
	Check  []byte   `json:"check"` // nothing, sealed: a wrong passphrase shows on an empty file too
	Keys   []record `json:"keys"`
}

type record struct {
	keystore.Ref
	Disabled bool   `json:"disabled,omitempty"`
	Sealed   []byte `json:"sealed"` // PKCS #8
}

// checkPurpose is what file.Check is sealed for.
const checkPurpose = "ddcc-gateway software key file"

// purpose binds a sealed key to its label and version.
func purpose(ref keystore.Ref) string { return "ddcc-gateway software key " + ref.String() }

// read reads the key file and says which state of it that was.
func read(path string) (file, os.FileInfo, error) {
	in, err := os.Open(path)
	if err != nil {
		return file{}, nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return file{}, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxFileSize+1))
	if err != nil {
		return file{}, nil, err
	}
	f, err := decode(raw)
	return f, info, err
}

// decode parses a key file. Its errors show nothing of the content.
func decode(raw []byte) (file, error) {
	var f file
	switch {
	case len(raw) > maxFileSize:
		return file{}, fmt.Errorf("the key file is larger than %d bytes", maxFileSize)
	case json.Unmarshal(raw, &f) != nil:
		return file{}, errors.New("the key file is not readable")
	case f.Format != format:
		return file{}, fmt.Errorf("the key file has format %d, want %d; make a new one with `ddcc keys dev`", f.Format, format)
	}
	seen := make(map[keystore.Ref]bool, len(f.Keys))
	for _, k := range f.Keys {
		if k.Validate() != nil || seen[k.Ref] {
			return file{}, errors.New("the key file names a key twice or wrongly")
		}
		seen[k.Ref] = true
	}
	return f, nil
}

// openKey opens one sealed key.
func openKey(box *seal.Box, k record) (*ecdsa.PrivateKey, error) {
	der, err := box.Open(purpose(k.Ref), k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("key %s: damaged", k.Ref)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key %s: not a PKCS #8 key", k.Ref)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("key %s: not an ECDSA key on P-256", k.Ref)
	}
	return private, nil
}

// writeNew makes the key file; os.ErrExist when there is one.
func writeNew(dir string, f file) error {
	path := filepath.Join(dir, FileName)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := fill(out, f); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return durable.SyncDir(dir)
}

// replace puts f in the place of the key file at once.
func replace(dir string, f file) error {
	raw, err := encode(f)
	if err != nil {
		return err
	}
	return durable.Replace(filepath.Join(dir, FileName), raw)
}

// fill writes, syncs and closes.
func fill(out *os.File, f file) error {
	raw, err := encode(f)
	if err == nil {
		_, err = out.Write(raw)
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

func encode(f file) ([]byte, error) { return json.MarshalIndent(f, "", "  ") }
