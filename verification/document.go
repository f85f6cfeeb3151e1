package verification

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
)

// MaxDocument bounds a document, in bytes; a DDCC document with its QR image needs about
// 20 KiB.
const MaxDocument = 512 << 10

// maxCertificates bounds the QR codes of one document: each costs a signature check.
const maxCertificates = 8

// VerifyDocument checks a signed DDCC document: its own signature (docsig), every
// certificate text it carries, and that both say the same. The Result is that of the DDCC in
// it, with Document added.
func (v *Verifier) VerifyDocument(raw []byte) Result {
	now := v.now()
	blank := Result{Format: FormatDocument}
	if len(raw) > MaxDocument {
		return blank.concluded(fail(ReasonDocumentMalformed, "the document is larger than 512 KiB"))
	}
	parsed, err := docsig.Parse(raw)
	if err != nil {
		return blank.concluded(fail(ReasonDocumentMalformed, "the document is not one JSON object without repeated members"))
	}
	signature, f := v.verifySignature(parsed, now)
	blank.Document = signature
	if f != nil {
		return blank.concluded(f)
	}
	bundle, f := decodeBundle(parsed.Canonical)
	if f != nil {
		return blank.concluded(f)
	}
	texts, f := certificateTexts(bundle)
	if f != nil {
		return blank.concluded(f)
	}
	return v.verifyTexts(texts, bundle, signature, now)
}

// verifyTexts checks all certificates of a document: that of the document, and those of the
// same event in other formats. The first that fails is the Result, or else the document's.
func (v *Verifier) verifyTexts(texts []string, bundle any, signature *DocumentSignature, now time.Time) Result {
	var own *Result
	for _, text := range texts {
		result := v.verify(text, now)
		result.Format, result.Document = FormatDocument, signature
		if result.Valid {
			result = result.concluded(compare(bundle, result))
		}
		if !result.Valid {
			return result
		}
		if own == nil && isDDCC(result.Profile) {
			own = &result
		}
	}
	if own == nil {
		blank := Result{Format: FormatDocument, Document: signature}
		return blank.concluded(fail(ReasonDocumentCertificateMismatch, "none of the certificates is of a kind that makes a document"))
	}
	return *own
}

// decodeBundle reads what was signed; numbers keep their text.
func decodeBundle(canonical []byte) (any, *failure) {
	decoder := json.NewDecoder(bytes.NewReader(canonical))
	decoder.UseNumber()
	var bundle any
	if err := decoder.Decode(&bundle); err != nil {
		return nil, fail(ReasonDocumentMalformed, "the document cannot be read")
	}
	if dig(bundle, "resourceType") != "Bundle" || dig(bundle, "type") != "document" {
		return nil, fail(ReasonDocumentMalformed, "the document is not a Bundle of type document")
	}
	if dig(bundle, "entry", 0, "resource", "resourceType") != "Composition" {
		return nil, fail(ReasonDocumentMalformed, "the first entry is not a Composition")
	}
	return bundle, nil
}

// certificateTexts collects the serialized QR codes (DDCC IG, DDCCDocumentReferenceQR).
func certificateTexts(bundle any) ([]string, *failure) {
	var texts []string
	for _, reference := range resources(bundle, "DocumentReference") {
		contents, _ := dig(reference, "content").([]any)
		for _, content := range contents {
			if dig(content, "attachment", "contentType") != "text/plain" {
				continue
			}
			data, _ := dig(content, "attachment", "data").(string)
			text, err := base64.StdEncoding.DecodeString(data)
			if err != nil || len(text) == 0 {
				return nil, fail(ReasonDocumentMalformed, "the attachment of a QR code is not base64")
			}
			texts = append(texts, string(text))
		}
	}
	if len(texts) == 0 || len(texts) > maxCertificates {
		return nil, fail(ReasonDocumentMalformed, "the document must carry one to eight serialized QR codes")
	}
	return texts, nil
}

// resources gives all resources of a type.
func resources(bundle any, resourceType string) []any {
	entries, _ := dig(bundle, "entry").([]any)
	var found []any
	for _, entry := range entries {
		if resource := dig(entry, "resource"); dig(resource, "resourceType") == resourceType {
			found = append(found, resource)
		}
	}
	return found
}

// dig follows member names and indexes through decoded JSON or CBOR; nil where the way
// ends.
func dig(value any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[key]
		case int:
			list, _ := value.([]any)
			if key >= len(list) {
				return nil
			}
			value = list[key]
		}
	}
	return value
}
