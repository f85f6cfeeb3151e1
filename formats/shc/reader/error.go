package reader

// Reason is a stable machine word for why something was refused.
type Reason string

// The reasons, in the order of the decoding steps.
const (
	ReasonNotSHC               Reason = "not_shc"               // neither "shc:/" nor a JWS, or longer than any card
	ReasonTrailingCharacters   Reason = "trailing_characters"   // white space around a text or file
	ReasonInvalidFile          Reason = "invalid_file"          // not the JSON of a .smart-health-card file
	ReasonInvalidNumeric       Reason = "invalid_numeric"       // the digits do not stand for a JWS
	ReasonInvalidChunks        Reason = "invalid_chunks"        // the codes do not make up one card
	ReasonInvalidJWS           Reason = "invalid_jws"           // RFC 7515 §7.1, header included
	ReasonKIDMissing           Reason = "kid_missing"           // no usable kid in the header
	ReasonUnsupportedAlgorithm Reason = "unsupported_algorithm" // not ES256
	ReasonInvalidCompression   Reason = "invalid_compression"   // no zip, RFC 1951, or larger than 64 KiB
	ReasonInvalidJSON          Reason = "invalid_json"          // RFC 7493, duplicate names and depth included
	ReasonInvalidClaims        Reason = "invalid_claims"        // iss, nbf, exp or vc is missing or of a wrong type
	ReasonBadSignature         Reason = "bad_signature"         // does not verify under the key
	ReasonUnsuitableKey        Reason = "unsuitable_key"        // the key cannot belong to ES256
	ReasonInvalidCRL           Reason = "invalid_crl"           // the revocation list breaks the framework
)

// Error is every failure of this package. Detail is one sentence that may be shown: it
// holds no value of the card. The cause is for errors.As.
type Error struct {
	Reason Reason
	Detail string
	cause  error
}

func (e *Error) Error() string { return "shc: " + string(e.Reason) + ": " + e.Detail }

// Unwrap gives the error of the decoder below, if there was one.
func (e *Error) Unwrap() error { return e.cause }

func fail(reason Reason, detail string) *Error { return &Error{Reason: reason, Detail: detail} }

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}

// Severity tells rules that a card must follow from those it should.
type Severity string

// The severities, as the framework's own validator assigns them.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one rule that a readable card or key set breaks. Path is made of member
// names and indexes; no field holds a value.
type Problem struct {
	Severity Severity
	Rule     Rule
	Path     string
	Detail   string // what the rule wants
}

// Rule is a stable machine word for a rule.
type Rule string

// Rules of the envelope and the claims.
const (
	RuleChunksDeprecated  Rule = "chunks-deprecated"
	RuleChunksUnbalanced  Rule = "chunks-unbalanced"
	RuleChunksUnnecessary Rule = "chunks-unnecessary"
	RuleSingleHeader      Rule = "single-header"
	RuleTooLong           Rule = "jws-too-long"
	RuleHeaderMembers     Rule = "header-members"
	RuleTrailer           Rule = "gzip-trailer"
	RuleMinified          Rule = "minified"
	RuleKID               Rule = "kid"
	RuleIssuer            Rule = "iss"
	RuleValidity          Rule = "exp"
	RuleRevocationID      Rule = "rid"
	RuleType              Rule = "type"
	RuleFHIRVersion       Rule = "fhir-version"
)

// Rules of the FHIR bundle.
const (
	RuleBundle     Rule = "bundle"
	RuleFullURL    Rule = "full-url"
	RuleReference  Rule = "reference"
	RuleResource   Rule = "resource"
	RuleEmpty      Rule = "empty"
	RuleMeta       Rule = "meta"
	RuleMinimal    Rule = "data-minimisation"
	RuleCoding     Rule = "coding"
	RuleStatus     Rule = "status"
	RuleOccurrence Rule = "occurrence"
	RuleDate       Rule = "date"
	RulePatient    Rule = "patient"
)

// Rules of an issuer's key set.
const (
	RuleJWKS        Rule = "jwks"
	RuleKeyType     Rule = "kty"
	RuleKeyUse      Rule = "use"
	RuleKeyAlg      Rule = "alg"
	RuleKeyCurve    Rule = "crv"
	RuleKeyPoint    Rule = "point"
	RulePrivateKey  Rule = "private-key"
	RuleCertificate Rule = "x5c"
	RuleCRLVersion  Rule = "crl-version"
)
