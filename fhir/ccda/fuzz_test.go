package ccda_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// FuzzConvert: whatever the bytes, the converter does not crash; it refuses as bad input,
// or writes resources that meet R4, the same ones again, with issues that show nothing but
// names of CDA.
func FuzzConvert(f *testing.F) {
	for _, name := range []string{"minimal", "nulls", "discharge"} { // short ones: the fuzzer spends its time on shortening
		f.Add(sample(f, name))
	}
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///x">]><ClinicalDocument xmlns="urn:hl7-org:v3">&e;</ClinicalDocument>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, o := range []ccda.Options{{}, {Type: ccda.Transaction}, {Vaccinations: true}} {
			result, err := ccda.Convert(raw, o)
			if err != nil {
				if kind := fault.KindOf(err); kind != fault.Malformed && kind != fault.Rule && kind != fault.TooLarge {
					t.Fatalf("error of another kind: %v", err)
				}
				return
			}
			if problems := check(result.Bundle); len(problems) > 0 {
				t.Fatalf("not R4:\n%s\n%s", strings.Join(problems, "\n"), result.Bundle)
			}
			for _, i := range result.Issues {
				if !pathForm.MatchString(i.Path) || i.Rule == "" || i.Detail == "" || i.Fix == "" || i.IsError() {
					t.Fatalf("%+v", i)
				}
			}
			again, err := ccda.Convert(raw, o)
			if err != nil || !bytes.Equal(again.Bundle, result.Bundle) {
				t.Fatal("not the same again")
			}
		}
	})
}

// values are what attributes are changed to: other words of CDA, limits, nonsense.
var values = []string{
	"", " ", "0", "-1", "1", "2147483648", "1e400", "20260101", "99999999", "2026010112+9900", "completed", "active", "nullified", "EVN", "INT", "true", "false",
	"UNK", "MSK", "SUBJ", "MFST", "1.2.3", "nonsense", "2.16.840.1.113883.6.96", "2.16.840.1.113883.4.6", "55607006", "416098002", "PQ", "IVL_PQ", "CD", "ST", "RTO", "TS",
	"PIVL_TS", "#imm1name", "#missing", "mailto:", "mg", "per day", "en-US", "2.16.840.1.113883.10.20.22.4.16", "2.16.840.1.113883.10.20.22.4.52", "2.16.840.1.113883.10.20.22.4.2",
}

// TestMutations changes attributes of the samples, leaves elements out and repeats them:
// whatever comes of it meets R4.
func TestMutations(t *testing.T) {
	t.Parallel()
	attribute := regexp.MustCompile(`([A-Za-z]+)="([^"]*)"`)
	single := regexp.MustCompile(`<[A-Za-z]+( [^<>]*)?/>`)
	rapid.Check(t, func(t *rapid.T) {
		raw, err := os.ReadFile(filepath.Join("testdata", rapid.SampledFrom([]string{"ccd", "negated", "nulls", "discharge"}).Draw(t, "sample")+".xml"))
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			if rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
				raw = cut(t, raw)
				continue
			}
			form := rapid.SampledFrom([]*regexp.Regexp{attribute, single}).Draw(t, "form")
			all := form.FindAllSubmatchIndex(raw, -1)
			at := all[rapid.IntRange(0, len(all)-1).Draw(t, "at")]
			var change []byte
			switch {
			case form == attribute:
				change = []byte(string(raw[at[2]:at[3]]) + `="` + rapid.SampledFrom(values).Draw(t, "value") + `"`)
			case rapid.Bool().Draw(t, "repeat"):
				change = append(bytes.Clone(raw[at[0]:at[1]]), raw[at[0]:at[1]]...)
			}
			raw = slices.Concat(raw[:at[0]], change, raw[at[1]:])
		}
		result, err := ccda.Convert(raw, ccda.Options{})
		if err != nil {
			return
		}
		if problems := check(result.Bundle); len(problems) > 0 {
			t.Fatalf("not R4:\n%s\n%s", strings.Join(problems, "\n"), raw)
		}
	})
}

var tag = regexp.MustCompile(`<(/?)[A-Za-z:]+[^<>]*?(/?)>`)

// cut takes out one element, or only what is in it.
func cut(t *rapid.T, raw []byte) []byte {
	all := tag.FindAllSubmatchIndex(raw, -1)
	first := rapid.IntRange(1, len(all)-1).Draw(t, "element") // not the root
	for depth, i := 0, first; i < len(all); i++ {
		closing, single := all[i][2] < all[i][3], all[i][4] < all[i][5]
		switch {
		case closing:
			depth--
		case !single:
			depth++
		}
		if depth > 0 {
			continue
		}
		if depth < 0 || single || i == first {
			return raw
		}
		if rapid.Bool().Draw(t, "hollow") {
			return slices.Concat(raw[:all[first][1]], raw[all[i][0]:])
		}
		return slices.Concat(raw[:all[first][0]], raw[all[i][1]:])
	}
	return raw
}

// FuzzEntry puts bytes into a section of each kind, where they are more often read.
func FuzzEntry(f *testing.F) {
	for _, section := range []string{"11369-6", "30954-2", "8716-3", "48765-2", "10160-0", "11450-4", "47519-4", "46240-8", "29762-2"} {
		f.Add(section, `<entry><observation moodCode="EVN"><code code="1"/><value xsi:type="PQ" value="1" unit="mg"/></observation></entry>`)
	}
	f.Add("11369-6", `<entry><substanceAdministration><statusCode code="completed"/><effectiveTime value="2020"/><repeatNumber value="3"/></substanceAdministration></entry>`)
	f.Add("10160-0", `<entry><substanceAdministration><effectiveTime xsi:type="PIVL_TS"><period value="1" unit="d"/></effectiveTime><doseQuantity><low value="1"/></doseQuantity></substanceAdministration></entry>`)
	f.Fuzz(func(t *testing.T, section, entry string) {
		if strings.ContainsAny(section, `<>&"`) {
			return
		}
		result, err := ccda.Convert(withEntry(t, section, entry), ccda.Options{})
		if err != nil {
			return
		}
		if problems := check(result.Bundle); len(problems) > 0 {
			t.Fatalf("not R4:\n%s\n%s", strings.Join(problems, "\n"), result.Bundle)
		}
	})
}
