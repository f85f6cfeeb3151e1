package revocation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// The layout of a slice (docs/adr/0017-revocation.md), integers little endian.
const (
	sliceMagic   = "TRVS"
	sliceVersion = 1
	sliceHeader  = 28
	// MaxSliceBytes bounds what ParseSlice takes; BudgetSlice is what is written.
	MaxSliceBytes = 1 << 20
)

// MaxDepth is the deepest cut of a key's list: by the first two bytes of a hash.
const MaxDepth = 2

// sliceTarget is how many hashes a slice has on average before the cut goes deeper.
const sliceTarget = 1000

// DepthFor gives the cut of a list of count hashes, in bytes of the prefix.
func DepthFor(count int) int {
	if count > sliceTarget<<8 {
		return MaxDepth
	}
	return 1
}

// Slice is the part of a key's exact list whose hashes begin with the same one or two bytes,
// with the proof that it belongs to the list whose root a manifest states.
type Slice struct {
	KID    KID
	Prefix []byte                  // 1 or 2 bytes
	Hashes [len(sliceTypes)][]Hash // by type, in the order of ListedTypes; sorted, each once
	Path   [][sha256.Size]byte     // of the hash tree, from the leaf to below the root
}

var sliceTypes = [...]HashType{HashSignature, HashUCI, HashCountryUCI}

// Contains reports whether the slice lists the hash.
func (s Slice) Contains(t HashType, h Hash) bool {
	at := slices.Index(sliceTypes[:], t)
	if at < 0 {
		return false
	}
	_, found := slices.BinarySearchFunc(s.Hashes[at], h, CompareHashes)
	return found
}

// AppendBody appends the slice without its path: the leaf of the tree.
func (s Slice) AppendBody(out []byte) []byte {
	out = append(append(out, sliceMagic...), sliceVersion, byte(len(s.Prefix)))
	out = append(out, s.KID[:]...)
	out = append(out, s.Prefix...)
	out = append(out, make([]byte, MaxDepth-len(s.Prefix))...)
	for _, hashes := range s.Hashes {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(hashes)))
	}
	for _, hashes := range s.Hashes {
		for _, h := range hashes {
			out = append(out, h[:]...)
		}
	}
	return out
}

// ErrSlice is the error of ParseSlice.
var ErrSlice = errors.New("revocation: this is not a slice of a revocation list of version 1")

// ParseSlice reads a slice with its path. Compare Root with the signed manifest before
// believing it.
func ParseSlice(raw []byte) (Slice, error) {
	if len(raw) > MaxSliceBytes || len(raw) < sliceHeader || string(raw[:4]) != sliceMagic || raw[4] != sliceVersion {
		return Slice{}, ErrSlice
	}
	depth := int(raw[5])
	if depth < 1 || depth > MaxDepth || depth == 1 && raw[15] != 0 {
		return Slice{}, ErrSlice
	}
	s := Slice{KID: KID(raw[6:14]), Prefix: slices.Clone(raw[14 : 14+depth])}
	var counts [len(sliceTypes)]int
	total := uint64(0)
	for i := range counts {
		n := binary.LittleEndian.Uint32(raw[16+4*i:])
		counts[i], total = int(n), total+uint64(n)
	}
	path := raw[sliceHeader:]
	if total > MaxSliceBytes/HashSize || uint64(len(path)) != total*HashSize+uint64(8*depth*sha256.Size) {
		return Slice{}, ErrSlice
	}
	for i, n := range counts {
		if s.Hashes[i] = readHashes(path[:n*HashSize]); !ascending(s.Hashes[i]) {
			return Slice{}, ErrSlice
		}
		for _, h := range s.Hashes[i] {
			if !bytes.HasPrefix(h[:], s.Prefix) {
				return Slice{}, ErrSlice
			}
		}
		path = path[n*HashSize:]
	}
	for ; len(path) > 0; path = path[sha256.Size:] {
		s.Path = append(s.Path, [sha256.Size]byte(path))
	}
	return s, nil
}

func readHashes(raw []byte) []Hash {
	if len(raw) == 0 {
		return nil
	}
	out := make([]Hash, len(raw)/HashSize)
	for i := range out {
		out[i] = Hash(raw[i*HashSize:])
	}
	return out
}

// Root computes the root of the tree that the slice claims to belong to.
func (s Slice) Root() [sha256.Size]byte {
	node, at := LeafHash(s.AppendBody(nil)), s.index()
	for _, sibling := range s.Path {
		if at&1 == 0 {
			node = nodeHash(node, sibling)
		} else {
			node = nodeHash(sibling, node)
		}
		at >>= 1
	}
	return node
}

// index is the place of the slice among the leaves.
func (s Slice) index() int {
	at := 0
	for _, b := range s.Prefix {
		at = at<<8 | int(b)
	}
	return at
}
