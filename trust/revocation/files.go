package revocation

import (
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Files gives the lists of a publication as Load reads them, for a verifier in the
// publisher's own process.
func (p *Publication) Files() fs.FS { return publishedFiles{p} }

type publishedFiles struct{ publication *Publication }

// Open implements fs.FS.
func (f publishedFiles) Open(name string) (fs.File, error) {
	found, err := f.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &publishedFile{Representation: found, name: path.Base(name), at: f.publication.Manifest.IssuedAt}, nil
}

func (f publishedFiles) find(name string) (Representation, error) {
	if name == fileManifest {
		return f.publication.SignedManifest(), nil
	}
	if found, ok := f.publication.Artefact(name); ok {
		return found, nil
	}
	kid, prefix, ok := parseSlicePath(name)
	if !ok {
		return Representation{}, fs.ErrNotExist
	}
	found, ok, err := f.publication.Slice(kid, prefix)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return found, err
}

// parseSlicePath is SlicePath backwards.
func parseSlicePath(name string) (kid revocation.KID, prefix []byte, ok bool) {
	rest, ok := strings.CutPrefix(name, "slices/")
	parts := strings.Split(rest, "/")
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if !ok || err != nil || len(raw) != revocation.KIDSize {
		return kid, nil, false
	}
	prefix, err = hex.DecodeString(strings.Join(parts[1:], ""))
	return revocation.KID(raw), prefix, err == nil
}

// publishedFile is one list as a file.
type publishedFile struct {
	Representation
	name string
	at   time.Time
}

// Read implements fs.File.
func (f *publishedFile) Read(p []byte) (int, error) { return f.Content.Read(p) }

// Close implements fs.File; the publication keeps its files open.
func (*publishedFile) Close() error { return nil }

// Stat implements fs.File.
func (f *publishedFile) Stat() (fs.FileInfo, error) { return fileInfo{f}, nil }

type fileInfo struct{ *publishedFile }

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.publishedFile.Size }
func (i fileInfo) Mode() fs.FileMode  { return 0o444 }
func (i fileInfo) ModTime() time.Time { return i.at }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
