package server

import (
	"net/url"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
)

// view is how much of a resource is shown (FHIR R4, search.html#summary and #elements).
type view struct {
	summary  string   // "", true, false, text or data
	elements []string // top-level elements; empty: all
}

// viewOf reads _summary and _elements of a read.
func viewOf(query url.Values) (view, error) {
	v := view{summary: query.Get("_summary")}
	switch v.summary {
	case "", "true", "false", "text", "data":
	default:
		return v, malformed("_summary", "search-value", "The value is not one that a read can have.", "Use true, text, data or false.")
	}
	for _, list := range query["_elements"] {
		v.elements = append(v.elements, strings.Split(list, ",")...)
	}
	return v, nil
}

func (v view) whole() bool {
	return (v.summary == "" || v.summary == "false") && len(v.elements) == 0
}

// always are the members no view leaves out.
var always = []string{"resourceType", "id", "meta", "implicitRules", "modifierExtension"}

// keeps says whether a top-level member is shown. Mandatory elements always are.
func (v view) keeps(typ, name string) bool {
	plain := strings.TrimPrefix(name, "_")
	switch {
	case slices.Contains(always, plain):
		return true
	case v.summary == "data" && len(v.elements) == 0:
		return plain != "text"
	case schema.Mandatory(typ, name):
		return true
	case len(v.elements) > 0:
		return slices.ContainsFunc(v.elements, func(e string) bool {
			e = strings.TrimSpace(e)
			return e == plain || e == typ+"."+plain
		})
	case v.summary == "text":
		return plain == "text"
	}
	return schema.InSummary(typ, name)
}

// subsetted marks what is not the whole resource, so that nobody writes it back.
const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED","display":"subsetted"}`

// of gives the part of a resource, as it is read, that the view shows.
func (v view) of(raw []byte, typ string) ([]byte, error) {
	if v.whole() {
		return raw, nil
	}
	root, err := rawjson.Members(raw)
	if err != nil {
		return nil, err
	}
	part, err := rawjson.Keep(raw, root, func(name string) bool { return v.keeps(typ, name) })
	if err != nil {
		return nil, err
	}
	if root, err = rawjson.Parse(part, limits); err != nil {
		return nil, err
	}
	meta := root.Get("meta")
	if meta == nil {
		return rawjson.Apply(part, root.Get("resourceType").InsertAfter("meta", []byte(`{"tag":[`+subsetted+`]}`)))
	}
	if tags := meta.Get("tag").Elements(); len(tags) > 0 {
		at := tags[len(tags)-1].End
		return rawjson.Apply(part, rawjson.Edit{Start: at, End: at, With: []byte("," + subsetted)})
	}
	return rawjson.Apply(part, meta.InsertFirst("tag", []byte("["+subsetted+"]")))
}
