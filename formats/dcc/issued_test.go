package dcc

import (
	"slices"
	"strings"
	"testing"
)

// change is one thing wrong with our specimen: a member of the entry, of the name
// ("nam.fn") or of the certificate ("/dob").
type change struct {
	group, member string
	value         any // absent{}: the member is taken away
	rule          string
	foreign       string // "": Check accepts it; "warning"; "error"
}

type absent struct{}

func (c change) apply(t *testing.T) map[string]any {
	content := specimen(t, c.group)
	object := content[c.group].([]any)[0].(map[string]any)
	name := c.member
	if rest, ok := strings.CutPrefix(c.member, "nam."); ok {
		object, name = content["nam"].(map[string]any), rest
	} else if rest, ok := strings.CutPrefix(c.member, "/"); ok {
		object, name = content, rest
	}
	object[name] = c.value
	if c.value == (absent{}) {
		delete(object, name)
	}
	return content
}

var changes = []change{
	{"v", "/ver", "1.3.1", ruleVersion, ""},
	{"v", "/ver", 1.3, ruleType, "error"},
	{"v", "/extra", "x", ruleMember, ""},
	{"v", "/t", nil, ruleMember, ""},
	{"v", "/nam", "Ada", ruleType, "error"},
	{"v", "/v", "x", ruleType, "error"},
	{"v", "/v", []any{"x"}, ruleType, "error"},
	{"v", "/v", []any{}, ruleItems, "error"},
	{"v", "/v", absent{}, ruleGroup, "error"},
	{"v", "/dob", "2021-06-12", ruleBirth, "warning"},
	{"v", "/dob", "2022", ruleBirth, "error"},
	{"v", "/dob", "1990-02-30", ruleBirth, "warning"},
	{"v", "/dob", "1990-00", ruleBirth, "warning"},
	{"v", "extra", "x", ruleMember, ""},
	{"v", "mp", "Specimen-Vac", ruleValueSet, "warning"},
	{"v", "vp", "J07BX03", ruleValueSet, ""},
	{"v", "ma", "ORG-100031184", ruleEncoding, ""},
	{"v", "vp", "1157024006", ruleEncoding, ""},
	{"v", "co", "NLD", ruleValueSet, "warning"},
	{"v", "co", "", rulePattern, "error"},
	{"v", "dn", 0, ruleType, "error"},
	{"v", "sd", 1.5, ruleType, "error"},
	{"v", "dn", uint64(100), ruleDoses, "error"},
	{"v", "dt", "2021-06-11T00:00:00Z", ruleFormat, "error"},
	{"v", "is", "", ruleText, ""},
	{"v", "is", " Ministry", ruleText, ""},
	{"v", "is", "Ministe\u0301re", ruleText, ""},
	{"v", "is", strings.Repeat("é", 81), ruleLength, "error"},
	{"v", "ci", "URN:UVCI:01:XX:ABC", ruleUVCI, ""},
	{"v", "ci", "urn:uvci:01:XX:ABC#A", ruleUVCI, ""},
	{"v", "ci", "URN:UVCI:01:XX:A#L", ruleUVCI, ""}, // the check character is K
	{"v", "ci", "URN:UVCI:01:XX:" + strings.Repeat("A", 58) + "#A", ruleUVCI, ""},
	{"v", "nam.fnt", "SPECIMEN<MULLER", ruleStandardName, ""},
	{"v", "nam.fnt", absent{}, ruleStandardName, ""},
	{"v", "nam.gn", absent{}, ruleStandardName, ""},
	{"v", "nam.gnt", "Ada", rulePattern, "error"},
	{"v", "nam.fn", "Specimen 2", ruleStandardName, ""},
	{"v", "nam.title", "Dr", ruleMember, ""},
	{"t", "sc", "2021-06-11T17:30:00.5Z", ruleTime, ""},
	{"t", "sc", "2021-06-11T17:30:00+02", ruleTime, ""},
	{"t", "sc", "2021-06-11T17:30Z", ruleFormat, "error"},
	{"t", "ma", "1833", ruleTest, ""}, // a NAAT has no device
	{"t", "tt", testRAT, ruleTest, ""},
	{"t", "tr", "1", ruleValueSet, "warning"},
	{"t", "tc", "", ruleText, ""},
	{"r", "df", "2021-06-11", ruleValidity, ""},
	{"r", "du", "2021-11-29", ruleValidity, ""},
	{"r", "df", "2021-11-29", ruleValidity, "error"},
	{"r", "df", "2021-05-31", ruleValidity, "warning"},
	{"r", "fr", "2021-11-29", ruleValidity, "error"},
	{"r", "fr", "2021-13-01", ruleFormat, "error"},
}

func TestEveryRule(t *testing.T) {
	t.Parallel()
	for _, c := range changes {
		t.Run(c.group+"/"+strings.Trim(c.member, "/")+"/"+c.rule, func(t *testing.T) {
			t.Parallel()
			content := c.apply(t)
			issued := CheckIssued(content)
			if !slices.ContainsFunc(issued, func(p Problem) bool {
				return p.Rule == c.rule && p.Warning == (c.rule == ruleEncoding)
			}) {
				t.Errorf("CheckIssued: %+v", issued)
			}
			problems := Check(content)
			severity := ""
			for _, p := range problems {
				if p.Rule == c.rule && severity != "error" {
					severity = map[bool]string{true: "warning", false: "error"}[p.Warning]
				}
			}
			if severity != c.foreign || hasErrors(problems) != (c.foreign == "error") {
				t.Errorf("Check says %q, want %q: %+v", severity, c.foreign, problems)
			}
			for _, p := range append(issued, problems...) {
				if text, ok := c.value.(string); ok && len(text) > 12 && strings.Contains(p.Detail, text) {
					t.Error("the problem repeats the value")
				}
			}
		})
	}
}

func TestRapidTestOfAnyDevice(t *testing.T) {
	t.Parallel()
	for device, want := range map[string]bool{"1833": true, "99999": true, "": false, "0": false, "123456": false, "1a": false} {
		content := specimen(t, "t")
		entry := content["t"].([]any)[0].(map[string]any)
		entry["tt"], entry["ma"] = testRAT, device
		delete(entry, "nm")
		if problems := CheckIssued(content); hasErrors(problems) == want {
			t.Errorf("%q: %+v", device, problems)
		}
	}
	inactive := ""
	for code, value := range published.sets[SetTestDevice].values {
		if !value.Active {
			inactive = code
		}
	}
	content := change{"t", "ma", inactive, "", ""}.apply(t)
	if !breaks(CheckIssued(content), ruleValueSet) {
		t.Error("an inactive device was accepted")
	}
}

// A standardised name may be left out, never empty for a name that is written.
func TestEmptyStandardName(t *testing.T) {
	t.Parallel()
	content := change{"v", "nam.gnt", "", "", ""}.apply(t)
	if !breaks(CheckIssued(content), ruleText) || !breaks(Check(content), ruleStandardName) {
		t.Error("an empty standardised name was accepted")
	}
	delete(content["nam"].(map[string]any), "gn")
	if hasErrors(Check(content)) {
		t.Error("nothing was written: an empty standardised name is harmless")
	}
}

// A name in a script without transliteration keeps the Latin spelling of the passport.
func TestNameWithoutTransliteration(t *testing.T) {
	t.Parallel()
	content := specimen(t, "v")
	content["nam"] = map[string]any{"fn": "李", "fnt": "LEE", "gn": "明", "gnt": "MING"}
	if problems := CheckIssued(content); len(problems) != 0 {
		t.Errorf("%+v", problems)
	}
}
