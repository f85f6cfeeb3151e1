package divoc

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
)

// maxEvidence bounds the events of one certificate; real ones have one.
const maxEvidence = 8

// absoluteIRI is what canonicalisation keeps; statements around anything else it drops.
var absoluteIRI = regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\\\]+$")

// maxWhole is the largest number that every JSON reader sees alike (RFC 7493 §2.2).
const maxWhole = 1<<53 - 1

// coverage walks a credential and refuses what canonicalisation would drop, merge or spend
// much work on.
type coverage struct {
	ids map[string]bool
}

func uncovered(path, rule string) *Error {
	return fail(ReasonNotCovered, path+" "+rule)
}

// checkCovered is for the whole credential.
func (m *Message) checkCovered() error {
	if !knowsContexts(m.Content["@context"]) {
		return fail(ReasonUnsupportedContext, "@context must be that of a verifiable credential and a known one of DIVOC")
	}
	members := maps.Clone(m.Content)
	delete(members, "@context")
	if _, isList := members["evidence"].([]any); !isList {
		return uncovered("evidence", "must be a list")
	}
	if _, isObject := members["credentialSubject"].(map[string]any); !isObject {
		return uncovered("credentialSubject", "must be an object")
	}
	c := coverage{ids: map[string]bool{m.Issuer: true}}
	return c.object("", members, credential)
}

func (c coverage) object(prefix string, members map[string]any, kind *object) error {
	if err := checkTypes(prefix, members["type"], kind); err != nil {
		return err
	}
	if err := c.id(prefix, members, kind); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name == "type" || name == "id" {
			continue
		}
		known, ok := kind.members[name]
		if !ok {
			return uncovered(place(prefix), "has a member that the context does not know")
		}
		if err := c.value(prefix+name, members[name], known); err != nil {
			return err
		}
	}
	return nil
}

func place(prefix string) string {
	if prefix == "" {
		return "the credential"
	}
	return prefix[:len(prefix)-1]
}

// checkTypes wants one of the lists; a list of one may be a text.
func checkTypes(prefix string, value any, kind *object) error {
	if value == nil && kind.types == nil {
		return nil
	}
	var types []string
	switch value := value.(type) {
	case string:
		types = []string{value}
	case []any:
		for _, item := range value {
			name, _ := item.(string)
			types = append(types, name)
		}
	}
	for _, known := range kind.types {
		if slices.Equal(types, known) {
			return nil
		}
	}
	return uncovered(prefix+"type", "is not one of the context's")
}

// id: without one a node is blank; one that is no absolute IRI would take the node's
// statements with it; two alike would make one node of two.
func (c coverage) id(prefix string, members map[string]any, kind *object) error {
	value, present := members["id"]
	if !present {
		if kind.needID {
			return uncovered(prefix+"id", "is required")
		}
		return nil
	}
	id, isText := value.(string)
	switch {
	case !kind.mayID && !kind.needID:
		return uncovered(prefix+"id", "is not known to the context")
	case !isText || !absoluteIRI.MatchString(id):
		return uncovered(prefix+"id", "must be an absolute IRI; without one the signature does not cover what stands beside it")
	case c.ids[id]:
		return uncovered(prefix+"id", "is used twice")
	}
	c.ids[id] = true
	return nil
}

func (c coverage) value(path string, value any, known term) error {
	if value == nil {
		return nil // says as little as a member that is not there
	}
	switch known.form {
	case one:
		members, isObject := value.(map[string]any)
		if !isObject {
			return uncovered(path, "must be an object")
		}
		return c.object(path+".", members, known.object)
	case many:
		return c.list(path, value, known.object)
	case iri, dateTime:
		text, isText := value.(string)
		if !isText || known.form == iri && !absoluteIRI.MatchString(text) {
			return uncovered(path, "must be a text, and an absolute IRI where it names something")
		}
	case literal:
		return checkLiteral(path, value)
	}
	return nil
}

func (c coverage) list(path string, value any, kind *object) error {
	list, isList := value.([]any)
	if !isList || len(list) == 0 || len(list) > maxEvidence {
		return uncovered(path, fmt.Sprintf("must be a list of 1 to %d objects", maxEvidence))
	}
	for i, item := range list {
		members, isObject := item.(map[string]any)
		if !isObject {
			return uncovered(path, "must be a list of objects")
		}
		if err := c.object(fmt.Sprintf("%s[%d].", path, i), members, kind); err != nil {
			return err
		}
	}
	return nil
}

func checkLiteral(path string, value any) error {
	switch value := value.(type) {
	case string, bool:
		return nil
	case float64:
		if value == math.Trunc(value) && math.Abs(value) <= maxWhole {
			return nil
		}
	}
	return uncovered(path, "must be a text, a whole number or a boolean")
}
