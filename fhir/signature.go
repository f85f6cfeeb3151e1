package fhir

import (
	"bytes"
	"encoding/base64"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// What Bundle.signature says about itself (FHIR R4 datatypes, Signature, and json, canonical form; RFC 7515).
const (
	signatureTypeSystem   = "urn:iso-astm:E1762-95:2013"
	signatureTypeCode     = "1.2.840.10065.1.12.1.5" // verification signature
	signatureTargetFormat = "application/fhir+json;canonicalization=" + docsig.Canonicalization
	signatureFormat       = "application/jose"
)

// Signature is what AttachSignature writes.
type Signature struct {
	JWS          string    // compact serialisation, over the canonical form that formats/docsig defines
	When         time.Time // of signing; written in UTC, whole seconds
	WhoReference string    // fullUrl of the authority's Organization in the document
}

type jsonSignature struct {
	Type         []jsonCoding  `json:"type"`
	When         string        `json:"when"`
	Who          jsonReference `json:"who"`
	TargetFormat string        `json:"targetFormat"`
	SigFormat    string        `json:"sigFormat"`
	Data         string        `json:"data"`
}

type jsonReference struct {
	Reference string `json:"reference"`
}

// AttachSignature adds Bundle.signature to a document as maps.Document writes it, and
// changes no other byte. It refuses anything else, a document that has a signature, and a
// signature with a part missing. The document is not parsed again: it was written, linted
// and signed a moment ago.
func AttachSignature(document []byte, sig Signature) ([]byte, error) {
	if !bytes.HasPrefix(document, []byte(documentStart)) || !bytes.HasSuffix(document, []byte("}")) ||
		!bytes.Contains(document, []byte(`,"type":"document",`)) {
		return nil, fault.New(fault.Internal, "document-frame", "The resource is not a document of this gateway.")
	}
	// Inside a JSON string the quotes would be escaped.
	if bytes.Contains(document, []byte(`,"signature":`)) {
		return nil, fault.New(fault.Conflict, "document-signed", "The document has a signature.")
	}
	if strings.Count(sig.JWS, ".") != 2 || sig.When.IsZero() || sig.WhoReference == "" {
		return nil, fault.New(fault.Internal, "signature-incomplete", "The signature is not complete.")
	}
	member := encode(jsonSignature{
		Type:         []jsonCoding{{System: signatureTypeSystem, Code: signatureTypeCode}},
		When:         instant(sig.When),
		Who:          jsonReference{Reference: sig.WhoReference},
		TargetFormat: signatureTargetFormat,
		SigFormat:    signatureFormat,
		Data:         base64.StdEncoding.EncodeToString([]byte(sig.JWS)),
	})
	out := make([]byte, 0, len(document)+len(member)+len(`,"signature":`))
	out = append(out, document[:len(document)-1]...)
	out = append(out, `,"signature":`...)
	out = append(out, member...)
	return append(out, '}'), nil
}

// documentStart is how every document of this gateway begins.
const documentStart = `{"resourceType":"Bundle",`

// instant writes a FHIR instant in UTC, whole seconds.
func instant(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
