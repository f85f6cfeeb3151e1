package reader

// Reason is a stable machine word for why a certificate was refused.
type Reason string

// The reasons, in the order of the decoding steps.
const (
	ReasonUnsupportedContext   Reason = "unsupported_context"   // a context or version other than HC1
	ReasonNotHCERT             Reason = "not_hcert"             // no "HC1:" in front, or longer than any HCERT
	ReasonInvalidBase45        Reason = "invalid_base45"        // RFC 9285
	ReasonInvalidCompression   Reason = "invalid_compression"   // RFC 1950, or larger than 64 KiB
	ReasonInvalidCOSE          Reason = "invalid_cose"          // RFC 9052 §4.2
	ReasonInvalidCBOR          Reason = "invalid_cbor"          // RFC 8949, duplicate keys and limits included
	ReasonKIDMissing           Reason = "kid_missing"           // in neither header
	ReasonUnsupportedAlgorithm Reason = "unsupported_algorithm" // not ES256 or PS256, or not protected
	ReasonInvalidClaims        Reason = "invalid_claims"        // RFC 8392, or no health certificate inside
	ReasonBadSignature         Reason = "bad_signature"         // does not verify under the key
	ReasonUnsuitableKey        Reason = "unsuitable_key"        // the key cannot belong to the algorithm
)

// Error is every failure of this package. Detail is one sentence that may be shown: it
// holds no value of the certificate. The cause is for errors.As and may hold member names.
type Error struct {
	Reason Reason
	Detail string
	cause  error
}

func (e *Error) Error() string { return "hcert: " + string(e.Reason) + ": " + e.Detail }

// Unwrap gives the error of the decoder below, if there was one.
func (e *Error) Unwrap() error { return e.cause }

func fail(reason Reason, detail string) *Error { return &Error{Reason: reason, Detail: detail} }

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}
