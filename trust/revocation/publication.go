package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Publication is one generation: a manifest and its lists, verified. It is immutable and safe
// for concurrent use. It holds its files open, so that they can be read after a successor has
// removed their names; the runtime closes them when nobody holds the publication any more.
type Publication struct {
	Manifest revocation.Manifest

	jws        []byte
	modifiedAt time.Time // when these lists were first signed, UTC
	files      map[string]listed
	exact      map[revocation.KID]*exactFile
	batches    map[string]batchState
	changes    []batchState
	batchFile  *os.File
	state      state
}

// listed is an artefact that is served as one file.
type listed struct {
	artefact revocation.Artefact
	file     *os.File
}

// Representation is a document as it is served.
type Representation struct {
	Content    io.ReadSeeker
	Size       int64
	ETag       string    // strong, with its quotes (RFC 9110 §8.8.3)
	ModifiedAt time.Time // UTC, whole seconds; zero: not stated
}

var errGeneration = errors.New("revocation: a list is not the one of the manifest")

// openPublication opens the generation in a directory and holds everything against its manifest.
func openPublication(dir string, keys Keys, now time.Time) (*Publication, error) {
	jws, err := readBounded(filepath.Join(dir, fileManifest), maxJWS)
	if err != nil {
		return nil, err
	}
	p := &Publication{jws: jws, files: map[string]listed{}, exact: map[revocation.KID]*exactFile{}, batches: map[string]batchState{}}
	if p.Manifest, err = VerifyManifest(jws, keys, now); err != nil {
		return nil, err
	}
	p.modifiedAt = p.Manifest.IssuedAt
	for _, a := range p.Manifest.Artefacts {
		if err := p.open(dir, a); err != nil {
			return nil, fmt.Errorf("%w: %s", err, a.Name)
		}
	}
	return p, p.openBatches(dir)
}

func (p *Publication) open(dir string, a revocation.Artefact) error {
	path := filepath.Join(dir, filepath.FromSlash(a.Name))
	if a.Kind == revocation.KindSlices {
		raw, err := base64.StdEncoding.DecodeString(a.KID)
		if err != nil {
			return err
		}
		p.exact[revocation.KID(raw)], err = openExact(path, a, revocation.KID(raw))
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	p.files[a.Name] = listed{a, file}
	sum := sha256.New()
	if size, err := io.Copy(sum, io.LimitReader(file, a.Size+1)); err != nil || size != a.Size {
		return errors.Join(errGeneration, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != a.SHA256 {
		return errGeneration
	}
	return nil
}

// openBatches holds each batch against the list that the manifest vouches for.
func (p *Publication) openBatches(dir string) error {
	raw, err := readBounded(filepath.Join(dir, fileState), 8*revocation.MaxBatchList)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &p.state); err != nil {
		return errors.Join(errGeneration, err)
	}
	if raw, err = readBounded(filepath.Join(dir, fileBatchList), revocation.MaxBatchList); err != nil {
		return err
	}
	_, refs, err := revocation.ParseBatchList(raw)
	if err != nil {
		return err
	}
	if p.batchFile, err = os.Open(filepath.Join(dir, fileBatches)); err != nil {
		return err
	}
	p.changes = p.state.Batches
	for _, s := range p.changes {
		p.batches[s.ID] = s
	}
	for _, ref := range refs {
		if err := p.checkBatch(ref); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publication) checkBatch(ref revocation.BatchRef) error {
	s, ok := p.batches[ref.ID]
	if !ok || s.Deleted || s.Size != int64(ref.Size) {
		return errGeneration
	}
	raw := make([]byte, s.Size)
	if _, err := p.batchFile.ReadAt(raw, s.From); err != nil {
		return errors.Join(errGeneration, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != ref.SHA256 || revocation.BatchID(raw) != ref.ID {
		return errGeneration
	}
	return nil
}

// SignedManifest gives the manifest as a compact JWS.
func (p *Publication) SignedManifest() Representation {
	sum := sha256.Sum256(p.jws)
	return p.represent(strings.NewReader(string(p.jws)), int64(len(p.jws)), hex.EncodeToString(sum[:]))
}

// Artefact gives a list by its name in the manifest; slices are not among them.
func (p *Publication) Artefact(name string) (Representation, bool) {
	l, ok := p.files[name]
	if !ok {
		return Representation{}, false
	}
	return p.represent(io.NewSectionReader(l.file, 0, l.artefact.Size), l.artefact.Size, l.artefact.SHA256), true
}

func (p *Publication) represent(content io.ReadSeeker, size int64, digest string) Representation {
	return Representation{Content: content, Size: size, ETag: `"` + digest + `"`, ModifiedAt: p.modifiedAt}
}

// Slice gives the part of a key's exact list with that prefix; false if there is no list of
// the key or it is cut otherwise (the manifest says how).
func (p *Publication) Slice(kid revocation.KID, prefix []byte) (Representation, bool, error) {
	exact, ok := p.exact[kid]
	if !ok {
		return Representation{}, false, nil
	}
	raw, ok, err := exact.slice(prefix)
	if !ok || err != nil {
		return Representation{}, false, err
	}
	sum := sha256.Sum256(raw)
	return p.represent(strings.NewReader(string(raw)), int64(len(raw)), hex.EncodeToString(sum[:])), true, nil
}

// CRLVersion gives the counter of a key's card revocation list, which the key's JWK must have
// as crlVersion; false if it has no list.
func (p *Publication) CRLVersion(thumbprint string) (uint64, bool) {
	l, ok := p.files[revocation.CRLName(thumbprint)]
	return l.artefact.CTR, ok
}

// FreshUntil is when the next manifest is due.
func (p *Publication) FreshUntil() time.Time { return p.Manifest.NextUpdate }

// BatchChange is one line of the list of batches.
type BatchChange struct {
	ID      string
	Date    time.Time // UTC, whole seconds
	Deleted bool
}

// BatchChanges gives what became of batches after a date, oldest first: at most BatchPage, and
// whether there is more behind the date of the last.
func (p *Publication) BatchChanges(since time.Time) (changes []BatchChange, more bool) {
	page, more := pageAfter(p.changes, since)
	for _, s := range page {
		changes = append(changes, BatchChange{s.ID, s.Date, s.Deleted})
	}
	return changes, more
}

// Batch gives a batch. known is false for one that was never there or is long gone; deleted
// is true for one that is gone.
func (p *Publication) Batch(id string) (batch Representation, known, deleted bool) {
	s, known := p.batches[id]
	if !known || s.Deleted {
		return Representation{}, known, known
	}
	return Representation{
		Content: io.NewSectionReader(p.batchFile, s.From, s.Size), Size: s.Size, ETag: `"` + id + `"`, // its date may lie ahead of the clock
	}, true, false
}

func readBounded(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = errors.New("revocation: the file is too large")
	}
	return raw, err
}
