package search

import "strings"

// schema says which members an element of a type has and what types they are. A type is a
// FHIR type ("HumanName") or the path of an element that is defined in place
// ("Patient.contact").
type schema map[string]map[string][]member

// member is one way an element appears in JSON: a choice has several.
type member struct {
	json   string // member name, e.g. "valueQuantity"
	typ    string
	system string // code system implied by the binding of a code
}

// readSchema reads lines of path, types and implied system, and collects the resource types.
func readSchema(data string) (schema, []string) {
	s, resources := schema{}, []string(nil)
	for line := range strings.Lines(data) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		path, types, system := columns[0], strings.Split(columns[1], ","), columns[2]
		at := strings.LastIndexByte(path, '.')
		if at < 0 {
			resources = append(resources, path)
			continue
		}
		s.add(path[:at], path[at+1:], types, system)
	}
	return s, resources
}

func (s schema) add(owner, name string, types []string, system string) {
	if s[owner] == nil {
		s[owner] = map[string][]member{}
	}
	name, choice := strings.CutSuffix(name, "[x]")
	for _, typ := range types {
		m := member{json: name, typ: typ, system: system}
		if choice {
			m.json = name + strings.ToUpper(typ[:1]) + typ[1:]
		}
		s[owner][name] = append(s[owner][name], m)
	}
}

// members finds an element; every resource has what Resource has.
func (s schema) members(owner, name string) []member {
	if found := s[owner][name]; found != nil {
		return found
	}
	if !strings.Contains(owner, ".") {
		return s[anyType][name]
	}
	return nil
}
