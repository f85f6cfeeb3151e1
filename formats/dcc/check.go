package dcc

import "strings"

// coded are the members with a code of a value set, by group.
var coded = map[string]map[string]string{
	"v": {"tg": SetDisease, "vp": SetProphylaxis, "mp": SetProduct, "ma": SetHolder, "co": SetCountry},
	"t": {"tg": SetDisease, "tt": SetTestType, "tr": SetTestResult, "ma": SetTestDevice, "co": SetCountry},
	"r": {"tg": SetDisease, "co": SetCountry},
}

// codedMembers is the order in which they are looked at.
var codedMembers = []string{"tg", "vp", "mp", "tt", "tr", "ma", "co"}

// eventMember is the date of the event, by group.
var eventMember = map[string]string{"v": "dt", "t": "sc", "r": "fr"}

// maxDoses is far above any series and far below what a typing error makes.
const maxDoses = 99

// Check gives everything that is wrong with the content of a certificate from anywhere:
// first by the JSON schema 1.3.x, then, once that is kept, by plausibility. Content is
// what a CBOR or JSON reader makes of sub-claim 1: text, numbers (uint64, int64, float64,
// json.Number), []any and map[string]any. Without errors among the problems the
// certificate is a DCC; warnings are for people.
func Check(content map[string]any) []Problem {
	found, group, entry := checkSchema(content)
	if hasErrors(found) {
		return found
	}
	found.plausible(content, group, entry)
	found.known(group, entry)
	return found
}

// plausible checks what the schema cannot say. Only what cannot be true is an error.
func (f *findings) plausible(content map[string]any, group string, entry map[string]any) {
	name, _ := content["nam"].(map[string]any)
	for _, pair := range [][2]string{{"fn", "fnt"}, {"gn", "gnt"}} {
		if standard, ok := name[pair[1]].(string); ok && standard == "" && textOf(name, pair[0]) != "" {
			f.add("nam."+pair[1], ruleStandardName, "must not be empty when "+pair[0]+" is there; leave it out or transliterate the name")
		}
	}
	f.birth(textOf(content, "dob"), textOf(entry, eventMember[group]))
	switch group {
	case "v":
		f.doses(entry)
	case "r":
		f.validity(entry)
	}
}

// birth compares as far as both dates go: "1963" is not after "1963-05-01". Only a later
// year is an error, because authorities did publish specimens born days after the event.
func (f *findings) birth(born, event string) {
	if born == "" {
		return
	}
	if !isPossible(born) {
		f.warn("dob", ruleBirth, "is no date of the calendar")
	}
	switch length := min(len(born), len(event)); {
	case born[:min(length, len("2006"))] > event[:min(length, len("2006"))]:
		f.add("dob", ruleBirth, "must not be in a year after the event")
	case born[:length] > event[:length]:
		f.warn("dob", ruleBirth, "is after the event")
	}
}

// isPossible says whether a date, perhaps without day or month, exists.
func isPossible(born string) bool {
	return isDate(born + "-01-01"[min(len(born)-len("2006"), len("-01-01")):])
}

func (f *findings) doses(entry map[string]any) {
	for _, member := range []string{"dn", "sd"} {
		if number, ok := toFloat(entry[member]); ok && number > maxDoses {
			f.add(entryPath("v", member), ruleDoses, "must not be above 99")
		}
	}
}

func (f *findings) validity(entry map[string]any) {
	first, from, until := textOf(entry, "fr"), textOf(entry, "df"), textOf(entry, "du")
	if from > until {
		f.add(entryPath("r", "df"), ruleValidity, "must not be after du")
	}
	if first > until {
		f.add(entryPath("r", "fr"), ruleValidity, "must not be after du")
	}
	if first > from && from <= until {
		f.warn(entryPath("r", "df"), ruleValidity, "is before the test it rests on")
	}
}

// known warns of codes that the embedded value sets do not have: the lists grow, and a
// certificate from elsewhere is not wrong for being newer.
func (f *findings) known(group string, entry map[string]any) {
	for _, member := range codedMembers {
		id, isCoded := coded[group][member]
		if _, present := entry[member]; !isCoded || !present {
			continue
		}
		if _, ok := published.sets[id].Lookup(textOf(entry, member)); !ok {
			f.warn(entryPath(group, member), ruleValueSet, "is not in the value set "+id+" of "+published.sets[id].Date)
		}
	}
}

// isDevice says whether a code has the shape of the JRC's device ids: a number.
func isDevice(code string) bool {
	return code != "" && len(code) <= 5 && strings.Trim(code, "0123456789") == "" && code[0] != '0'
}
