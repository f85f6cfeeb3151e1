package sqlite

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/json"
	"slices"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// The two kinds of keys, apart in their digests.
const (
	uniqueKey = 'u'
	indexKey  = 'i'
)

// digest is what the index tables hold for a key. At 128 bits nobody finds two keys with
// one digest by accident, and on purpose only with 2^64 work, to collide with himself.
func digest(collection string, kind byte, key string) []byte {
	b := make([]byte, 0, 2+docstore.MaxCollection+docstore.MaxKey)
	b = append(b, kind, byte(len(collection)))
	b = append(b, collection...)
	h := sha256.Sum256(append(b, key...))
	return h[:16]
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	var out []string
	for _, k := range a {
		if !slices.Contains(b, k) {
			out = append(out, k)
		}
	}
	return out
}

func expiry(d docstore.Document) driver.Value {
	if d.Expires.IsZero() {
		return nil
	}
	return d.Expires.Unix()
}

// keys cannot fail: json.Marshal takes every slice of strings.
func keys(d docstore.Document) []byte {
	b, _ := json.Marshal([2][]string{d.Unique, d.Index})
	return b
}

// body keeps SQLite from reading an empty slice as NULL.
func body(d docstore.Document) []byte {
	if d.Body == nil {
		return []byte{}
	}
	return d.Body
}
