// Package uuid8 names things by what they are: UUIDs of version 8 (RFC 9562 §5.8) made of a
// digest, so that the same input has the same id, in whatever process and however often.
//
// Owner of the form and of how parts are told apart; whoever digests decides whether the id
// can be guessed (a keyed hash) or made by anybody (a plain one). It holds no state.
package uuid8

import (
	"hash"
	"strconv"

	"github.com/google/uuid"
)

// Size is how many bytes of a digest an id needs; six bits of them are not used.
const Size = len(uuid.UUID{})

// From makes the id of the first Size bytes of a digest. A shorter one panics.
func From(digest []byte) string {
	id := uuid.UUID(digest[:Size])
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id.String()
}

// Digest adds the parts to h, each with its length in front, so that no two lists of parts
// read alike, and gives the sum.
func Digest(h hash.Hash, parts ...string) []byte {
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return h.Sum(nil)
}
