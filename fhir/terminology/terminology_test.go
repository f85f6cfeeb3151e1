package terminology_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

func TestCanonicalSystem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		want      string
		spellings []string
	}{
		{terminology.SystemICD11, []string{
			"http://id.who.int/icd11/mms", "https://id.who.int/icd11/mms", "http://id.who.int/icd11/mms/",
			"http://id.who.int/icd/release/11/mms", "https://id.who.int/icd/release/11/mms/",
			"http://id.who.int/icd11/mms|2023-01",
		}},
		{terminology.SystemSNOMED, []string{"http://snomed.info/sct", "https://snomed.info/sct/", "urn:oid:2.16.840.1.113883.6.96",
			"http://snomed.info/sct|http://snomed.info/sct/900000000000207008"}},
		{terminology.SystemLOINC, []string{"http://loinc.org", "https://loinc.org/", "urn:oid:2.16.840.1.113883.6.1"}},
		{terminology.SystemCVX, []string{"http://hl7.org/fhir/sid/cvx", "https://hl7.org/fhir/sid/cvx"}},
		{terminology.SystemEURegister, []string{
			"https://ec.europa.eu/health/documents/community-register/html/",
			"https://ec.europa.eu/health/documents/community-register/html",
			"http://ec.europa.eu/health/documents/community-register/html/",
			"https://id.uvci.eu/valuesets/vaccine-medicinal-product.json",
		}},
		{terminology.SystemISO3166, []string{"urn:iso:std:iso:3166", "http://hl7.org/fhir/ValueSet/iso3166-1-3"}},
		{terminology.SystemQRFormat, []string{
			"http://smart.who.int/ddcc/CodeSystem/DDCCQRFormatCodeSystem",
			"https://smart.who.int/ddcc/CodeSystem/DDCCQRFormatCodeSystem/",
			"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCCQRFormatCodeSystem",
			"https://WorldHealthOrganization.github.io/ddcc/CodeSystem/DDCCQRFormatCodeSystem|1.0.0",
			"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCC-QR-Format-CodeSystem",
		}},
		{terminology.SystemQRType, []string{"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCCQRCategoryUsageCodeSystem"}},
		{terminology.SystemDIVOC, []string{"http://smart.who.int/ddcc/DIVOC", "http://smart.who.int/ddcc/CodeSystem/DIVOCCodeSystem"}},
		{terminology.SystemICAO, []string{"http://smart.who.int/ddcc/ICAOV1"}},
		{terminology.SystemICAOResult, []string{
			"http://smart.who.int/ddcc/CodeSystem/WHODDCCicaolabtestresult",
			"http://smart.who.int/ddcc/CodeSystem/lab-test-qual-result-icao",
			"http://smart.who.int/ddcc/CodeSystem/LabTestResultIcaoValueSet",
		}},
	}
	for _, tt := range tests {
		for _, s := range tt.spellings {
			if got, ok := terminology.CanonicalSystem(s); !ok || got != tt.want {
				t.Errorf("CanonicalSystem(%q) = %q, %v; want %q", s, got, ok, tt.want)
			}
		}
	}
	for _, s := range []string{
		"", "|1", "/", "http://", "snomed", "http://snomed.info/sct2", "http://smart.who.int/ddcc/",
		"http://example.org/CodeSystem/DDCCQRFormatCodeSystem", "CodeSystem/DDCCQRFormatCodeSystem",
		"http://http://loinc.org", "HTTP://SNOMED.INFO/sct",
	} {
		if got, ok := terminology.CanonicalSystem(s); ok {
			t.Errorf("CanonicalSystem(%q) = %q, want none", s, got)
		}
	}
}

func TestInValueSet(t *testing.T) {
	t.Parallel()
	const (
		icd   = terminology.SystemICD11
		guide = "http://smart.who.int/ddcc/"
	)
	tests := []struct {
		id, system, code string
		member, known    bool
	}{
		{"WHODDCCVaccinesCOVID19", icd, "XM68M6", true, true},
		{"WHODDCCVaccinesCOVID19", "https://id.who.int/icd/release/11/mms", "XM3U61", true, true},
		{"WHODDCCVaccinesCOVID19", icd, "XM9T65", false, true}, // Novavax is outside the preferred set
		{"WHODDCCVaccinesCOVID19", icd, "xm68m6", false, true},
		{"WHODDCCVaccinesCOVID19", "", "XM68M6", false, true},
		{"WHODDCCVaccinesCOVID19", "http://example.org", "XM68M6", false, true},
		{"WHODDCCVaccinesCOVID19", terminology.SystemSNOMED, "XM68M6", false, true},
		{"WHODDCCBrandsCOVID19", icd, "XM8NQ0", true, true},
		{"WHODDCCBrandsCOVID19", icd, "XM68M6", false, true},
		{"WHODDCCDiseaseTargetedCOVID19", icd, "RA01", true, true},
		{"WHODDCCAgentTargetedCOVID19", icd, "XN161", true, true},
		{"WHODDCCTypeofTestCOVID19", icd, "1334426561", true, true},
		{"WHODDCCSampleOriginCOVID19", icd, "JAM.AH.XF", true, true},
		{"who-ddcc-test-result-covid-19", icd, "QA02", true, true},
		{"WHODDCCTestResultCOVID19", icd, "RA01.0", true, true},
		{"who-ddcc-test-result-covid-19", icd, "RA01.1", false, true},
		{"administrative-gender", terminology.SystemGender, "other", true, true},
		{"administrative-gender", terminology.SystemGender, "M", false, true},
		{"iso3166-1-3", terminology.SystemISO3166, "CHE", true, true},
		{"iso3166-1-3", terminology.SystemISO3166, "CH", false, true},
		{"iso3166-1-3", terminology.SystemISO3166, "XXA", false, true},
		{"iso3166-1-2", terminology.SystemISO3166, "CH", true, true},
		{"iso3166-1-N", terminology.SystemISO3166, "756", true, true},
		{"http://hl7.org/fhir/ValueSet/iso3166-1-3|4.0.1", terminology.SystemISO3166, "CHE", true, true},
		{"DDCCCompositionCategory", terminology.SystemCompositionCategory, "ddcc-vs", true, true},
		{"DDCCCompositionCategoryValueSet", terminology.SystemCompositionCategory, "ddcc-tr", true, true},
		{"DDCCQRType", terminology.SystemQRType, "dcc", true, true},
		{"DDCCQRFormat", terminology.SystemQRFormat, "serialized", true, true},
		{"DDCCQRFormat", "https://worldhealthorganization.github.io/ddcc/CodeSystem/DDCCQRFormatCodeSystem", "pdf", true, true},
		{guide + "ValueSet/WHODDCCBrandsCOVID19", icd, "XM3DT5", true, true},
		{"https://WorldHealthOrganization.github.io/ddcc/ValueSet/WHODDCCBrandsCOVID19|1.0.0", icd, "XM3DT5", true, true},
		{"http://example.org/ValueSet/WHODDCCBrandsCOVID19", icd, "XM3DT5", false, false},
		{guide + "WHODDCCBrandsCOVID19", icd, "XM3DT5", false, false},
		{"LabTestPathogenCovid19SnomedValueSet", terminology.SystemSNOMED, "840539006", true, true},
		{"LabTestTypeDivocValueSet", "http://smart.who.int/ddcc/CodeSystem/LabTestTypeDivocValueSet", "rapid antigen test (rat)", true, true},
		{"gateway-vaccines-other", icd, "XM0N24", true, true},
		{"ValueSet", icd, "XM3DT5", false, false},
		{"", icd, "XM3DT5", false, false},
	}
	for _, tt := range tests {
		member, known := terminology.InValueSet(tt.id, tt.system, tt.code)
		if member != tt.member || known != tt.known {
			t.Errorf("InValueSet(%q, %q, %q) = %v, %v; want %v, %v", tt.id, tt.system, tt.code, member, known, tt.member, tt.known)
		}
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		system, code, want string
		known              bool
	}{
		{terminology.SystemICD11, "XM8NQ0", "Comirnaty", true},
		{"http://id.who.int/icd/release/11/mms", "XM52P3", "ZyCov-D", true},
		{terminology.SystemICD11, "RA01", "COVID-19", true},
		{terminology.SystemICD10, "U07.1", "COVID-19, virus identified", true},
		{terminology.SystemEURegister, "EU/1/20/1525", "Jcovden", true},
		{terminology.SystemEURegister, "EpiVacCorona-N", "EpiVacCorona-N", true},
		{terminology.SystemCVX, "208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose", true},
		{terminology.SystemISO3166, "CIV", "Côte d'Ivoire", true},
		{terminology.SystemSNOMED, "840539006", "", true},
		{terminology.SystemLOINC, "82593-5", "", true},
		{terminology.SystemICD11, "XX", "", false},
		{"", "XM8NQ0", "", false},
	}
	for _, tt := range tests {
		got, ok := terminology.Display(tt.system, tt.code)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Display(%q, %q) = %q, %v; want %q", tt.system, tt.code, got, ok, tt.want)
		}
		if known := terminology.Known(tt.system, tt.code); known != tt.known {
			t.Errorf("Known(%q, %q) = %v, want %v", tt.system, tt.code, known, tt.known)
		}
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	got := terminology.Translate(terminology.MapBrandFromEU, "https://id.uvci.eu/valuesets/vaccine-medicinal-product.json", "EU/1/20/1528")
	want := terminology.Translation{
		Concept:     terminology.Concept{System: terminology.SystemICD11, Code: "XM8NQ0", Display: "Comirnaty"},
		Equivalence: terminology.Equivalent,
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("Comirnaty became %+v, want %+v", got, want)
	}
	byURL := terminology.Translate("http://smart.who.int/ddcc/ConceptMap/vaccine-covid19-euur-to-icd11|1.0.0", terminology.SystemEURegister, "EU/1/20/1528")
	if len(byURL) != 1 || byURL[0] != want {
		t.Errorf("by canonical URL: %+v, want %+v", byURL, want)
	}
	blood := terminology.Translate(terminology.MapOriginToSNOMED, terminology.SystemICD11, "DIA.AH.XA")
	if len(blood) != 4 || blood[0].Code != "119297000" || blood[0].Equivalence != terminology.Equivalent || blood[1].Equivalence != terminology.Narrower {
		t.Errorf("blood became %+v, want the equivalent blood specimen first of four", blood)
	}
	for _, none := range [][3]string{
		{"no-such-map", terminology.SystemICD11, "XM8NQ0"},
		{terminology.MapBrandFromEU, terminology.SystemEURegister, "EU/0"},
		{terminology.MapBrandFromEU, "http://example.org", "EU/1/20/1528"},
		{terminology.MapTestTypeFromLOINC, terminology.SystemLOINC, "94563-4"}, // serology
		{terminology.MapTestTypeFromICAO, terminology.SystemICAOType, "antibody"},
	} {
		if got := terminology.Translate(none[0], none[1], none[2]); got != nil {
			t.Errorf("Translate(%v) = %+v, want none", none, got)
		}
	}
}

func TestCodeByName(t *testing.T) {
	t.Parallel()
	tests := []struct{ system, name, want string }{
		{terminology.SystemICAO, "Comirnaty", "ICAO001"},
		{terminology.SystemICAO, " pfizer biontech-COMIRNATY\t", "ICAO007"},
		{"http://smart.who.int/ddcc/ICAOV1", "COVID-19  Vaccine Moderna", "ICAO009"},
		{terminology.SystemDIVOC, "COVAXIN", "DIVOC002"},
		{terminology.SystemDIVOC, "Moderna", "DIVOC007"},
		{terminology.SystemDIVOC, "Pfizer-BioNTech or Comirnaty", "DIVOC005"},
		{terminology.SystemDIVOC, "", ""},
		{terminology.SystemDIVOC, "Mod", ""},
		{terminology.SystemICD11, "Comirnaty", ""},
		{"", "Comirnaty", ""},
		{terminology.SystemICAO, strings.Repeat(" ", 1<<20) + "Comirnaty", ""},
	}
	for _, tt := range tests {
		got, ok := terminology.CodeByName(tt.system, tt.name)
		if got.Code != tt.want || ok != (tt.want != "") {
			t.Errorf("CodeByName(%q, %.40q) = %+v, %v; want %q", tt.system, tt.name, got, ok, tt.want)
		}
	}
	// A real path: the name on an ICAO certificate to the brand of the core data set.
	c, _ := terminology.CodeByName(terminology.SystemICAO, "Tozinameran (INN)")
	if brand := terminology.Translate(terminology.MapBrandFromICAO, c.System, c.Code); len(brand) != 1 || brand[0].Code != "XM8NQ0" {
		t.Errorf("Tozinameran became %+v, want XM8NQ0", brand)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	lookups := map[string]func(){
		"InValueSet": func() { terminology.InValueSet("WHODDCCVaccinesCOVID19", terminology.SystemICD11, "XM68M6") },
		"InValueSet by URL, other spellings": func() {
			terminology.InValueSet("https://WorldHealthOrganization.github.io/ddcc/ValueSet/DDCCQRFormatValueSet|1.0.0",
				"https://worldhealthorganization.github.io/ddcc/CodeSystem/DDCCQRFormatCodeSystem/", "pdf")
		},
		"Display":         func() { terminology.Display(terminology.SystemICD11, "XM68M6") },
		"Translate":       func() { terminology.Translate(terminology.MapBrandFromEU, terminology.SystemEURegister, "Covovax") },
		"CountryByAlpha3": func() { terminology.CountryByAlpha3("CHE") },
		"CanonicalSystem": func() { terminology.CanonicalSystem("https://id.who.int/icd/release/11/mms/") },
	}
	for name, lookup := range lookups {
		if n := testing.AllocsPerRun(100, lookup); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// FuzzLookups: no input crashes a lookup, and a canonical URI is its own canonical.
func FuzzLookups(f *testing.F) {
	f.Add("http://id.who.int/icd11/mms|1", "XM68M6", "http://smart.who.int/ddcc/ValueSet/ValueSet")
	f.Add("https://", "", "http://hl7.org/fhir/")
	f.Add("http://smart.who.int/ddcc/ICAOV1/", "Covid-19  \x00\xff", "ConceptMap/x|")
	f.Fuzz(func(t *testing.T, system, text, id string) {
		canonical, ok := terminology.CanonicalSystem(system)
		if again, same := terminology.CanonicalSystem(canonical); ok != same || canonical != again {
			t.Errorf("CanonicalSystem(%q) = %q, whose canonical is %q", system, canonical, again)
		}
		if c, ok := terminology.CodeByName(system, text); ok && !terminology.Known(c.System, c.Code) {
			t.Errorf("CodeByName found %+v, which is not known", c)
		}
		if member, known := terminology.InValueSet(id, system, text); member && (!known || !terminology.Known(system, text)) {
			t.Errorf("%q is a member but not known", text)
		}
		for use := terminology.Use(0); use <= terminology.SampleOrigin+1; use++ {
			c, err := terminology.Resolve(terminology.Concept{System: system, Code: text}, terminology.SystemICD11,
				terminology.Context{Use: use, Within: id, Holder: terminology.Concept{System: system, Code: text}})
			if (err == nil) != terminology.Known(c.System, c.Code) {
				t.Errorf("Resolve found %+v, %v", c, err)
			}
		}
		for _, target := range terminology.Translate(id, system, text) {
			if !terminology.Known(target.System, target.Code) {
				t.Errorf("target %+v is not known", target)
			}
		}
	})
}

func BenchmarkInValueSet(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if member, _ := terminology.InValueSet(terminology.ValueSetVaccines, terminology.SystemICD11, "XM68M6"); !member {
			b.Fatal("XM68M6 is not a member")
		}
	}
}

func BenchmarkTranslate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if len(terminology.Translate(terminology.MapBrandToEU, terminology.SystemICD11, "XM8NQ0")) != 1 {
			b.Fatal("XM8NQ0 has no translation")
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	b.ReportAllocs()
	from := terminology.Concept{System: terminology.SystemCVX, Code: "208"}
	c := terminology.Context{Use: terminology.VaccineProduct, Within: terminology.ValueSetEUProduct}
	for b.Loop() {
		if _, err := terminology.Resolve(from, terminology.SystemEURegister, c); err != nil {
			b.Fatal(err)
		}
	}
}
