package reader

import (
	"math"

	"github.com/fxamacker/cbor/v2"
)

// content decodes the values of one payload and counts them, so that the smallest values
// in the largest message cost no more than a few milliseconds.
type content struct {
	left int
}

func newContent() *content { return &content{left: maxValues} }

// value turns one item of the payload into what JSON could have said: map[string]any,
// []any, string, uint64, int64 (negative), float64 (finite), bool, nil. Undefined becomes
// nil. Byte strings, other keys, other tags and other simple values are refused.
func (c *content) value(item cbor.RawMessage) (any, error) {
	if c.left--; c.left < 0 {
		return nil, fail(ReasonInvalidCBOR, "the content holds too many values")
	}
	switch item[0] >> 5 {
	case majorBytes:
		return nil, fail(ReasonInvalidClaims, "the content holds a byte string")
	case majorArray:
		return c.list(item)
	case majorMap:
		return c.object(item)
	case majorTag:
		return decodeTagged(item)
	default:
		return decodeScalar(item)
	}
}

func (c *content) list(item cbor.RawMessage) (any, error) {
	var elements []cbor.RawMessage
	if err := lenient.Unmarshal(item, &elements); err != nil {
		return nil, fail(ReasonInvalidCBOR, "a list of the content cannot be read").because(err)
	}
	list := make([]any, len(elements))
	for i, element := range elements {
		value, err := c.value(element)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

func (c *content) object(item cbor.RawMessage) (map[string]any, error) {
	var members map[any]cbor.RawMessage
	if err := lenient.Unmarshal(item, &members); err != nil {
		return nil, fail(ReasonInvalidCBOR, "a map of the content has repeated or unusable keys").because(err)
	}
	object := make(map[string]any, len(members))
	for key, member := range members {
		name, ok := key.(string)
		if !ok {
			return nil, fail(ReasonInvalidClaims, "a map of the content has a key that is not text")
		}
		value, err := c.value(member)
		if err != nil {
			return nil, err
		}
		object[name] = value
	}
	return object, nil
}

// decodeTagged drops the date tags of RFC 8949 §3.4 and RFC 8943: the value stays what
// the issuer wrote, text or a number, and is not converted.
func decodeTagged(item cbor.RawMessage) (any, error) {
	var tag cbor.RawTag
	if err := lenient.Unmarshal(item, &tag); err != nil {
		return nil, fail(ReasonInvalidCBOR, "a tag of the content cannot be read").because(err)
	}
	const firstFloat = 0xf9 // initial byte of a half-precision float (RFC 8949 §3.3)
	major := tag.Content[0] >> 5
	isText := major == majorText
	isNumber := major == majorUint || major == majorNint || tag.Content[0] >= firstFloat
	switch {
	case (tag.Number == 0 || tag.Number == 1004) && isText:
	case (tag.Number == 1 || tag.Number == 100) && isNumber:
	default:
		return nil, fail(ReasonInvalidClaims, "the content holds a tag other than a date")
	}
	return decodeScalar(tag.Content)
}

func decodeScalar(item cbor.RawMessage) (any, error) {
	var scalar any
	if err := lenient.Unmarshal(item, &scalar); err != nil {
		return nil, fail(ReasonInvalidCBOR, "a value of the content cannot be read").because(err)
	}
	switch value := scalar.(type) {
	case nil, string, bool, uint64, int64:
		return value, nil
	case float64:
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			return value, nil
		}
	}
	return nil, fail(ReasonInvalidClaims, "the content holds a value that has no meaning in a certificate")
}
