package revocation

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// whoVersion is the version of the list for the WHO's participants.
const whoVersion = 1

// MaxWHOBytes bounds a list that ParseWHO takes: twelve million hashes.
const MaxWHOBytes = 352 << 20

// WHOList is the list of a participant's revoked certificates, by key: the SIGNATURE hashes
// of HCERTs and seals. There is no standard for such a list as of 2026; this form is ours
// (docs/adr/0017-revocation.md).
type WHOList struct {
	Country string   // ISO 3166-1 alpha-2 of the participant
	Keys    []WHOKey // by key id
}

// WHOKey is what one key has signed and is revoked.
type WHOKey struct {
	KID    KID
	Hashes []Hash // of type SIGNATURE, sorted, each once
}

// ErrWHO is the kind of error of ParseWHO and EncodeWHO.
var ErrWHO = fault.New(fault.Malformed, "revocation-who", "The list is not one of a participant's revoked certificates in the documented form.")

// EncodeWHO writes the list key by key, so that a large one need not be in memory; the same
// list gives the same bytes. Errors: ErrWHO, with which nothing is written on, and those of w.
func EncodeWHO(w io.Writer, country string, keys iter.Seq[WHOKey]) error {
	if !countryPattern.MatchString(country) {
		return ErrWHO.Because(errCountry)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintf(out, `{"version":%d,"country":%q,"hashType":%q,"keys":[`, whoVersion, country, HashSignature)
	var last *KID
	for key := range keys {
		if err := key.check(last); err != nil {
			return ErrWHO.Because(err)
		}
		if last != nil {
			fmt.Fprint(out, ",")
		}
		key.encode(out)
		last = &key.KID
	}
	fmt.Fprint(out, "]}\n")
	return out.Flush() // the first failure of any write
}

func (k WHOKey) encode(out *bufio.Writer) {
	fmt.Fprintf(out, `{"kid":%q,"hashes":[`, k.KID.Base64())
	var text [base64HashSize]byte
	for i, h := range k.Hashes {
		if i > 0 {
			_ = out.WriteByte(',') // a failure comes back from Flush
		}
		base64.StdEncoding.Encode(text[:], h[:])
		_ = out.WriteByte('"')
		_, _ = out.Write(text[:])
		_ = out.WriteByte('"')
	}
	fmt.Fprint(out, "]}")
}

const base64HashSize = (HashSize + 2) / 3 * 4

var errCountry = errors.New("the country is not two capital letters")

// check holds a key against the one before it; nil: it is the first.
func (k WHOKey) check(last *KID) error {
	switch {
	case last != nil && bytes.Compare(last[:], k.KID[:]) >= 0:
		return errors.New("the keys are not sorted, or one is there twice")
	case len(k.Hashes) == 0:
		return errors.New("a key has no hashes")
	case !ascending(k.Hashes):
		return errors.New("the hashes of a key are not sorted, or one is there twice")
	}
	return nil
}

// ascending reports whether the hashes are sorted and each is there once.
func ascending(hashes []Hash) bool {
	for i := 1; i < len(hashes); i++ {
		if CompareHashes(hashes[i-1], hashes[i]) >= 0 {
			return false
		}
	}
	return true
}

// ParseWHO reads a list. Errors: ErrWHO.
func ParseWHO(raw []byte) (WHOList, error) {
	if len(raw) > MaxWHOBytes {
		return WHOList{}, ErrWHO.Because(errors.New("the list is too large"))
	}
	var in struct {
		Version  int      `json:"version"`
		Country  string   `json:"country"`
		HashType HashType `json:"hashType"`
		Keys     []struct {
			KID    string   `json:"kid"`
			Hashes []string `json:"hashes"`
		} `json:"keys"`
	}
	if err := unmarshalStrict(raw, 4, &in); err != nil {
		return WHOList{}, ErrWHO.Because(err)
	}
	if in.Version != whoVersion || in.HashType != HashSignature || in.Keys == nil {
		return WHOList{}, ErrWHO.Because(errors.New("version, hashType or keys is not as documented"))
	}
	if !countryPattern.MatchString(in.Country) {
		return WHOList{}, ErrWHO.Because(errCountry)
	}
	list := WHOList{Country: in.Country}
	var last *KID
	for _, k := range in.Keys {
		kid, err := base64.StdEncoding.Strict().DecodeString(k.KID)
		if err != nil || len(kid) != KIDSize || KID(kid).Base64() != k.KID {
			return WHOList{}, ErrWHO.Because(errors.New("a key id is not the base64 of 8 bytes"))
		}
		key := WHOKey{KID: KID(kid), Hashes: make([]Hash, len(k.Hashes))}
		for i, text := range k.Hashes {
			var ok bool
			if key.Hashes[i], ok = parseHash(text); !ok {
				return WHOList{}, ErrWHO.Because(errors.New("a hash is not the base64 of 16 bytes"))
			}
		}
		if err := key.check(last); err != nil {
			return WHOList{}, ErrWHO.Because(err)
		}
		list.Keys, last = append(list.Keys, key), &key.KID
	}
	return list, nil
}
