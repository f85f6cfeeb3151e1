package main

import (
	"slices"
	"strings"
)

// structure is what is read of a StructureDefinition.
type structure struct {
	Name, Kind, Type, Derivation string
	Abstract                     bool
	Snapshot                     struct{ Element []elementDefinition }
}

type elementDefinition struct {
	Path, ContentReference string
	Type                   []struct{ Code string }
	Binding                struct{ Strength, ValueSet string }
}

type valueSet struct {
	URL     string
	Compose struct{ Include []struct{ System string } }
}

func concrete(all []structure) []string {
	var types []string
	for _, s := range all {
		if s.Kind == "resource" && !s.Abstract && s.Derivation == "specialization" {
			types = append(types, s.Type)
		}
	}
	slices.Sort(types)
	return types
}

// systems maps a value set to its code system where it has exactly one.
func systems(sets []valueSet) map[string]string {
	found := map[string]string{}
	for _, s := range sets {
		if len(s.Compose.Include) == 1 {
			found[s.URL] = s.Compose.Include[0].System
		}
	}
	return found
}

// elementRows gives path, types and implied code system of the elements that some expression
// can reach: every name on the path is mentioned by an expression of that base. Every concrete
// resource type has a row of its own, so that the table also says which types there are.
func elementRows(all []structure, systems map[string]string, words map[string]map[string]bool) []string {
	var lines []string
	for _, s := range all {
		base := s.Derivation == "specialization" || s.Name == common
		if !base || s.Kind != "resource" && s.Kind != "complex-type" {
			continue
		}
		mentioned := words[s.Type]
		if s.Kind == "complex-type" {
			mentioned = words[""]
		}
		if s.Kind == "resource" && !s.Abstract {
			lines = append(lines, s.Type+"\tResource\t")
		}
		for _, e := range s.Snapshot.Element {
			if reachable(e.Path, mentioned) || s.Kind == "resource" && strings.HasSuffix(e.Path, ".meta") {
				lines = append(lines, e.Path+"\t"+strings.Join(typesOf(e), ",")+"\t"+impliedSystem(e, systems))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func reachable(path string, mentioned map[string]bool) bool {
	names := strings.Split(path, ".")
	for _, name := range names[1:] {
		if !mentioned[strings.TrimSuffix(name, "[x]")] {
			return false
		}
	}
	return len(names) > 1
}

// typesOf names the types; an element with children of its own is its own type.
func typesOf(e elementDefinition) []string {
	if e.ContentReference != "" {
		return []string{strings.TrimPrefix(e.ContentReference, "#")}
	}
	var types []string
	for _, t := range e.Type {
		code := strings.TrimPrefix(t.Code, "http://hl7.org/fhirpath/System.")
		if code == "BackboneElement" || code == "Element" {
			code = e.Path
		}
		types = append(types, code)
	}
	return types
}

// impliedSystem is the code system of an element of type code, which names none itself
// (FHIR R4 search, token: the system is implicit in the element's binding).
func impliedSystem(e elementDefinition, systems map[string]string) string {
	if e.Binding.Strength != "required" || len(e.Type) != 1 || e.Type[0].Code != "code" {
		return ""
	}
	set, _, _ := strings.Cut(e.Binding.ValueSet, "|")
	return systems[set]
}
