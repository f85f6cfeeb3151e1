package reader

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
)

// ecParameters are explicit curve parameters (RFC 3279 §2.3.5, SEC 1 §C.2).
type ecParameters struct {
	Version int
	Field   struct {
		Type  asn1.ObjectIdentifier
		Prime *big.Int
	}
	Curve struct {
		A, B []byte
		Seed asn1.BitString `asn1:"optional"`
	}
	Base     []byte
	Order    *big.Int
	Cofactor *big.Int `asn1:"optional"`
}

func parseECParameters(der []byte) (p ecParameters, ok bool) {
	rest, err := asn1.Unmarshal(der, &p)
	return p, err == nil && len(rest) == 0 && p.Field.Type.Equal(oidPrimeField) && p.Field.Prime != nil && p.Order != nil
}

var namedCurves = []struct {
	curve elliptic.Curve
	name  asn1.ObjectIdentifier
}{
	{elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
	{elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
	{elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
}

// curve gives the name of the curve that all parameters describe. All of them: a signer
// that may choose another base point can make a key to any public point (CVE-2020-0601).
// The seed has no part in the arithmetic.
func (p ecParameters) curve() (asn1.ObjectIdentifier, bool) {
	for _, known := range namedCurves {
		if p.is(known.curve.Params()) {
			return known.name, true
		}
	}
	return nil, false
}

func (p ecParameters) is(c *elliptic.CurveParams) bool {
	a := new(big.Int).Sub(c.P, big.NewInt(3)) // of all NIST curves over prime fields
	one := big.NewInt(1)
	return p.Field.Prime.Cmp(c.P) == 0 &&
		new(big.Int).SetBytes(p.Curve.A).Cmp(a) == 0 &&
		new(big.Int).SetBytes(p.Curve.B).Cmp(c.B) == 0 &&
		isBase(p.Base, c) &&
		p.Order.Cmp(c.N) == 0 &&
		(p.Cofactor == nil || p.Cofactor.Cmp(one) == 0)
}

// isBase reports whether an encoded point (SEC 1 §2.3.3) is the base point.
func isBase(point []byte, c *elliptic.CurveParams) bool {
	size := (c.BitSize + 7) / 8
	x, y := c.Gx.FillBytes(make([]byte, size)), c.Gy.FillBytes(make([]byte, size))
	uncompressed := append(append([]byte{4}, x...), y...)
	compressed := append([]byte{2 + byte(c.Gy.Bit(0))}, x...)
	return bytes.Equal(point, uncompressed) || bytes.Equal(point, compressed)
}
