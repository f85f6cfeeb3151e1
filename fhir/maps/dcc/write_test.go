package dcc_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
)

var name = dcc.Name{Family: "Specimen", FamilyStandard: "SPECIMEN", Given: "Aulus Agerius", GivenStandard: "AULUS<AGERIUS"}

func TestVaccination(t *testing.T) {
	t.Parallel()
	got, issues := dccmap.Vaccination(vaccination(), context())
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	want := dcc.Certificate{
		Version: "1.3.0", Name: name, BirthDate: "2003-03-03",
		Vaccinations: []dcc.Vaccination{{
			Disease: "840539006", Prophylaxis: "1119349007", Product: "EU/1/20/1507", Holder: "ORG-100031184",
			Dose: 1, TotalDoses: 2, Date: "2021-07-08", Country: "CH", Issuer: "Federal Office of Public Health", UVCI: uvci,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTests(t *testing.T) {
	t.Parallel()
	got, issues := dccmap.Test(test(), context())
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	want := dcc.Test{
		Disease: "840539006", Type: "LP6464-4", Name: "Specimen PCR", Sampled: "2021-07-08T08:00:00Z", Result: "260373001",
		Centre: "Test Centre", Country: "CH", Issuer: "Federal Office of Public Health", UVCI: uvci,
	}
	if diff := cmp.Diff(dcc.Certificate{Version: "1.3.0", Name: name, BirthDate: "2003-03-03", Tests: []dcc.Test{want}}, got); diff != "" {
		t.Error(diff)
	}
	rapid, issues := dccmap.Test(rapidTest(), context())
	want.Type, want.Name, want.Device = "LP217198-3", "", "1232"
	if diff := cmp.Diff([]dcc.Test{want}, rapid.Tests); diff != "" || len(issues) != 0 {
		t.Error(diff, issues)
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	got, issues := dccmap.Recovery(test(), context())
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	want := []dcc.Recovery{{
		Disease: "840539006", FirstPositive: "2021-07-08", ValidFrom: "2021-07-19", ValidUntil: "2022-01-04",
		Country: "CH", Issuer: "Federal Office of Public Health", UVCI: uvci,
	}}
	if diff := cmp.Diff(want, got.Recoveries); diff != "" || got.Vaccinations != nil || got.Tests != nil {
		t.Error(diff)
	}
	leap := test()
	leap.Test.Date = "2024-02-18"
	if got, _ = dccmap.Recovery(leap, context()); len(got.Recoveries) != 1 || got.Recoveries[0].ValidFrom != "2024-02-29" {
		t.Errorf("%+v", got.Recoveries)
	}
}

// What the issuer sends besides the plain case, and what becomes of it.
func TestVaccines(t *testing.T) {
	t.Parallel()
	holder := func(code string) fhir.Coding {
		return fhir.Coding{System: "https://spor.ema.europa.eu/v1/organisations", Code: code}
	}
	tests := []struct {
		name       string
		change     func(v *fhir.Vaccination)
		vp, mp, ma string
		dn, sd     int
	}{
		{"EU's own codes", func(v *fhir.Vaccination) {
			v.Vaccine = fhir.Coding{System: terminology.SystemSNOMED, Code: "1119349007"}
			v.Brand = fhir.Coding{System: terminology.SystemEURegister, Code: "EU/1/20/1528"}
			v.MAHolder = holder("ORG-100030215")
		}, "1119349007", "EU/1/20/1528", "ORG-100030215", 1, 2},
		{"a product for a vaccine", func(v *fhir.Vaccination) { v.Vaccine = icd("XM3DT5") }, "1119349007", "EU/1/20/1507", "ORG-100031184", 1, 2},
		{"CVX", func(v *fhir.Vaccination) {
			v.Vaccine = fhir.Coding{System: terminology.SystemCVX, Code: "212"}
			v.Brand = v.Vaccine
		}, "29061000087103", "EU/1/20/1525", "ORG-100001417", 1, 2},
		{"ATC", func(v *fhir.Vaccination) { v.Vaccine = fhir.Coding{System: terminology.SystemATC, Code: "J07BN01"} }, "1119349007", "EU/1/20/1507", "ORG-100031184", 1, 2},
		{"the unspecified vaccine", func(v *fhir.Vaccination) { v.Vaccine = icd("XM68M6") }, "28531000087107", "EU/1/20/1507", "ORG-100031184", 1, 2},
		{"SNOMED CT, no disease", func(v *fhir.Vaccination) {
			v.Vaccine = fhir.Coding{System: terminology.SystemSNOMED, Code: "31311000087104"}
			v.Brand, v.Disease = v.Vaccine, fhir.Coding{}
		}, "1157024006", "CoronaVac", "Sinovac-Biotech", 1, 2},
		{"protein subunit, the holder decides", func(v *fhir.Vaccination) {
			v.Vaccine, v.Brand, v.MAHolder = icd("XM5JC5"), icd("XM9T65"), holder("ORG-100032020")
		}, "1162643001", "EU/1/21/1618", "ORG-100032020", 1, 2},
		{"protein subunit, the manufacturer decides", func(v *fhir.Vaccination) {
			v.Vaccine, v.Brand, v.Manufacturer = icd("XM5JC5"), icd("XM9T65"), holder("ORG-100001981")
		}, "1162643001", "Covovax", "ORG-100001981", 1, 2},
		{"a product the EU has no kind for", func(v *fhir.Vaccination) {
			v.Vaccine, v.Brand = icd("XM1NL1"), fhir.Coding{System: terminology.SystemEURegister, Code: "EU/1/21/1624"}
		}, "28531000087107", "EU/1/21/1624", "ORG-100036422", 1, 2},
		{"single dose", func(v *fhir.Vaccination) { v.Vaccine, v.Brand, v.TotalDoses = icd("XM9QW8"), icd("XM6QV1"), 0 }, "29061000087103", "EU/1/20/1525", "ORG-100001417", 1, 1},
		{"booster", func(v *fhir.Vaccination) { v.Dose, v.TotalDoses = 3, 2 }, "1119349007", "EU/1/20/1507", "ORG-100031184", 3, 2},
		{"agent for disease", func(v *fhir.Vaccination) { v.Disease = icd("XN109") }, "1119349007", "EU/1/20/1507", "ORG-100031184", 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core := vaccination()
			tt.change(core.Vaccination)
			got, issues := dccmap.Vaccination(core, context())
			if len(issues) != 0 {
				t.Fatal(issues)
			}
			v := got.Vaccinations[0]
			if v.Prophylaxis != tt.vp || v.Product != tt.mp || v.Holder != tt.ma || v.Dose != tt.dn || v.TotalDoses != tt.sd || v.Disease != "840539006" {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestTestCountry(t *testing.T) {
	t.Parallel()
	core := vaccination()
	core.Vaccination.Country = iso("XXA")
	if _, issues := dccmap.Vaccination(core, context()); len(issues) != 1 || issues[0].Rule != dccmap.RuleCountry {
		t.Errorf("%+v", issues)
	}
}

// The names in other scripts come with the spelling of the machine readable zone.
func TestNames(t *testing.T) {
	t.Parallel()
	tests := map[string]dcc.Name{
		"Δοκιμή Δείγμα":       {Given: "Δοκιμή", GivenStandard: "DOKIMI", Family: "Δείγμα", FamilyStandard: "DEIGMA"},
		"Specimen":            {Family: "Specimen", FamilyStandard: "SPECIMEN"},
		"Müller-Muster, Jörg": {Family: "Müller-Muster", FamilyStandard: "MUELLER<MUSTER", Given: "Jörg", GivenStandard: "JOERG"},
	}
	for full, want := range tests {
		core := vaccination()
		core.Name = full
		got, issues := dccmap.Vaccination(core, context())
		if diff := cmp.Diff(want, got.Name); diff != "" || len(issues) != 0 {
			t.Error(diff, issues)
		}
	}
}

// The tables of package terminology and those of the format say the same.
func TestTablesAgreeWithTheFormat(t *testing.T) {
	t.Parallel()
	products, _ := dcc.ValueSet(dcc.SetProduct)
	holders, _ := dcc.ValueSet(dcc.SetHolder)
	count := 0
	for _, coding := range allProducts() {
		count++
		value, ok := products.Lookup(coding.Code)
		active, _ := terminology.InValueSet(terminology.ValueSetEUProduct, coding.System, coding.Code)
		if !ok || value.Active != active {
			t.Errorf("%s: in the format %v, active %v and %v", coding.Code, ok, value.Active, active)
		}
		encoding, ok := dcc.EncodingOf(coding.Code)
		if !ok && !active { // the instructions name some retired codes in another form
			continue
		}
		holder, err := terminology.Resolve(terminology.Concept{System: coding.System, Code: coding.Code}, terminology.SystemEUHolder, terminology.Context{Use: terminology.VaccineHolder})
		if _, known := holders.Lookup(holder.Code); err != nil || holder.Code != encoding.Holder || !known {
			t.Errorf("%s: holder %s and %s", coding.Code, holder.Code, encoding.Holder)
		}
		var kinds []string
		for _, k := range terminology.Translate(terminology.MapProductToProphylaxis, coding.System, coding.Code) {
			kinds = append(kinds, k.Code)
		}
		slices.Sort(kinds)
		if !slices.Equal(kinds, slices.Sorted(slices.Values(encoding.Prophylaxis))) {
			t.Errorf("%s: %v and %v", coding.Code, kinds, encoding.Prophylaxis)
		}
	}
	if count != products.Len() {
		t.Errorf("%d products, the format has %d", count, products.Len())
	}
}
