package reader

import (
	"fmt"
	"maps"
	"slices"
)

// withText are the FHIR types, by the members that usually hold them, whose member text is
// content; everywhere else it is CodeableConcept.text or narrative.
var withText = []string{"name", "address", "note", "dosageInstruction", "dosage"}

// walk looks at every value of a resource, members in the order of their names. holder is
// the member that holds the value.
func (b *bundleCheck) walk(path, holder string, value any) {
	switch value := value.(type) {
	case nil:
		b.fail(RuleEmpty, path, "must not be null; leave it out")
	case string:
		if value == "" {
			b.fail(RuleEmpty, path, "must not be empty; leave it out")
		}
	case []any:
		if len(value) == 0 {
			b.fail(RuleEmpty, path, "must not be empty; leave it out")
		}
		for i, element := range value {
			b.walk(fmt.Sprintf("%s[%d]", path, i), holder, element)
		}
	case map[string]any:
		if len(value) == 0 {
			b.fail(RuleEmpty, path, "must not be empty; leave it out")
		}
		b.object(path, holder, value)
	}
}

func (b *bundleCheck) object(path, holder string, object map[string]any) {
	_, isCoding := object["code"].(string)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		at := path + "." + printable(name)
		switch {
		case holder == "" && name == "meta":
			continue // checked by minimal
		case holder != "" && name == "text" && !slices.Contains(withText, holder):
			b.warn(RuleMinimal, at, "should be left out of a card: the code says it")
		case name == "display" && isCoding:
			b.warn(RuleMinimal, at, "should be left out of a card: the code says it")
		case name == "reference":
			b.reference(at, value)
		}
		b.walk(at, name, value)
	}
}

// reference wants a reference to an entry of the bundle.
func (b *bundleCheck) reference(path string, value any) {
	target, _ := value.(string)
	switch {
	case !shortURL.MatchString(target):
		b.fail(RuleReference, path, "must be resource: and a number")
	case !slices.Contains(b.urls, target):
		b.fail(RuleReference, path, "must be the fullUrl of an entry")
	}
}

// printable gives a member name that may stand in a path: one that can be a name of FHIR.
// Anything else may be content in the wrong place.
func printable(name string) string {
	const longest = 40
	for i := range len(name) {
		c := name[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && c != '_' {
			return "?"
		}
	}
	if name == "" || len(name) > longest {
		return "?"
	}
	return name
}
