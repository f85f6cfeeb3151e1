package shc_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	ddccmaps "github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

const bundleHead = `{"resourceType":"Bundle","entry":[{"fullUrl":"resource:0","resource":{"resourceType":"Patient","name":[{"family":"Specimen","given":["Ana","B."]}],"birthDate":"1951-01-20"}}`

// immunization is a bundle with one dose whose members can be changed.
func immunization(members map[string]string) []byte {
	all := map[string]string{
		"resourceType": `"Immunization"`, "status": `"completed"`, "patient": `{"reference":"resource:0"}`,
		"vaccineCode": `{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}]}`, "occurrenceDateTime": `"2021-01-01"`,
	}
	maps.Copy(all, members)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] != "" {
			parts = append(parts, `"`+name+`":`+all[name])
		}
	}
	return []byte(bundleHead + `,{"fullUrl":"resource:1","resource":{` + strings.Join(parts, ",") + `}}]}`)
}

// TestVectors reads every shared payload.
func TestVectors(t *testing.T) {
	t.Parallel()
	dir := vectors(t)
	cards, events := 0, 0
	for _, part := range []string{"shc", "ddcc/ig-fixtures/shc", "ddcc/validator"} {
		err := filepath.WalkDir(filepath.Join(dir, filepath.FromSlash(part)), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || part == "ddcc/validator" && !(strings.HasPrefix(d.Name(), "SHC") && strings.HasSuffix(d.Name(), "Unpacked.txt")) {
				return err
			}
			if strings.HasSuffix(d.Name(), "FHIRBundle.json") && strings.HasPrefix(d.Name(), "SHC") {
				return nil // the validator's result, see TestValidatorBundles
			}
			for _, payload := range payloads(t, path) {
				cards++
				readings := read(t, payload)
				events += len(readings)
				checkCard(t, d.Name(), readings)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d payloads, %d events", cards, events)
	if cards < 40 {
		t.Errorf("only %d payloads", cards)
	}
}

// broken are the vectors made to be refused for their content, and the errors of all
// their events.
var broken = map[string][]string{
	"a-fhirBundle-empty-values":             {"[1].resource.vaccineCode required"},
	"a-fhirBundle-occurrence-issues":        {"[2].resource.occurrenceDateTime required"},
	"a-fhirBundle-status-not-completed":     {"[1].resource.status status", "[2].resource.status status"},
	"b-jws-payload-expanded-missing-coding": {"[1].resource.vaccineCode required", "[2].resource.code required"},
	"a-fhirBundle-profile-usa": {
		"[3].resource.status status", "[3].resource.occurrenceDateTime date", "[3].resource.occurrenceDateTime required",
		"[4].resource.status status", "[4].resource.occurrenceDateTime required",
	},
}

func checkCard(t *testing.T, name string, readings []ddccmaps.Reading) {
	t.Helper()
	base, _, _ := strings.Cut(strings.TrimPrefix(name, "test-example-00-"), ".")
	var found []string
	for _, r := range readings {
		for _, e := range errorsOf(r.Issues) {
			found = append(found, strings.TrimPrefix(e, "vc.credentialSubject.fhirBundle.entry"))
		}
		v := r.Core.Vaccination
		known := v == nil || v.Vaccine.System == terminology.SystemICD11 && v.Brand.Code != "" || v.Vaccine.Code == ""
		if broken[base] == nil && !known && (!strings.HasSuffix(v.Vaccine.System, "TEMPORARY-CODE-SYSTEM") || r.Issues[0].Rule != "untranslated") {
			t.Errorf("%s: vaccine %+v, brand %+v", name, v.Vaccine, v.Brand)
		}
	}
	if diff := cmp.Diff(broken[base], found); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// TestValidatorBundles compares with what WHO's validator makes of its cards.
func TestValidatorBundles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(vectors(t), "ddcc", "validator")
	for _, name := range []string{"SHCQR1", "SHCSenegal"} {
		bundle, err := os.ReadFile(filepath.Join(dir, name+"FHIRBundle.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, r := range read(t, bundle) {
			want = append(want, summary(r.Core))
		}
		for _, r := range read(t, payloads(t, filepath.Join(dir, name+"Unpacked.txt"))[0]) {
			got = append(got, summary(r.Core))
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != 2 {
			t.Errorf("%s: %d events %s", name, len(got), diff)
		}
	}
}

func summary(c fhir.CoreDataSet) string {
	v := c.Vaccination
	return strings.Join([]string{c.Name, c.BirthDate, v.Brand.Code, v.Date, v.Lot, v.Centre}, "|")
}

func TestReadVaccineCodes(t *testing.T) {
	t.Parallel()
	cvx, sct := terminology.SystemCVX, terminology.SystemSNOMED
	for name, tc := range map[string]struct {
		codings        string
		vaccine, brand fhir.Coding
		untranslated   bool
	}{
		"CVX":                 {`{"system":"` + cvx + `","code":"207"}`, icd("XM3DT5"), coding(cvx, "207"), false},
		"CVX, OID":            {`{"system":"urn:oid:2.16.840.1.113883.12.292","code":"207"}`, icd("XM3DT5"), coding(cvx, "207"), false},
		"SNOMED CT product":   {`{"system":"` + sct + `","code":"1031000172108"}`, icd("XM8NQ0"), coding(sct, "1031000172108"), false},
		"SNOMED CT type":      {`{"system":"` + sct + `","code":"1119349007"}`, icd("XM0GQ8"), fhir.Coding{}, false},
		"ICD-11 product":      {`{"system":"http://id.who.int/icd/release/11/mms","code":"XM8NQ0"}`, icd("XM8NQ0"), icd("XM8NQ0"), false},
		"ICD-11 type":         {`{"system":"` + terminology.SystemICD11 + `","code":"XM0GQ8"}`, icd("XM0GQ8"), fhir.Coding{}, false},
		"GTIN, then CVX":      {`{"system":"` + gtin + `","code":"1"},{"system":"` + cvx + `","code":"208"}`, icd("XM8NQ0"), coding(cvx, "208"), false},
		"CVX of another kind": {`{"system":"` + cvx + `","code":"37"}`, coding(cvx, "37"), coding(cvx, "37"), true},
	} {
		r := only(t, read(t, immunization(map[string]string{"vaccineCode": `{"coding":[` + tc.codings + `]}`})))
		v := r.Core.Vaccination
		if v.Vaccine != tc.vaccine || v.Brand != tc.brand || len(errorsOf(r.Issues)) > 0 {
			t.Errorf("%s: %+v %+v %v", name, v.Vaccine, v.Brand, r.Issues)
		}
		if got := len(r.Issues) == 1 && r.Issues[0].Rule == "untranslated"; got != tc.untranslated {
			t.Errorf("%s: %+v", name, r.Issues)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const at = "vc.credentialSubject.fhirBundle.entry"
	long := `"` + strings.Repeat("x", 2000) + `"`
	for name, tc := range map[string]struct {
		payload []byte
		want    string
	}{
		"not done":        {immunization(map[string]string{"status": `"not-done"`}), at + "[1].resource.status status"},
		"no status":       {immunization(map[string]string{"status": ``}), at + "[1].resource.status status"},
		"subpotent":       {immunization(map[string]string{"isSubpotent": `true`}), at + "[1].resource.isSubpotent status"},
		"no date":         {immunization(map[string]string{"occurrenceDateTime": ``}), at + "[1].resource.occurrenceDateTime required"},
		"no such date":    {immunization(map[string]string{"occurrenceDateTime": `"2021-02-30"`}), at + "[1].resource.occurrenceDateTime date"},
		"date as number":  {immunization(map[string]string{"occurrenceDateTime": `2021`}), at + "[1].resource.occurrenceDateTime json-type"},
		"no vaccine code": {immunization(map[string]string{"vaccineCode": `{}`}), at + "[1].resource.vaccineCode required"},
		"a long lot":      {immunization(map[string]string{"lotNumber": long}), at + "[1].resource.lotNumber text-length"},
		"no patient":      {[]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"2021-01-01","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}]}}}]}`), at + "[0].resource.patient required"},
		"somebody else":   {[]byte(strings.Replace(string(immunization(map[string]string{"patient": `{"reference":"resource:9"}`})), `,{"fullUrl":"resource:1"`, `,{"fullUrl":"resource:9","resource":{"resourceType":"Patient"}},{"fullUrl":"resource:1"`, 1)), at + "[2].resource.patient reference"},
		"no event":        {[]byte(bundleHead + `]}`), at + " event-count"},
		"nothing":         {[]byte(`{}`), at + " event-count"},
		"not a bundle":    {[]byte(`{"vc":{"credentialSubject":[{"fhirBundle":1}]}}`), at + " event-count"},
		"many events":     {[]byte(bundleHead + strings.Repeat(`,{"resource":{"resourceType":"Immunization"}}`, 101) + `]}`), at + " event-count"},
		"many entries":    {[]byte(bundleHead + strings.Repeat(`,{"resource":{"resourceType":"Basic"}}`, 200) + `]}`), at + " event-count"},
		"many values":     {[]byte(`{"vc":[` + strings.Repeat("0,", 30_000) + `0]}`), "vc event-count"},
	} {
		r := only(t, read(t, tc.payload))
		if found := errorsOf(r.Issues); !slices.Contains(found, tc.want) {
			t.Errorf("%s: %v", name, found)
		}
		for _, i := range r.Issues {
			if strings.Contains(i.Detail+i.Fix, "xxx") || i.Detail == "" || i.Fix == "" {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
}

func TestReadHolder(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ patient, want string }{
		"text wins":     {`"name":[{"text":" Ana Mari\u0301a ","family":"X"}]`, "Ana María"},
		"given, family": {`"name":[{"family":"Specimen","given":["Ana","B."]}]`, "Ana B. Specimen"},
		"family alone":  {`"name":[{"family":"Specimen"}]`, "Specimen"},
		"official":      {`"name":[{"use":"nickname","text":"A"},{"use":"official","text":"B"}]`, "B"},
		"none":          {`"name":[]`, ""},
	} {
		payload := strings.Replace(string(immunization(nil)), `"name":[{"family":"Specimen","given":["Ana","B."]}]`, tc.patient, 1)
		if r := only(t, read(t, []byte(payload))); r.Core.Name != tc.want || len(errorsOf(r.Issues)) > 0 {
			t.Errorf("%s: %q %+v", name, r.Core.Name, r.Issues)
		}
	}
}
