package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// maxLoaded bounds one list that Load reads, in bytes.
const maxLoaded = 192 << 20

// Errors of Load, beside those of VerifyManifest.
var (
	ErrMissing = errors.New("revocation: a filter that the manifest names is missing; fetch it again")
	ErrDigest  = errors.New("revocation: a list is not the one that the manifest names; fetch both again")
)

// Load reads a verifier's copy of a publication: files as the publisher serves them under
// /trust/revocation/ — manifest.jws, filter/…, and as far as they are wanted crl/… and
// slices/… with their prefixes as further path elements. Every filter must be there; a filter
// or a list that the signed manifest does not name by its digest is an error. It does not look
// at the age: see Set.NextUpdate.
func Load(files fs.FS, keys Keys, now time.Time) (*Set, error) {
	jws, err := readFile(files, fileManifest, maxJWS)
	if err != nil {
		return nil, fmt.Errorf("revocation: %w", err)
	}
	s := &Set{lists: map[revocation.KID]revocation.Artefact{}, crls: map[string]crl{}, slices: slicesIn(files)}
	if s.manifest, err = VerifyManifest(jws, keys, now); err != nil {
		return nil, err
	}
	for _, a := range s.manifest.Artefacts {
		if err := s.load(files, a); err != nil {
			return nil, fmt.Errorf("%w: %s", err, a.Name)
		}
	}
	return s, nil
}

// WithSlices gives the same set with another way to slices, e.g. over the network.
func (s *Set) WithSlices(slices Slices) *Set {
	other := *s
	other.slices = slices
	return &other
}

func (s *Set) load(files fs.FS, a revocation.Artefact) error {
	switch a.Kind {
	case revocation.KindSlices:
		raw, err := base64.StdEncoding.DecodeString(a.KID)
		if err != nil {
			return err
		}
		s.lists[revocation.KID(raw)] = a
	case revocation.KindFilter:
		raw, err := readArtefact(files, a)
		if errors.Is(err, fs.ErrNotExist) {
			return ErrMissing
		}
		if err != nil {
			return err
		}
		filter, err := revocation.ParseFilter(raw)
		if err != nil {
			return err
		}
		s.filters = append(s.filters, filter)
	case revocation.KindCRL:
		raw, err := readArtefact(files, a)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		s.crls[a.KID], err = parseCRL(raw, a)
		return err
	}
	return nil
}

func readArtefact(files fs.FS, a revocation.Artefact) ([]byte, error) {
	if a.Size > maxLoaded {
		return nil, errTooLarge
	}
	raw, err := readFile(files, a.Name, int(a.Size))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != a.SHA256 {
		return nil, ErrDigest
	}
	return raw, nil
}

var errTooLarge = errors.New("revocation: a list is larger than is read")

func readFile(files fs.FS, name string, limit int) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > int64(limit) {
		return nil, errTooLarge
	}
	return fs.ReadFile(files, name)
}

// parseCRL reads a card revocation list whose digest the manifest has vouched for.
func parseCRL(raw []byte, a revocation.Artefact) (crl, error) {
	var in struct {
		KID    string   `json:"kid"`
		Method string   `json:"method"`
		CTR    uint64   `json:"ctr"`
		RIDs   []string `json:"rids"`
	}
	if strictjson.Check(raw, 2) != nil || json.Unmarshal(raw, &in, json.RejectUnknownMembers(true)) != nil ||
		in.KID != a.KID || in.Method != "rid" || in.CTR != a.CTR {
		return nil, ErrDigest
	}
	out := make(crl, len(in.RIDs))
	for _, text := range in.RIDs {
		rid, seconds, ok := revocation.SplitRID(text)
		if !ok {
			return nil, ErrDigest
		}
		out[rid] = seconds
	}
	return out, nil
}

// slicesIn finds slices in files, under the paths at which they are served.
func slicesIn(files fs.FS) Slices {
	return func(kid revocation.KID, prefix []byte) ([]byte, error) {
		return readFile(files, SlicePath(kid, prefix), revocation.MaxSliceBytes)
	}
}

// SlicePath is where a slice is served, below /trust/revocation/: the name of the list and
// each byte of the prefix in hex as a path element.
func SlicePath(kid revocation.KID, prefix []byte) string {
	path := []string{revocation.SlicesName(kid)}
	for _, b := range prefix {
		path = append(path, hex.EncodeToString([]byte{b}))
	}
	return strings.Join(path, "/")
}
