package dcc_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// refusal is an event that this format cannot say, with the one issue that says why.
type refusal struct {
	name       string
	core       fhir.CoreDataSet
	context    dccmap.Context
	path, rule string
}

func refusals() []refusal {
	v := func(name, path, rule string, change func(*fhir.Vaccination)) refusal {
		core := vaccination()
		change(core.Vaccination)
		return refusal{name, core, context(), "DDCCCoreDataSet.vaccination." + path, rule}
	}
	tr := func(name, path, rule string, change func(*fhir.Test)) refusal {
		core := rapidTest()
		change(core.Test)
		return refusal{name, core, context(), "DDCCCoreDataSet.test." + path, rule}
	}
	p := func(name, path, rule string, change func(*fhir.CoreDataSet, *dccmap.Context)) refusal {
		core, c := vaccination(), context()
		change(&core, &c)
		return refusal{name, core, c, "DDCCCoreDataSet" + path, rule}
	}
	sct := func(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemSNOMED, Code: code} }
	const untranslatable = dccmap.RuleUntranslatable
	return []refusal{
		v("brand without a system", "brand", untranslatable, func(v *fhir.Vaccination) { v.Brand.System = "" }),
		v("brand of another system", "brand", untranslatable, func(v *fhir.Vaccination) { v.Brand = fhir.Coding{System: "urn:example", Code: "TEST"} }),
		v("unknown brand", "brand", untranslatable, func(v *fhir.Vaccination) { v.Brand = icd("XM0000") }),
		v("brand that is a type", "brand", untranslatable, func(v *fhir.Vaccination) { v.Brand = icd("XM0GQ8") }),
		v("brand of two products", "brand", untranslatable, func(v *fhir.Vaccination) { v.Vaccine, v.Brand = icd("XM5JC5"), icd("XM9T65") }),
		v("brand unknown to the EU", "brand", untranslatable, func(v *fhir.Vaccination) { v.Brand = icd("XM97N6") }),
		v("retired product", "brand", untranslatable, func(v *fhir.Vaccination) {
			v.Brand = fhir.Coding{System: terminology.SystemEURegister, Code: "Vidprevtyn"}
		}),
		v("brand as a text", "brand", dccmap.RuleRequired, func(v *fhir.Vaccination) { v.Brand = fhir.Coding{Display: "Spikevax"} }),
		v("vaccine of another disease", "vaccine", untranslatable, func(v *fhir.Vaccination) { v.Vaccine = icd("XM0N24") }),
		v("unknown vaccine", "vaccine", untranslatable, func(v *fhir.Vaccination) { v.Vaccine = sct("1") }),
		v("missing vaccine", "vaccine", dccmap.RuleRequired, func(v *fhir.Vaccination) { v.Vaccine = fhir.Coding{} }),
		v("vaccine against the brand", "vaccine", dccmap.RuleContradiction, func(v *fhir.Vaccination) { v.Vaccine = icd("XM1NL1") }),
		v("holder against the brand", "maholder", dccmap.RuleContradiction, func(v *fhir.Vaccination) {
			v.MAHolder = fhir.Coding{System: terminology.SystemEUHolder, Code: "Bharat-Biotech"}
		}),
		v("another disease", "disease", untranslatable, func(v *fhir.Vaccination) { v.Disease = sct("407479009") }),
		v("no total", "totalDoses", dccmap.RuleDoses, func(v *fhir.Vaccination) { v.TotalDoses = 0 }),
		v("second of a single dose", "totalDoses", dccmap.RuleDoses, func(v *fhir.Vaccination) {
			v.Vaccine, v.Brand, v.Dose, v.TotalDoses = icd("XM9QW8"), icd("XM6QV1"), 2, 0
		}),
		v("hundredth dose", "dose", dccmap.RuleDoses, func(v *fhir.Vaccination) { v.Dose = 100 }),
		v("year of vaccination", "date", dccmap.RulePrecision, func(v *fhir.Vaccination) { v.Date = "2021" }),
		v("test country", "country", dccmap.RuleCountry, func(v *fhir.Vaccination) { v.Country = iso("XXA") }),
		v("no country", "country", dccmap.RuleCountry, func(v *fhir.Vaccination) { v.Country = fhir.Coding{} }),
		v("country of another system", "country", dccmap.RuleCountry, func(v *fhir.Vaccination) { v.Country.System = "urn:example" }),
		tr("serology", "type", untranslatable, func(t *fhir.Test) { t.Type = fhir.Coding{System: terminology.SystemLOINC, Code: "94563-4"} }),
		tr("inconclusive", "result", untranslatable, func(t *fhir.Test) { t.Result = sct("419984006") }),
		tr("influenza", "pathogen", untranslatable, func(t *fhir.Test) { t.Pathogen = sct("407479009") }),
		tr("no result", "result", dccmap.RuleRequired, func(t *fhir.Test) { t.Result = fhir.Coding{} }),
		tr("no time of day", "date", dccmap.RulePrecision, func(t *fhir.Test) { t.Date = "2021-07-08" }),
		tr("no device", "manufacturer", dccmap.RuleDevice, func(t *fhir.Test) { t.Manufacturer = fhir.Coding{Display: "Specimen Inc"} }),
		tr("device of another list", "manufacturer", dccmap.RuleDevice, func(t *fhir.Test) { t.Manufacturer.System = "urn:example" }),
		tr("device that is no id", "manufacturer", dccmap.RuleDevice, func(t *fhir.Test) { t.Manufacturer.Code = "0123" }),
		tr("long centre", "centre", dccmap.RuleLength, func(t *fhir.Test) { t.Centre.Display = strings.Repeat("ä", 81) }),
		tr("long name of a test", "brand", dccmap.RuleLength, func(t *fhir.Test) {
			t.Type, t.Brand.Display = icd("1334426561"), strings.Repeat("n", 81)
		}),
		p("script without transliteration", ".name", dccmap.RuleName, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.Name = "样本 标本" }),
		p("digit in the name", ".name", dccmap.RuleName, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.Name = "Aulus Specimen 2" }),
		p("no name", ".name", dccmap.RuleName, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.Name = " " }),
		p("long name", ".name", dccmap.RuleLength, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.Name = strings.Repeat("n", 81) }),
		p("born before 1900", ".birthDate", dccmap.RulePrecision, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.BirthDate = "1899" }),
		p("no date of birth", ".birthDate", dccmap.RulePrecision, func(c *fhir.CoreDataSet, _ *dccmap.Context) { c.BirthDate = "2003-02-30" }),
		p("long issuer", ".certificate.issuer", dccmap.RuleLength, func(_ *fhir.CoreDataSet, c *dccmap.Context) { c.Issuer = strings.Repeat("i", 81) }),
		p("no issuer", ".certificate.issuer", dccmap.RuleRequired, func(_ *fhir.CoreDataSet, c *dccmap.Context) { c.Issuer = "" }),
		p("no UVCI", ".certificate", dccmap.RuleRequired, func(_ *fhir.CoreDataSet, c *dccmap.Context) { c.UVCI = "" }),
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			write := dccmap.Vaccination
			if r.core.Test != nil {
				write = dccmap.Test
			}
			got, issues := write(r.core, r.context)
			if len(issues) != 1 || !issues[0].IsError() || issues[0].Path != r.path || issues[0].Rule != r.rule {
				t.Fatalf("issues %+v, want one %s of %s", issues, r.rule, r.path)
			}
			if !reflect.ValueOf(got).IsZero() {
				t.Error("there is a certificate in spite of an error")
			}
			saysNoValue(t, r.core, issues[0])
		})
	}
}

// saysNoValue: an issue repeats nothing of the event.
func saysNoValue(t *testing.T, core fhir.CoreDataSet, i fault.Issue) {
	t.Helper()
	if i.Detail == "" || i.Fix == "" {
		t.Error("the issue has no detail or no fix")
	}
	text := i.Detail + i.Fix
	values := []string{core.Name, core.BirthDate, core.Certificate.HCID}
	if v := core.Vaccination; v != nil {
		values = append(values, v.Vaccine.Code, v.Brand.Code, v.MAHolder.Code, v.Date, v.Lot, v.Disease.Code)
	}
	if tr := core.Test; tr != nil {
		values = append(values, tr.Type.Code, tr.Result.Code, tr.Date, tr.Manufacturer.Code)
	}
	for _, value := range values {
		if strings.TrimSpace(value) != "" && len(value) > 1 && strings.Contains(text, value) {
			t.Errorf("the issue repeats a value")
		}
	}
}

func TestRecoveryRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		core       fhir.CoreDataSet
	}{
		{"negative", ".test.result", func() fhir.CoreDataSet { c := test(); c.Test.Result = icd("QA02"); return c }()},
		{"rapid test", ".test.type", rapidTest()},
		{"vaccination", "", vaccination()},
	}
	for _, tt := range tests {
		_, issues := dccmap.Recovery(tt.core, context())
		if len(issues) != 1 || !issues[0].IsError() || issues[0].Path != "DDCCCoreDataSet"+tt.path {
			t.Errorf("%s: %+v", tt.name, issues)
		}
	}
	if _, issues := dccmap.Test(vaccination(), context()); len(issues) != 1 || issues[0].Rule != dccmap.RuleEvent {
		t.Errorf("%+v", issues)
	}
	if _, issues := dccmap.Vaccination(test(), context()); len(issues) != 1 || issues[0].Rule != dccmap.RuleEvent {
		t.Errorf("%+v", issues)
	}
}

// All findings come at once.
func TestAllIssuesAtOnce(t *testing.T) {
	t.Parallel()
	core := vaccination()
	core.Name, core.Vaccination.Brand, core.Vaccination.Country = "标本", icd("XM0000"), iso("XXA")
	_, issues := dccmap.Vaccination(core, context())
	var rules []string
	for _, i := range issues {
		rules = append(rules, i.Rule)
	}
	slices.Sort(rules)
	if !slices.Equal(rules, []string{dccmap.RuleCountry, dccmap.RuleName, dccmap.RuleUntranslatable}) {
		t.Error(rules)
	}
}
