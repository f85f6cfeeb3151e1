package revocation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// BatchRef names one batch of a publication. Its id is made of its bytes; sha256 is all of
// their digest.
type BatchRef struct {
	ID       string    `json:"batchId"`
	SHA256   string    `json:"sha256"` // lower-case hex
	Size     int       `json:"size"`   // bytes
	Count    int       `json:"count"`  // hashes
	KID      string    `json:"kid"`
	HashType HashType  `json:"hashType"`
	Expires  time.Time `json:"expires"`
}

// MaxBatchList bounds what ParseBatchList takes, in bytes: 200,000 batches.
const MaxBatchList = 64 << 20

type batchListJSON struct {
	Version int        `json:"version"`
	Country string     `json:"country"`
	Batches []BatchRef `json:"batches"`
}

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// IsBatchID reports whether text has the form of BatchID.
func IsBatchID(text string) bool { return uuidPattern.MatchString(text) }

// ErrBatchList is the kind of error of EncodeBatchList and ParseBatchList.
var ErrBatchList = fault.New(fault.Malformed, "revocation-batch-list", "The list of batches is not as documented.")

// EncodeBatchList writes the batches of a publication, which must be sorted by id. A signed
// manifest vouches for it and it for each batch, in place of a CMS around each of them.
func EncodeBatchList(country string, batches []BatchRef) ([]byte, error) {
	if err := checkBatchList(country, batches); err != nil {
		return nil, ErrBatchList.Because(err)
	}
	if batches == nil {
		batches = []BatchRef{}
	}
	return json.Marshal(batchListJSON{Version: 1, Country: country, Batches: batches})
}

// ParseBatchList reads what EncodeBatchList writes. Errors: ErrBatchList.
func ParseBatchList(raw []byte) (country string, batches []BatchRef, err error) {
	if len(raw) > MaxBatchList {
		return "", nil, ErrBatchList.Because(errors.New("it is too large"))
	}
	var in batchListJSON
	if err := unmarshalStrict(raw, 3, &in); err != nil {
		return "", nil, ErrBatchList.Because(err)
	}
	if in.Version != 1 || in.Batches == nil {
		return "", nil, ErrBatchList.Because(errors.New("version or batches is not as documented"))
	}
	for i := range in.Batches {
		in.Batches[i].Expires = in.Batches[i].Expires.UTC()
	}
	if err := checkBatchList(in.Country, in.Batches); err != nil {
		return "", nil, ErrBatchList.Because(err)
	}
	return in.Country, in.Batches, nil
}

func checkBatchList(country string, batches []BatchRef) error {
	if !countryPattern.MatchString(country) {
		return errors.New("the country is not two capital letters")
	}
	for i, b := range batches {
		kid, err := base64.StdEncoding.Strict().DecodeString(b.KID)
		switch {
		case !IsBatchID(b.ID) || !sha256Pattern.MatchString(b.SHA256):
			return fmt.Errorf("batch %d has no id or no digest", i)
		case i > 0 && batches[i-1].ID >= b.ID:
			return errors.New("the batches are not sorted by id, or one is there twice")
		case b.Size <= 0 || b.Size > maxBatchBytes || b.Count <= 0 || b.Count > MaxBatchEntries:
			return fmt.Errorf("batch %d has a size or count out of range", i)
		case b.KID != unknownKID && (err != nil || len(kid) != KIDSize || KID(kid).Base64() != b.KID):
			return fmt.Errorf("batch %d has no key id", i)
		case b.HashType != HashSignature && b.HashType != HashUCI && b.HashType != HashCountryUCI:
			return fmt.Errorf("batch %d has no known hash type", i)
		case !isWholeSecond(b.Expires):
			return fmt.Errorf("batch %d has no expiry in whole seconds", i)
		}
	}
	return nil
}
