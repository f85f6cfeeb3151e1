package fhir_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

func TestValidateAcceptsSpecimens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]fhir.CoreDataSet{"vaccination": vaccination(), "test": testResult()} {
		if issues := c.Validate(now); len(issues) > 0 {
			t.Errorf("%s: %+v", name, issues)
		}
	}
}

const (
	vs = "DDCCCoreDataSet.vaccination"
	tr = "DDCCCoreDataSet.test"
)

func TestValidateRules(t *testing.T) {
	t.Parallel()
	type change func(c *fhir.CoreDataSet)
	for _, tt := range []struct {
		path, rule string
		bad        []change
		good       []change
	}{
		{"DDCCCoreDataSet.name", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Name = "" }}, nil},
		{"DDCCCoreDataSet.name", fhir.RuleText, []change{
			func(c *fhir.CoreDataSet) { c.Name = "A\nB" },
			func(c *fhir.CoreDataSet) { c.Name = "A\x00B" },
			func(c *fhir.CoreDataSet) { c.Name = "A\u0085B" },
			func(c *fhir.CoreDataSet) { c.Name = "A\u2028B" },
			func(c *fhir.CoreDataSet) { c.Name = "A\u202eB" },
			func(c *fhir.CoreDataSet) { c.Name = "A\ufffdB" },
			func(c *fhir.CoreDataSet) { c.Name = "A\u2066B" },
			func(c *fhir.CoreDataSet) { c.Name = "A\ufeffB" },
			func(c *fhir.CoreDataSet) { c.Name = "A\ufdd0B" },
			func(c *fhir.CoreDataSet) { c.Name = "A\xffB" },
			func(c *fhir.CoreDataSet) { c.Name = " A" },
			func(c *fhir.CoreDataSet) { c.Name = "A\u00a0" },
			func(c *fhir.CoreDataSet) { c.Name = "e\u0301" },
			func(c *fhir.CoreDataSet) { c.Name = "A\U0001fffe" },
		}, []change{
			func(c *fhir.CoreDataSet) { c.Name = "Ana  María" },
			func(c *fhir.CoreDataSet) { c.Name = "می\u200cخواهم" },
			func(c *fhir.CoreDataSet) { c.Name = "\u200fمحمد" },
			func(c *fhir.CoreDataSet) { c.Name = "👩\u200d⚕️" },
		}},
		{"DDCCCoreDataSet.name", fhir.RuleLength, []change{func(c *fhir.CoreDataSet) { c.Name = strings.Repeat("é", 256) }},
			[]change{func(c *fhir.CoreDataSet) { c.Name = strings.Repeat("中", 255) }}},
		{"DDCCCoreDataSet.birthDate", fhir.RuleDate, []change{
			func(c *fhir.CoreDataSet) { c.BirthDate = "2001-02-29" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "1900-02-29" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2001-13" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "1849" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2001-1-1" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2001-01-01T00:00:00Z" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "01.01.2001" },
		}, []change{
			func(c *fhir.CoreDataSet) { c.BirthDate = "" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2000-02-29" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "1850" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2021" },
			func(c *fhir.CoreDataSet) { c.BirthDate = "2021-07" },
		}},
		{"DDCCCoreDataSet.birthDate", fhir.RuleDateFuture, []change{func(c *fhir.CoreDataSet) { c.BirthDate = "2022-03-03" }},
			[]change{func(c *fhir.CoreDataSet) { c.BirthDate = "2021-07-08" }}},
		{"DDCCCoreDataSet.identifier.value", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Identifier.Value = "" }},
			[]change{func(c *fhir.CoreDataSet) { c.Identifier = nil }}},
		{"DDCCCoreDataSet.identifier.system", fhir.RuleURI, []change{func(c *fhir.CoreDataSet) { c.Identifier.System = "no uri" }},
			[]change{func(c *fhir.CoreDataSet) { c.Identifier.System = "urn:oid:1.2.3" }}},
		{"DDCCCoreDataSet.identifier.system", fhir.RuleLength, []change{func(c *fhir.CoreDataSet) { c.Identifier.System = "urn:" + strings.Repeat("x", 252) }},
			[]change{func(c *fhir.CoreDataSet) { c.Identifier.System = "urn:" + strings.Repeat("x", 251) }}},
		{"DDCCCoreDataSet.sex", fhir.RuleSex, []change{func(c *fhir.CoreDataSet) { c.Sex = "M" }},
			[]change{func(c *fhir.CoreDataSet) { c.Sex = "other" }, func(c *fhir.CoreDataSet) { c.Sex = "" }}},
		{"DDCCCoreDataSet.sex", fhir.RuleModel, []change{func(c *fhir.CoreDataSet) { c.Model = fhir.ModelVSPoV }}, nil},
		{"DDCCCoreDataSet", fhir.RuleModel, []change{func(c *fhir.CoreDataSet) { c.Model = "x" }}, nil},
		{"DDCCCoreDataSet", fhir.RuleOneEvent, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination = nil },
			func(c *fhir.CoreDataSet) { c.Test = testResult().Test },
			func(c *fhir.CoreDataSet) { c.Model = fhir.ModelTR },
		}, nil},
		{"DDCCCoreDataSet.certificate.issuer.identifier.value", fhir.RuleRequired,
			[]change{func(c *fhir.CoreDataSet) { c.Certificate.Issuer.Value = "" }}, nil},
		{"DDCCCoreDataSet.certificate.hcid", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Certificate.HCID = "" }}, nil},
		{"DDCCCoreDataSet.certificate.hcid", fhir.RuleHCID, []change{
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = "a b" },
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = "é" },
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = "a|b" },
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = "a&b" },
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = strings.Repeat("a", 65) },
		}, []change{
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = strings.Repeat("a", 64) },
			func(c *fhir.CoreDataSet) { c.Certificate.HCID = "URN:UVCI:01:CHE/a-b._9" },
		}},
		{"DDCCCoreDataSet.certificate.version", fhir.RuleVersion, []change{func(c *fhir.CoreDataSet) { c.Certificate.Version = "RC1" }}, nil},
		{"DDCCCoreDataSet.certificate.period.end", fhir.RuleDateOrder, []change{func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "2021-07-07" }},
			[]change{
				func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "2021-07-08" },
				func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "" },
				func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "2021-07-08T00:00:00-12:00" },
			}},
		{"DDCCCoreDataSet.certificate.period.start", fhir.RuleDate, []change{func(c *fhir.CoreDataSet) { c.Certificate.Period.Start = "2021" }}, nil},
		{vs, fhir.RuleData1, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer = fhir.Coding{} }},
			[]change{func(c *fhir.CoreDataSet) {
				c.Vaccination.Manufacturer, c.Vaccination.MAHolder = fhir.Coding{}, icd("X")
			}}},
		{vs + ".vaccine", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = fhir.Coding{} }}, nil},
		{vs + ".vaccine.code", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = fhir.Coding{Display: "x"} }}, nil},
		{vs + ".brand", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Brand = fhir.Coding{} }}, nil},
		{vs + ".brand.code", fhir.RuleCode, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = " a" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = "a  b" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = "a\tb" },
		}, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = "EU/1/20/1528" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = "a b" },
		}},
		{vs + ".manufacturer", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer = fhir.Coding{System: "urn:x"} }},
			[]change{func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer = fhir.Coding{Display: "Maker"} }}},
		{vs + ".manufacturer.version", fhir.RuleModel, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer.Version = "1" }}, nil},
		{vs + ".lot", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "" }}, nil},
		{vs + ".lot", fhir.RuleLength, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Lot = strings.Repeat("1", 65) }}, nil},
		{vs + ".date", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Date = "" }}, nil},
		{vs + ".date", fhir.RuleDate, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-06-31" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-08T10:00:00" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-08T10:00Z" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-08T10:00:00,5Z" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-08T10:00:00+15:00" },
		}, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-08T10:00:00.5+05:45" }}},
		{vs + ".date", fhir.RuleDateOrder, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2003-03-02" }}, nil},
		{vs + ".date", fhir.RuleDateFuture, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2022-03-03" }}, nil},
		{vs + ".validFrom", fhir.RuleDateOrder, []change{func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2021-07-07" }},
			[]change{func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2021-07-08" }}},
		{vs + ".validFrom", fhir.RuleDate, []change{func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2021-07-08T10:00:00Z" }}, nil},
		{vs + ".nextDose", fhir.RuleDateOrder, []change{func(c *fhir.CoreDataSet) { c.Vaccination.NextDose = "2021-07-07" }},
			[]change{func(c *fhir.CoreDataSet) { c.Vaccination.NextDose = "2030-01-01" }}},
		{vs + ".dose", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Dose = 0 }}, nil},
		{vs + ".dose", fhir.RulePositiveInt, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination.Dose = -1 }, func(c *fhir.CoreDataSet) { c.Vaccination.Dose = 101 },
		}, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Dose = 3 }}},
		{vs + ".totalDoses", fhir.RulePositiveInt, []change{func(c *fhir.CoreDataSet) { c.Vaccination.TotalDoses = -1 }},
			[]change{func(c *fhir.CoreDataSet) { c.Vaccination.TotalDoses = 0 }}},
		{vs + ".country", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Country = fhir.Coding{} }}, nil},
		{vs + ".country", fhir.RuleCountry, []change{
			func(c *fhir.CoreDataSet) { c.Vaccination.Country.Code = "CH" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Country.Code = "CHX" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Country.Code = "che" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Country.System = "urn:x" },
			func(c *fhir.CoreDataSet) { c.Vaccination.Country.Display = "Switzerland" },
		}, nil},
		{vs + ".centre", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Centre = "" }},
			[]change{func(c *fhir.CoreDataSet) { c.Model, c.Sex, c.Vaccination.Centre = fhir.ModelVSPoV, "", "" }}},
		{vs + ".practitioner.value", fhir.RuleRequired, []change{func(c *fhir.CoreDataSet) { c.Vaccination.Practitioner = fhir.Identifier{System: "urn:x"} }},
			[]change{func(c *fhir.CoreDataSet) { c.Vaccination.Practitioner = fhir.Identifier{} }}},
	} {
		t.Run(tt.path+" "+tt.rule, func(t *testing.T) {
			t.Parallel()
			for i, f := range tt.bad {
				c := vaccination()
				f(&c)
				if got := errorRules(c.Validate(now))[tt.path]; got != tt.rule {
					t.Errorf("bad %d: rule %q, issues %+v", i, got, c.Validate(now))
				}
			}
			for i, f := range tt.good {
				c := vaccination()
				f(&c)
				if got := errorRules(c.Validate(now)); len(got) > 0 {
					t.Errorf("good %d: %v", i, got)
				}
			}
		})
	}
}
