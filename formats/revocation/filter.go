package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/FastFilter/xorfilter"
)

// FilterFPR is how often a filter says yes to a hash it was not built of: 2^-16.
const FilterFPR = 1.0 / (1 << filterBits)

// The layout of a filter (docs/adr/0017-revocation.md), integers little endian.
const (
	filterMagic   = "TRVF"
	filterVersion = 1
	filterBits    = 16 // of a fingerprint

	filterHeader    = 48
	maxSegment      = 1 << 18 // fingerprints
	maxFingerprints = 1 << 26 // 128 MiB
	maxFilterCount  = 50_000_000
)

// filterTypes are the hash types of a filter; type i is bit i of its mask.
var filterTypes = []HashType{HashSignature, HashUCI, HashCountryUCI, HashRID}

// FilterBuilder builds filters one after the other in the same memory: about 23 bytes for
// each hash of the largest. It is not safe for concurrent use.
type FilterBuilder struct{ memory xorfilter.BinaryFuseBuilder }

// Build makes the filter of the keys of some hashes, at least one, of the types that are
// named: a binary fuse filter with three segments and fingerprints of 16 bits. until is when
// the last certificate in it expires. It sorts keys; the same keys give the same bytes.
func (b *FilterBuilder) Build(types []HashType, until time.Time, keys []uint64) ([]byte, error) {
	mask, err := maskOf(types)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0 || len(keys) > maxFilterCount:
		return nil, fmt.Errorf("revocation: a filter is of 1 to %d hashes", maxFilterCount)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	built, err := xorfilter.BuildBinaryFuse[uint16](&b.memory, keys)
	if err != nil {
		return nil, fmt.Errorf("revocation: build filter: %w", err)
	}
	out := make([]byte, 0, filterHeader+2*len(built.Fingerprints)+sha256.Size)
	out = append(append(out, filterMagic...), filterVersion, filterBits, mask, 0)
	le := binary.LittleEndian
	out = le.AppendUint32(out, uint32(len(keys)))
	out = le.AppendUint32(out, built.SegmentLength)
	out = le.AppendUint32(out, built.SegmentCount)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint64(out, built.Seed)
	out = le.AppendUint64(out, uint64(until.Unix()))
	out = le.AppendUint64(out, math.Float64bits(FilterFPR))
	for _, f := range built.Fingerprints {
		out = le.AppendUint16(out, f)
	}
	sum := sha256.Sum256(out)
	return append(out, sum[:]...), nil
}

func maskOf(types []HashType) (byte, error) {
	var mask byte
	for _, t := range types {
		at := slices.Index(filterTypes, t)
		if at < 0 {
			return 0, errors.New("revocation: a filter cannot hold this type of hash")
		}
		mask |= 1 << at
	}
	if mask == 0 {
		return 0, errors.New("revocation: a filter must say which types of hash it holds")
	}
	return mask, nil
}

// FilterKey is the key of a hash: its first 8 bytes, big endian.
func FilterKey(h Hash) uint64 { return binary.BigEndian.Uint64(h[:8]) }

// Filter answers whether a hash may be of a revoked certificate. It is immutable and keeps
// the bytes it was made of.
type Filter struct {
	Types []HashType // of the hashes in it: look up these and no others
	Count int        // of hashes
	Until time.Time  // when it may be forgotten, UTC

	seed         uint64
	segment      uint32 // length, a power of two
	span         uint32 // fingerprints that the first of the three may stand at
	fingerprints []byte
}

// ErrFilter is the error of ParseFilter.
var ErrFilter = errors.New("revocation: this is not a revocation filter of version 1")

// ParseFilter reads a filter and its checksum; raw must not be changed afterwards. The
// checksum shows damage, not authorship: compare the SHA-256 with a signed manifest.
func ParseFilter(raw []byte) (*Filter, error) {
	if len(raw) < filterHeader+sha256.Size || string(raw[:4]) != filterMagic {
		return nil, ErrFilter
	}
	body, le := raw[:len(raw)-sha256.Size], binary.LittleEndian
	segment, segments := le.Uint32(body[12:]), le.Uint32(body[16:])
	count, mask := le.Uint32(body[8:]), body[6]
	// Multiplied as 64 bits: the header is not to be believed yet.
	fingerprints := (uint64(segments) + 2) * uint64(segment)
	until := int64(le.Uint64(body[32:]))
	switch {
	case body[4] != filterVersion || body[5] != filterBits || body[7] != 0 || le.Uint32(body[20:]) != 0,
		mask == 0 || mask >= 1<<len(filterTypes),
		count == 0 || segments == 0,
		segment > maxSegment || bits.OnesCount32(segment) != 1,
		fingerprints > maxFingerprints || uint64(len(body)-filterHeader) != 2*fingerprints,
		le.Uint64(body[40:]) != math.Float64bits(FilterFPR),
		until <= 0 || until > Never.Unix(),
		sha256.Sum256(body) != [sha256.Size]byte(raw[len(body):]):
		return nil, ErrFilter
	}
	f := &Filter{
		Count: int(count), Until: time.Unix(until, 0).UTC(),
		seed: le.Uint64(body[24:]), segment: segment, span: segments * segment, fingerprints: body[filterHeader:],
	}
	for i, t := range filterTypes {
		if mask>>i&1 == 1 {
			f.Types = append(f.Types, t)
		}
	}
	return f, nil
}

// Holds reports whether hashes of the type are in the filter.
func (f *Filter) Holds(t HashType) bool { return slices.Contains(f.Types, t) }

// Contains reports whether the hash is in the filter: always true for one it was built of,
// wrongly true for others at the rate FilterFPR.
func (f *Filter) Contains(h Hash) bool {
	mixed := mix(FilterKey(h) + f.seed)
	first, _ := bits.Mul64(mixed, uint64(f.span))
	one := uint32(first)
	two := (one + f.segment) ^ uint32(mixed>>18)&(f.segment-1)
	three := (one + 2*f.segment) ^ uint32(mixed)&(f.segment-1)
	return uint16(mixed^mixed>>32) == f.at(one)^f.at(two)^f.at(three)
}

func (f *Filter) at(i uint32) uint16 { return binary.LittleEndian.Uint16(f.fingerprints[2*i:]) }

// mix spreads the bits of a key (the finaliser of MurmurHash3 for 64 bits).
func mix(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
