package reader

import (
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Claims are the CWT claims of a certificate (RFC 8392 §3.1, HCERT specification §3.3).
// Absent times are zero; whether they may be absent, and whether they fit the clock and
// the signer's certificate, is the verifier's decision.
type Claims struct {
	Issuer    string
	IssuedAt  time.Time // UTC, whole seconds, like the others
	ExpiresAt time.Time
	NotBefore time.Time

	// SubClaims is the content of claim -260 by its key, e.g. 1 for the EU DCC and 3 for
	// the WHO DDCC vaccination data set. Values are map[string]any, []any, string,
	// uint64, int64, float64, bool or nil.
	SubClaims map[int64]any

	// Flat is set instead of SubClaims for early WHO payloads, which have the data set
	// itself where the claims should be (or as the only element of a list there).
	Flat map[string]any
}

// Keys of the CWT claims.
const (
	claimIssuer    int64 = 1
	claimExpires   int64 = 4
	claimNotBefore int64 = 5
	claimIssuedAt  int64 = 6
	claimHealth    int64 = -260
)

// decodeClaims reads a COSE payload.
func decodeClaims(payload []byte) (Claims, error) {
	if err := lenient.Wellformed(payload); err != nil {
		return Claims{}, fail(ReasonInvalidCBOR, "the payload is not one well-formed CBOR item within the limits").because(err)
	}
	root, err := rootMap(payload)
	if err != nil {
		return Claims{}, err
	}
	var raw map[any]cbor.RawMessage
	if err := lenient.Unmarshal(root, &raw); err != nil {
		return Claims{}, fail(ReasonInvalidCBOR, "the claims have repeated or unusable keys").because(err)
	}
	numbered, texts := splitKeys(raw)
	if len(numbered)+len(texts) != len(raw) {
		return Claims{}, fail(ReasonInvalidClaims, "a claim key is neither an integer nor text")
	}
	var claims Claims
	if err := claims.setRegistered(numbered); err != nil {
		return Claims{}, err
	}
	if err := claims.setContent(numbered, root, len(texts) > 0); err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// rootMap unwraps the one known deviation: a list that holds the data set and no more.
func rootMap(payload cbor.RawMessage) (cbor.RawMessage, error) {
	root := payload
	if root[0]>>5 == majorArray {
		var list []cbor.RawMessage
		if err := lenient.Unmarshal(root, &list); err != nil || len(list) != 1 {
			return nil, fail(ReasonInvalidClaims, "the claims are not a map").because(err)
		}
		root = list[0]
	}
	if root[0]>>5 != majorMap {
		return nil, fail(ReasonInvalidClaims, "the claims are not a map")
	}
	return root, nil
}

// splitKeys sorts claims by the type of their key. Integers beyond 64 bit signed cannot
// be claims anybody assigned and count as neither.
func splitKeys(raw map[any]cbor.RawMessage) (numbered map[int64]cbor.RawMessage, texts map[string]cbor.RawMessage) {
	numbered = make(map[int64]cbor.RawMessage, len(raw))
	texts = make(map[string]cbor.RawMessage, len(raw))
	for key, value := range raw {
		switch key := key.(type) {
		case int64:
			numbered[key] = value
		case uint64:
			if key <= math.MaxInt64 {
				numbered[int64(key)] = value
			}
		case string:
			texts[key] = value
		}
	}
	return numbered, texts
}

func (c *Claims) setRegistered(claims map[int64]cbor.RawMessage) error {
	if item, ok := claims[claimIssuer]; ok {
		if item[0]>>5 != majorText || lenient.Unmarshal(item, &c.Issuer) != nil {
			return fail(ReasonInvalidClaims, "claim 1 (iss) must be text")
		}
	}
	for key, target := range map[int64]*time.Time{
		claimExpires: &c.ExpiresAt, claimNotBefore: &c.NotBefore, claimIssuedAt: &c.IssuedAt,
	} {
		item, ok := claims[key]
		if !ok {
			continue
		}
		date, ok := numericDate(item)
		if !ok {
			return fail(ReasonInvalidClaims, "claims 4 (exp), 5 (nbf) and 6 (iat) must be seconds since 1970")
		}
		*target = date
	}
	return nil
}

// numericDate reads seconds since 1970 (RFC 8392 §2). Floats occur; their fraction says
// nothing a certificate could depend on and is dropped. NaN, infinities, dates before
// 1970 and after 9999 are no dates.
func numericDate(item cbor.RawMessage) (time.Time, bool) {
	const year9999 = 253402300799
	var number any
	if major := item[0] >> 5; major != majorUint && major != 7 {
		return time.Time{}, false
	}
	if err := lenient.Unmarshal(item, &number); err != nil {
		return time.Time{}, false
	}
	switch seconds := number.(type) {
	case uint64:
		if seconds > 0 && seconds <= year9999 {
			return time.Unix(int64(seconds), 0).UTC(), true
		}
	case float64:
		if seconds >= 1 && seconds <= year9999 { // false for NaN
			return time.Unix(int64(seconds), 0).UTC(), true
		}
	}
	return time.Time{}, false
}

// setContent reads claim -260 or, without it, the flat form.
func (c *Claims) setContent(numbered map[int64]cbor.RawMessage, root cbor.RawMessage, hasText bool) error {
	item, ok := numbered[claimHealth]
	if !ok {
		return c.setFlat(root, hasText && len(numbered) == 0)
	}
	var raw map[any]cbor.RawMessage
	if item[0]>>5 != majorMap || lenient.Unmarshal(item, &raw) != nil || len(raw) == 0 {
		return fail(ReasonInvalidClaims, "claim -260 must be a map of sub-claims with unique keys")
	}
	subClaims, _ := splitKeys(raw)
	if len(subClaims) != len(raw) {
		return fail(ReasonInvalidClaims, "a key of claim -260 is not an integer")
	}
	content := newContent()
	c.SubClaims = make(map[int64]any, len(subClaims))
	for key, sub := range subClaims {
		value, err := content.value(sub)
		if err != nil {
			return err
		}
		c.SubClaims[key] = value
	}
	return nil
}

func (c *Claims) setFlat(root cbor.RawMessage, isFlat bool) error {
	if !isFlat {
		return fail(ReasonInvalidClaims, "the claims hold no health certificate (claim -260)")
	}
	flat, err := newContent().object(root)
	if err != nil {
		return err
	}
	c.Flat = flat
	return nil
}
