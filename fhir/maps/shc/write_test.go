package shc_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	mvx  = "http://hl7.org/fhir/sid/mvx"
	gtin = "https://www.gs1.org/gtin"
)

func TestVaccinationCard(t *testing.T) {
	t.Parallel()
	card, issues := shcmap.FromCore(vaccinationCore(), shcmap.Context{RevocationID: "MKyCxh7p6uQ", Performer: "Authority"})
	if len(issues) > 0 {
		t.Fatalf("%+v", issues)
	}
	want := shc.Card{
		Patient: shc.Patient{Text: "Aulus Agerius Specimen", BirthDate: "2003-03-03"},
		Immunizations: []shc.Immunization{{
			Vaccine: shc.Coding{System: "http://hl7.org/fhir/sid/cvx", Code: "511"}, Date: "2021-07-08", Lot: "PT123F", Performer: "Vaccination Site",
		}},
		COVID19: true, RevocationID: "MKyCxh7p6uQ",
	}
	if diff := cmp.Diff(want, card); diff != "" {
		t.Error(diff)
	}
	source(t, card)
}

func TestLaboratoryCard(t *testing.T) {
	t.Parallel()
	core := testCore()
	core.Test.Centre, core.BirthDate = fhir.Coding{}, "2003"
	card, issues := shcmap.FromCore(core, shcmap.Context{Performer: "Authority"})
	if len(issues) > 0 {
		t.Fatalf("%+v", issues)
	}
	want := shc.Card{
		Patient: shc.Patient{Text: "Aulus Agerius Specimen", BirthDate: "2003"},
		Observations: []shc.Observation{{
			Code: shc.Coding{System: "http://loinc.org", Code: "94558-4"}, Value: shc.Coding{System: "http://snomed.info/sct", Code: "260415000"},
			Date: "2021-07-08T10:00:00+02:00", Performer: "Authority",
		}},
		COVID19: true,
	}
	if diff := cmp.Diff(want, card); diff != "" {
		t.Error(diff)
	}
	source(t, card)
}

// TestVaccineCode follows the rule in the package's documentation; an empty code is a
// vaccine that the card cannot name.
func TestVaccineCode(t *testing.T) {
	t.Parallel()
	cvx := func(code string) fhir.Coding { return coding(terminology.SystemCVX, code) }
	sct := func(code string) fhir.Coding { return coding(terminology.SystemSNOMED, code) }
	for name, tc := range map[string]struct {
		vaccine, brand, maker fhir.Coding
		want                  shc.Coding
		covid, withMaker      bool
	}{
		"brand in CVX":                      {icd("XM0GQ8"), cvx("208"), fhir.Coding{}, shc.Coding{System: terminology.SystemCVX, Code: "208"}, true, false},
		"vaccine in CVX":                    {cvx("207"), icd("XM3DT5"), coding(mvx, "MOD"), shc.Coding{System: terminology.SystemCVX, Code: "207"}, true, false},
		"brand in GTIN":                     {icd("XM0GQ8"), coding(gtin, "380777273990"), fhir.Coding{}, shc.Coding{System: gtin, Code: "380777273990"}, true, false},
		"brand with one CVX code":           {icd("XM1NL1"), icd("XM1G90"), fhir.Coding{}, shc.Coding{System: terminology.SystemCVX, Code: "502"}, true, false},
		"brand with several CVX codes":      {icd("XM0GQ8"), icd("XM8NQ0"), fhir.Coding{}, shc.Coding{System: terminology.SystemICD11, Code: "XM8NQ0"}, true, false},
		"another spelling of ICD-11":        {icd("XM0GQ8"), coding("http://id.who.int/icd/release/11/mms", "XM8NQ0"), fhir.Coding{}, shc.Coding{System: terminology.SystemICD11, Code: "XM8NQ0"}, true, false},
		"brand of the EU":                   {icd("XM0GQ8"), coding(terminology.SystemEURegister, "EU/1/20/1528"), fhir.Coding{}, shc.Coding{System: terminology.SystemICD11, Code: "XM8NQ0"}, true, false},
		"brand of the EU with one CVX code": {icd("XM1NL1"), coding(terminology.SystemEURegister, "CoronaVac"), fhir.Coding{}, shc.Coding{System: terminology.SystemCVX, Code: "511"}, true, false},
		"brand in SNOMED CT":                {icd("XM0GQ8"), sct("1031000172108"), fhir.Coding{}, shc.Coding{System: terminology.SystemSNOMED, Code: "1031000172108"}, true, false},
		"product as vaccine":                {icd("XM8NQ0"), coding("", "TEST"), fhir.Coding{}, shc.Coding{System: terminology.SystemICD11, Code: "XM8NQ0"}, true, false},
		"a type alone":                      {icd("XM0GQ8"), coding("", "TEST"), fhir.Coding{}, shc.Coding{}, true, false},
		"a type, manufacturer as text":      {icd("XM0GQ8"), coding("", "TEST"), fhir.Coding{Display: "Moderna"}, shc.Coding{}, true, false},
		"a type with a manufacturer":        {icd("XM0GQ8"), coding("", "TEST"), coding(mvx, "MOD"), shc.Coding{System: terminology.SystemICD11, Code: "XM0GQ8"}, true, true},
		"the EU's vp alone":                 {sct("1119349007"), coding("", "TEST"), fhir.Coding{}, shc.Coding{}, true, false},
		"the EU's vp with a manufacturer":   {sct("1119349007"), coding("", "TEST"), coding(mvx, "PFR"), shc.Coding{System: terminology.SystemSNOMED, Code: "1119349007"}, true, true},
		"another disease":                   {icd("XM0N24"), coding("", "TEST"), fhir.Coding{}, shc.Coding{System: terminology.SystemICD11, Code: "XM0N24"}, false, false},
		"a code without a system":           {coding("", "XM0GQ8"), coding("", "XM8NQ0"), fhir.Coding{}, shc.Coding{}, false, false},
		"a local code":                      {coding("urn:oid:1.2.3", "1"), coding("urn:oid:1.2.3", "2"), fhir.Coding{}, shc.Coding{}, false, false},
	} {
		core := vaccinationCore()
		v := core.Vaccination
		v.Vaccine, v.Brand, v.Manufacturer, v.Disease = tc.vaccine, tc.brand, tc.maker, fhir.Coding{}
		card, issues := shcmap.FromCore(core, shcmap.Context{})
		got := card.Immunizations[0]
		if got.Vaccine != tc.want || card.COVID19 != tc.covid || (got.Manufacturer != nil) != tc.withMaker {
			t.Errorf("%s: %+v, covid %v, want %+v", name, got, card.COVID19, tc.want)
		}
		if found := errorsOf(issues); (tc.want.Code == "") != slices.Contains(found, "DDCCCoreDataSet.vaccination.brand shc-untranslatable") {
			t.Errorf("%s: issues %v", name, found)
		}
	}
}

func TestCOVID19(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		disease fhir.Coding
		want    bool
	}{
		"ICD-11":           {icd("RA01"), true},
		"ICD-11, below":    {icd("RA01.0"), true},
		"SNOMED CT":        {coding(terminology.SystemSNOMED, "840539006"), true},
		"yellow fever":     {icd("1D47"), false},
		"a longer code":    {icd("RA010"), false},
		"no disease":       {fhir.Coding{}, false},
		"without a system": {coding("", "RA01"), false},
	} {
		core := vaccinationCore()
		core.Vaccination.Vaccine, core.Vaccination.Brand, core.Vaccination.Disease = icd("XM0N24"), fhir.Coding{}, tc.disease
		core.Vaccination.Manufacturer = coding(mvx, "PMC")
		if card, _ := shcmap.FromCore(core, shcmap.Context{}); card.COVID19 != tc.want {
			t.Errorf("%s: %v", name, card.COVID19)
		}
	}
}

func TestTestCode(t *testing.T) {
	t.Parallel()
	loinc := func(code string) fhir.Coding { return coding(terminology.SystemLOINC, code) }
	for name, tc := range map[string]struct {
		pathogen, kind, origin, result fhir.Coding
		code, value                    string
		issue                          string
	}{
		"NAAT, no origin":          {icd("XN109"), icd("1334426561"), fhir.Coding{}, icd("RA01.0"), "94309-2", "260373001", ""},
		"NAAT, blood":              {icd("XN109"), icd("1334426561"), icd("DIA.AH.XA"), icd("QA02"), "94309-2", "260415000", ""},
		"NAAT of the EU":           {coding(terminology.SystemSNOMED, "840533007"), loinc("LP6464-4"), fhir.Coding{}, coding(terminology.SystemSNOMED, "260373001"), "94309-2", "260373001", ""},
		"a variant":                {icd("XN161"), icd("1334426561"), fhir.Coding{}, icd("RA01.0"), "94309-2", "260373001", ""},
		"antigen, throat":          {icd("XN109"), icd("2056159157"), icd("KAR.AH.XF"), icd("QA02"), "94558-4", "260415000", ""},
		"antigen, SNOMED CT":       {icd("XN109"), icd("2056159157"), coding(terminology.SystemSNOMED, "258500001"), icd("QA02"), "94558-4", "260415000", ""},
		"LOINC as it is":           {fhir.Coding{}, loinc("97097-0"), fhir.Coding{}, icd("QA02"), "97097-0", "260415000", ""},
		"UK's SNOMED CT result":    {icd("XN109"), loinc("94558-4"), fhir.Coding{}, coding(terminology.SystemSNOMED, "1240581000000104"), "94558-4", "260373001", ""},
		"older negative":           {icd("XN109"), loinc("94558-4"), fhir.Coding{}, icd("RA01.1"), "94558-4", "260415000", ""},
		"inconclusive":             {icd("XN109"), loinc("94558-4"), fhir.Coding{}, coding(terminology.SystemSNOMED, "419984006"), "94558-4", "419984006", ""},
		"antigen, no origin":       {icd("XN109"), icd("2056159157"), fhir.Coding{}, icd("QA02"), "", "260415000", "DDCCCoreDataSet.test.origin"},
		"antigen, saliva":          {icd("XN109"), icd("2056159157"), icd("KAZ.AH.XD"), icd("QA02"), "", "260415000", "DDCCCoreDataSet.test.origin"},
		"another pathogen":         {icd("XN8E5"), icd("1334426561"), fhir.Coding{}, icd("QA02"), "", "260415000", "DDCCCoreDataSet.test.type"},
		"another kind":             {icd("XN109"), coding(terminology.SystemICAOType, "antibody"), fhir.Coding{}, icd("QA02"), "", "260415000", "DDCCCoreDataSet.test.type"},
		"a result of another kind": {icd("XN109"), icd("1334426561"), fhir.Coding{}, icd("MG71"), "94309-2", "", "DDCCCoreDataSet.test.result"},
	} {
		core := testCore()
		core.Test.Pathogen, core.Test.Type, core.Test.Origin, core.Test.Result = tc.pathogen, tc.kind, tc.origin, tc.result
		card, issues := shcmap.FromCore(core, shcmap.Context{})
		got := card.Observations[0]
		if got.Code.Code != tc.code || got.Value.Code != tc.value {
			t.Errorf("%s: %+v", name, got)
		}
		found := errorsOf(issues)
		if tc.issue == "" && len(found) > 0 || tc.issue != "" && !slices.Equal(found, []string{tc.issue + " shc-untranslatable"}) {
			t.Errorf("%s: issues %v", name, found)
		}
		if tc.issue == "" {
			source(t, card)
		}
	}
}

func TestWhatACardNeeds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fhir.CoreDataSet){
		"DDCCCoreDataSet.name required":             func(c *fhir.CoreDataSet) { c.Name = "" },
		"DDCCCoreDataSet.birthDate required":        func(c *fhir.CoreDataSet) { c.BirthDate = "" },
		"DDCCCoreDataSet.vaccination.date required": func(c *fhir.CoreDataSet) { c.Vaccination.Date = "" },
		"DDCCCoreDataSet one-event":                 func(c *fhir.CoreDataSet) { c.Test = testCore().Test },
	} {
		core := vaccinationCore()
		change(&core)
		_, issues := shcmap.FromCore(core, shcmap.Context{})
		if found := errorsOf(issues); !slices.Equal(found, []string{name}) {
			t.Errorf("%s: %v", name, found)
		}
		for _, i := range issues {
			if i.Detail == "" || i.Fix == "" || !fault.HasErrors(issues) {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
	if _, issues := shcmap.FromCore(fhir.CoreDataSet{}, shcmap.Context{}); len(errorsOf(issues)) != 3 {
		t.Errorf("nothing: %+v", issues)
	}
}
