package wallet

import (
	"archive/zip"
	"bytes"
	"crypto/sha1" //nolint:gosec // G505: Apple's manifest is made of SHA-1; what signs the manifest is SHA-256
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"
)

// file is one file of a pass.
type file struct {
	name string
	data []byte
}

// manifestOf is manifest.json: the SHA-1 of each file by its name, in hex. Whoever could
// make two files with one SHA-1 would have to be us, the signer: forging a pass needs a
// second preimage, for which no attack is known.
func manifestOf(files []file) ([]byte, error) {
	sums := make(map[string]string, len(files))
	for _, f := range files {
		sum := sha1.Sum(f.data) //nolint:gosec // G401: as Apple's format demands
		sums[f.name] = hex.EncodeToString(sum[:])
	}
	raw, err := json.Marshal(sums) // in the order of the names
	if err != nil {
		return nil, fmt.Errorf("wallet: encode manifest: %w", err)
	}
	return raw, nil
}

// archive packs files in the order given.
func archive(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at})
		if err == nil {
			_, err = entry.Write(f.data)
		}
		if err != nil {
			return nil, fmt.Errorf("wallet: pack %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("wallet: pack: %w", err)
	}
	return out.Bytes(), nil
}

// labelTree has the labels by language: en.lproj/pass.strings and so on.
//
//go:embed strings
var labelTree embed.FS

func labelFiles() ([]file, error) {
	var files []file
	root, err := fs.Sub(labelTree, "strings")
	if err != nil {
		return nil, fmt.Errorf("wallet: labels: %w", err)
	}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		files = append(files, file{name, data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("wallet: labels: %w", err)
	}
	return files, nil
}
