package reader

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidPrimeField  = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}
)

// ParseCertificate reads one X.509 certificate with an ECDSA key, of a barcode signer or
// of a CSCA. Go does not know explicit curve parameters, which ICAO 9303-12 asks of travel
// document issuers: if each of them is that of P-256, P-384 or P-521 the certificate is
// read as if it named the curve, and Raw, RawTBSCertificate and RawSubjectPublicKeyInfo
// stay as received, so that signatures and digests hold. The failure is an *Error with
// ReasonInvalidCertificate or ReasonUnsupportedCurve.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return parseExplicit(der, err)
	}
	if _, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok {
		return nil, fail(ReasonInvalidCertificate, "the key of the certificate must be of ECDSA")
	}
	return certificate, nil
}

// parts are the pieces of a certificate around its key, as received.
type parts struct {
	tbs                []byte // TBSCertificate with its head
	beforeKey, behind  []byte // inside TBSCertificate
	key                []byte // SubjectPublicKeyInfo with its head
	parameters, point  []byte // of the key; the point is a bit string with its head
	algorithmSignature []byte // what follows TBSCertificate
}

// parseExplicit tries again with the curve's name in place of its parameters. cause is why
// the certificate could not be read as it is.
func parseExplicit(der []byte, cause error) (*x509.Certificate, error) {
	broken := fail(ReasonInvalidCertificate, "sig.cer is not an X.509 certificate").because(cause)
	p, ok := takeApart(der)
	if !ok {
		return nil, broken
	}
	parameters, ok := parseECParameters(p.parameters)
	if !ok {
		return nil, broken
	}
	name, ok := parameters.curve()
	if !ok {
		return nil, fail(ReasonUnsupportedCurve, "the curve parameters of the certificate are not those of P-256, P-384 or P-521")
	}
	rewritten, err := p.withNamedCurve(name)
	if err != nil {
		return nil, broken
	}
	certificate, err := x509.ParseCertificate(rewritten)
	if err != nil {
		return nil, fail(ReasonInvalidCertificate, "sig.cer is not an X.509 certificate").because(err)
	}
	certificate.Raw = der
	certificate.RawTBSCertificate = p.tbs
	certificate.RawSubjectPublicKeyInfo = p.key
	return certificate, nil
}

// takeApart finds the key in a certificate (RFC 5280 §4.1).
func takeApart(der []byte) (p parts, ok bool) {
	input := cryptobyte.String(der)
	var certificate, tbs cryptobyte.String
	if !input.ReadASN1(&certificate, casn1.SEQUENCE) || !input.Empty() {
		return p, false
	}
	var element cryptobyte.String
	if !certificate.ReadASN1Element(&element, casn1.SEQUENCE) {
		return p, false
	}
	p.tbs, p.algorithmSignature = element, certificate
	if !element.ReadASN1(&tbs, casn1.SEQUENCE) {
		return p, false
	}
	whole := tbs
	explicitVersion := casn1.Tag(0).ContextSpecific().Constructed()
	if !tbs.SkipOptionalASN1(explicitVersion) || !tbs.SkipASN1(casn1.INTEGER) {
		return p, false
	}
	for range 4 { // signature, issuer, validity, subject
		if !tbs.SkipASN1(casn1.SEQUENCE) {
			return p, false
		}
	}
	p.beforeKey = whole[:len(whole)-len(tbs)]
	var key cryptobyte.String
	if !tbs.ReadASN1Element(&key, casn1.SEQUENCE) {
		return p, false
	}
	p.key, p.behind = key, tbs
	return p, p.takeKeyApart(key)
}

func (p *parts) takeKeyApart(key cryptobyte.String) bool {
	var info, algorithm, parameters, point cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !key.ReadASN1(&info, casn1.SEQUENCE) || !info.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidECPublicKey) ||
		!algorithm.ReadASN1Element(&parameters, casn1.SEQUENCE) || !algorithm.Empty() ||
		!info.ReadASN1Element(&point, casn1.BIT_STRING) || !info.Empty() {
		return false
	}
	p.parameters, p.point = parameters, point
	return true
}

// withNamedCurve builds the certificate again, with a name for the parameters of the key.
func (p parts) withNamedCurve(name asn1.ObjectIdentifier) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(p.beforeKey)
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidECPublicKey)
					b.AddASN1ObjectIdentifier(name)
				})
				b.AddBytes(p.point)
			})
			b.AddBytes(p.behind)
		})
		b.AddBytes(p.algorithmSignature)
	})
	return b.Bytes()
}
