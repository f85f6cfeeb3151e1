// Package docsig defines what the signature of a DDCC document covers.
//
// A document is signed as FHIR R4 describes for http://hl7.org/fhir/canonicalization/json#document:
// everything in the Bundle except Bundle.id and Bundle.meta, which a server may set when
// it stores the document, and of course Bundle.signature. What is left is written in the
// canonical form of RFC 8785 and signed as a JWS with detached payload (RFC 7515
// appendix F). docs/document-signature.md shows a worked example.
//
// Pure codec: no keys here.
package docsig

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// Names that a signature carries.
const (
	// Canonicalization is the method, in the JWS header "canon" and in targetFormat.
	Canonicalization = "http://hl7.org/fhir/canonicalization/json#document"
	// HeaderCanonicalization names the protected header for it (FHIR R5 §3.1.16).
	HeaderCanonicalization = "canon"
	// HeaderSigningTime is the claimed signing time, RFC 3339 (JAdES sigT, ETSI TS 119 182-1 §5.2.1).
	HeaderSigningTime = "sigT"
	// HeaderThumbprint is the SHA-256 thumbprint of the DSC (RFC 7515 §4.1.8).
	HeaderThumbprint = "x5t#S256"
)

// MaxDepth bounds the nesting of a document; real ones need about twelve levels.
const MaxDepth = 32

// Errors of Parse besides those of the JSON syntax.
var (
	ErrNotObject = errors.New("docsig: the document is not a JSON object")
	ErrDepth     = errors.New("docsig: the document is nested too deeply")
	ErrTrailing  = errors.New("docsig: something follows the document")
)

// Document is a Bundle taken apart for its signature.
type Document struct {
	Canonical []byte          // what is signed
	Signature json.RawMessage // Bundle.signature as it stands, nil when absent
}

// Parse checks that raw is strict JSON (no duplicate names, valid UTF-8) and separates
// what is signed from the signature.
func Parse(raw []byte) (Document, error) {
	if depth(raw) > MaxDepth {
		return Document{}, ErrDepth
	}
	// The decoder itself refuses invalid UTF-8 and duplicate names, at every level.
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if dec.PeekKind() != '{' {
		return Document{}, ErrNotObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return Document{}, err
	}
	var doc Document
	covered := append(make([]byte, 0, len(raw)), '{')
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return Document{}, err
		}
		name = bytes.Clone(name)
		value, err := dec.ReadValue()
		if err != nil {
			return Document{}, err
		}
		covered = doc.take(covered, name, value)
	}
	if _, err := dec.ReadToken(); err != nil {
		return Document{}, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Document{}, ErrTrailing
	}
	canonical, err := strictjson.Canonical(append(covered, '}'))
	doc.Canonical = canonical
	return doc, err
}

// depth is how deep the brackets outside of strings nest; for what is not JSON it may be
// wrong, but then the decoder objects.
func depth(raw []byte) int {
	now, most, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			most = max(most, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return most
}

// take appends a member unless the signature does not cover it.
func (d *Document) take(covered []byte, name, value jsontext.Value) []byte {
	key, err := jsontext.AppendUnquote(nil, name)
	if err != nil {
		key = name
	}
	switch string(key) {
	case "id", "meta":
		return covered
	case "signature":
		d.Signature = json.RawMessage(bytes.Clone(value))
		return covered
	}
	if len(covered) > 1 {
		covered = append(covered, ',')
	}
	covered = append(covered, name...)
	covered = append(covered, ':')
	return append(covered, value...)
}
