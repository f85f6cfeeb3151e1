package revocation

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

// Bounds of a batch.
const (
	MaxBatchEntries = 1000
	maxBatchBytes   = 128 << 10
)

// unknownKID stands for the key id of certificates whose DSC is not known.
const unknownKID = "UNKNOWN_KID"

// batchTime is how a batch writes its expiry.
const batchTime = "2006-01-02T15:04:05Z"

// Batch is one part of a country's list of revoked certificates, as the DGCG and the TNG
// exchange it.
type Batch struct {
	Country  string    // ISO 3166-1 alpha-2 of the issuer
	Expires  time.Time // when the batch may be forgotten; whole seconds
	KID      []byte    // of the DSC, 8 bytes; empty: not known
	HashType HashType  // SIGNATURE, UCI or COUNTRYCODEUCI
	Entries  []Hash    // 1 to 1000
}

type batchJSON struct {
	Country  string      `json:"country"`
	Expires  string      `json:"expires"`
	KID      string      `json:"kid"`
	HashType HashType    `json:"hashType"`
	Entries  []batchHash `json:"entries"`
}

type batchHash struct {
	Hash string `json:"hash"`
}

var (
	countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)
	kidPattern     = regexp.MustCompile(`^(([A-Za-z0-9+/]{11}=?)|UNKNOWN_KID)$`)
	hashPattern    = regexp.MustCompile(`^[A-Za-z0-9+/]{22}==$`)
)

// ErrBatch is the kind of error of ParseBatch and Batch.Encode.
var ErrBatch = fault.New(fault.Malformed, "revocation-batch", "The batch is not one of the EU's revocation lists.")

func batchIssue(path, detail, fix string) error {
	return ErrBatch.With(fault.Issue{Path: path, Rule: "revocation-batch", Detail: detail, Fix: fix})
}

// Encode writes the batch; the same batch gives the same bytes. Errors: ErrBatch.
func (b Batch) Encode() ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	out := batchJSON{Country: b.Country, Expires: b.Expires.UTC().Format(batchTime), KID: unknownKID, HashType: b.HashType, Entries: make([]batchHash, len(b.Entries))}
	if len(b.KID) > 0 {
		out.KID = base64.StdEncoding.EncodeToString(b.KID)
	}
	for i, h := range b.Entries {
		out.Entries[i].Hash = h.Base64()
	}
	return json.Marshal(out)
}

func (b Batch) check() error {
	switch {
	case !countryPattern.MatchString(b.Country):
		return batchIssue("country", "The country is not two capital letters.", "Use ISO 3166-1 alpha-2.")
	case b.Expires.IsZero() || b.Expires.Year() > 9999 || b.Expires.Nanosecond() != 0:
		return batchIssue("expires", "The expiry is missing or not in whole seconds.", "State when the last certificate of the batch expires.")
	case len(b.KID) != 0 && len(b.KID) != KIDSize:
		return batchIssue("kid", "The key id is not 8 bytes long.", "State the key id of the DSC, or UNKNOWN_KID.")
	case b.HashType != HashSignature && b.HashType != HashUCI && b.HashType != HashCountryUCI:
		return batchIssue("hashType", "The hash type is not known.", "Use SIGNATURE, UCI or COUNTRYCODEUCI.")
	case len(b.Entries) == 0 || len(b.Entries) > MaxBatchEntries:
		return batchIssue("entries", "A batch has 1 to 1000 entries.", "Split the list.")
	}
	return nil
}

// ParseBatch reads a batch, one of another country included: key ids may lack their padding
// and the expiry may have fractions or an offset; it is rounded up to UTC in whole seconds.
// Errors: ErrBatch.
func ParseBatch(raw []byte) (Batch, error) {
	if len(raw) > maxBatchBytes {
		return Batch{}, batchIssue("", "The batch is larger than 128 KiB.", "Split the list.")
	}
	var in batchJSON
	if err := unmarshalStrict(raw, 3, &in); err != nil {
		return Batch{}, ErrBatch.Because(err)
	}
	b := Batch{Country: in.Country, HashType: in.HashType}
	if !kidPattern.MatchString(in.KID) {
		return Batch{}, batchIssue("kid", "The key id is not 11 or 12 characters of base64.", "State the key id of the DSC, or UNKNOWN_KID.")
	}
	var err error
	if in.KID != unknownKID {
		if b.KID, err = base64.RawStdEncoding.Strict().DecodeString(in.KID[:11]); err != nil {
			return Batch{}, batchIssue("kid", "The key id is not base64.", "State the key id of the DSC, or UNKNOWN_KID.")
		}
	}
	expires, err := time.Parse(time.RFC3339, in.Expires)
	if err != nil {
		return Batch{}, batchIssue("expires", "The expiry is not a date and time of ISO 8601.", "Write it as 2027-06-30T23:59:59Z.")
	}
	b.Expires = expires.UTC().Add(time.Second - 1).Truncate(time.Second)
	if len(in.Entries) > MaxBatchEntries {
		return Batch{}, b.check()
	}
	for i, e := range in.Entries {
		h, ok := parseHash(e.Hash)
		if !ok {
			return Batch{}, batchIssue(fmt.Sprintf("entries[%d].hash", i), "The hash is not the base64 of 16 bytes.", "Write 22 characters and two equals signs.")
		}
		b.Entries = append(b.Entries, h)
	}
	return b, b.check()
}

func parseHash(text string) (Hash, bool) {
	if !hashPattern.MatchString(text) {
		return Hash{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != HashSize {
		return Hash{}, false
	}
	return Hash(raw), true
}

// unmarshalStrict reads one JSON value without unknown, repeated or differently cased members.
func unmarshalStrict(raw []byte, depth int, into any) error {
	if err := strictjson.Check(raw, depth); err != nil {
		return err
	}
	if err := jsonv2.Unmarshal(raw, into, jsonv2.RejectUnknownMembers(true)); err != nil {
		var semantic *jsonv2.SemanticError
		if errors.As(err, &semantic) { // its text would repeat values
			return fmt.Errorf("a member is unknown or of another type at byte %d", semantic.ByteOffset)
		}
		return errors.New("it is not the documented JSON")
	}
	return nil
}

// BatchID names a batch by its bytes: a UUID of version 8 (RFC 9562 §5.8) made of their
// SHA-256, so that publishers with the same batch name it the same and nobody can put another
// in its place.
func BatchID(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return uuid8.From(sum[:])
}

// CompareHashes orders hashes by their bytes.
func CompareHashes(a, b Hash) int { return bytes.Compare(a[:], b[:]) }
