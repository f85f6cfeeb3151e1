package vdsnc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

func TestVaccinationMessage(t *testing.T) {
	t.Parallel()
	got, issues := vdsncmap.FromCore(vaccinationCore(), vdsncmap.Context{ID: "U32870", Provider: "Authority"})
	if len(issues) > 0 {
		t.Fatalf("%+v", issues)
	}
	want := vdsnc.Message{
		UVCI:   "U32870",
		Person: vdsnc.Person{Name: "SPECIMEN  AULUS AGERIUS", BirthDate: "2003-03-03", Sex: "M", DocumentNumber: "C1234567"},
		Vaccinations: []vdsnc.Event{{Vaccine: "XM0GQ8", Brand: "Comirnaty", Disease: "RA01", Doses: []vdsnc.Dose{{
			Date: "2021-07-08", Number: 1, Country: "CHE", Centre: "Vaccination Site", Lot: "PT123F", NextDose: "2021-07-29",
		}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	source(t, got)
}

func TestTestMessage(t *testing.T) {
	t.Parallel()
	core := testCore()
	core.Test.Centre = fhir.Coding{}
	got, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U01932", Provider: "Authority", Reported: reported})
	if len(issues) > 0 {
		t.Fatalf("%+v", issues)
	}
	want := vdsnc.Message{
		UTCI:     "U01932",
		Person:   vdsnc.Person{Name: "SPECIMEN  AULUS AGERIUS", BirthDate: "2003-03-03", DocumentType: "P", TestDocument: "C1234567"},
		Provider: &vdsnc.Provider{Name: "Authority", Country: "CHE"},
		Times:    &vdsnc.Times{Sampled: "2021-07-08T10:00:00+02:00", Reported: "2021-07-08T12:00:00Z"},
		Result:   &vdsnc.Result{Type: "molecular(PCR)", Value: "negative", Method: "nasopharyngeal"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	source(t, got)
}

func TestName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Specimen, Ana María":   "SPECIMEN  ANA MARIA",
		"SPECIMEN  ANA MARIA":   "SPECIMEN  ANA MARIA",
		"Ana María Specimen":    "ANA MARIA SPECIMEN",
		"Specimen":              "SPECIMEN",
		"Specimen,":             "SPECIMEN",
		"O’Specimen-Ágerius":    "OSPECIMEN AGERIUS",
		"Müller, Jörg Specimen": "MUELLER  JOERG SPECIMEN",
		"Образец, Анна":         "OBRAZETS  ANNA",
		"李明":                    "",
		"Specimen, 明":           "",
		"Specimen 2":            "",
		"":                      "",
	} {
		core := vaccinationCore()
		core.Name = name
		got, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1"})
		refused := slices.ContainsFunc(errorsOf(issues), func(s string) bool {
			return s == "DDCCCoreDataSet.name vdsnc-name" || s == "DDCCCoreDataSet.name required"
		})
		if want != "" && got.Person.Name != want || refused != (want == "") {
			t.Errorf("%q, want %q; %v", got.Person.Name, want, errorsOf(issues))
		}
	}
}

func TestBrandAndVaccine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		vaccine, brand fhir.Coding
		des, nam       string
	}{
		"a display":            {icd("XM0GQ8"), fhir.Coding{System: terminology.SystemICD11, Code: "XM8NQ0", Display: "COMIRNATY XBB"}, "XM0GQ8", "COMIRNATY XBB"},
		"a text":               {icd("XM0GQ8"), coding("", "Comirnaty"), "XM0GQ8", "Comirnaty"},
		"CVX":                  {coding(terminology.SystemCVX, "208"), coding(terminology.SystemCVX, "208"), "XM8NQ0", "Comirnaty"},
		"SNOMED CT":            {coding(terminology.SystemSNOMED, "1119349007"), coding(terminology.SystemSNOMED, "1031000172108"), "XM0GQ8", "Comirnaty"},
		"the EU's register":    {coding(terminology.SystemSNOMED, "1119349007"), coding(terminology.SystemEURegister, "EU/1/20/1507"), "XM0GQ8", "Spikevax"},
		"ICD-11, not in table": {icd("XM2NZ1"), coding("", "Vaccine"), "XM2NZ1", "Vaccine"},
		"another spelling":     {coding("http://id.who.int/icd/release/11/mms", "XM0GQ8"), coding("", "Vaccine"), "XM0GQ8", "Vaccine"},
		"a local vaccine":      {coding("urn:oid:1.2.3", "1"), icd("XM8NQ0"), "", "Comirnaty"},
		"a local brand":        {icd("XM0GQ8"), coding("urn:oid:1.2.3", "1"), "XM0GQ8", ""},
		"no brand":             {icd("XM0GQ8"), fhir.Coding{}, "XM0GQ8", ""},
		"no system":            {coding("", "XM0GQ8"), icd("XM8NQ0"), "", "Comirnaty"},
	} {
		core := vaccinationCore()
		core.Vaccination.Vaccine, core.Vaccination.Brand = tc.vaccine, tc.brand
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1"})
		event, found := message.Vaccinations[0], errorsOf(issues)
		if event.Vaccine != tc.des || event.Brand != tc.nam {
			t.Errorf("%s: %+v", name, event)
		}
		for path, value := range map[string]string{"vaccine": tc.des, "brand": tc.nam} {
			if slices.Contains(found, "DDCCCoreDataSet.vaccination."+path+" vdsnc-untranslatable") != (value == "") {
				t.Errorf("%s: %v", name, found)
			}
		}
	}
}

// TestNeeds names what a seal needs and each change takes away, or cannot say.
func TestNeeds(t *testing.T) {
	t.Parallel()
	type change = func(*fhir.CoreDataSet)
	for name, tc := range map[string]struct {
		core   fhir.CoreDataSet
		change change
		want   string
	}{
		"both events":         {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Test = testCore().Test }, " one-event"},
		"no lot":              {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "" }, ".vaccination.lot required"},
		"no centre":           {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Vaccination.Centre = "" }, ".vaccination.centre required"},
		"dose 100":            {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Vaccination.Dose = 100 }, ".vaccination.dose positive-int"},
		"month of the dose":   {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07" }, ".vaccination.date date"},
		"alpha-2":             {vaccinationCore(), func(c *fhir.CoreDataSet) { c.Vaccination.Country = iso("CH") }, ".vaccination.country iso3166-1-3"},
		"nobody":              {vaccinationCore(), func(c *fhir.CoreDataSet) { c.BirthDate, c.Identifier = "2003", nil }, ".birthDate vdsnc-document"},
		"a health id":         {vaccinationCore(), func(c *fhir.CoreDataSet) { c.BirthDate, c.Identifier.System = "", "urn:oid:1.2.3" }, ".birthDate vdsnc-document"},
		"a driving licence":   {vaccinationCore(), func(c *fhir.CoreDataSet) { c.BirthDate, c.Identifier.System = "", table0203+"DL" }, ".birthDate vdsnc-document"},
		"year of birth":       {testCore(), func(c *fhir.CoreDataSet) { c.BirthDate = "2003" }, ".birthDate date"},
		"no document":         {testCore(), func(c *fhir.CoreDataSet) { c.Identifier = nil }, ".identifier vdsnc-document"},
		"document of no kind": {testCore(), func(c *fhir.CoreDataSet) { c.Identifier.System = "" }, ".identifier.system vdsnc-document"},
		"national id":         {testCore(), func(c *fhir.CoreDataSet) { c.Identifier.System = table0203 + "NI" }, ".identifier.system vdsnc-document"},
		"influenza":           {testCore(), func(c *fhir.CoreDataSet) { c.Test.Pathogen = coding(terminology.SystemSNOMED, "407479009") }, ".test.pathogen vdsnc-untranslatable"},
		"no test centre":      {testCore(), func(c *fhir.CoreDataSet) { c.Test.Centre = fhir.Coding{} }, ".test.centre required"},
		"a day":               {testCore(), func(c *fhir.CoreDataSet) { c.Test.Date = "2021-07-08" }, ".test.date vdsnc-time"},
		"sampled too late":    {testCore(), func(c *fhir.CoreDataSet) { c.Test.Date = "2021-07-08T12:00:01Z" }, ".test.date date-order"},
		"another kind":        {testCore(), func(c *fhir.CoreDataSet) { c.Test.Type = coding("urn:oid:1.2.3", "1") }, ".test.type vdsnc-untranslatable"},
		"serology":            {testCore(), func(c *fhir.CoreDataSet) { c.Test.Type = coding(terminology.SystemLOINC, "94762-2") }, ".test.type vdsnc-untranslatable"},
		"inconclusive":        {testCore(), func(c *fhir.CoreDataSet) { c.Test.Result = coding(terminology.SystemSNOMED, "419984006") }, ".test.result vdsnc-untranslatable"},
	} {
		tc.change(&tc.core)
		_, issues := vdsncmap.FromCore(tc.core, vdsncmap.Context{ID: "U1", Reported: reported})
		if found := errorsOf(issues); !slices.Equal(found, []string{"DDCCCoreDataSet" + tc.want}) {
			t.Errorf("%s: %v", name, found)
		}
		for _, i := range issues {
			if i.Detail == "" || i.Fix == "" {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
}

func TestReported(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]string{
		"2021-07-08T11:00:00.9+02:00": "2021-07-08T11:00:00+02:00", "2021-07-08": "", "": "",
	} {
		core := testCore()
		core.Certificate.Period.Start = start
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1"})
		if want == "" {
			if found := errorsOf(issues); !slices.Equal(found, []string{"DDCCCoreDataSet.certificate.period.start vdsnc-time"}) {
				t.Errorf("%s: %v", start, found)
			}
		} else if len(issues) > 0 || message.Times.Reported != want {
			t.Errorf("%s: %+v %+v", start, message.Times, issues)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	icao := func(system, word string) fhir.Coding { return coding(system, word) }
	for name, tc := range map[string]struct {
		kind, result, origin fhir.Coding
		want                 vdsnc.Result
		warned               bool
	}{
		"ICD-11":        {icd("2056159157"), icd("RA01.0"), icd("KAR.AH.XF"), vdsnc.Result{Type: "antigen", Value: "positive", Method: "oropharyngeal"}, false},
		"LOINC, SNOMED": {coding(terminology.SystemLOINC, "94309-2"), coding(terminology.SystemSNOMED, "260415000"), coding(terminology.SystemSNOMED, "119342007"), vdsnc.Result{Type: "molecular(PCR)", Value: "negative", Method: "saliva"}, false},
		"older results": {icd("1334426561"), icd("RA01.1"), icd("DIA.AH.XA"), vdsnc.Result{Type: "molecular(PCR)", Value: "negative", Method: "blood"}, false},
		"ICAO's words":  {icao(terminology.SystemICAOType, "antibody"), icao(terminology.SystemICAOResult, "abnormal"), icao(terminology.SystemICAOOrigin, "other"), vdsnc.Result{Type: "antibody", Value: "abnormal", Method: "other"}, false},
		"nasal swab":    {icd("1334426561"), icd("QA02"), icd("JAE.AH.XF"), vdsnc.Result{Type: "molecular(PCR)", Value: "negative", Method: "other"}, false},
		"local origin":  {icd("1334426561"), icd("QA02"), coding("urn:oid:1.2.3", "7"), vdsnc.Result{Type: "molecular(PCR)", Value: "negative"}, true},
		"no origin":     {icd("1334426561"), icd("QA02"), fhir.Coding{}, vdsnc.Result{Type: "molecular(PCR)", Value: "negative"}, false},
	} {
		core := testCore()
		core.Test.Type, core.Test.Result, core.Test.Origin = tc.kind, tc.result, tc.origin
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1", Reported: reported})
		if *message.Result != tc.want || len(errorsOf(issues)) > 0 || (len(issues) == 1) != tc.warned {
			t.Errorf("%s: %+v %+v", name, *message.Result, issues)
		}
		source(t, message)
	}
}

func TestPassportNamespace(t *testing.T) {
	t.Parallel()
	core := testCore()
	for system, want := range map[string]string{
		"http://hl7.org/fhir/sid/passport-CHE": "P", table0203 + "CZ": "I", table0203 + "DL": "D",
	} {
		core.Identifier.System = system
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1", Reported: reported.Add(time.Hour)})
		if len(issues) > 0 || message.Person.DocumentType != want {
			t.Errorf("%s: %+v %+v", system, message.Person, issues)
		}
	}
}

func TestDiseaseIsOptional(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		disease fhir.Coding
		want    string
		issues  int
	}{
		"none":      {fhir.Coding{}, "", 0},
		"ICD-11":    {icd("1D47"), "1D47", 0},
		"SNOMED CT": {coding(terminology.SystemSNOMED, "840539006"), "RA01", 0},
		"local":     {coding("urn:oid:1.2.3", "1"), "", 1},
	} {
		core := vaccinationCore()
		core.Vaccination.Disease = tc.disease
		message, issues := vdsncmap.FromCore(core, vdsncmap.Context{ID: "U1"})
		if message.Vaccinations[0].Disease != tc.want || len(issues) != tc.issues || len(errorsOf(issues)) > 0 {
			t.Errorf("%s: %+v %+v", name, message.Vaccinations[0], issues)
		}
	}
}
