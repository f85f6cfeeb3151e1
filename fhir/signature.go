package fhir

import (
	"bytes"
	"encoding/base64"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
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

// AttachSignature adds Bundle.signature to a document and changes no other byte. It
// refuses a document that has one, and a signature with a part missing.
func AttachSignature(document []byte, sig Signature) ([]byte, error) {
	root, err := parseDocument(document)
	if err != nil {
		return nil, err
	}
	if root.Get("signature") != nil {
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
	end := root.End - 1 // of the object without its closing brace
	var out bytes.Buffer
	out.Grow(len(document) + len(member) + len(`,"signature":`))
	out.Write(document[:end])
	out.WriteString(`,"signature":`)
	out.Write(member)
	out.Write(document[end:])
	return out.Bytes(), nil
}

func parseDocument(document []byte) (*jsontree.Value, error) {
	root, err := parse(document)
	if err != nil {
		return nil, err
	}
	kind, bundleType := root.Get("resourceType"), root.Get("type")
	if kind == nil || kind.Text != "Bundle" || bundleType == nil || bundleType.Text != "document" {
		return nil, malformed("The resource is not a document.", fault.Issue{
			Path: "Bundle.type", Rule: RuleResourceType, Detail: "The resource is not a Bundle of type document.", Fix: "Send a FHIR document.",
		})
	}
	return root, nil
}

// instant writes a FHIR instant in UTC, whole seconds.
func instant(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
