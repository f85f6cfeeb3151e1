package dcc

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

// oldPayloads are published as valid and break schema 1.3.x, which is younger.
var oldPayloads = map[string]string{
	"BG/1.json":                  "times where 1.3 has dates (dob, v.dt)",
	"SG/4.json":                  "times where 1.3 has dates (r.fr, df, du)",
	"SK/3.json":                  "two vaccinations; maxItems came with 1.3.0",
	"NL/059-NL-test.json":        "an empty country; its pattern came with 1.3.0",
	"NL/073-NL-vaccination.json": "an empty country",
	"NL/201-NL-recovery.json":    "an empty country",
	"PL/1.3.0/1.json":            "standardised names in small letters, against the pattern of every version",
	"PL/1.3.0/5.json":            "standardised names in small letters",
}

// unknownCodes are published as invalid for a code that no value set has. Valid ones have
// such codes too (GE, HU, IE, NL, and the schema's own examples), and the lists grow:
// a warning is all that can be said offline.
var unknownCodes = map[string]string{
	"PL/1.0.0/8.json": "r[0].co",
	"PL/1.3.0/7.json": "t[0].ma",
	"PL/1.3.0/9.json": "v[0].ma",
}

// refusals are the payloads published as invalid, each with the rule that it breaks.
var refusals = map[string]string{
	"NL/062-NL-test.json":           rulePattern, // born 1815
	"NL/206-NL-recovery.json":       rulePattern,
	"NL/278-NL-test+wrong_key.json": rulePattern,
	"NL/135-NL-vaccination.json":    ruleBirth, // born 2023, vaccinated 2021
	"NL/207-NL-recovery.json":       ruleBirth,
	"NL/208-NL-recovery.json":       ruleStandardName, // a name of pictures
	"NL/209-NL-recovery.json":       ruleStandardName,
	"NL/215-NL-recovery.json":       rulePattern, // an empty country, before all else
	"common/DGC2.json":              ruleGroup,
	"invalid/empty.json":            ruleItems,
	"invalid/invalid_dob.json":      rulePattern,
	"invalid/invalid_dob2.json":     rulePattern,
	"invalid/invalid_vac.json":      ruleType,
	"invalid/missing_dob.json":      ruleRequired,
	"invalid/missing_fnt_gnt.json":  ruleRequired,
}

func TestPublishedPayloads(t *testing.T) {
	t.Parallel()
	states, files := stateFiles(t)
	if files != 178 {
		t.Errorf("%d state files, want 178", files)
	}
	good, old, refused, unknown := 0, 0, 0, 0
	for _, p := range append(schemaFiles(t), states...) {
		problems := Check(decode(t, p.content, true))
		rule := refusals[p.name]
		switch {
		case p.invalid && unknownCodes[p.name] != "":
			unknown++
			if len(problems) != 1 || problems[0].Path != unknownCodes[p.name] || problems[0].Rule != ruleValueSet {
				t.Errorf("%s: %v", p.name, problems)
			}
		case p.invalid:
			refused++
			if rule == "" || !breaks(problems, rule) {
				t.Errorf("%s: should break %q: %v", p.name, rule, problems)
			}
		case oldPayloads[p.name] != "":
			old++
			if !hasErrors(problems) {
				t.Errorf("%s: keeps schema 1.3.x after all", p.name)
			}
		default:
			good++
			if hasErrors(problems) {
				t.Errorf("%s: %v", p.name, problems)
			}
		}
	}
	t.Logf("%d files of states, %d with a payload; of all: %d good, %d older than 1.3, %d refused, %d warned of", files, len(states), good, old, refused, unknown)
	if unknown != len(unknownCodes) || old != len(oldPayloads) || refused != len(refusals) {
		t.Errorf("%d old and %d refused payloads, listed are %d and %d", old, refused, len(oldPayloads), len(refusals))
	}
}

func breaks(problems []Problem, rule string) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Rule == rule && !p.Warning })
}

// specimen is a certificate of each kind that we would issue.
func specimen(t testing.TB, group string) map[string]any {
	t.Helper()
	uvci, err := NewUVCI("XX", [16]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	entry := map[string]any{
		"v": Vaccination{
			Disease: "840539006", Prophylaxis: "1119349007", Product: "EU/1/20/1528", Holder: "ORG-100030215",
			Dose: 2, TotalDoses: 2, Date: "2021-06-11", Country: "NL", Issuer: "Ministry of Specimens", UVCI: uvci,
		},
		"t": Test{
			Disease: "840539006", Type: testNAAT, Name: "Specimen PCR", Sampled: "2021-06-11T17:30:00Z",
			Result: "260415000", Centre: "Specimen Centre", Country: "NL", Issuer: "Ministry of Specimens", UVCI: uvci,
		},
		"r": Recovery{
			Disease: "840539006", FirstPositive: "2021-06-01", Country: "NL", Issuer: "Ministry of Specimens",
			ValidFrom: "2021-06-12", ValidUntil: "2021-11-28", UVCI: uvci,
		},
	}[group]
	content, err := json.Marshal(map[string]any{
		"ver": SchemaVersion, "dob": "1990-02-03",
		"nam": Name{Family: "Spécimen-Müller", FamilyStandard: "SPECIMEN<MUELLER", Given: "Ada", GivenStandard: "ADA"},
		group: []any{entry},
	})
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, content, false)
}

func TestOurCertificatesPass(t *testing.T) {
	t.Parallel()
	for _, group := range groupNames {
		for _, check := range []func(map[string]any) []Problem{Check, CheckIssued} {
			if problems := check(specimen(t, group)); len(problems) != 0 {
				t.Errorf("%s: %v", group, problems)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, group := range groupNames {
		content, err := json.Marshal(specimen(f, group))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte(`{"ver":"1.3.0","nam":{"gnt":""},"dob":"","t":null,"v":[{"dn":1e400}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, exact := range []bool{true, false} {
			decoder := json.NewDecoder(bytes.NewReader(content))
			if exact {
				decoder.UseNumber()
			}
			var object map[string]any
			if decoder.Decode(&object) != nil {
				return
			}
			if !hasErrors(CheckIssued(object)) && hasErrors(Check(object)) {
				t.Fatal("good enough for us, not for others")
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	content := specimen(b, "v")
	for name, check := range map[string]func(map[string]any) []Problem{"foreign": Check, "issued": CheckIssued} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(check(content)) != 0 {
					b.Fatal("problems")
				}
			}
		})
	}
}
