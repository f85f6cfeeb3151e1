package hl7v2

import (
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// LOINC codes of OBX-3 in an ORDER group (CDC 1.5, table "observation identifiers").
const (
	loincDoseNumber   = "30973-2" // dose number in series
	loincSeriesDoses  = "59782-3" // number of doses in primary series
	loincSeriesName   = "59780-7" // series name
	loincEligibility  = "64994-7" // vaccine funding program eligibility
	loincFunding      = "30963-3" // funding source
	loincDocument     = "69764-9" // document type of the information statement
	loincVISVaccine   = "30956-7" // vaccine type it is about
	loincVISPublished = "29768-9"
	loincVISGiven     = "29769-7"
	loincComment      = "48767-8"
)

// observations reads OBX. What is said about an information statement (VIS) belongs together
// by OBX-4.
func (c *converter) observations(d *Dose, all []Segment) {
	r := &d.immunization
	statements := map[string]int{} // by OBX-4, the place in r.Education
	var p protocol
	for _, obx := range all {
		value := obx.Field(5)
		if !value.Exists() || obx.Field(11).Text() == "D" || obx.Field(11).Text() == "X" {
			continue
		}
		switch c.loinc(obx) {
		case loincDoseNumber:
			c.count(value, &p.DoseNumberPositiveInt, &p.DoseNumberString)
		case loincSeriesDoses:
			c.count(value, &p.SeriesDosesPositiveInt, nil)
		case loincSeriesName:
			p.Series = c.label(value)
		case loincEligibility:
			r.ProgramEligibility = append(r.ProgramEligibility, c.coded(value))
		case loincFunding:
			r.FundingSource = c.coded(value).orNil()
		case loincComment:
			r.Note = append(r.Note, annotation{c.text(value)})
		case loincDocument:
			c.statement(r, statements, obx).DocumentType = c.label(value)
		case loincVISVaccine:
			if e := c.statement(r, statements, obx); e.DocumentType == "" {
				e.DocumentType = c.label(value)
			}
		case loincVISPublished:
			c.statement(r, statements, obx).PublicationDate = c.dateTime(value)
		case loincVISGiven:
			c.statement(r, statements, obx).PresentationDate = c.dateTime(value)
		default:
			c.notKept(obx.At(0), "The observation has no place in an Immunization and is not kept.")
		}
	}
	r.Education = slices.DeleteFunc(r.Education, func(e education) bool { return e.DocumentType == "" })
	if len(r.Education) < len(statements) {
		c.notKept(d.At, "An information statement without its document type has no place in an Immunization and is not kept.")
	}
	switch {
	case p.DoseNumberPositiveInt != "" || p.DoseNumberString != "":
		r.ProtocolApplied = []protocol{p}
	case p != (protocol{}):
		c.notKept(all[0].At(0), "A series without a dose number has no place in an Immunization and is not kept.")
	}
}

// loinc gives the LOINC code of OBX-3.
func (c *converter) loinc(obx Segment) string {
	for _, x := range c.coded(obx.Field(3)).Coding {
		if x.System == terminology.SystemLOINC {
			return x.Code
		}
	}
	return ""
}

// statement gives the entry of Education that an observation is about.
func (c *converter) statement(r *immunization, known map[string]int, obx Segment) *education {
	group := obx.Field(4).Text()
	n, ok := known[group]
	if !ok {
		n = len(r.Education)
		known[group] = n
		r.Education = append(r.Education, education{})
	}
	return &r.Education[n]
}

// label gives the words of a coded value, or its code.
func (c *converter) label(v Value) string {
	what := c.coded(v)
	if what.Text != "" {
		return what.Text
	}
	for _, x := range what.Coding {
		return first(x.Display, x.Code)
	}
	return ""
}

// count reads a number of doses. CDC allows 999 for an unknown one. Words go where FHIR has
// room for them.
func (c *converter) count(v Value, to *number, words *string) {
	text := v.Text()
	if text == "999" || text == "" {
		return
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1000 {
		*to = number(strconv.Itoa(n))
		return
	}
	if words == nil {
		c.report(NewFinding(v.At(), CodeDataType, RuleNumber, "The number of doses is no whole number from 1 on.", "Send a number, or 999 when it is not known."))
		return
	}
	*words = text
}
