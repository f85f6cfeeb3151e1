package terminology

import (
	"errors"
	"fmt"
)

var (
	errFields    = errors.New("wrong number of fields")
	errDuplicate = errors.New("duplicate entry")
)

// errUnknownConcept is a member or mapping whose concept no code system has.
type errUnknownConcept struct{ concept conceptKey }

func (e errUnknownConcept) Error() string {
	return fmt.Sprintf("code %q is not in the table of %s", e.concept.code, e.concept.system)
}

// addConcept reads "code [display [further name ...]]" under "@ system".
func (t *tables) addConcept(section, fields []string) error {
	system, err := t.system(section, 0)
	if err != nil {
		return err
	}
	c := conceptKey{system, fields[0]}
	if _, ok := t.displays[c]; ok {
		return errDuplicate
	}
	names := fields[1:]
	t.displays[c] = ""
	if len(names) > 0 {
		t.displays[c] = names[0]
	}
	t.codes[system] = append(t.codes[system], c.code)
	if system != SystemDIVOC && system != SystemICAO {
		return nil
	}
	return t.addNames(c, names)
}

func (t *tables) addNames(c conceptKey, names []string) error {
	for _, name := range names {
		n := conceptKey{c.system, foldName(name)}
		if _, ok := t.names[n]; ok {
			return errDuplicate
		}
		t.names[n] = c.code
	}
	return nil
}

// addMember reads "code" or "*" under "@ id system".
func (t *tables) addMember(section, fields []string) error {
	system, err := t.system(section, 1)
	if err != nil {
		return err
	}
	if len(fields) != 1 {
		return errFields
	}
	codes := fields
	if fields[0] == "*" {
		codes = t.codes[system]
	}
	for _, code := range codes {
		if err := t.addToSet(section[0], conceptKey{system, code}); err != nil {
			return err
		}
	}
	return nil
}

func (t *tables) addToSet(id string, c conceptKey) error {
	if _, ok := t.displays[c]; !ok {
		return errUnknownConcept{c}
	}
	set := t.valueSets[id]
	if set == nil {
		set = map[conceptKey]struct{}{}
		t.valueSets[id] = set
	}
	if _, ok := set[c]; ok {
		return errDuplicate
	}
	set[c] = struct{}{}
	return nil
}

// equivalenceOf reads the signs of maps.tsv.
var equivalenceOf = map[string]string{"=": Equivalent, ">": Wider, "<": Narrower, "~": RelatedTo}

// addMapping reads "source code, sign, target code" under "@ id source target".
func (t *tables) addMapping(section, fields []string) error {
	source, err := t.system(section, 1)
	if err != nil {
		return err
	}
	target, err := t.system(section, 2)
	if err != nil {
		return err
	}
	if len(fields) != 3 {
		return errFields
	}
	equivalence, ok := equivalenceOf[fields[1]]
	if !ok {
		return fmt.Errorf("unknown equivalence sign %q", fields[1])
	}
	return t.addTranslation(section[0], conceptKey{source, fields[0]}, conceptKey{target, fields[2]}, equivalence)
}

func (t *tables) addTranslation(id string, from, to conceptKey, equivalence string) error {
	if _, ok := t.displays[from]; !ok {
		return errUnknownConcept{from}
	}
	display, ok := t.displays[to]
	if !ok {
		return errUnknownConcept{to}
	}
	rows := t.maps[id]
	if rows == nil {
		rows = map[conceptKey][]Translation{}
		t.maps[id] = rows
	}
	for _, have := range rows[from] {
		if have.System == to.system && have.Code == to.code {
			return errDuplicate
		}
	}
	rows[from] = append(rows[from], Translation{Concept{to.system, to.code, display}, equivalence})
	return nil
}
