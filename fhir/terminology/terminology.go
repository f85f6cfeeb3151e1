package terminology

import (
	"slices"
	"strings"
)

// Concept is one code of a code system. Display is empty where the text is licensed.
type Concept struct {
	System  string
	Code    string
	Display string
}

// The equivalences in use, FHIR R4 ConceptMapEquivalence: the target seen from the source.
const (
	Equivalent = "equivalent"
	Wider      = "wider"     // the target means more
	Narrower   = "narrower"  // the target means less: do not use it without knowing better
	RelatedTo  = "relatedto" // another kind of thing, but the one the map's user needs
)

// Translation is one target of a concept map.
type Translation struct {
	Concept
	Equivalence string
}

// conceptKey is a canonical system with a code.
type conceptKey struct {
	system, code string
}

// InValueSet reports whether the code is a member of the value set, and whether the set
// is known. The id may come with or without the suffix "ValueSet", or as the set's
// canonical URL. An unknown system is no member of any set.
func InValueSet(id, system, code string) (member, known bool) {
	t := loaded()
	set, known := t.valueSets[strings.TrimSuffix(artefactID(id), "ValueSet")]
	if !known {
		return false, false
	}
	canonical, ok := t.systems[systemKey(system)]
	if !ok {
		return false, true
	}
	_, member = set[conceptKey{canonical, code}]
	return member, true
}

// Known reports whether the code is in the tables of its system. For systems of which
// only a part is embedded (ICD-11, ICD-10, SNOMED CT, LOINC, CVX), false does not mean
// that the code is wrong.
func Known(system, code string) bool {
	_, ok := lookup(system, code)
	return ok
}

// Display gives the text of a code, or false when the tables have none, which is so for
// every SNOMED CT and LOINC code.
func Display(system, code string) (string, bool) {
	text, ok := lookup(system, code)
	return text, ok && text != ""
}

func lookup(system, code string) (string, bool) {
	t := loaded()
	canonical, ok := t.systems[systemKey(system)]
	if !ok {
		return "", false
	}
	text, ok := t.displays[conceptKey{canonical, code}]
	return text, ok
}

// Translate gives the targets of a code in a concept map, the preferred one first; nil
// when the map has none or is unknown. The map's id may be its canonical URL. Several
// targets, or a Narrower one, mean that the source says less than the target: the caller
// needs another source for the difference. The slice is shared and must not be changed.
func Translate(mapID, system, code string) []Translation {
	t := loaded()
	canonical, ok := t.systems[systemKey(system)]
	if !ok {
		return nil
	}
	return t.maps[artefactID(mapID)][conceptKey{canonical, code}]
}

// maxName bounds the free text CodeByName looks at, in bytes. The longest known name has
// less than half.
const maxName = 200

// CodeByName finds the concept that a free-text vaccine name of a DIVOC or ICAO
// certificate means (ICAO VDS-NC ve.nam carries no code), for use with Translate.
// Letter case and spacing are ignored; nothing else is guessed.
func CodeByName(system, name string) (Concept, bool) {
	t := loaded()
	canonical, ok := t.systems[systemKey(system)]
	if !ok || len(name) > maxName {
		return Concept{}, false
	}
	code, ok := t.names[conceptKey{canonical, foldName(name)}]
	if !ok {
		return Concept{}, false
	}
	return Concept{canonical, code, t.displays[conceptKey{canonical, code}]}, true
}

func foldName(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// artefactPaths precede the id in the canonical URL of a value set or concept map.
var artefactPaths = []string{"ValueSet/", "ConceptMap/"}

// artefactID reduces a canonical URL of the guide or of FHIR itself to its id.
func artefactID(id string) string {
	id, _, _ = strings.Cut(id, "|")
	path, ok := trimGuideBase(trimScheme(id))
	if !ok {
		path, ok = strings.CutPrefix(path, "hl7.org/fhir/")
	}
	if !ok {
		return id
	}
	i := slices.IndexFunc(artefactPaths, func(p string) bool { return strings.HasPrefix(path, p) })
	if i < 0 {
		return id
	}
	return path[len(artefactPaths[i]):]
}
