package docstore

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of the port: what every engine accepts, and no engine may exceed.
const (
	MaxCollection = 64      // bytes of a collection name
	MaxKey        = 512     // bytes of an id, a unique key or an index key
	MaxKeys       = 64      // unique keys of one document, and as many index keys
	MaxBody       = 8 << 20 // bytes of a body
	MaxRange      = 1000    // documents of one page of Range, and of one Purge
)

// CheckName checks a collection name, id or key. field goes into the *InvalidError.
func CheckName(field, value string, limit int) error {
	switch {
	case value == "":
		return &InvalidError{field, "must not be empty"}
	case len(value) > limit:
		return &InvalidError{field, "is too long"}
	case !utf8.ValidString(value):
		return &InvalidError{field, "must be valid UTF-8"}
	case strings.IndexByte(value, 0) >= 0:
		return &InvalidError{field, "must not hold a NUL character"}
	}
	return nil
}

// Check returns d as a store keeps it: keys as sets in their first order, expiry in UTC
// and whole seconds. Engines call it before a write. It returns a *InvalidError when a
// limit is broken.
func Check(collection string, d Document) (Document, error) {
	if err := CheckName("collection", collection, MaxCollection); err != nil {
		return Document{}, err
	}
	if err := CheckName("id", d.ID, MaxKey); err != nil {
		return Document{}, err
	}
	if len(d.Body) > MaxBody {
		return Document{}, &InvalidError{"body", "is too long"}
	}
	if !d.Expires.IsZero() {
		d.Expires = d.Expires.UTC().Truncate(time.Second)
		if d.Expires.Unix() <= 0 {
			return Document{}, &InvalidError{"expires", "must be after 1970"}
		}
	}
	var err error
	if d.Unique, err = set("unique", d.Unique); err != nil {
		return Document{}, err
	}
	d.Index, err = set("index", d.Index)
	return d, err
}

// CheckRange checks the arguments of Range.
func CheckRange(collection, index, after string, limit int) error {
	if err := CheckName("collection", collection, MaxCollection); err != nil {
		return err
	}
	if err := CheckName("index", index, MaxKey); err != nil {
		return err
	}
	if after != "" {
		if err := CheckName("after", after, MaxKey); err != nil {
			return err
		}
	}
	return CheckLimit(limit)
}

// CheckLimit checks the limit of Range and Purge.
func CheckLimit(limit int) error {
	if limit < 1 || limit > MaxRange {
		return &InvalidError{"limit", "must be from 1 to 1000"}
	}
	return nil
}

// set drops repeated keys. The quadratic search is over at most MaxKeys keys.
func set(field string, keys []string) ([]string, error) {
	if len(keys) > MaxKeys {
		return nil, &InvalidError{field, "has too many keys"}
	}
	var out []string
	for _, k := range keys {
		if err := CheckName(field, k, MaxKey); err != nil {
			return nil, err
		}
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out, nil
}
