package schema

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed r4.txt
var r4 string

//go:embed patient.txt
var patient string

// element is one element of a block.
type element struct {
	name     string // without [x]
	types    []string
	choice   bool
	repeats  bool
	required bool
	summary  bool
}

// block is the elements of a type or of a backbone element.
type block struct {
	elements []*element
	byName   map[string]member // by JSON member name
}

// member is what a JSON member name stands for.
type member struct {
	element *element
	kind    string // the type, or @Path
}

type tables struct {
	blocks    map[string]*block
	resources []string
	compart   map[string][]string
}

var loaded = sync.OnceValue(load)

func load() tables {
	t := tables{blocks: map[string]*block{}, compart: map[string][]string{}}
	var current *block
	for line := range strings.Lines(r4) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "#"); ok {
			name, resource := strings.CutSuffix(name, " resource")
			if resource {
				t.resources = append(t.resources, name)
			}
			current = &block{byName: map[string]member{}}
			t.blocks[name] = current
			continue
		}
		current.add(line)
	}
	slices.Sort(t.resources)
	for line := range strings.Lines(patient) {
		fields := strings.Fields(line)
		t.compart[fields[0]] = fields[1:]
	}
	return t
}

func (b *block) add(line string) {
	fields := strings.Fields(line)
	e := &element{
		repeats: strings.ContainsAny(fields[1], "*+"), required: strings.ContainsAny(fields[1], "1+"),
		summary: strings.HasSuffix(fields[1], "s"), types: strings.Split(fields[2], "|"),
	}
	e.name, e.choice = strings.CutSuffix(fields[0], "[x]")
	b.elements = append(b.elements, e)
	for _, kind := range e.types {
		name := e.name
		if e.choice {
			name += strings.ToUpper(kind[:1]) + kind[1:]
		}
		b.byName[name] = member{e, kind}
	}
}

// Resources gives the names of all resource types, sorted. It must not be changed.
func Resources() []string { return loaded().resources }

// IsResource reports whether name is a resource type of R4.
func IsResource(name string) bool {
	_, found := slices.BinarySearch(loaded().resources, name)
	return found
}

// PatientCompartment gives the search parameters that put a resource of a type into the
// compartment of a patient (CompartmentDefinition/patient), none for a type outside.
func PatientCompartment(resourceType string) []string { return loaded().compart[resourceType] }

// Mandatory reports whether an element of a resource, by JSON member name, is needed
// for it to be valid.
func Mandatory(resourceType, name string) bool {
	m, ok := lookup(resourceType, name)
	return ok && m.element.required
}

// InSummary reports whether an element of a resource, by JSON member name, is marked as
// summary element.
func InSummary(resourceType, name string) bool {
	m, ok := lookup(resourceType, name)
	return ok && m.element.summary
}

// lookup finds a JSON member name; that of a primitive's sibling is the name of both.
func lookup(of, name string) (member, bool) {
	b := loaded().blocks[of]
	if b == nil {
		return member{}, false
	}
	m, ok := b.byName[name]
	if !ok {
		m, ok = b.byName[strings.TrimPrefix(name, "_")]
	}
	return m, ok
}
