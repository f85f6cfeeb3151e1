package server

import (
	"errors"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// limits of a text. A value of the tree takes less than 100 bytes.
var limits = rawjson.Limits{Depth: 64, Values: 1 << 20}

// draft is a resource that may become a version.
type draft struct {
	typ    string
	id     string // as the text has it; empty: none
	raw    []byte
	root   *rawjson.Value
	values []search.Value // it will be found by
}

// read parses a text as one resource of a type ("" for any).
func read(typ string, raw []byte) (draft, error) {
	root, err := parse(raw)
	if err != nil {
		return draft{}, err
	}
	name, ok := root.Get("resourceType").Text(raw)
	if !ok || !schema.IsResource(name) {
		return draft{}, malformed("resourceType", "resource-type", "The resource names no type of FHIR R4.", "Set resourceType.")
	}
	if typ != "" && name != typ {
		return draft{}, malformed("resourceType", "resource-type", "The resource is of another type than the address.", "Send it to the address of its type.")
	}
	id, _ := root.Get("id").Text(raw)
	return draft{typ: name, id: id, raw: raw, root: root}, nil
}

// parse reads one JSON object within the limits.
func parse(raw []byte) (*rawjson.Value, error) {
	root, err := rawjson.Parse(raw, limits)
	if err != nil {
		detail := "The JSON cannot be read."
		var syntax *strictjson.SyntaxError
		if errors.As(err, &syntax) {
			detail = "The JSON cannot be read: " + syntax.Error() + "."
		}
		return nil, malformed("", "json", detail, "Send well-formed JSON in UTF-8, each member name once.").Because(err)
	}
	if root.Kind != rawjson.Object {
		return nil, malformed("", "json", "The JSON value is not an object.", "Send one FHIR R4 resource in JSON.")
	}
	return root, nil
}

// newDraft reads a text, holds it against the structure of its type, and finds what it
// will be found by.
func newDraft(typ string, raw []byte, strict bool) (draft, error) {
	d, err := read(typ, raw)
	if err != nil {
		return d, err
	}
	if issues := breaking(schema.Validate(raw, d.root), strict); len(issues) > 0 {
		return d, fault.New(fault.Rule, "structure", "The resource does not have the structure FHIR R4 gives its type.").With(issues...)
	}
	return d.indexed()
}

// indexed extracts the values anew, after the text has changed.
func (d draft) indexed() (draft, error) {
	values, err := search.Extract(d.typ, d.searchable())
	if fault.KindOf(err) == fault.Malformed && err != nil { // it was read before: only its size can be in the way
		err = refused(d.typ, "index-limit", "The resource has more values than this server indexes.", "Send it in parts.").Because(err)
	}
	d.values = values
	return d, err
}

// searchable is the part of the text that search looks at. No search parameter of a Bundle
// goes beyond its first entry, and large Bundles have a hundred thousand values behind it.
func (d draft) searchable() []byte {
	entries := d.root.Get("entry").Elements()
	if d.typ != "Bundle" || len(entries) < 2 {
		return d.raw
	}
	short, err := rawjson.Apply(d.raw, rawjson.Edit{Start: entries[0].End, End: entries[len(entries)-1].End})
	if err != nil {
		return d.raw
	}
	return short
}

// breaking are the findings that keep a resource out: what no reader of FHIR JSON could
// read. What R4 does not define, lacks or forms otherwise is kept as it came, unless the
// client asked for strictness.
func breaking(issues []fault.Issue, strict bool) []fault.Issue {
	if strict {
		return issues
	}
	var out []fault.Issue
	for _, i := range issues {
		switch i.Rule {
		case schema.RuleUnknown, schema.RuleRequired, schema.RulePattern:
		default:
			out = append(out, i)
		}
	}
	return out
}
