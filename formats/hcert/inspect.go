package hcert

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxDepth is how deep containers may nest; foreign readers stop at 16 too.
const maxDepth = 16

// CBOR major types (RFC 8949 §3.1).
const (
	majorUint  = 0
	majorNint  = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorMap   = 5
	majorTag   = 6
)

// inspect checks the very bytes that are about to be signed, whatever type they came
// from (a struct, a map, a cbor.Marshaler): one well-formed item in the core
// deterministic encoding that holds only what HCERT maps from JSON.
func inspect(payload []byte) error {
	rest, fail := inspectItem(payload, 1)
	if fail == nil && len(rest) > 0 {
		fail = &ClaimError{Rule: "must be one CBOR item"}
	}
	if fail != nil {
		if fail.Path == "" {
			fail.Path = "claims"
		}
		return fail
	}
	return nil
}

// inspectItem consumes one item and returns what follows it. The path of a failure
// grows on the way back, so that the good case allocates nothing.
func inspectItem(data []byte, depth int) ([]byte, *ClaimError) {
	major, size, rest, ok := head(data)
	if !ok {
		return nil, &ClaimError{Rule: "must be deterministic CBOR (RFC 8949 section 4.2.1)"}
	}
	switch major {
	case majorUint, majorNint:
		if size > math.MaxInt64 {
			return nil, &ClaimError{Rule: "must fit into 64 bits with sign"}
		}
		return rest, nil
	case majorText:
		return inspectText(rest, size)
	case majorArray, majorMap:
		if depth > maxDepth {
			return nil, &ClaimError{Rule: "is nested too deeply"}
		}
		if major == majorArray {
			return inspectArray(rest, size, depth)
		}
		return inspectMap(rest, size, depth)
	case majorBytes:
		return nil, &ClaimError{Rule: "must not be a byte string"}
	case majorTag:
		return nil, &ClaimError{Rule: "must not be tagged; dates are plain text"}
	default:
		return inspectSimple(data, rest)
	}
}

func inspectText(rest []byte, size uint64) ([]byte, *ClaimError) {
	if size > uint64(len(rest)) {
		return nil, &ClaimError{Rule: "is cut short"}
	}
	text := rest[:size]
	if !utf8.Valid(text) {
		return nil, &ClaimError{Rule: "must be valid UTF-8"}
	}
	if !norm.NFC.IsNormal(text) {
		return nil, &ClaimError{Rule: "must be in Unicode normalization form C; normalise it before"}
	}
	return rest[size:], nil
}

func inspectArray(rest []byte, size uint64, depth int) ([]byte, *ClaimError) {
	for i := range size {
		next, fail := inspectItem(rest, depth+1)
		if fail != nil {
			return nil, fail.under(strconv.FormatUint(i, 10))
		}
		rest = next
	}
	return rest, nil
}

func inspectMap(rest []byte, size uint64, depth int) ([]byte, *ClaimError) {
	var previous []byte
	for range size {
		afterKey, fail := inspectItem(rest, depth+1)
		if fail != nil {
			return nil, fail.under("(member name)")
		}
		key := rest[:len(rest)-len(afterKey)]
		name, ok := memberName(key)
		if !ok {
			return nil, &ClaimError{"(member name)", "must be text or an integer"}
		}
		if bytes.Compare(previous, key) >= 0 {
			return nil, &ClaimError{name, "is out of order or repeated"}
		}
		previous = key
		if rest, fail = inspectItem(afterKey, depth+1); fail != nil {
			return nil, fail.under(name)
		}
	}
	return rest, nil
}

// inspectSimple accepts true and false alone of major type 7.
func inspectSimple(data, rest []byte) ([]byte, *ClaimError) {
	const falseByte, trueByte, nullByte, undefinedByte = 0xf4, 0xf5, 0xf6, 0xf7
	switch data[0] {
	case falseByte, trueByte:
		return rest, nil
	case nullByte, undefinedByte:
		return nil, &ClaimError{Rule: "must be left out when there is no value"}
	default:
		return nil, &ClaimError{Rule: "must be an integer, not a float"}
	}
}

// memberName names a map key for an error path.
func memberName(key []byte) (string, bool) {
	major, value, rest, _ := head(key)
	switch major {
	case majorUint:
		return strconv.FormatUint(value, 10), true
	case majorNint:
		return "-" + strconv.FormatUint(value+1, 10), true
	case majorText:
		return string(rest), true
	default:
		return "", false
	}
}

// under puts a failure below the member it was found in.
func (e *ClaimError) under(name string) *ClaimError {
	if e.Path == "" {
		return &ClaimError{name, e.Rule}
	}
	return &ClaimError{name + "." + e.Path, e.Rule}
}

// head reads the head of an item (RFC 8949 §3) in its shortest form; indefinite lengths
// and longer forms are not ok. For major type 7 the argument means nothing here.
func head(data []byte) (major byte, argument uint64, rest []byte, ok bool) {
	if len(data) == 0 {
		return 0, 0, nil, false
	}
	major, info := data[0]>>5, data[0]&0x1f
	data = data[1:]
	if info < 24 {
		return major, uint64(info), data, true
	}
	if info > 27 || len(data) < 1<<(info-24) {
		return 0, 0, nil, false
	}
	var wide [8]byte
	width := 1 << (info - 24)
	copy(wide[8-width:], data)
	argument = binary.BigEndian.Uint64(wide[:])
	shortest := argument >= 24
	if width > 1 {
		shortest = argument>>(4*width) != 0
	}
	return major, argument, data[width:], shortest || major == 7
}
