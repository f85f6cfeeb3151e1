package vdsnc

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Rules of this map.
const (
	RuleUntranslatable = "vdsnc-untranslatable" // an element that a seal cannot say
	RuleName           = "vdsnc-name"           // Doc 9303-3 §4.6 and §6
	RuleDocument       = "vdsnc-document"       // TR VDS-NC §2.2 and §2.3
	RuleTime           = "vdsnc-time"           // TR VDS-NC §2.3.1, RFC 3339
)

// Context is what a seal needs beside the event.
type Context struct {
	ID       string // the UVCI of a proof of vaccination, the UTCI of a proof of testing
	Provider string // name of the authority, when the core data set has no centre
	// Reported is when a test's report was issued. Zero: the start of the certificate's
	// period, if that has a time.
	Reported time.Time
}

// FromCore gives the message of a seal for one event. An error issue means that the seal
// cannot be issued, a warning that something optional was left out; the paths are those of
// the core data set, which has to be valid, see fhir.CoreDataSet.Validate.
//
// A seal has no manufacturer, lot of a test, valid-from date, total of doses or
// practitioner, and of identifiers only the number of a travel document.
func FromCore(core fhir.CoreDataSet, c Context) (vdsnc.Message, []fault.Issue) {
	w := writer{context: c, core: core}
	w.message.Person.Name = w.name()
	switch {
	case core.Vaccination != nil && core.Test == nil:
		w.vaccination(*core.Vaccination)
	case core.Test != nil && core.Vaccination == nil:
		w.test(*core.Test)
	default:
		w.fail("", fhir.RuleOneEvent, "The core data set does not hold exactly one event.", "Send one vaccination or one test.")
	}
	return w.message, w.issues
}

type writer struct {
	context Context
	core    fhir.CoreDataSet
	message vdsnc.Message
	issues  []fault.Issue
}

func (w *writer) note(severity fault.Severity, element, rule, detail, fix string) {
	path := "DDCCCoreDataSet"
	if element != "" {
		path += "." + element
	}
	w.issues = append(w.issues, fault.Issue{Severity: severity, Path: path, Rule: rule, Detail: detail, Fix: fix})
}

func (w *writer) fail(element, rule, detail, fix string) { w.note("", element, rule, detail, fix) }

func (w *writer) need(element, value string) {
	if value == "" {
		w.fail(element, fhir.RuleRequired, "A VDS-NC seal needs the element, and it is missing.", "Supply it, or leave the format out.")
	}
}

// isDay reports a date that is known to the day.
func isDay(date string) bool {
	d, ok := fhir.ParseDate(date)
	return ok && d.Precision == fhir.Day
}

func day(date string) string {
	if len(date) > len(time.DateOnly) {
		return date[:len(time.DateOnly)]
	}
	return date
}

func (w *writer) vaccination(v fhir.Vaccination) {
	w.message.UVCI = w.context.ID
	w.vaccinated()
	w.need("vaccination.centre", w.centre(v.Centre))
	w.need("vaccination.lot", v.Lot)
	if v.Dose < 1 || v.Dose > 99 {
		w.fail("vaccination.dose", fhir.RulePositiveInt, "A VDS-NC seal counts doses from 1 to 99.", "Supply the dose number, or leave the format out.")
	}
	if !isDay(day(v.Date)) {
		w.fail("vaccination.date", fhir.RuleDate, "The date is not known to the day.", "Send YYYY-MM-DD.")
	}
	w.message.Vaccinations = []vdsnc.Event{{
		Vaccine: w.vaccine(v), Brand: w.brand(v.Brand), Disease: w.disease(v.Disease),
		Doses: []vdsnc.Dose{{
			Date: day(v.Date), Number: v.Dose, Country: w.country("vaccination.country", v.Country),
			Centre: w.centre(v.Centre), Lot: v.Lot, NextDose: day(v.NextDose),
		}},
	}}
}

func (w *writer) centre(name string) string {
	if name == "" {
		return w.context.Provider
	}
	return name
}

// country has to be in the form Normalize gives it.
func (w *writer) country(element string, c fhir.Coding) string {
	_, known := terminology.CountryByAlpha3(c.Code)
	if !known && !terminology.TestCountry(c.Code) {
		w.fail(element, fhir.RuleCountry, "The code is no country of ISO 3166-1.", "Send the alpha-3 code under "+terminology.SystemISO3166+".")
		return ""
	}
	return c.Code
}

// vaccine is des: a vaccine or its type in ICD-11.
func (w *writer) vaccine(v fhir.Vaccination) string {
	if foreign.System(v.Vaccine.System) == terminology.SystemICD11 && v.Vaccine.Code != "" {
		return v.Vaccine.Code
	}
	for _, use := range []terminology.Use{terminology.VaccineProduct, terminology.VaccineType} {
		if found := resolve(v.Vaccine, use); found.Code != "" {
			return found.Code
		}
	}
	w.fail("vaccination.vaccine", RuleUntranslatable, "No table translates the vaccine to ICD-11.",
		"Code the vaccine in ICD-11, or leave the format out.")
	return ""
}

// brand is nam, a text: the one that came with the code, or the product's in ICD-11 or in
// the EU's register, or a code without a system, which is a name.
func (w *writer) brand(c fhir.Coding) string {
	if c.Display != "" {
		return c.Display
	}
	switch system := foreign.System(c.System); system {
	case "":
		if c.Code != "" {
			return c.Code
		}
	case terminology.SystemICD11, terminology.SystemEURegister, terminology.SystemICAO, terminology.SystemDIVOC:
		if text, ok := terminology.Display(system, c.Code); ok {
			return text
		}
	default:
		if found := resolve(c, terminology.VaccineProduct); found.Display != "" {
			return found.Display
		}
	}
	w.fail("vaccination.brand", RuleUntranslatable, "No table has a name for the brand's code.",
		"Send the brand's display, or leave the format out.")
	return ""
}

// disease is optional in a seal.
func (w *writer) disease(c fhir.Coding) string {
	if c.IsZero() || foreign.System(c.System) == terminology.SystemICD11 {
		return c.Code
	}
	found := resolve(c, terminology.Disease)
	if found.Code == "" {
		w.note(fault.SeverityWarning, "vaccination.disease", RuleUntranslatable,
			"No table translates the disease to ICD-11; the seal does without it.", "Code the disease in ICD-11.")
	}
	return found.Code
}
