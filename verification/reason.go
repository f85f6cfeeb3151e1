package verification

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
)

// Reason is a stable machine word for the outcome of a verification.
type Reason string

// The reasons, in the order of the checks. Those of decoding are the reader's.
const (
	ReasonVerified Reason = "verified" // every check passed

	ReasonQRUnreadable         Reason = "qr_unreadable"         // an image without a QR code; given by those who read images
	ReasonUnsupportedContext   Reason = "unsupported_context"   // a kind or version of certificate that is not supported
	ReasonNotHCERT             Reason = "not_hcert"             // does not begin with HC1: or is too long
	ReasonInvalidBase45        Reason = "invalid_base45"        // RFC 9285
	ReasonInvalidCompression   Reason = "invalid_compression"   // RFC 1950, RFC 1951, ZIP
	ReasonInvalidCOSE          Reason = "invalid_cose"          // RFC 9052
	ReasonInvalidCBOR          Reason = "invalid_cbor"          // RFC 8949
	ReasonNotSHC               Reason = "not_shc"               // no SMART Health Card
	ReasonInvalidChunks        Reason = "invalid_chunks"        // the codes of a card do not make up one
	ReasonNotVDSNC             Reason = "not_vdsnc"             // no VDS-NC
	ReasonNotDIVOC             Reason = "not_divoc"             // no DIVOC credential
	ReasonInvalidEncoding      Reason = "invalid_encoding"      // base64 or digits between code and content
	ReasonInvalidJSON          Reason = "invalid_json"          // RFC 7493
	ReasonInvalidCertificate   Reason = "invalid_certificate"   // the certificate inside a seal cannot be read
	ReasonKIDMissing           Reason = "kid_missing"           // no header names a key
	ReasonUnsupportedAlgorithm Reason = "unsupported_algorithm" // none of those of its format

	ReasonUnknownKey    Reason = "unknown_key"    // the trust list has no such key
	ReasonBadSignature  Reason = "bad_signature"  // does not verify with the key
	ReasonUnsuitableKey Reason = "unsuitable_key" // the key is of another kind than the algorithm

	ReasonInvalidClaims  Reason = "invalid_claims"    // claims missing, ill-typed or contradictory (RFC 8392, RFC 7519)
	ReasonNotYetValid    Reason = "not_yet_valid"     // issued, or valid from, later than now
	ReasonExpired        Reason = "expired"           // exp has passed
	ReasonKeyNotYetValid Reason = "key_not_yet_valid" // the key or its CSCA was or is not valid yet
	ReasonKeyExpired     Reason = "key_expired"       // the key or its CSCA is not valid any more
	ReasonOutlivesKey    Reason = "outlives_key"      // exp later than the end of the DSC

	ReasonIssuerMismatch     Reason = "issuer_mismatch"     // the key is of another country than the issuer named
	ReasonUsageMismatch      Reason = "usage_mismatch"      // the key may not sign this kind of content
	ReasonUnsupportedPayload Reason = "unsupported_payload" // recognised or unknown content without rules here
	ReasonInvalidPayload     Reason = "invalid_payload"     // content that breaks the rules of its kind
	ReasonRevoked            Reason = "revoked"             // its issuer took it back

	ReasonDocumentMalformed           Reason = "document_malformed"            // not a DDCC document in strict JSON
	ReasonDocumentUnsigned            Reason = "document_unsigned"             // no Bundle.signature
	ReasonDocumentBadSignature        Reason = "document_bad_signature"        // signature or its headers do not fit
	ReasonDocumentCertificateMismatch Reason = "document_certificate_mismatch" // document and certificate differ
)

// explanations are written for the people at a counter, one sentence a reason.
var explanations = map[Reason]string{
	ReasonVerified:                    "The certificate is genuine and valid now.",
	ReasonQRUnreadable:                "No QR code could be read; use a sharper or larger image.",
	ReasonUnsupportedContext:          "The code is a certificate of a kind or version that this verifier does not support.",
	ReasonNotHCERT:                    "The code is not a health certificate.",
	ReasonInvalidBase45:               "The code is damaged: its characters are not those of a health certificate.",
	ReasonInvalidCompression:          "The code is damaged: its content cannot be unpacked.",
	ReasonInvalidCOSE:                 "The code does not hold a well-formed signed message.",
	ReasonInvalidCBOR:                 "The code holds data that cannot be read without ambiguity.",
	ReasonNotSHC:                      "The code is not a SMART Health Card.",
	ReasonInvalidChunks:               "The codes do not belong to one card; scan every one of them.",
	ReasonNotVDSNC:                    "The code is not a visible digital seal.",
	ReasonNotDIVOC:                    "The code is not a DIVOC certificate.",
	ReasonInvalidEncoding:             "The code is damaged: its content cannot be read.",
	ReasonInvalidJSON:                 "The code holds a text that can be read in more than one way.",
	ReasonInvalidCertificate:          "The certificate of the signer inside the code cannot be used.",
	ReasonKIDMissing:                  "The certificate does not say which key signed it.",
	ReasonUnsupportedAlgorithm:        "The certificate is signed with a method that is not allowed.",
	ReasonUnknownKey:                  "The certificate is signed with a key that is not on the trust list; refresh the list, and do not rely on the certificate if it stays unknown.",
	ReasonBadSignature:                "The signature is wrong: the certificate was altered or forged.",
	ReasonUnsuitableKey:               "The key on the trust list cannot belong to this kind of signature.",
	ReasonInvalidClaims:               "The certificate lacks or contradicts its issue or expiry date, or holds no health data.",
	ReasonNotYetValid:                 "The certificate is not valid yet; check the clock of this device.",
	ReasonExpired:                     "The certificate has expired.",
	ReasonKeyNotYetValid:              "The signer's certificate was not valid yet when it was used, or is not valid yet now.",
	ReasonKeyExpired:                  "The signer's certificate has expired, and with it everything it signed.",
	ReasonOutlivesKey:                 "The certificate claims to be valid for longer than its signer's certificate.",
	ReasonIssuerMismatch:              "The certificate names one country as its issuer and is signed with the key of another.",
	ReasonUsageMismatch:               "The signer is not allowed to sign this kind of certificate.",
	ReasonUnsupportedPayload:          "The signature is genuine, but this verifier has no rules for the content.",
	ReasonInvalidPayload:              "The signature is genuine, but the content breaks the rules for certificates of its kind.",
	ReasonRevoked:                     "The certificate was genuine, but its issuer has revoked it.",
	ReasonDocumentMalformed:           "The file is not a health document that can be verified.",
	ReasonDocumentUnsigned:            "The document is not signed.",
	ReasonDocumentBadSignature:        "The signature of the document is wrong: the document was altered or forged.",
	ReasonDocumentCertificateMismatch: "The document and the certificate inside it do not say the same.",
}

// Explain gives one sentence for people; an unknown word gets a general one.
func Explain(reason Reason) string {
	if sentence, ok := explanations[reason]; ok {
		return sentence
	}
	return "The certificate could not be verified."
}

// Reasons lists every reason, sorted by its word.
func Reasons() []Reason {
	all := make([]Reason, 0, len(explanations))
	for reason := range explanations {
		all = append(all, reason)
	}
	slices.Sort(all)
	return all
}

// failure is why a verification ends. Detail never holds a value of the certificate.
type failure struct {
	reason Reason
	detail string
}

func fail(reason Reason, detail string) *failure { return &failure{reason: reason, detail: detail} }

// breach says which rule for the content is broken where; path and rule may be empty.
func breach(path, detail, rule string) *failure {
	if path != "" {
		detail = path + ": " + detail
	}
	if rule != "" {
		detail += " (" + rule + ")"
	}
	return fail(ReasonInvalidPayload, detail)
}

// failReader takes over the word of the reader, which uses the same ones.
func failReader(err *reader.Error) *failure { return fail(Reason(err.Reason), err.Detail) }
