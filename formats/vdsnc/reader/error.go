package reader

// Reason is a stable machine word for why a seal was refused.
type Reason string

// The reasons, in the order of the decoding steps.
const (
	ReasonNotVDSNC             Reason = "not_vdsnc"             // no JSON object with data and sig, or longer than any seal
	ReasonInvalidJSON          Reason = "invalid_json"          // RFC 7493, duplicate names and limits included
	ReasonInvalidStructure     Reason = "invalid_structure"     // TR VDS-NC §3.2: header, message or signature zone is wrong
	ReasonUnsupportedType      Reason = "unsupported_type"      // neither icao.vacc nor icao.test
	ReasonUnsupportedVersion   Reason = "unsupported_version"   // not 1
	ReasonUnsupportedAlgorithm Reason = "unsupported_algorithm" // not ES256, ES384 or ES512
	ReasonInvalidEncoding      Reason = "invalid_encoding"      // base64url, RFC 4648 §5
	ReasonInvalidCertificate   Reason = "invalid_certificate"   // no X.509 certificate with an ECDSA key
	ReasonUnsupportedCurve     Reason = "unsupported_curve"     // explicit parameters that are no NIST curve's
	ReasonUnsuitableKey        Reason = "unsuitable_key"        // the key cannot belong to the algorithm
	ReasonBadSignature         Reason = "bad_signature"         // does not verify under the key
)

// Error is every failure of this package. Detail is one sentence that may be shown: it
// holds no value of the seal. The cause is for errors.As and may hold member names.
type Error struct {
	Reason Reason
	Detail string
	cause  error
}

func (e *Error) Error() string { return "vdsnc: " + string(e.Reason) + ": " + e.Detail }

// Unwrap gives the error of the decoder below, if there was one.
func (e *Error) Unwrap() error { return e.cause }

func fail(reason Reason, detail string) *Error { return &Error{Reason: reason, Detail: detail} }

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}

// Problem is a rule that a decoded seal or its certificate does not keep. Path is made of
// member names and indexes, "sig.cer" for the certificate; neither field repeats a value.
type Problem struct {
	Path    string
	Rule    string
	Warning bool // real issuers do this and the content is still clear
}
