package divoc

import (
	"fmt"
	"maps"
	"slices"
)

// Interchangeable names members with different values that mean the same to the signature:
// within each list the values may have been swapped after signing, and Verify would not
// notice. It is empty when nothing can be swapped to effect.
func (m *Message) Interchangeable() [][]string {
	return interchangeable("", m.Content, credential)
}

func interchangeable(prefix string, members map[string]any, kind *object) [][]string {
	byTerm := map[string][]string{}
	var lists [][]string
	for _, name := range slices.Sorted(maps.Keys(kind.members)) {
		value, known := members[name], kind.members[name]
		switch known.form {
		case literal:
			if value != nil {
				byTerm[known.iri] = append(byTerm[known.iri], name)
			}
		case one:
			below, _ := value.(map[string]any)
			lists = append(lists, interchangeable(prefix+name+".", below, known.object)...)
		case many:
			items, _ := value.([]any)
			for i, item := range items {
				below, _ := item.(map[string]any)
				lists = append(lists, interchangeable(fmt.Sprintf("%s%s[%d].", prefix, name, i), below, known.object)...)
			}
		case dateTime, iri:
		}
	}
	for _, iri := range slices.Sorted(maps.Keys(byTerm)) {
		if list := differing(prefix, members, byTerm[iri]); list != nil {
			lists = append(lists, list)
		}
	}
	return lists
}

// differing gives the paths of names unless all have one value.
func differing(prefix string, members map[string]any, names []string) []string {
	differ := false
	paths := make([]string, 0, len(names))
	for _, name := range names {
		paths = append(paths, prefix+name)
		differ = differ || !sameLiteral(members[name], members[names[0]])
	}
	if !differ {
		return nil
	}
	return paths
}

func sameLiteral(a, b any) bool {
	switch a.(type) {
	case string, bool, float64:
		return a == b
	}
	return false
}
