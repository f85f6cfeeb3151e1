package maps

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// set puts an answer of the right type into the core data set.
func (r *responseMap) set(path string, q fhir.QuestionnaireItem, a fhir.Answer) {
	value := answer{text: a.Text, coding: a.Coding}
	switch a.Type {
	case "Integer":
		n, ok := a.Integer()
		if !ok || n < 1 {
			r.fail(path, fhir.RulePositiveInt, "The number is not a whole number from 1 on.", "Send a positive integer.")
			return
		}
		value.number = n
	case "Coding":
		value.coding.Display = r.clean(path, a.Coding.Display)
		if value.coding.IsZero() {
			r.fail(path, fhir.RuleRequired, "The coding is empty.", "Supply code and system.")
			return
		}
		if q.LinkID == "sex" && !r.sex(path, value.coding) {
			return
		}
	default:
		value.text = r.clean(path, a.Text)
		if value.text == "" {
			r.fail(path, fhir.RuleRequired, "The answer is empty.", "Supply a value, or leave the item out.")
			return
		}
	}
	if !setCommon(&r.core, q.LinkID, value) {
		setEvent(&r.core, q.LinkID, value)
	}
}

// sex is kept as a code alone, so its system has to be the one the code means.
func (r *responseMap) sex(path string, c fhir.Coding) bool {
	if c.Code == "" || c.System != "" && c.System != terminology.SystemGender {
		r.fail(path, fhir.RuleSex, "The coding is not of FHIR's administrative-gender.",
			"Send male, female, other or unknown under "+terminology.SystemGender+".")
		return false
	}
	return true
}

func (r *responseMap) clean(path, s string) string {
	text, trimmed := fhir.CleanText(s)
	if trimmed {
		r.warn(path, fhir.RuleTrimmed, "White space at the ends of the text was removed.", "Send the text without it.")
	}
	return text
}

// answer is one answer in the form its type has.
type answer struct {
	text   string
	number int
	coding fhir.Coding
}

func setCommon(c *fhir.CoreDataSet, linkID string, a answer) bool {
	switch linkID {
	case "name":
		c.Name = a.text
	case "birthDate":
		c.BirthDate = a.text
	case "identifier":
		c.Identifier = &fhir.Identifier{Value: a.text}
	case "pha":
		c.Certificate.Issuer.Value = a.text
	case "hcid":
		c.Certificate.HCID = a.text
	case "valid_from":
		c.Certificate.Period.Start = a.text
	case "valid_until":
		c.Certificate.Period.End = a.text
	default:
		return false
	}
	return true
}

func setEvent(c *fhir.CoreDataSet, linkID string, a answer) {
	if c.Test != nil {
		setTest(c.Test, linkID, a)
		return
	}
	if linkID == "sex" {
		c.Sex = a.coding.Code
		return
	}
	setVaccination(c.Vaccination, linkID, a)
}

func setVaccination(v *fhir.Vaccination, linkID string, a answer) {
	switch linkID {
	case "vaccine":
		v.Vaccine = a.coding
	case "brand":
		v.Brand = a.coding
	case "manufacturer":
		v.Manufacturer = a.coding
	case "ma_holder":
		v.MAHolder = a.coding
	case "lot":
		v.Lot = a.text
	case "date":
		v.Date = a.text
	case "vaccine_valid":
		v.ValidFrom = a.text
	case "dose":
		v.Dose = a.number
	case "total_doses":
		v.TotalDoses = a.number
	case "country":
		v.Country = a.coding
	case "centre":
		v.Centre = a.text
	case "hw":
		v.Practitioner.Value = a.text
	case "disease":
		v.Disease = a.coding
	case "due_date":
		v.NextDose = a.text
	}
}

func setTest(t *fhir.Test, linkID string, a answer) {
	switch linkID {
	case "pathogen":
		t.Pathogen = a.coding
	case "type":
		t.Type = a.coding
	case "brand":
		t.Brand = a.coding
	case "manufacturer":
		t.Manufacturer = a.coding
	case "origin":
		t.Origin = a.coding
	case "date":
		t.Date = a.text
	case "result":
		t.Result = a.coding
	case "centre":
		t.Centre = a.coding
		if a.coding.IsZero() { // centre answered as valueString
			t.Centre.Display = a.text
		}
	case "country":
		t.Country = a.coding
	}
}
