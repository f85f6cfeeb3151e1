package icvp

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Problem is one finding about a card's content. No field repeats a value.
type Problem struct {
	Path    string // of the member, e.g. "v[0].bo"
	Rule    string // id of the rule
	Detail  string // what is wrong and what would be right
	Warning bool   // the card is acceptable all the same
}

// Rules of the content.
const (
	ruleShape     = "icvp-shape"
	ruleRequired  = "icvp-required"
	ruleType      = "icvp-type"
	ruleDate      = "icvp-date"
	ruleCode      = "icvp-code"
	ruleOrder     = "icvp-order"
	ruleMember    = "icvp-member"
	ruleText      = "icvp-text"
	ruleVersion   = "icvp-version"
	ruleInvariant = "must-have-issuer-or-clinician-name" // ICVPMinVaccineDetails
)

// rules are what the guide says of one object of one generation.
type rules struct {
	required, optional []string
	dates              []string
}

var personRules = map[Generation]rules{
	Gen0: {[]string{"n", "dob", "v"}, []string{"s", "ntl", "nid", "ndt", "gn"}, []string{"dob"}},
	Gen1: {[]string{"n", "dob", "v"}, []string{"s", "ntl", "nid", "ndt", "gn"}, []string{"dob"}},
	Gen2: {[]string{"n", "dob", "s", "nt", "v", "vx"}, []string{"id", "dt", "gn"}, []string{"dob"}},
}

var doseRules = map[Generation]rules{
	Gen0: {[]string{"vp", "dt", "bo"}, []string{"cn", "is", "vls", "vle", "dn", "tg", "mp", "ma", "mid"}, []string{"dt", "vls", "vle"}},
	Gen1: {[]string{"vp", "dt", "bo"}, []string{"cn", "is", "vls", "vle"}, []string{"dt", "vls", "vle"}},
	Gen2: {[]string{"vp", "dv", "bo"}, []string{"cn", "is"}, []string{"dv"}},
}

var (
	alpha3  = regexp.MustCompile(`^[A-Z]{3}$`)
	genders = []string{"male", "female", "other", "unknown"}
)

// checker walks one card. Its problems are warnings on a generation without rules.
type checker struct {
	generation Generation
	found      []Problem
}

// Check gives everything that is wrong with the decoded value of sub-claim -6, whoever
// issued it. Without errors among the problems it is an ICVP of its generation. A warning
// is what a verifier should tell and an issuer should not cause.
func Check(content map[string]any) []Problem {
	generation, dose := recognise(content)
	c := checker{generation: generation}
	if dose == nil {
		c.found = append(c.found, Problem{Path: "v", Rule: ruleShape, Detail: "must be one dose: a list of one map, or a model version beside the map vx"})
		return c.found
	}
	path := map[Generation]string{Gen0: "v.", Gen1: "v[0].", Gen2: "vx."}[generation]
	c.object("", content, personRules[generation])
	c.object(path, dose, doseRules[generation])
	c.codes(content)
	c.order(path, content, dose)
	if !hasText(dose["is"]) && !hasText(dose["cn"]) {
		c.add(path+"cn", ruleInvariant, "needs the clinician (cn) or the issuer (is)")
	}
	if version, _ := content["v"].(string); generation == Gen2 && version != ModelVersion {
		c.warn("v", ruleVersion, "is another version of the model; the card may mean something else")
	}
	return c.found
}

// recognise tells the generation. There is no dose if the content has the shape of none.
func recognise(content map[string]any) (generation Generation, dose map[string]any) {
	if content["vx"] != nil {
		dose, _ = content["vx"].(map[string]any)
		return Gen2, dose
	}
	switch v := content["v"].(type) {
	case map[string]any:
		return Gen0, v
	case []any:
		if len(v) == 1 {
			dose, _ = v[0].(map[string]any)
		}
	}
	return Gen1, dose
}

func (c *checker) add(path, rule, detail string) {
	c.found = append(c.found, Problem{Path: path, Rule: rule, Detail: detail, Warning: c.generation == Gen0})
}

func (c *checker) warn(path, rule, detail string) {
	c.found = append(c.found, Problem{Path: path, Rule: rule, Detail: detail, Warning: true})
}

// object checks the members of a person or a dose, one by one.
func (c *checker) object(prefix string, object map[string]any, r rules) {
	known := 0
	for _, name := range slices.Concat(r.required, r.optional) {
		value, present := object[name]
		if present {
			known++
		}
		if value == nil {
			if slices.Contains(r.required, name) {
				c.add(prefix+name, ruleRequired, "is required")
			}
			continue
		}
		c.member(prefix+name, value, slices.Contains(r.dates, name))
	}
	if known != len(object) {
		c.warn(strings.TrimRight(prefix, "."), ruleMember, "holds a member that this generation of the guide does not name")
	}
}

func (c *checker) member(path string, value any, isDate bool) {
	text, ok := value.(string)
	switch {
	case path == "vx" || (path == "v" && c.generation != Gen2): // the dose, which is looked at by itself
	case !ok:
		c.found = append(c.found, Problem{Path: path, Rule: ruleType, Detail: "must be text"})
	case strings.TrimSpace(text) == "":
		c.add(path, ruleText, "must not be empty; leave it out if it is optional")
	case isDate && !isCalendarDay(text):
		c.add(path, ruleDate, "must be a day of the calendar as YYYY-MM-DD")
	case !norm.NFC.IsNormalString(text):
		c.warn(path, ruleText, "is not in Unicode NFC")
	}
}

func (c *checker) codes(person map[string]any) {
	nationality := "ntl"
	if c.generation == Gen2 {
		nationality = "nt"
	}
	if code, ok := person[nationality].(string); ok && !alpha3.MatchString(code) {
		c.add(nationality, ruleCode, "must be an ISO 3166-1 alpha-3 code")
	}
	switch sex, ok := person["s"].(string); {
	case !ok || slices.Contains(genders, sex):
	case sex == "M" || sex == "F":
		c.warn("s", ruleCode, "is a letter; FHIR's codes are male, female, other and unknown")
	default:
		c.add("s", ruleCode, "must be male, female, other or unknown")
	}
}

// order checks dates against each other, where they are dates.
func (c *checker) order(path string, person, dose map[string]any) {
	date := doseRules[c.generation].dates[0]
	if after(person["dob"], dose[date]) {
		c.add(path+date, ruleOrder, "must not be before the birth")
	}
	if after(dose["vls"], dose["vle"]) {
		c.add(path+"vle", ruleOrder, "must not be before vls")
	}
	if after(dose[date], dose["vls"]) {
		c.warn(path+"vls", ruleOrder, "is before the vaccination")
	}
}

// after reports whether two days are the wrong way round.
func after(first, second any) bool {
	a, _ := first.(string)
	b, _ := second.(string)
	return isCalendarDay(a) && isCalendarDay(b) && a > b
}

func hasText(value any) bool {
	text, _ := value.(string)
	return strings.TrimSpace(text) != ""
}

// isCalendarDay reads a day strictly.
func isCalendarDay(text string) bool {
	_, err := time.Parse("2006-01-02", text)
	return err == nil
}
