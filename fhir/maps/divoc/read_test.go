package divoc_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/divoc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

const (
	dose = `{"certificateId":"1234","batch":"B-1","vaccine":"COVISHIELD","manufacturer":"Specimen Institute","date":"2021-03-03T04:28:43.134Z",` +
		`"effectiveStart":"2021-03-03","effectiveUntil":"2022-03-03","dose":1,"totalDoses":2,"verifier":{"name":"Vaccinator"},` +
		`"facility":{"name":"Site","address":{"addressCountry":"IN"}}}`
	swab = `{"certificateId":"77","testName":"ABC","testType":"RT-PCR","disease":"COVID-19","sampleOrigin":"Nasal Swab",` +
		`"sampleCollectionTimestamp":"2021-08-20T19:21:19.646Z","result":"Positive","facility":{"name":"Lab","address":{"addressCountry":"IND"}}}`
	subject     = `"credentialSubject":{"id":"did:Passport:X1","name":"Ana Specimen","gender":"Female","dob":"1990-01-02"}`
	vaccination = `{"@context":["https://www.w3.org/2018/credentials/v1","https://divoc.example/credentials/vaccination/v1"],` +
		`"type":["VerifiableCredential","ProofOfVaccinationCredential"],` + subject + `,"evidence":[` + dose + `]}`
	testResult = `{"@context":"https://cowin.gov.in/credentials/testCertificate/v1","type":["ProofOfTestCertificateCredential"],` + subject + `,"evidence":[` + swab + `]}`
)

const issuer = "https://divoc.example/"

func icd(code string) fhir.Coding {
	return fhir.Coding{System: terminology.SystemICD11, Code: code}
}

func read(tb testing.TB, raw []byte) []maps.Reading {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		tb.Fatal(err)
	}
	return divoc.Read(maps.Source{Issuer: issuer, Content: content})
}

func rules(issues []fault.Issue, severity fault.Severity) []string {
	var out []string
	for _, i := range issues {
		if i.Severity == severity {
			out = append(out, i.Path+" "+i.Rule)
		}
	}
	return out
}

func TestReadVaccination(t *testing.T) {
	t.Parallel()
	readings := read(t, []byte(vaccination))
	want := fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Ana Specimen", BirthDate: "1990-01-02", Sex: "female", Identifier: &fhir.Identifier{Value: "did:Passport:X1"},
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: issuer}, HCID: "1234", Version: "https://divoc.example/credentials/vaccination/v1",
			Period: fhir.Period{Start: "2021-03-03", End: "2022-03-03"},
		},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM9QW8"), Brand: fhir.Coding{System: terminology.SystemICD11, Code: "XM97T2", Display: "COVISHIELD"},
			Manufacturer: fhir.Coding{Display: "Specimen Institute"}, Lot: "B-1", Date: "2021-03-03T04:28:43.134Z", ValidFrom: "2021-03-03",
			Dose: 1, TotalDoses: 2, Country: fhir.Coding{System: terminology.SystemISO3166, Code: "IND"}, Centre: "Site",
			Practitioner: fhir.Identifier{Value: "Vaccinator"},
		},
	}
	if diff := cmp.Diff([]maps.Reading{{Core: want}}, readings); diff != "" {
		t.Error(diff)
	}
}

func TestReadTest(t *testing.T) {
	t.Parallel()
	readings := read(t, []byte(testResult))
	want := fhir.Test{
		Pathogen: icd("XN109"), Type: icd("1334426561"), Brand: fhir.Coding{Code: "ABC"}, Origin: icd("JAM.AH.XF"),
		Date: "2021-08-20T19:21:19.646Z", Result: icd("RA01.0"), Centre: fhir.Coding{Display: "Lab"},
		Country: fhir.Coding{System: terminology.SystemISO3166, Code: "IND"},
	}
	c := readings[0].Core
	if diff := cmp.Diff(want, *c.Test); diff != "" || len(readings[0].Issues) > 0 {
		t.Errorf("%s %+v", diff, readings[0].Issues)
	}
	if c.Model != fhir.ModelTR || c.Sex != "" || c.Certificate.Period != (fhir.Period{}) || c.Certificate.Version != "https://cowin.gov.in/credentials/testCertificate/v1" {
		t.Errorf("%+v", c)
	}
}

func TestReadVariants(t *testing.T) {
	t.Parallel()
	v := func(c fhir.CoreDataSet) fhir.Vaccination { return *c.Vaccination }
	for name, tc := range map[string]struct {
		credential, old, new string
		want                 func(fhir.CoreDataSet) bool
		warned               []string
	}{
		"ICD-11 code": {vaccination, `"batch"`, `"icd11Code":"XM0GQ8","batch"`, func(c fhir.CoreDataSet) bool {
			return v(c).Vaccine == icd("XM0GQ8") && v(c).Brand.Code == "XM97T2"
		}, nil},
		"name of the guide's list alone": {vaccination, "COVISHIELD", "Pfizer", func(c fhir.CoreDataSet) bool {
			return v(c).Vaccine == icd("XM0GQ8") && v(c).Brand == fhir.Coding{Code: "Pfizer"}
		}, []string{"credential.evidence[0].vaccine untranslated"}},
		"name of no list": {vaccination, "COVISHIELD", "Elixir", func(c fhir.CoreDataSet) bool {
			return v(c).Vaccine == fhir.Coding{} && v(c).Brand == fhir.Coding{Code: "Elixir"}
		}, []string{"credential.evidence[0].vaccine untranslated", "credential.evidence[0].vaccine untranslated"}},
		"an age": {vaccination, `"dob":"1990-01-02"`, `"age":"65"`, func(c fhir.CoreDataSet) bool { return c.BirthDate == "" },
			[]string{"credential.credentialSubject.age not-kept"}},
		"another gender": {vaccination, "Female", "Transgender", func(c fhir.CoreDataSet) bool { return c.Sex == "" && c.Model == fhir.ModelVSPoV },
			[]string{"credential.credentialSubject.gender untranslated"}},
		"sex of version 2": {vaccination, `"gender":"Female"`, `"gender":"","sex":"M"`, func(c fhir.CoreDataSet) bool { return c.Sex == "male" }, nil},
		"no centre":        {vaccination, `"name":"Site",`, ``, func(c fhir.CoreDataSet) bool { return c.Sex == "" && c.Model == fhir.ModelVSPoV }, nil},
		"no id":            {vaccination, `"did:Passport:X1"`, `""`, func(c fhir.CoreDataSet) bool { return c.Identifier == nil }, nil},
		"dose as a text":   {vaccination, `"dose":1`, `"dose":"2"`, func(c fhir.CoreDataSet) bool { return v(c).Dose == 2 }, nil},
		"name of a country": {vaccination, `"IN"`, `"India"`, func(c fhir.CoreDataSet) bool { return v(c).Country == fhir.Coding{Code: "India"} },
			[]string{"credential.evidence[0].facility.address.addressCountry untranslated"}},
		"validity with a time": {vaccination, `"effectiveStart":"2021-03-03"`, `"effectiveStart":"2021-03-03T00:00:00Z"`, func(c fhir.CoreDataSet) bool {
			return v(c).ValidFrom == "2021-03-03" && c.Certificate.Period.Start == "2021-03-03T00:00:00Z"
		}, nil},
		"the guide's context": {vaccination, `"@context"`, `"context"`, func(c fhir.CoreDataSet) bool { return c.Certificate.Version != "" }, nil},
		"context as an object": {vaccination, `["https://www.w3.org/2018/credentials/v1","https://divoc.example/credentials/vaccination/v1"]`, `[{"a":"b"}]`,
			func(c fhir.CoreDataSet) bool { return c.Certificate.Version == "" }, nil},
		"one type as a text": {testResult, `["ProofOfTestCertificateCredential"]`, `"ProofOfTestCertificateCredential"`, func(c fhir.CoreDataSet) bool { return c.Test != nil }, nil},
		"small letters":      {testResult, `"Positive"`, `"negative"`, func(c fhir.CoreDataSet) bool { return c.Test.Result == icd("QA02") }, nil},
		"inconclusive": {testResult, `"Positive"`, `"Inconclusive"`, func(c fhir.CoreDataSet) bool {
			return c.Test.Result == fhir.Coding{System: terminology.SystemDIVOCResult, Code: "Inconclusive"}
		}, []string{"credential.evidence[0].result untranslated"}},
		"antigen test":     {testResult, `"RT-PCR"`, `"Rapid Antigen Test (RAT)"`, func(c fhir.CoreDataSet) bool { return c.Test.Type == icd("2056159157") }, nil},
		"another pathogen": {testResult, `"COVID-19"`, `"Influenza"`, func(c fhir.CoreDataSet) bool { return c.Test.Pathogen == fhir.Coding{Code: "Influenza"} }, []string{"credential.evidence[0].disease untranslated"}},
	} {
		if !strings.Contains(tc.credential, tc.old) {
			t.Fatalf("%s changes nothing", name)
		}
		r := read(t, []byte(strings.Replace(tc.credential, tc.old, tc.new, 1)))[0]
		if !tc.want(r.Core) || len(rules(r.Issues, "")) > 0 {
			t.Errorf("%s: %+v %+v", name, r.Core, r.Issues)
		}
		if warned := rules(r.Issues, fault.SeverityWarning); !slices.Equal(warned, tc.warned) {
			t.Errorf("%s: %v", name, warned)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ credential, want string }{
		"nothing":       {`{}`, "credential.type event-count"},
		"another type":  {strings.Replace(vaccination, "ProofOfVaccinationCredential", "Degree", 1), "credential.type event-count"},
		"both types":    {strings.Replace(vaccination, `"VerifiableCredential"`, `"ProofOfTestCertificateCredential"`, 1), "credential.type event-count"},
		"no evidence":   {strings.Replace(vaccination, dose, "", 1), "credential.evidence event-count"},
		"101 evidences": {strings.Replace(vaccination, dose, strings.Repeat(dose+",", 100)+dose, 1), "credential.evidence event-count"},
		"many values":   {`{"type":[` + strings.Repeat("0,", 30_000) + `0]}`, "credential event-count"},
		"no date":       {strings.Replace(vaccination, `"date"`, `"xx"`, 1), "credential.evidence[0].date required"},
		"no such date":  {strings.Replace(vaccination, `2021-03-03T04`, `2021-02-30T04`, 1), "credential.evidence[0].date date"},
		"no result":     {strings.Replace(testResult, `"result"`, `"xx"`, 1), "credential.evidence[0].result required"},
		"a long batch":  {strings.Replace(vaccination, "B-1", strings.Repeat("x", 65), 1), "credential.evidence[0].batch text-length"},
		"a long name":   {strings.Replace(vaccination, "Ana Specimen", strings.Repeat("x", 256), 1), "credential.credentialSubject.name text-length"},
	} {
		readings := read(t, []byte(tc.credential))
		if len(readings) != 1 || !slices.Contains(rules(readings[0].Issues, ""), tc.want) {
			t.Errorf("%s: %d readings, %v", name, len(readings), rules(readings[0].Issues, ""))
		}
	}
}

// TestVectors reads every shared credential and compares with what WHO's validator makes
// of those it knows.
func TestVectors(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"divoc/DIVOCQR1Unpacked.json":              "Third March User One||did:Passport:Dummy256|92047670169|XM9QW8|XM97T2|Dummy-TGN-Chamba|2021-03-03T04:28:43.134Z|2021-03-03|1/2|IND|Himachal Site Name 176207|Dummy Vaccinator",
		"ddcc/validator/DIVOCQR1Unpacked.json":     "Third March User One||did:Passport:Dummy256|92047670169|XM9QW8|XM97T2|Dummy-TGN-Chamba|2021-03-03T04:28:43.134Z|2021-03-03|1/2|IND|Himachal Site Name 176207|Dummy Vaccinator",
		"ddcc/validator/DIVOCJamaicaUnpacked.json": "test user|1998-01-05||891244125|XM0GQ8|Pfizer|JM4561|2021-04-15|2021-04-15|2/2|IND|St, Jago Park Health Centre|Sanderson, Brandon",
	} {
		raw := vectors.Read(t, name)
		readings := read(t, raw)
		if len(readings) != 1 || len(rules(readings[0].Issues, "")) > 0 {
			t.Fatalf("%s: %+v", name, readings)
		}
		if diff := cmp.Diff(want, line(readings[0].Core)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if strings.HasPrefix(name, "ddcc/") {
			bundle := vectors.Read(t, strings.Replace(name, "Unpacked", "FHIRBundle", 1))
			compareBundle(t, name, readings[0].Core, bundle)
		}
	}
}

func line(c fhir.CoreDataSet) string {
	v, id := c.Vaccination, ""
	if c.Identifier != nil {
		id = c.Identifier.Value
	}
	return strings.Join([]string{
		c.Name, c.BirthDate, id, c.Certificate.HCID, v.Vaccine.Code, v.Brand.Code, v.Lot, v.Date, v.ValidFrom,
		string(rune('0'+v.Dose)) + "/" + string(rune('0'+v.TotalDoses)), v.Country.Code, v.Centre, v.Practitioner.Value,
	}, "|")
}

// compareBundle leaves out where we differ on purpose: the birth year made of an age, the
// valid-from date taken from effectiveUntil, the country in alpha-2.
func compareBundle(t *testing.T, name string, c fhir.CoreDataSet, raw []byte) {
	t.Helper()
	var bundle struct {
		Entry []struct {
			Resource struct {
				ResourceType, Gender, OccurrenceDateTime, LotNumber string
				Identifier                                          json.RawMessage // an object or an array of them
				VaccineCode                                         struct{ Coding []struct{ Code string } }
				ProtocolApplied                                     []struct{ DoseNumberPositiveInt, SeriesDosesPositiveInt int }
			}
		}
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, e := range bundle.Entry {
		switch r := e.Resource; r.ResourceType {
		case "Patient":
			seen++
			if r.Gender != c.Sex {
				t.Errorf("%s: sex", name)
			}
		case "Immunization":
			seen++
			v, p := c.Vaccination, r.ProtocolApplied[0]
			if v.Date != r.OccurrenceDateTime || v.Lot != r.LotNumber || v.Dose != p.DoseNumberPositiveInt || v.TotalDoses != p.SeriesDosesPositiveInt ||
				len(r.VaccineCode.Coding) > 0 && v.Vaccine.Code != r.VaccineCode.Coding[0].Code ||
				!strings.Contains(string(r.Identifier), `"`+c.Certificate.HCID+`"`) {
				t.Errorf("%s: %+v, want %+v", name, v, r)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%s: %d resources compared", name, seen)
	}
}

// FuzzRead: whatever the credential, there are readings, no more than there may be, the
// same each time.
func FuzzRead(f *testing.F) {
	f.Add([]byte(vaccination))
	f.Add([]byte(testResult))
	f.Add([]byte(`{"context":[1,{"x":"y"}],"type":"ProofOfVaccinationCredential","credentialSubject":[],"evidence":[null,1,{"dose":1e3,"facility":"x"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var content map[string]any
		if json.Unmarshal(raw, &content) != nil {
			return
		}
		s := maps.Source{Issuer: issuer, Content: content}
		readings, again := divoc.Read(s), divoc.Read(s)
		if len(readings) == 0 || len(readings) > 100 || len(again) != len(readings) {
			t.Fatalf("%d readings", len(readings))
		}
		for i, r := range readings {
			if (r.Core.Vaccination == nil) == (r.Core.Test == nil) && !fault.HasErrors(r.Issues) {
				t.Fatalf("no event and no error: %+v", r)
			}
			if !bytes.Equal(r.Core.Canonical(), again[i].Core.Canonical()) {
				t.Fatal("two readings of one credential differ")
			}
		}
	})
}
