package fhir

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Normalize gives the core data set in the one form that documents and QR codes can
// carry and read back unchanged: the country as ISO 3166-1 alpha-3 under
// urn:iso:std:iso:3166, no version on codes that travel as identifiers. Each change is
// an issue below error; what cannot be brought into form stays for Validate to refuse.
func (c CoreDataSet) Normalize() (CoreDataSet, []fault.Issue) {
	var issues []fault.Issue
	if c.Vaccination != nil {
		v := *c.Vaccination
		v.Country = normalCountry(v.Country, pathVaccination+".country", &issues)
		v.Manufacturer = withoutVersion(v.Manufacturer, pathVaccination+".manufacturer", &issues)
		c.Vaccination = &v
	}
	if c.Test != nil {
		t := *c.Test
		t.Country = normalCountry(t.Country, pathTest+".country", &issues)
		t.Centre = withoutVersion(t.Centre, pathTest+".centre", &issues)
		c.Test = &t
	}
	return c, issues
}

func normalCountry(c Coding, path string, issues *[]fault.Issue) Coding {
	if c.Code == "" || !isISO3166(c.System) {
		return c
	}
	alpha3 := c.Code
	if found, ok := terminology.CountryByAlpha2(c.Code); ok {
		alpha3 = found.Alpha3
	} else if found, ok := terminology.CountryByNumeric(c.Code); ok {
		alpha3 = found.Alpha3
	} else if _, ok := terminology.CountryByAlpha3(c.Code); !ok && !terminology.TestCountry(c.Code) {
		return c
	}
	if alpha3 != c.Code || c.System != terminology.SystemISO3166 {
		*issues = append(*issues, fault.Issue{
			Severity: fault.SeverityInformation, Path: path, Rule: RuleCountryAlpha3,
			Detail: "The country was brought into the form ISO 3166-1 alpha-3 under " + terminology.SystemISO3166 + ".",
			Fix:    "Send the alpha-3 code under that system.",
		})
	}
	if c.Version != "" || c.Display != "" {
		*issues = append(*issues, notKept(path, "The country travels as a code alone; its version and display are not kept."))
	}
	return Coding{System: terminology.SystemISO3166, Code: alpha3}
}

// isISO3166 accepts the system in FHIR's forms, the value set that some senders name in
// its place, and none.
func isISO3166(system string) bool {
	return system == "" || strings.HasPrefix(system, terminology.SystemISO3166) ||
		strings.HasPrefix(system, "http://hl7.org/fhir/ValueSet/iso3166-1-")
}

func withoutVersion(c Coding, path string, issues *[]fault.Issue) Coding {
	if c.Version != "" {
		*issues = append(*issues, notKept(path, "The code travels as an identifier; its version is not kept."))
		c.Version = ""
	}
	return c
}

func notKept(path, detail string) fault.Issue {
	return fault.Issue{
		Severity: fault.SeverityInformation, Path: path, Rule: RuleNotKept,
		Detail: detail, Fix: "Nothing to do.",
	}
}
