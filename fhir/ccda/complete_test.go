package ccda_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
)

// TestNothingIsDroppedInSilence puts an element that nobody knows into every element of
// the documents that has elements of its own, one at a time: it is reported at its place.
func TestNothingIsDroppedInSilence(t *testing.T) {
	t.Parallel()
	closing := regexp.MustCompile(`></([A-Za-z]+)>|>\s+</([A-Za-z]+)>`)
	// A code's designations, what only names the kind of a statement, and texts for
	// people are taken as a whole.
	whole := map[string]bool{
		"text": true, "table": true, "thead": true, "tbody": true, "tr": true, "list": true, "item": true, "title": true,
		"originalText": true, "code": true, "criterion": true, "id": true, "statusCode": true, "ClinicalDocument": true,
	}
	// Parts that are left out and reported as a whole, and the time since when a concern is
	// tracked, which is nothing about the patient.
	left := regexp.MustCompile(`(?s)<author><time value="20261001"/>.*?</author>|<organizer[^>]*><templateId root="[0-9.]*\.45"/>.*?</organizer>|` +
		`<substanceAdministration classCode="SBADM" moodCode="INT"><templateId root="[0-9.]*\.52"/>.*?</substanceAdministration>|` +
		`<observation classCode="OBS" moodCode="EVN" negationInd="true"><templateId root="[0-9.]*\.2"/>.*?</observation>|` +
		`codeSystem="2.16.840.1.113883.5.6"/><statusCode code="[a-z]*"/><effectiveTime>.*?</effectiveTime>`)
	for _, name := range []string{"ccd", "negated", "discharge"} {
		raw := sample(t, name)
		spans := left.FindAllIndex(raw, -1)
		for _, at := range closing.FindAllSubmatchIndex(raw, -1) {
			tag := string(raw[max(at[2], at[4]):max(at[3], at[5])])
			if whole[tag] {
				continue
			}
			end := bytes.LastIndexByte(raw[:at[1]-1], '<')
			mutated := append(append(bytes.Clone(raw[:end]), []byte(`<zzz value="1"/>`)...), raw[end:]...)
			result, err := ccda.Convert(mutated, ccda.Options{})
			if err != nil {
				t.Fatal(err)
			}
			inside := slices.ContainsFunc(spans, func(span []int) bool { return span[0] < end && end < span[1] })
			if reported(result) == inside {
				t.Errorf("%s: <zzz> in <%s> at byte %d is reported otherwise than expected", name, tag, end)
			}
		}
	}
}

// reported: an issue about the unknown element itself.
func reported(result ccda.Result) bool {
	for _, i := range result.Issues {
		if strings.HasSuffix(i.Path, "/*") {
			return true
		}
	}
	return false
}
