package verification

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Formats of a Result.
const (
	FormatHCERT    = "hcert"         // the text of a QR code
	FormatDocument = "ddcc-document" // a signed FHIR document with such a text inside
	FormatSHC      = "shc"           // SMART Health Card
	FormatVDSNC    = "vdsnc"         // ICAO VDS-NC
	FormatDIVOC    = "divoc"         // DIVOC credential
)

// Warnings of a Result: stable words for what a verified certificate lacks.
const (
	WarningNoExpiry      = "no_expiry"              // nothing says when it ends
	WarningNoIssueDate   = "no_issue_date"          // whether the key was valid then is unknown
	WarningNoCertificate = "no_certificate"         // the content names no certificate id
	WarningUnchecked     = "content_unchecked"      // the content was taken as it is
	WarningContent       = "content_unusual"        // the content is clear, but not as its rules have it
	WarningAmbiguous     = "content_ambiguous"      // the signature does not tell some members apart: their values may have been exchanged
	WarningRevocation    = "revocation_unknown"     // no revocation list knows of certificates like this
	WarningStale         = "revocation_stale"       // not on the revocation lists, but they are older than they may be
	WarningUnconfirmed   = "revocation_unconfirmed" // a filter says revoked, which is wrong now and then; no list confirmed it
)

// Result is the outcome for one certificate. Only Valid means that it may be relied on.
// What follows Algorithm is there once the signature has been verified, even if a later
// check failed.
type Result struct {
	Valid     bool      `json:"valid"`
	Reason    Reason    `json:"reason"`
	Detail    string    `json:"detail,omitempty"` // one sentence for experts, no personal data
	Format    string    `json:"format"`
	Profile   string    `json:"profile,omitempty"`   // who-ddcc-vs, eu-dcc, smart-health-card…
	KID       string    `json:"kid,omitempty"`       // base64 of the key id; thumbprint of the key of a card; verification method of a credential
	Algorithm string    `json:"algorithm,omitempty"` // ES256, PS256, ES384, ES512, or the signature suite of a credential
	Issuer    string    `json:"issuer,omitempty"`    // CWT claim 1, iss of a card, data.hdr.is of a seal, issuer of a credential
	IssuedAt  time.Time `json:"issuedAt,omitzero"`   // UTC, whole seconds
	ExpiresAt time.Time `json:"expiresAt,omitzero"`  // UTC, whole seconds

	Signer   *Signer            `json:"signer,omitempty"`   // of the certificate
	Document *DocumentSignature `json:"document,omitempty"` // of the document around it
	Content  map[string]any     `json:"content,omitempty"`  // the health data as signed
	Warnings []string           `json:"warnings,omitempty"`
}

// Signer describes the key that verified a signature; but for its times, a key without
// certificate has nothing to say.
type Signer struct {
	Subject   string        `json:"subject,omitempty"` // distinguished name, RFC 2253
	Country   string        `json:"country,omitempty"`
	Usages    []trust.Usage `json:"usages,omitempty"`
	NotBefore time.Time     `json:"notBefore,omitzero"`
	NotAfter  time.Time     `json:"notAfter,omitzero"`
}

// DocumentSignature describes the verified signature of a document.
type DocumentSignature struct {
	KID      string    `json:"kid"` // standard base64
	SignedAt time.Time `json:"signedAt"`
	Signer   *Signer   `json:"signer"`
}

func newSigner(entry trust.Entry) *Signer {
	signer := &Signer{
		Subject: entry.DSC.Subject.String(), Usages: entry.Usages,
		NotBefore: entry.DSC.NotBefore.UTC(), NotAfter: entry.DSC.NotAfter.UTC(),
	}
	if len(entry.DSC.Subject.Country) > 0 {
		signer.Country = entry.DSC.Subject.Country[0]
	}
	return signer
}

// concluded sets the outcome; a nil failure means verified.
func (r Result) concluded(f *failure) Result {
	r.Valid, r.Reason, r.Detail = f == nil, ReasonVerified, ""
	if f != nil {
		r.Reason, r.Detail = f.reason, f.detail
	}
	return r
}

// warn adds a warning once.
func (r *Result) warn(warning string) {
	if !slices.Contains(r.Warnings, warning) {
		r.Warnings = append(r.Warnings, warning)
	}
}

const algorithmES256 = "ES256"

func textKID(kid []byte) string { return base64.StdEncoding.EncodeToString(kid) }

func textAlgorithm(algorithm int64) string {
	if algorithm == reader.AlgorithmPS256 {
		return "PS256"
	}
	return algorithmES256
}
