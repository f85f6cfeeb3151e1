package validate

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// limit is an error that says what the validator does not know or do, not what is wrong.
type limit struct {
	rule, path, text *regexp.Regexp // each nil for any
	in               string         // type of the Bundle; empty for any resource
}

// limits are all that is let pass.
var limits = []limit{
	// The guides whose profiles are named are not in the validator: WHO's DDCC and IHE's MHD.
	{
		rule: regexp.MustCompile(`^Validation_VAL_Profile_Unknown$`),
		text: regexp.MustCompile(`^Profile reference '(http://(smart\.who\.int|worldhealthorganization\.github\.io)/ddcc/StructureDefinition/DDCC\w+|https://profiles\.ihe\.net/ITI/MHD/StructureDefinition/IHE\.MHD\.[\w.]+)' has not been checked`),
	},
	// Bundle.link of a Bundle that is an entry of a Bundle: such a Bundle is validated by itself.
	{path: regexp.MustCompile(`^Bundle(\.entry\[\d+\]\.resource)+\.link\[\d+\]$`), text: regexp.MustCompile(`^Unrecognized property '(relation|url)'$`)},
	// A history has several versions of a resource, and references name none of them.
	{rule: regexp.MustCompile(`^Bundle_BUNDLE_MultipleMatches$`), in: "history"},
	// The validator does not decode the comma between the types of a search (RFC 3986, 2.1).
	{rule: regexp.MustCompile(`^BUNDLE_SEARCH_ENTRY_WRONG_RESOURCE_TYPE_MODE$`), text: regexp.MustCompile(`expecting \[\w+(%2C\w+)+\]`), in: "searchset"},
	// It knows the tags of BCP 47 that are in that list alone, which is a preference.
	{text: regexp.MustCompile(`^Code "[a-z]{2,3}(-[A-Z]{2})?" is not in valueset: http://hl7\.org/fhir/ValueSet/languages$`)},
	// What the authors of public samples of C-CDA took for codes is kept as they have it.
	{text: regexp.MustCompile(`^Unknown code 'http://terminology\.hl7\.org/CodeSystem/v3-RoleCode#(UNK|NOTCHECKED)'$`)},
}

func (l limit) covers(bundle string, f hapi.Finding) bool {
	fits := func(form *regexp.Regexp, s string) bool { return form == nil || form.MatchString(s) }
	return (l.in == "" || l.in == bundle) && fits(l.rule, f.Rule) && fits(l.path, f.Path) && fits(l.text, f.Text)
}

// seen counts over all tests.
var seen = struct {
	sync.Mutex
	resources int
	warnings  map[string]int
	passed    [16]int // findings, by limit
}{warnings: map[string]int{}}

var places = regexp.MustCompile(`\[\d+\]|/\*[^*]*\*/`)

// valid fails the test for everything that is wrong with a resource in JSON.
func valid(t *testing.T, what string, resource []byte) {
	t.Helper()
	for _, f := range errorsOf(t, resource) {
		t.Errorf("%s: %s: %s %s: %s", what, f.Path, f.Severity, f.Rule, f.Text)
	}
	for _, inner := range bundleOf(resource).Entry {
		if bundleOf(inner.Resource).Type != "" {
			valid(t, what+", a Bundle in an entry", inner.Resource)
		}
	}
}

// bundle is the frame of a Bundle, empty of other resources.
type bundle struct {
	ResourceType, Type string
	Entry              []struct{ Resource json.RawMessage }
}

func bundleOf(resource []byte) (b bundle) {
	if json.Unmarshal(resource, &b) != nil || b.ResourceType != "Bundle" {
		return bundle{}
	}
	return b
}

// errorsOf gives what the validator finds wrong with a resource, and counts the rest.
func errorsOf(t *testing.T, resource []byte) (wrong []hapi.Finding) {
	t.Helper()
	found, err := hapi.StartValidator(t).Validate(resource)
	if err != nil {
		t.Fatal(err)
	}
	kind := bundleOf(resource).Type
	seen.Lock()
	defer seen.Unlock()
	seen.resources++
	for _, f := range found {
		switch {
		case f.Severity == hapi.SeverityFatal, f.Severity == hapi.SeverityError && !known(kind, f):
			wrong = append(wrong, f)
		case f.Severity == hapi.SeverityWarning && !strings.Contains(f.Text, "dom-6"): // no narrative for machines
			seen.warnings[f.Rule+" "+places.ReplaceAllString(f.Path, "")+": "+f.Text]++
		}
	}
	return wrong
}

func known(bundle string, f hapi.Finding) bool {
	for i, l := range limits {
		if l.covers(bundle, f) {
			seen.passed[i]++
			return true
		}
	}
	return false
}

// lines validates every line of an NDJSON file, of which there have to be so many.
func lines(t *testing.T, what string, file []byte, count int) {
	t.Helper()
	all := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
	if len(all) != count {
		t.Errorf("%s: %d lines, want %d", what, len(all), count)
	}
	for _, line := range all {
		valid(t, what, line)
	}
}
