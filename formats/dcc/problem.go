package dcc

import "fmt"

// Problem is one finding about a certificate's content. No field repeats a value.
type Problem struct {
	Path    string // of the member, e.g. "v[0].dn"; empty for the whole content
	Rule    string // id of the rule, e.g. "dcc-schema-required"
	Detail  string // what is wrong and what would be right
	Warning bool   // the certificate is acceptable all the same
}

// Rules of the JSON schema DCC.combined-schema.json 1.3.x.
const (
	ruleRequired = "dcc-schema-required"
	ruleType     = "dcc-schema-type"
	ruleLength   = "dcc-schema-length"
	rulePattern  = "dcc-schema-pattern"
	ruleFormat   = "dcc-schema-format"
	ruleItems    = "dcc-schema-items"
	ruleGroup    = "dcc-schema-group"
)

// Rules of plausibility.
const (
	ruleBirth        = "dcc-birth-date"
	ruleStandardName = "dcc-standard-name"
	ruleValueSet     = "dcc-value-set"
	ruleValidity     = "dcc-validity"
	ruleDoses        = "dcc-doses"
)

// Rules of what we issue ourselves.
const (
	ruleVersion  = "dcc-issue-version"
	ruleMember   = "dcc-issue-member"
	ruleText     = "dcc-issue-text"
	ruleUVCI     = "dcc-issue-uvci"
	ruleTime     = "dcc-issue-time"
	ruleTest     = "dcc-issue-test"
	ruleEncoding = "dcc-issue-encoding"
)

// findings collects problems.
type findings []Problem

func (f *findings) add(path, rule, detail string) {
	*f = append(*f, Problem{Path: path, Rule: rule, Detail: detail})
}

func (f *findings) warn(path, rule, detail string) {
	*f = append(*f, Problem{Path: path, Rule: rule, Detail: detail, Warning: true})
}

// hasErrors reports whether any problem is more than a warning.
func hasErrors(problems []Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// entryPath is the path of a member of the only entry of a group.
func entryPath(group, member string) string { return fmt.Sprintf("%s[0].%s", group, member) }
