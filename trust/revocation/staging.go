package revocation

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

// listFile writes one list into a generation: buffered, digested, and synced when it is done.
type listFile struct {
	file   *os.File
	buffer *bufio.Writer
	digest hash.Hash
	size   int64
}

func createList(path string) (*listFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &listFile{file: file, buffer: bufio.NewWriterSize(file, 256<<10), digest: sha256.New()}, nil
}

// Write implements io.Writer.
func (f *listFile) Write(p []byte) (int, error) {
	n, err := f.buffer.Write(p)
	f.digest.Write(p[:n])
	f.size += int64(n)
	return n, err
}

// finish makes the file durable and gives its SHA-256 in hex.
func (f *listFile) finish() (string, error) {
	err := errors.Join(f.buffer.Flush(), f.file.Sync(), f.file.Close())
	return hex.EncodeToString(f.digest.Sum(nil)), err
}

// writeList writes a list in one call and gives its digest and size.
func writeList(path string, write func(w io.Writer) error) (digest string, size int64, err error) {
	file, err := createList(path)
	if err != nil {
		return "", 0, err
	}
	err = write(file)
	digest, failed := file.finish()
	return digest, file.size, errors.Join(err, failed)
}

func writeBytes(path string, content []byte) (digest string, size int64, err error) {
	return writeList(path, func(w io.Writer) error { _, err := w.Write(content); return err })
}

// syncTree makes the names in a directory and in those below it durable.
func syncTree(path string) error {
	return filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return durable.SyncDir(at)
	})
}
