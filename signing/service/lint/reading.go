package lint

import (
	"crypto"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	hcertreader "github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
)

// Reading is a certificate as the independent reader of its format decoded it. Exactly one
// member is set.
type Reading struct {
	HCERT *hcertreader.Message
	SHC   *shcreader.Message
	VDSNC *vdsncreader.Message
}

// ToBeSigned gives the bytes that the signature covers, as received.
func (r Reading) ToBeSigned() []byte {
	switch {
	case r.HCERT != nil:
		return r.HCERT.ToBeSigned()
	case r.SHC != nil:
		return r.SHC.SigningInput
	default:
		return r.VDSNC.Canonical
	}
}

// Verify checks the signature with one key.
func (r Reading) Verify(key crypto.PublicKey) error {
	switch {
	case r.HCERT != nil:
		return r.HCERT.Verify(key)
	case r.SHC != nil:
		return r.SHC.Verify(key)
	default:
		return r.VDSNC.Verify(key)
	}
}

// Embedded is the certificate that a seal carries beside what it signs; nil in other formats.
func (r Reading) Embedded() []byte {
	if r.VDSNC == nil {
		return nil
	}
	return r.VDSNC.CertificateDER
}

// isES256 reports whether the reading names ES256 as its algorithm.
func (r Reading) isES256() bool {
	const es256 = -7 // RFC 9053 §2.1
	switch {
	case r.HCERT != nil:
		return r.HCERT.Algorithm == es256
	case r.SHC != nil:
		return true // its reader takes no other
	default:
		return r.VDSNC.Algorithm == "ES256"
	}
}

// span gives the begin and the end of the validity that the reading states. A format
// without them begins now and ends never.
func (in Input) span() (begin, end time.Time) {
	switch {
	case in.HCERT != nil:
		return in.HCERT.Claims.IssuedAt, in.HCERT.Claims.ExpiresAt
	case in.SHC != nil:
		return in.SHC.NotBefore, in.SHC.ExpiresAt
	default:
		return in.Now, time.Time{}
	}
}

// Longest is the length of the longest text that may be shown as a QR code, in characters.
func (r Reading) Longest() int {
	switch {
	case r.HCERT != nil:
		return hcert.MaxTextQ
	case r.SHC != nil:
		return len(shc.Prefix) + 2*shc.MaxJWS
	default:
		return vdsnc.MaxTextL
	}
}

// formats says which formats a rule is about.
type formats uint8

const (
	ddccs formats = 1 << iota
	dccs
	icvps
	cards
	seals

	hcerts = ddccs | dccs | icvps
	every  = hcerts | cards | seals
)

// format is that of the stated claims.
func (in Input) format() formats {
	switch c := in.Claims; {
	case c.DDCC != nil:
		return ddccs
	case c.DCC != nil:
		return dccs
	case c.ICVP != nil:
		return icvps
	case c.SHC != nil:
		return cards
	default:
		return seals
	}
}

// read is what the reader found in the place for the profile's content; nil when there is
// nothing.
func (in Input) read() map[string]any {
	switch {
	case in.HCERT != nil:
		m, _ := in.HCERT.Claims.SubClaims[in.SubClaim].(map[string]any)
		return m
	case in.SHC != nil:
		return in.SHC.Content
	default:
		return in.VDSNC.Data
	}
}

// said is what the content must be, written out by hand from the stated claims and from
// what the service sets itself, not with the encoder.
func (in Input) said() map[string]any {
	switch c := in.Claims; {
	case c.DDCC != nil:
		return statedDDCC(*c.DDCC)
	case c.DCC != nil:
		return statedDCC(*c.DCC)
	case c.ICVP != nil:
		return statedICVP(*c.ICVP)
	case c.SHC != nil:
		return in.statedCard()
	default:
		return in.statedSeal()
	}
}

// walk visits every leaf of a decoded tree in a fixed order. An empty map or list is one.
func walk(path string, v any, visit func(path string, leaf any)) {
	switch t := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(t) {
			walk(join(path, k), t[k], visit)
		}
		if len(t) > 0 {
			return
		}
	case []any:
		for i, e := range t {
			walk(join(path, strconv.Itoa(i)), e, visit)
		}
		if len(t) > 0 {
			return
		}
	}
	visit(path, v)
}

// at follows a dotted path of names and indexes through a decoded tree; nil where it ends.
func at(v any, path string) any {
	for path != "" {
		key := path
		for i := range path {
			if path[i] == '.' {
				key = path[:i]
				break
			}
		}
		switch t := v.(type) {
		case map[string]any:
			v = t[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(t) {
				return nil
			}
			v = t[i]
		default:
			return nil
		}
		path = path[min(len(key)+1, len(path)):]
	}
	return v
}

// whole gives an integer the type in which it is stated: CBOR has signed and unsigned ones,
// JSON floats.
func whole(v any) any {
	switch n := v.(type) {
	case uint64:
		if n <= math.MaxInt64 {
			return int64(n)
		}
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n)
		}
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return v
}
