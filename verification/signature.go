package verification

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// documentHeader is the protected header of a document signature.
type documentHeader struct {
	kid        []byte
	thumbprint string    // x5t#S256
	signedAt   time.Time // sigT
}

// verifySignature checks Bundle.signature over the canonical document, then the times and
// the usage of its key. The DocumentSignature is there once the signature has verified.
func (v *Verifier) verifySignature(document docsig.Document, now time.Time) (*DocumentSignature, *failure) {
	if document.Signature == nil || string(document.Signature) == "null" {
		return nil, fail(ReasonDocumentUnsigned, "Bundle.signature is missing")
	}
	token, when, f := readSignature(document.Signature)
	if f != nil {
		return nil, f
	}
	header, f := token.header()
	if f != nil {
		return nil, f
	}
	if !header.signedAt.Equal(when) {
		return nil, fail(ReasonDocumentBadSignature, "header sigT and Signature.when differ")
	}
	entry, f := v.documentKey(header)
	if f != nil {
		return nil, f
	}
	if f := token.verify(document.Canonical, entry); f != nil {
		return nil, f
	}
	signature := &DocumentSignature{KID: textKID(header.kid), SignedAt: header.signedAt, Signer: newSigner(entry)}
	if f := v.checkSignedAt(header.signedAt, entry, now); f != nil {
		return signature, f
	}
	if !entry.Allows(trust.UsageDocument) {
		return signature, fail(ReasonUsageMismatch, "the key may not sign documents")
	}
	return signature, nil
}

// documentKey finds the listed DSC with the key id and the thumbprint.
func (v *Verifier) documentKey(header documentHeader) (trust.Entry, *failure) {
	for _, entry := range v.lookup(header.kid) {
		digest := sha256.Sum256(entry.DSC.Raw)
		if base64.RawURLEncoding.EncodeToString(digest[:]) == header.thumbprint {
			return entry, nil
		}
	}
	return trust.Entry{}, fail(ReasonUnknownKey, "the trust list has no key with this id and thumbprint")
}

func (v *Verifier) checkSignedAt(signedAt time.Time, entry trust.Entry, now time.Time) *failure {
	switch {
	case signedAt.After(now.Add(v.skew())):
		return fail(ReasonNotYetValid, "the document was signed later than now")
	case signedAt.Before(entry.DSC.NotBefore):
		return fail(ReasonKeyNotYetValid, "the document was signed before the begin of the DSC")
	case signedAt.After(entry.DSC.NotAfter):
		return fail(ReasonKeyExpired, "the document was signed after the end of the DSC")
	}
	return v.checkChainNow(entry, now)
}

// jws is a compact JWS with detached payload (RFC 7515 §7.1 and appendix F).
type jws struct {
	protected string // as received, base64url
	signature []byte
}

// readSignature reads a FHIR Signature. What it says beside data and when is covered by
// no signature and decides nothing.
func readSignature(raw json.RawMessage) (jws, time.Time, *failure) {
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		return jws{}, time.Time{}, fail(ReasonDocumentMalformed, "Bundle.signature is not one Signature")
	}
	text, _ := members["when"].(string)
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return jws{}, time.Time{}, fail(ReasonDocumentMalformed, "Signature.when is not an instant")
	}
	data, _ := members["data"].(string)
	compact, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return jws{}, time.Time{}, fail(ReasonDocumentMalformed, "Signature.data is not base64")
	}
	parts := bytes.Split(compact, []byte("."))
	if len(parts) != 3 || len(parts[1]) != 0 {
		return jws{}, time.Time{}, fail(ReasonDocumentMalformed, "Signature.data is not a compact JWS with detached payload")
	}
	signature, ok := decodeURL(string(parts[2]))
	if !ok {
		return jws{}, time.Time{}, fail(ReasonDocumentMalformed, "the signature of the JWS is not base64url")
	}
	return jws{protected: string(parts[0]), signature: signature}, when, nil
}

// header reads the protected header. Parameters beyond the known ones are ignored unless
// they demand to be understood (RFC 7515 §4.1.11).
func (t jws) header() (documentHeader, *failure) {
	raw, ok := decodeURL(t.protected)
	if !ok || strictjson.Check(raw, docsig.MaxDepth) != nil {
		return documentHeader{}, fail(ReasonDocumentMalformed, "the header of the JWS is not strict JSON in base64url")
	}
	var members map[string]any // member names are compared exactly
	if err := json.Unmarshal(raw, &members); err != nil {
		return documentHeader{}, fail(ReasonDocumentMalformed, "the header of the JWS is not an object")
	}
	for _, name := range []string{"crit", "b64"} {
		if _, ok := members[name]; ok {
			return documentHeader{}, fail(ReasonDocumentBadSignature, "the header of the JWS has a parameter that is not supported: "+name)
		}
	}
	if members["alg"] != "ES256" {
		return documentHeader{}, fail(ReasonUnsupportedAlgorithm, "header alg must be ES256")
	}
	if members[docsig.HeaderCanonicalization] != docsig.Canonicalization {
		return documentHeader{}, fail(ReasonDocumentBadSignature, "header canon does not name the canonicalization of documents")
	}
	return headerValues(members)
}

func headerValues(members map[string]any) (documentHeader, *failure) {
	text, ok := members["kid"].(string)
	if !ok || text == "" {
		return documentHeader{}, fail(ReasonKIDMissing, "header kid is missing")
	}
	kid, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return documentHeader{}, fail(ReasonUnknownKey, "header kid is not a key id in base64")
	}
	thumbprint, ok := members[docsig.HeaderThumbprint].(string)
	if !ok {
		return documentHeader{}, fail(ReasonDocumentBadSignature, "header x5t#S256 is missing")
	}
	text, _ = members[docsig.HeaderSigningTime].(string)
	signedAt, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return documentHeader{}, fail(ReasonDocumentBadSignature, "header sigT is missing or not a date and time")
	}
	return documentHeader{kid: kid, thumbprint: thumbprint, signedAt: signedAt.UTC()}, nil
}

// verify checks ES256 over the detached payload (RFC 7515 §5.2, RFC 7518 §3.4).
func (t jws) verify(payload []byte, entry trust.Entry) *failure {
	key, ok := entry.DSC.PublicKey.(*ecdsa.PublicKey)
	if !ok { // the list pins the curve
		return fail(ReasonUnsuitableKey, "ES256 needs an ECDSA key")
	}
	const half = 32
	if len(t.signature) != 2*half {
		return fail(ReasonDocumentBadSignature, "an ES256 signature has 64 bytes")
	}
	hash := sha256.New()
	hash.Write([]byte(t.protected))
	hash.Write([]byte{'.'})
	hash.Write([]byte(base64.RawURLEncoding.EncodeToString(payload)))
	r, s := new(big.Int).SetBytes(t.signature[:half]), new(big.Int).SetBytes(t.signature[half:])
	if !ecdsa.Verify(key, hash.Sum(nil), r, s) {
		return fail(ReasonDocumentBadSignature, "the signature does not belong to the document and the key")
	}
	return nil
}

// decodeURL reads base64url without padding in its one canonical form.
func decodeURL(text string) ([]byte, bool) {
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodeToString(content) != text {
		return nil, false
	}
	return content, true
}
