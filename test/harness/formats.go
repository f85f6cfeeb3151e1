package harness

import (
	"encoding/json"
	"testing"
)

// Issued is the answer to a request that named formats.
type Issued struct {
	Certificate
	Document   []byte
	Texts      map[string]string // of the QR codes, by format
	References map[string]string // ids of the DocumentReferences, by format
	Rules      []string          // of the outcome: what was left out, and why
}

// ReadFormats takes such an answer apart.
func ReadFormats(t testing.TB, body []byte) Issued {
	t.Helper()
	type part struct {
		Name                   string
		ValueCode, ValueString string
		ValueReference         struct{ Reference string }
	}
	var answer struct {
		ResourceType string
		Parameter    []struct {
			Name     string
			Resource json.RawMessage
			Part     []part
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.ResourceType != "Parameters" {
		t.Fatalf("no Parameters (%v):\n%.400s", err, body)
	}
	out := Issued{Texts: map[string]string{}, References: map[string]string{}}
	for _, p := range answer.Parameter {
		switch p.Name {
		case "return":
			out.Document, out.Certificate = p.Resource, ReadCertificate(t, p.Resource)
		case "outcome":
			out.Rules, _ = OutcomeRules(p.Resource)
		case "certificate":
			of := map[string]part{}
			for _, x := range p.Part {
				of[x.Name] = x
			}
			format := of["format"].ValueCode
			out.Texts[format], out.References[format] = of["text"].ValueString, of["reference"].ValueReference.Reference
		}
	}
	return out
}

// Country is a change of an event's country.
func Country(alpha3 string) Items {
	return Items{"country": {"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": alpha3}}}
}
