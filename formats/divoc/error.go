package divoc

// Reason is a stable machine word for why a certificate was refused.
type Reason string

// The reasons, in the order of the steps.
const (
	ReasonNotDIVOC           Reason = "not_divoc"           // neither "B64:" nor a ZIP archive, or longer than any certificate
	ReasonInvalidEncoding    Reason = "invalid_encoding"    // base64, RFC 4648 §4
	ReasonInvalidArchive     Reason = "invalid_archive"     // not one intact certificate.json of at most 64 KiB
	ReasonInvalidJSON        Reason = "invalid_json"        // RFC 7493, duplicate names and limits included
	ReasonInvalidStructure   Reason = "invalid_structure"   // no verifiable credential with a proof
	ReasonUnsupportedProof   Reason = "unsupported_proof"   // a signature suite or algorithm that is not known
	ReasonInvalidProof       Reason = "invalid_proof"       // RFC 7797, detached payload
	ReasonUnsupportedContext Reason = "unsupported_context" // a JSON-LD context that is not known
	ReasonNotCovered         Reason = "not_covered"         // holds something that no signature of this kind covers
	ReasonUnsuitableKey      Reason = "unsuitable_key"      // the key cannot belong to the algorithm
	ReasonBadSignature       Reason = "bad_signature"       // does not verify under the key
)

// Error is every failure of this package. Detail is one sentence that may be shown: it
// holds no value of the certificate. The cause is for errors.As and may hold member names.
type Error struct {
	Reason Reason
	Detail string
	cause  error
}

func (e *Error) Error() string { return "divoc: " + string(e.Reason) + ": " + e.Detail }

// Unwrap gives the error of the decoder below, if there was one.
func (e *Error) Unwrap() error { return e.cause }

func fail(reason Reason, detail string) *Error { return &Error{Reason: reason, Detail: detail} }

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}
