package cms

import (
	"bytes"
	"errors"
)

// Limits of what is read.
const (
	// MaxSize is the largest message, in bytes. A DSC with its signature has about 3,000.
	MaxSize = 1 << 20
	// maxDepth of a message with a certificate inside is 14.
	maxDepth = 24
)

// Errors of the outer form.
var (
	ErrTooLarge = errors.New("cms: the message is larger than the limit")
	ErrForm     = errors.New("cms: the message is not the ASN.1 of RFC 5652")
)

// Bits and values of the first octets of an element (X.690 §8.1).
const (
	constructed      = 0x20
	tagMask          = 0x1f
	highTag          = 0x1f
	octetString      = 0x04
	lengthIndefinite = 0x80
)

// definite gives the same value with definite lengths only, and with octet strings in one
// piece (X.690 §10.1 and §10.2). What has that form already comes back byte for byte, so
// that signatures over parts of it stay valid.
func definite(raw []byte) ([]byte, error) {
	if len(raw) > MaxSize {
		return nil, ErrTooLarge
	}
	out, rest, err := element(raw, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, ErrForm
	}
	return out, nil
}

// element transcodes the first element of raw and gives what follows it.
func element(raw []byte, depth int) (out, rest []byte, err error) {
	if depth > maxDepth || len(raw) < 2 || raw[0]&tagMask == highTag {
		return nil, nil, ErrForm
	}
	tag := raw[0]
	if raw[1] == lengthIndefinite {
		if tag&constructed == 0 {
			return nil, nil, ErrForm
		}
		return indefinite(raw, depth)
	}
	header, length, ok := definiteLength(raw)
	if !ok {
		return nil, nil, ErrForm
	}
	whole, rest := raw[:header+length], raw[header+length:]
	if tag&constructed == 0 {
		return whole, rest, nil
	}
	content, changed, err := children(whole[header:], depth)
	if err != nil {
		return nil, nil, err
	}
	if !changed && tag != octetString|constructed {
		return whole, rest, nil
	}
	out, err = wrap(tag, content)
	return out, rest, err
}

// indefinite reads elements until the end-of-contents octets.
func indefinite(raw []byte, depth int) (out, rest []byte, err error) {
	rest = raw[2:]
	var content []byte
	for {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			out, err = wrap(raw[0], content)
			return out, rest[2:], err
		}
		var child []byte
		if child, rest, err = element(rest, depth+1); err != nil {
			return nil, nil, err
		}
		content = append(content, child...)
	}
}

// children transcodes the content of an element of definite length.
func children(content []byte, depth int) (out []byte, changed bool, err error) {
	out = make([]byte, 0, len(content))
	for rest := content; len(rest) > 0; {
		before := rest
		var child []byte
		if child, rest, err = element(rest, depth+1); err != nil {
			return nil, false, err
		}
		changed = changed || !bytes.Equal(child, before[:len(before)-len(rest)])
		out = append(out, child...)
	}
	return out, changed, nil
}

// wrap puts a header of definite length before content; the segments of an octet string
// become one.
func wrap(tag byte, content []byte) ([]byte, error) {
	if tag == octetString|constructed {
		joined, err := join(content)
		if err != nil {
			return nil, err
		}
		tag, content = octetString, joined
	}
	return append(appendHeader(nil, tag, len(content)), content...), nil
}

// join concatenates the segments of an octet string, which are transcoded already.
func join(segments []byte) ([]byte, error) {
	var out []byte
	for len(segments) > 0 {
		header, length, ok := definiteLength(segments)
		if !ok || segments[0] != octetString {
			return nil, ErrForm
		}
		out = append(out, segments[header:header+length]...)
		segments = segments[header+length:]
	}
	return out, nil
}

// definiteLength reads tag and length of the first element; ok means that all of it is
// there. Lengths that are not minimal are refused (X.690 §10.1).
func definiteLength(raw []byte) (header, length int, ok bool) {
	if len(raw) < 2 {
		return 0, 0, false
	}
	if raw[1] < lengthIndefinite {
		header, length = 2, int(raw[1])
		return header, length, length <= len(raw)-header
	}
	octets := int(raw[1] &^ lengthIndefinite)
	if octets == 0 || octets > 3 || len(raw) < 2+octets || raw[2] == 0 {
		return 0, 0, false
	}
	for _, b := range raw[2 : 2+octets] {
		length = length<<8 | int(b)
	}
	header = 2 + octets
	return header, length, length >= lengthIndefinite && length <= len(raw)-header
}

// appendHeader writes tag and length of at most 24 bits, which MaxSize guarantees.
func appendHeader(out []byte, tag byte, length int) []byte {
	switch {
	case length < lengthIndefinite:
		return append(out, tag, byte(length))
	case length <= 0xff:
		return append(out, tag, 0x81, byte(length))
	case length <= 0xffff:
		return append(out, tag, 0x82, byte(length>>8), byte(length))
	}
	return append(out, tag, 0x83, byte(length>>16), byte(length>>8), byte(length))
}
