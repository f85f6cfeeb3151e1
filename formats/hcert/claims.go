package hcert

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Claims are the CWT claims of one health certificate (HCERT specification §3.3,
// RFC 8392 §3.1). All four claims are required here: a certificate that never expires
// cannot be made by leaving a field out, only by saying so in Lifelong.
type Claims struct {
	Issuer    string    // claim 1, ISO 3166-1 code of the issuing state, e.g. "XX"
	IssuedAt  time.Time // claim 6, whole seconds
	ExpiresAt time.Time // claim 4, whole seconds, after IssuedAt; zero if Lifelong
	Lifelong  bool      // claim 4 is left out: valid for the life of the person (ICVP)
	SubClaim  int64     // key inside claim -260, e.g. SubClaimDDCCVS
	Content   any       // value of the sub-claim, e.g. DDCC
}

// ClaimError says which member of the claims may not be signed, and why. Path is made of
// claim keys and member names ("-260.3.vaccination.lot"); neither field repeats a value.
type ClaimError struct {
	Path string
	Rule string
}

func (e *ClaimError) Error() string { return "hcert: " + e.Path + ": " + e.Rule }

// cwt is the wire form; the encoder sorts the keys to 1, 4, 6, -260.
type cwt struct {
	Issuer    string        `cbor:"1,keyasint"`
	ExpiresAt int64         `cbor:"4,keyasint,omitempty"` // zero for a lifelong certificate alone
	IssuedAt  int64         `cbor:"6,keyasint"`
	Health    map[int64]any `cbor:"-260,keyasint"`
}

// encoder is immutable and safe for concurrent use.
var encoder = newEncoder()

// newEncoder panics only if the constant options contradict each other.
func newEncoder() cbor.EncMode {
	options := cbor.CoreDetEncOptions() // RFC 8949 §4.2.1
	options.Time = cbor.TimeRFC3339     // date-times are untagged text in an HCERT
	mode, err := options.EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}

// Encode gives the COSE payload: the claims as a CBOR map in the core deterministic
// encoding of RFC 8949 §4.2.1. It refuses, with a *ClaimError, what a health certificate
// may not hold: text that is not valid UTF-8 in NFC, floats, nulls, byte strings, tags,
// times that are not whole seconds. Nothing is converted.
func (c Claims) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	wire := cwt{Issuer: c.Issuer, IssuedAt: c.IssuedAt.Unix(), Health: map[int64]any{c.SubClaim: c.Content}}
	if !c.Lifelong {
		wire.ExpiresAt = c.ExpiresAt.Unix()
	}
	payload, err := encoder.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("hcert: encode claims: %w", err)
	}
	if err := inspect(payload); err != nil {
		return nil, err
	}
	return payload, nil
}

func (c Claims) check() error {
	switch {
	case !isCountry(c.Issuer):
		return &ClaimError{"iss", "must be an ISO 3166-1 code of two or three capital letters"}
	case c.SubClaim == 0:
		return &ClaimError{"-260", "needs the key of a sub-claim"}
	case c.IssuedAt.Unix() <= 0 || c.IssuedAt.Nanosecond() != 0:
		return &ClaimError{"iat", "must be set, in whole seconds; truncate it before"}
	case c.Lifelong && !c.ExpiresAt.IsZero():
		return &ClaimError{"exp", "must be left out of a lifelong certificate"}
	case c.Lifelong:
	case c.ExpiresAt.Unix() <= 0 || c.ExpiresAt.Nanosecond() != 0:
		return &ClaimError{"exp", "must be set, in whole seconds; truncate it before"}
	case !c.ExpiresAt.After(c.IssuedAt):
		return &ClaimError{"exp", "must be later than iat"}
	}
	return nil
}

func isCountry(code string) bool {
	if len(code) != 2 && len(code) != 3 {
		return false
	}
	for _, letter := range []byte(code) {
		if letter < 'A' || letter > 'Z' {
			return false
		}
	}
	return true
}
