package maps

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// Reference is a relative literal reference, such as Patient/7 (FHIR R4 §2.3.0.1).
type Reference struct{ Type, ID string }

// maxReferences bounds what one event can make its reader fetch.
const maxReferences = 8

// Frame is what a resource says about itself before it is mapped.
type Frame struct {
	Type, ID   string
	Status     string
	References []Reference // of an event, those that the maps follow; relative ones alone
}

// ReadFrame reads the frame of a resource. Errors: fault.Malformed.
func ReadFrame(raw []byte) (Frame, error) {
	root, err := jsontree.Parse(raw, fhir.MaxDepth)
	if err != nil || root.Get("resourceType") == nil {
		return Frame{}, fhir.Check(raw)
	}
	e := element.Root("Resource", root, new(element.Log))
	f := Frame{Type: e.Child("resourceType").Text(), ID: e.Child("id").Text(), Status: e.Child("status").Text()}
	if !isEvent(f.Type) {
		return f, nil
	}
	for _, ref := range followed(e) {
		if r, ok := relative(ref.Child("reference").Text()); ok && !slices.Contains(f.References, r) && len(f.References) < maxReferences {
			f.References = append(f.References, r)
		}
	}
	return f, nil
}

// followed lists the references of an event that lead to parts of the core data set, the
// holder first.
func followed(e *element.Element) []*element.Element {
	list := []*element.Element{e.Child("patient"), e.Child("subject"), e.Child("location"), e.Child("manufacturer"), e.Child("device"), e.Child("specimen")}
	if e.Child("resourceType").Text() == "Observation" {
		return list
	}
	list = append(list, e.First("protocolApplied").Child("authority"))
	for _, p := range e.Child("performer").List() {
		list = append(list, p.Child("actor"))
	}
	return list
}

var relativeReference = regexp.MustCompile(`^([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})$`)

// relative takes a reference apart. An absolute one may lead to another server, where the
// same id is somebody else, so it is none.
func relative(text string) (Reference, bool) {
	text, _, _ = strings.Cut(text, "/_history/")
	m := relativeReference.FindStringSubmatch(text)
	if m == nil {
		return Reference{}, false
	}
	return Reference{Type: m[1], ID: m[2]}, true
}

// Collection puts resources into one Bundle, byte for byte.
func Collection(resources ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Bundle","type":"collection","entry":[`)
	for i, raw := range resources {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"resource":`)
		b.Write(raw)
		b.WriteByte('}')
	}
	b.WriteString("]}")
	return b.Bytes()
}
