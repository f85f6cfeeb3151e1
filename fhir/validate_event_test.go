package fhir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestValidateTestRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, rule string
		bad        func(t *fhir.Test)
	}{
		{tr + ".pathogen", fhir.RuleRequired, func(t *fhir.Test) { t.Pathogen = fhir.Coding{} }},
		{tr + ".type", fhir.RuleRequired, func(t *fhir.Test) { t.Type = fhir.Coding{} }},
		{tr + ".result", fhir.RuleRequired, func(t *fhir.Test) { t.Result = fhir.Coding{} }},
		{tr + ".date", fhir.RuleRequired, func(t *fhir.Test) { t.Date = "" }},
		{tr + ".country", fhir.RuleRequired, func(t *fhir.Test) { t.Country = fhir.Coding{} }},
		{tr + ".origin.code", fhir.RuleRequired, func(t *fhir.Test) { t.Origin = fhir.Coding{Display: "nose"} }},
		{tr + ".centre.version", fhir.RuleModel, func(t *fhir.Test) { t.Centre.Version = "2" }},
		{tr + ".date", fhir.RuleDateFuture, func(t *fhir.Test) { t.Date = "2022-03-01T12:10:00Z" }},
	} {
		c := testResult()
		tt.bad(c.Test)
		if got := errorRules(c.Validate(now))[tt.path]; got != tt.rule {
			t.Errorf("%s: rule %q instead of %q", tt.path, got, tt.rule)
		}
	}
}

func TestValidateWarnings(t *testing.T) {
	t.Parallel()
	c := vaccination()
	c.Vaccination.Dose, c.Vaccination.TotalDoses = 3, 2
	c.Vaccination.Vaccine = fhir.Coding{System: "http://snomed.info/sct", Code: "1119349007"}
	c.Vaccination.Country = country("XXA")
	got := map[string]string{}
	for _, i := range c.Validate(now) {
		if i.Severity != fault.SeverityWarning || i.Detail == "" || i.Fix == "" {
			t.Errorf("unexpected issue %+v", i)
		}
		got[i.Path] = i.Rule
	}
	want := map[string]string{vs + ".dose": fhir.RuleSeries, vs + ".vaccine": fhir.RuleValueSet, vs + ".country": fhir.RuleCountryTest}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestValidateToday follows one moment around the globe.
func TestValidateToday(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		now, date string
		ok        bool
	}{
		{"2021-07-07T10:00:00Z", "2021-07-08", true}, // has begun in Kiribati
		{"2021-07-07T09:59:59Z", "2021-07-08", false},
		{"2021-07-08T00:00:00+14:00", "2021-07-08", true},
		{"2021-07-08T10:00:00Z", "2021-07-08T12:00:00+02:00", true},
		{"2021-07-08T10:00:00Z", "2021-07-08T10:05:00Z", true}, // clock skew
		{"2021-07-08T10:00:00Z", "2021-07-08T10:05:01Z", false},
		{"2021-07-08T10:00:00Z", "2021-07-08T09:00:00-02:00", false},
	} {
		at, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		c := vaccination()
		c.Certificate.Period, c.Vaccination.Date = fhir.Period{}, tt.date
		if _, bad := errorRules(c.Validate(at))[vs+".date"]; bad == tt.ok {
			t.Errorf("now %s, date %s: refused = %v", tt.now, tt.date, bad)
		}
	}
}

// TestValidateReportsAllAtOnce also holds the texts to the rule that no value is repeated.
func TestValidateReportsAllAtOnce(t *testing.T) {
	t.Parallel()
	c := fhir.CoreDataSet{Model: fhir.ModelVSCoC, Name: "Zqx\x01Secret", Sex: "Zqx", BirthDate: "Zqx", Vaccination: &fhir.Vaccination{
		Date: "Zqx", Country: fhir.Coding{Code: "Zqx"}, ValidFrom: "Zqx", NextDose: "Zqx"}}
	issues := c.Validate(now)
	if len(issues) < 15 {
		t.Errorf("only %d issues", len(issues))
	}
	for _, i := range issues {
		if strings.Contains(i.Path+i.Detail+i.Fix+i.Rule, "Zqx") {
			t.Errorf("the value is repeated in %+v", i)
		}
	}
}
