package verification

import (
	"encoding/base64"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Formats of a Result.
const (
	FormatHCERT    = "hcert"         // the text of a QR code
	FormatDocument = "ddcc-document" // a signed FHIR document with such a text inside
)

// Warnings of a Result: stable words for what a verified certificate lacks.
const (
	WarningNoExpiry      = "no_expiry"         // nothing says when it ends
	WarningNoIssueDate   = "no_issue_date"     // whether the key was valid then is unknown
	WarningNoCertificate = "no_certificate"    // the content names no certificate id
	WarningUnchecked     = "content_unchecked" // the content was taken as it is
)

// Result is the outcome for one certificate. Only Valid means that it may be relied on.
// What follows Algorithm is there once the signature has been verified, even if a later
// check failed.
type Result struct {
	Valid     bool      `json:"valid"`
	Reason    Reason    `json:"reason"`
	Detail    string    `json:"detail,omitempty"` // one sentence for experts, no personal data
	Format    string    `json:"format"`
	Profile   string    `json:"profile,omitempty"`   // who-ddcc-vs, who-ddcc-tr, eu-dcc, who-flat…
	KID       string    `json:"kid,omitempty"`       // standard base64
	Algorithm string    `json:"algorithm,omitempty"` // ES256, PS256
	Issuer    string    `json:"issuer,omitempty"`    // CWT claim 1
	IssuedAt  time.Time `json:"issuedAt,omitzero"`   // UTC, whole seconds
	ExpiresAt time.Time `json:"expiresAt,omitzero"`  // UTC, whole seconds

	Signer   *Signer            `json:"signer,omitempty"`   // of the certificate
	Document *DocumentSignature `json:"document,omitempty"` // of the document around it
	Content  map[string]any     `json:"content,omitempty"`  // the health data as signed
	Warnings []string           `json:"warnings,omitempty"`
}

// Signer describes the document signer certificate that verified a signature.
type Signer struct {
	Subject   string        `json:"subject"` // distinguished name, RFC 2253
	Country   string        `json:"country,omitempty"`
	Usages    []trust.Usage `json:"usages"`
	NotBefore time.Time     `json:"notBefore"`
	NotAfter  time.Time     `json:"notAfter"`
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

func textKID(kid []byte) string { return base64.StdEncoding.EncodeToString(kid) }

func textAlgorithm(algorithm int64) string {
	if algorithm == reader.AlgorithmPS256 {
		return "PS256"
	}
	return "ES256"
}
