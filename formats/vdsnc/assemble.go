package vdsnc

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// Limits of a text, in bytes: what a QR code of version 40 holds in byte mode (ISO/IEC
// 18004 table 7), at error correction level L and at level M. A seal carries a whole
// certificate and needs the large versions.
const (
	MaxTextL = 2953
	MaxTextM = 2331
)

// eciHeader is what a text outside of ASCII costs in a QR code of version 40, in bytes: the
// header that says UTF-8 takes twelve bits, of which four are to spare.
const eciHeader = 1

// signatureLength is that of ES256: r and s of 32 bytes each.
const signatureLength = 64

// Errors of the last steps. But for the first they are mistakes of the caller or of a
// signer, never of the person's data.
var (
	// ErrTooLong means that no QR code can carry the text. The cure is shorter content: fewer
	// doses, shorter names of centres; or a smaller barcode signer certificate.
	ErrTooLong     = errors.New("vdsnc: the text would not fit into a QR code of version 40 at level L; use fewer doses or shorter names")
	ErrCanonical   = errors.New("vdsnc: the data must be an object in canonical JSON, as Canonical gives it")
	ErrCertificate = errors.New("vdsnc: the barcode signer certificate must be one DER structure")
	ErrSignature   = errors.New("vdsnc: an ES256 signature has 64 bytes, r and s of 32 bytes each, not DER")
)

// Assemble puts a signature made elsewhere over the canonical data into the text of a
// seal: data and sig in minified JSON, the certificate in DER and the signature as r and s,
// both in base64url without padding (TR VDS-NC §3.5). It checks the form of the parts, not
// the signature: that is the reader's work. A result that no QR code can carry is ErrTooLong.
func Assemble(canonical []byte, barcodeSigner []byte, signature []byte) (string, error) {
	if err := checkParts(canonical, barcodeSigner, signature); err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(MaxTextL)
	text.WriteString(`{"data":`)
	text.Write(canonical)
	text.WriteString(`,"sig":{"alg":"ES256","cer":"`)
	text.WriteString(base64.RawURLEncoding.EncodeToString(barcodeSigner))
	text.WriteString(`","sigvl":"`)
	text.WriteString(base64.RawURLEncoding.EncodeToString(signature))
	text.WriteString(`"}}`)
	if _, err := Level(text.Len()); err != nil || text.Len() > MaxTextL-eciHeader && !isASCII(canonical) {
		return "", ErrTooLong
	}
	return text.String(), nil
}

func checkParts(canonical, barcodeSigner, signature []byte) error {
	if len(canonical) > MaxTextL || len(barcodeSigner) > MaxTextL {
		return ErrTooLong
	}
	if again, err := strictjson.Canonical(canonical); err != nil || canonical[0] != '{' || !bytes.Equal(again, canonical) {
		return ErrCanonical
	}
	var certificate asn1.RawValue
	if rest, err := asn1.Unmarshal(barcodeSigner, &certificate); err != nil || len(rest) > 0 ||
		certificate.Tag != asn1.TagSequence || !certificate.IsCompound {
		return ErrCertificate
	}
	if len(signature) != signatureLength {
		return ErrSignature
	}
	return nil
}

// Level is the error correction level for the QR code of a seal of textLen bytes: M up to
// version 40, else L. Q and H are not chosen for smaller ones, because in codes of this
// size larger modules read better than more redundancy would. Every text is counted
// as if it were outside of ASCII, which costs one byte. The error is ErrTooLong.
func Level(textLen int) (qr.Level, error) {
	switch {
	case textLen <= MaxTextM-eciHeader:
		return qr.M, nil
	case textLen <= MaxTextL:
		return qr.L, nil
	}
	return qr.L, ErrTooLong
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= 0x80 {
			return false
		}
	}
	return true
}
