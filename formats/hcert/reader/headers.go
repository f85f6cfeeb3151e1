package reader

import (
	"math"

	"github.com/fxamacker/cbor/v2"
)

// The COSE algorithms an HCERT may use (HCERT specification §3.3.1, RFC 9053).
const (
	AlgorithmES256 int64 = -7
	AlgorithmPS256 int64 = -37
)

// Labels of COSE header parameters (RFC 9052 §3.1).
const (
	labelAlgorithm int64 = 1
	labelCritical  int64 = 2
	labelKID       int64 = 4
)

// A key id has 8 bytes. Early WHO certificates have other lengths; those are bounded.
const (
	kidLength  = 8
	kidLongest = 64
)

// headerMap is one header bucket. Text labels are allowed and ignored.
type headerMap map[int64]cbor.RawMessage

// setHeaders reads algorithm and key id out of the two buckets.
func (m *Message) setHeaders(unprotectedItem []byte) error {
	protected := headerMap{}
	if len(m.Protected) > 0 { // the empty string stands for the empty map (RFC 9052 §3)
		var err error
		if protected, err = decodeHeader(m.Protected); err != nil {
			return err
		}
	}
	unprotected, err := decodeHeader(unprotectedItem)
	if err != nil {
		return err
	}
	if err := checkCritical(protected, unprotected); err != nil {
		return err
	}
	if err := m.setKID(protected, unprotected); err != nil {
		return err
	}
	return m.setAlgorithm(protected)
}

func decodeHeader(item []byte) (headerMap, error) {
	var raw map[any]cbor.RawMessage
	if len(item) == 0 || item[0]>>5 != majorMap {
		return nil, fail(ReasonInvalidCOSE, "a header is not a map")
	}
	if err := strict.Unmarshal(item, &raw); err != nil {
		return nil, fail(ReasonInvalidCOSE, "a header is not a map with unique labels").because(err)
	}
	header := make(headerMap, len(raw))
	for key, value := range raw {
		switch label := key.(type) {
		case int64:
			header[label] = value
		case uint64:
			if label <= math.MaxInt64 {
				header[int64(label)] = value
			}
		case string:
		default:
			return nil, fail(ReasonInvalidCOSE, "a header label is neither an integer nor text")
		}
	}
	return header, nil
}

// checkCritical refuses a message that depends on header parameters this package does
// not process (RFC 9052 §3.1).
func checkCritical(protected, unprotected headerMap) error {
	if _, ok := unprotected[labelCritical]; ok {
		return fail(ReasonInvalidCOSE, "the crit header must be protected")
	}
	item, ok := protected[labelCritical]
	if !ok {
		return nil
	}
	var labels []any
	if err := strict.Unmarshal(item, &labels); err != nil || item[0]>>5 != majorArray || len(labels) == 0 {
		return fail(ReasonInvalidCOSE, "the crit header must be a list of labels").because(err)
	}
	for _, label := range labels {
		if label != uint64(labelAlgorithm) && label != uint64(labelKID) {
			return fail(ReasonInvalidCOSE, "the crit header names a parameter that is not supported")
		}
		if _, ok := protected[int64(label.(uint64))]; !ok {
			return fail(ReasonInvalidCOSE, "the crit header names a parameter that is not protected")
		}
	}
	return nil
}

// setKID prefers the protected key id (HCERT specification §3.3.2).
func (m *Message) setKID(protected, unprotected headerMap) error {
	item, ok := protected[labelKID]
	m.KIDProtected = ok
	if !ok {
		if item, ok = unprotected[labelKID]; !ok {
			return fail(ReasonKIDMissing, "neither header holds a key id")
		}
	}
	kid, ok := byteString(item)
	if !ok || len(kid) == 0 || len(kid) > kidLongest {
		return fail(ReasonInvalidCOSE, "the key id must be a byte string of 8 bytes")
	}
	m.KID = kid
	return nil
}

// checkKID waits for the claims: early WHO payloads come with other key ids.
func (m *Message) checkKID() error {
	if m.Claims.Flat == nil && len(m.KID) != kidLength {
		return fail(ReasonInvalidCOSE, "the key id must be a byte string of 8 bytes")
	}
	return nil
}

// setAlgorithm reads the protected header alone: what is not signed cannot say how the
// signature is to be checked.
func (m *Message) setAlgorithm(protected headerMap) error {
	item, ok := protected[labelAlgorithm]
	if !ok {
		return fail(ReasonUnsupportedAlgorithm, "the protected header holds no algorithm")
	}
	var algorithm int64
	if item[0]>>5 != majorNint || strict.Unmarshal(item, &algorithm) != nil ||
		algorithm != AlgorithmES256 && algorithm != AlgorithmPS256 {
		return fail(ReasonUnsupportedAlgorithm, "the algorithm must be ES256 or PS256")
	}
	m.Algorithm = algorithm
	return nil
}
