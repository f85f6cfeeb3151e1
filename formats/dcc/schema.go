package dcc

import (
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// maxText is the length of names, issuers, centres and identifiers, in characters.
const maxText = 80

var (
	versionPattern = regexp.MustCompile(`^\d+.\d+.\d+$`) // the dots are as published
	birthPattern   = regexp.MustCompile(`^((19|20)\d\d(-\d\d){0,2}){0,1}$`)
	sampledPattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d(:?\d\d)?)$`)
)

// member is one member of a schema object. A check returns the rule that the value breaks
// and what would be right, or "".
type member struct {
	name     string
	required bool
	check    func(value any) (rule, detail string)
}

var nameMembers = []member{
	{"fn", false, text},
	{"fnt", false, standardName},
	{"gn", false, text},
	{"gnt", false, standardName},
}

// groups are the members of the one entry, by kind of certificate.
var groups = map[string][]member{
	"v": {
		{"tg", true, code}, {"vp", true, code}, {"mp", true, code}, {"ma", true, code},
		{"dn", true, positive}, {"sd", true, positive}, {"dt", true, date},
		{"co", true, country}, {"is", true, text}, {"ci", true, text},
	},
	"t": {
		{"tg", true, code}, {"tt", true, code}, {"nm", false, text}, {"ma", false, code},
		{"sc", true, dateTime}, {"tr", true, code}, {"tc", false, text},
		{"co", true, country}, {"is", true, text}, {"ci", true, text},
	},
	"r": {
		{"tg", true, code}, {"fr", true, date}, {"co", true, country}, {"is", true, text},
		{"df", true, date}, {"du", true, date}, {"ci", true, text},
	},
}

// groupNames is the order in which groups are looked at.
var groupNames = []string{"v", "t", "r"}

// checkSchema is the verdict of DCC.combined-schema.json. It also gives the group of the
// certificate and its entry, which are empty if there is not exactly one.
func checkSchema(content map[string]any) (found findings, group string, entry map[string]any) {
	top := []member{{"ver", true, version}, {"nam", true, object}, {"dob", true, birthDate}}
	found.members(content, "", top)
	if name, ok := content["nam"].(map[string]any); ok {
		found.name(name)
	}
	group = found.onlyGroup(content)
	if group == "" {
		return found, "", nil
	}
	return found, group, found.onlyEntry(content[group], group)
}

func (f *findings) members(object map[string]any, prefix string, members []member) {
	for _, m := range members {
		value, present := object[m.name]
		if !present {
			if m.required {
				f.add(prefix+m.name, ruleRequired, "is required")
			}
			continue
		}
		if rule, detail := m.check(value); rule != "" {
			f.add(prefix+m.name, rule, detail)
		}
	}
}

func (f *findings) name(name map[string]any) {
	_, family := name["fnt"]
	_, given := name["gnt"]
	if !family && !given {
		f.add("nam", ruleRequired, "needs a standardised name: fnt, gnt or both")
	}
	f.members(name, "nam.", nameMembers)
}

// onlyGroup finds the one group that is there. A null is how some issuers say that a
// group is absent.
func (f *findings) onlyGroup(content map[string]any) string {
	present := ""
	for _, group := range groupNames {
		if content[group] == nil {
			continue
		}
		if present != "" {
			f.add("", ruleGroup, "holds more than one of the groups v, t and r; a certificate is about one event")
			return ""
		}
		present = group
	}
	if present == "" {
		f.add("", ruleGroup, "needs one of the groups v, t and r")
	}
	return present
}

func (f *findings) onlyEntry(value any, group string) map[string]any {
	entries, ok := value.([]any)
	if !ok {
		f.add(group, ruleType, "must be an array")
		return nil
	}
	if len(entries) != 1 {
		f.add(group, ruleItems, "must have exactly one entry")
		return nil
	}
	entry, ok := entries[0].(map[string]any)
	if !ok {
		f.add(group+"[0]", ruleType, "must be an object")
		return nil
	}
	f.members(entry, group+"[0].", groups[group])
	return entry
}

func object(value any) (rule, detail string) {
	if _, ok := value.(map[string]any); !ok {
		return ruleType, "must be an object"
	}
	return "", ""
}

func code(value any) (rule, detail string) {
	if _, ok := value.(string); !ok {
		return ruleType, "must be text"
	}
	return "", ""
}

func text(value any) (rule, detail string) {
	content, ok := value.(string)
	if !ok {
		return ruleType, "must be text"
	}
	if utf8.RuneCountInString(content) > maxText {
		return ruleLength, "must not be longer than 80 characters"
	}
	return "", ""
}

func matching(pattern *regexp.Regexp, detail string) func(any) (string, string) {
	return func(value any) (string, string) {
		content, ok := value.(string)
		if !ok {
			return ruleType, "must be text"
		}
		if !pattern.MatchString(content) {
			return rulePattern, detail
		}
		return "", ""
	}
}

func version(value any) (rule, detail string) {
	return matching(versionPattern, "must be a version such as 1.3.0")(value)
}

func birthDate(value any) (rule, detail string) {
	return matching(birthPattern, "must be YYYY-MM-DD, YYYY-MM, YYYY in the years 1900 to 2099, or empty when unknown")(value)
}

func standardName(value any) (rule, detail string) {
	if rule, detail = text(value); rule != "" {
		return rule, detail
	}
	for _, letter := range []byte(value.(string)) {
		if !isCapital(letter) && letter != '<' {
			return rulePattern, "must be made of the letters A to Z and <, as in the machine readable zone"
		}
	}
	return "", ""
}

// country is as loose as the schema: one capital letter anywhere is enough.
func country(value any) (rule, detail string) {
	content, ok := value.(string)
	if !ok {
		return ruleType, "must be text"
	}
	if !slices.ContainsFunc([]byte(content), isCapital) {
		return rulePattern, "must be a country code of capital letters"
	}
	return "", ""
}

func positive(value any) (rule, detail string) {
	whole, sign := wholeNumber(value)
	if !whole {
		return ruleType, "must be a whole number"
	}
	if sign <= 0 {
		return ruleType, "must be 1 or more"
	}
	return "", ""
}

func date(value any) (rule, detail string) {
	content, ok := value.(string)
	if !ok {
		return ruleType, "must be text"
	}
	if !isDate(content) {
		return ruleFormat, "must be a date of the calendar as YYYY-MM-DD"
	}
	return "", ""
}

func isDate(content string) bool {
	_, err := time.Parse(time.DateOnly, content)
	return err == nil
}

// dateTime is RFC 3339, and two forms of offset more (+02, +0200) that ISO 8601 has and
// that certificates in use have.
func dateTime(value any) (rule, detail string) {
	content, ok := value.(string)
	if !ok {
		return ruleType, "must be text"
	}
	if !isDateTime(content) {
		return ruleFormat, "must be a time such as 2021-06-11T17:30:00Z"
	}
	return "", ""
}
