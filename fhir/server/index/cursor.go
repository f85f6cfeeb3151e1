package index

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Failures of following a link to another page.
var (
	ErrCursor = fault.New(fault.Malformed, "search-cursor",
		"The place of the page is not one of this search. Follow the links of the answer as they are.")
	ErrPageGone = fault.New(fault.NotFound, "search-page-gone",
		"The resource at which the page begins has changed. Search again.")
)

const digestSize = 8

// cursorOf is the place a page ended at: a digest of the search, and the last resource's rowid
// and version. It holds no value of a resource, since links end up in logs.
func cursorOf(q search.Query, last place) string {
	c := append(digest(q), make([]byte, 0, 2*binary.MaxVarintLen64)...)
	c = binary.AppendVarint(c, last.rowid)
	c = binary.AppendVarint(c, last.version)
	return base64.RawURLEncoding.EncodeToString(c)
}

// readCursor reads the place; a cursor of another search is refused, since its order differs.
func readCursor(q search.Query) (place, error) {
	c, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(c) < digestSize || string(c[:digestSize]) != string(digest(q)) {
		return place{}, ErrCursor
	}
	rest := c[digestSize:]
	rowid, n := binary.Varint(rest)
	if n <= 0 {
		return place{}, ErrCursor
	}
	version, m := binary.Varint(rest[n:])
	if m <= 0 || n+m != len(rest) {
		return place{}, ErrCursor
	}
	return place{rowid, version}, nil
}

// digest tells searches apart. How much is on a page and what comes with it may differ.
func digest(q search.Query) []byte {
	self := q.Self()
	for _, name := range []string{"_count", "_total", "_summary", "_elements"} {
		self.Del(name)
	}
	sum := sha256.Sum256([]byte(q.Type + "?" + self.Encode()))
	return sum[:digestSize]
}
