package maps

import (
	"strconv"
	"strings"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// narrativeLine is one line of a generated narrative; lines without a value are left out.
type narrativeLine struct {
	label, value string
}

// escapeXML is what XHTML needs in text (FHIR R4 narrative). Control characters, which
// XML cannot hold, are refused by CoreDataSet.Validate.
var escapeXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func narrative(lines []narrativeLine) *r4.Narrative {
	var b strings.Builder
	b.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml"><ul>`)
	for _, l := range lines {
		if l.value != "" {
			b.WriteString("<li>" + l.label + ": ")
			_, _ = escapeXML.WriteString(&b, l.value) // a Builder does not fail
			b.WriteString("</li>")
		}
	}
	b.WriteString("</ul></div>")
	return &r4.Narrative{Status: r4.NarrativeStatusGenerated, Div: b.String()}
}

func (w *writer) documentNarrative() *r4.Narrative {
	c := w.core.Certificate
	return narrative([]narrativeLine{
		{"Certificate", documentTitle},
		{"Name", w.core.Name},
		{"Date of birth", w.core.BirthDate},
		{"Health Certificate ID", c.HCID},
		{"Issued by", w.in.Authority.Name},
		{"Valid from", c.Period.Start},
		{"Valid until", c.Period.End},
	})
}

func vaccinationLines(v fhir.Vaccination) []narrativeLine {
	return []narrativeLine{
		{"Vaccine", label(v.Vaccine)},
		{"Brand", label(v.Brand)},
		{"Manufacturer", label(v.Manufacturer)},
		{"Market authorisation holder", label(v.MAHolder)},
		{"Lot", v.Lot},
		{"Date", v.Date},
		{"Valid from", v.ValidFrom},
		{"Dose", count(v.Dose)},
		{"Doses in the series", count(v.TotalDoses)},
		{"Country", countryName(v.Country)},
		{"Centre", v.Centre},
		{"Disease", label(v.Disease)},
		{"Next dose due", v.NextDose},
	}
}

func testLines(t fhir.Test) []narrativeLine {
	return []narrativeLine{
		{"Pathogen", label(t.Pathogen)},
		{"Type of test", label(t.Type)},
		{"Brand", label(t.Brand)},
		{"Manufacturer", label(t.Manufacturer)},
		{"Origin of the sample", label(t.Origin)},
		{"Date", t.Date},
		{"Result", label(t.Result)},
		{"Centre", label(t.Centre)},
		{"Country", countryName(t.Country)},
	}
}

// label is what a person can read of a code: its display, our own text for it, or the
// code itself.
func label(c fhir.Coding) string {
	if c.Display != "" {
		return c.Display
	}
	if text, ok := terminology.Display(c.System, c.Code); ok {
		return text
	}
	return c.Code
}

func countryName(c fhir.Coding) string {
	if country, ok := terminology.CountryByAlpha3(c.Code); ok {
		return country.Name
	}
	return c.Code
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
