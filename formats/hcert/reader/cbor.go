package reader

import (
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// CBOR major types (RFC 8949 §3.1) and the tags this package knows.
const (
	majorUint  = 0
	majorNint  = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorMap   = 5
	majorTag   = 6

	tagSign1 = 18
	tagCWT   = 61
)

// Limits on the shape of CBOR input. Real certificates have some hundred values.
const (
	maxDepth   = 16
	maxMembers = 1024 // of one container
	maxValues  = 4096 // of the content
)

// strict reads the COSE envelope, lenient the payload inside it, which foreign encoders
// write with indefinite lengths. Both are immutable and safe for concurrent use.
var (
	strict  = newDecoder(cbor.IndefLengthForbidden)
	lenient = newDecoder(cbor.IndefLengthAllowed)
)

// newDecoder panics only if the constant options contradict each other.
func newDecoder(indefinite cbor.IndefLengthMode) cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      indefinite,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxMembers,
		MaxMapPairs:      maxMembers,
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		UTF8:             cbor.UTF8RejectInvalid,
		BignumTag:        cbor.BignumTagForbidden,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}

// byteString reads an untagged byte string of definite length.
func byteString(item cbor.RawMessage) ([]byte, bool) {
	if len(item) == 0 || item[0]>>5 != majorBytes {
		return nil, false
	}
	var content []byte
	err := strict.Unmarshal(item, &content)
	return content, err == nil
}
