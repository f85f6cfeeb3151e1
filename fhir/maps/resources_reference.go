package maps

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// resolve follows a Reference within the bundle (FHIR R4 §2.3, §3.1.1.2): a contained
// resource, the fullUrl, type and id, also at the end of an absolute URL and with a version,
// or the identifier where there is no literal reference.
func (r *resourceMap) resolve(ref *element.Element) (resource, bool) {
	text := ref.Child("reference").Text()
	switch {
	case text == "":
		return r.identified(ref)
	case strings.HasPrefix(text, "#"):
		return contained(ref, text[1:])
	}
	text, _, _ = strings.Cut(text, "/_history/")
	if i, ok := r.targets[text]; ok {
		return r.resources[i], true
	}
	id := strings.LastIndexByte(text, '/')
	if id < 0 {
		return resource{}, false
	}
	kind := strings.LastIndexByte(text[:id], '/')
	if i, ok := r.targets[text[kind+1:]]; ok {
		return r.resources[i], true
	}
	return resource{}, false
}

// identified finds the one resource that carries the identifier of a logical reference.
func (r *resourceMap) identified(ref *element.Element) (resource, bool) {
	wanted := readIdentifier(ref.Child("identifier"))
	if wanted.Value == "" || wanted.System == "" {
		return resource{}, false
	}
	var found []resource
	for _, x := range r.resources {
		if x.identifiers[wanted] {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		return resource{}, false
	}
	return found[0], true
}

// identifiersOf lists what a logical reference may call the resource by. Most kinds of
// resources have a list of identifiers, some a single one.
func identifiersOf(e *element.Element) map[fhir.Identifier]bool {
	found := e.Child("identifier")
	if found.Value() == nil || found.Value().Kind != jsontree.Array {
		return nil
	}
	all := map[fhir.Identifier]bool{}
	for _, x := range found.List() {
		all[fhir.Identifier{System: x.Child("system").Text(), Value: x.Child("value").Text()}] = true
	}
	return all
}

// contained finds a resource inside the one that refers to it.
func contained(ref *element.Element, id string) (resource, bool) {
	for _, e := range ref.Resource().Child("contained").List() {
		if e.Child("id").Text() == id && id != "" {
			return resource{kind: e.Child("resourceType").Text(), Element: e}, true
		}
	}
	return resource{}, false
}

// manufacturer says who made the vaccine: by identifier or display, else by what the
// reference leads to.
func (r *resourceMap) manufacturer(ref *element.Element) fhir.Coding {
	if label := readLabelReference(ref); !label.IsZero() {
		return label
	}
	found, ok := r.resolve(ref)
	if !ok {
		return fhir.Coding{}
	}
	id := readIdentifier(found.First("identifier"))
	return fhir.Coding{System: id.System, Code: id.Value, Display: cleanElement(found.Child("name"))}
}

// countryOf takes the country of the address where the event took place, if it is a code.
func (r *resourceMap) countryOf(location *element.Element) fhir.Coding {
	found, ok := r.resolve(location)
	if !ok {
		return fhir.Coding{}
	}
	code := cleanElement(found.Child("address").Child("country"))
	if _, known := terminology.CountryByCode(code); !known {
		return fhir.Coding{}
	}
	return isoCountry(code)
}
