package fhir

import (
	"strings"

	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxDose bounds dose numbers: FHIR's positiveInt has 31 bits, no series has 100 doses.
const maxDose = 100

func (k *checker) vaccination(v Vaccination, model Model) {
	p := pathVaccination
	k.vaccine(p+".vaccine", v.Vaccine)
	k.preferred(p+".vaccine", v.Vaccine, terminology.ValueSetVaccines)
	k.coding(p+".brand", v.Brand, true)
	k.label(p+".manufacturer", v.Manufacturer)
	k.identifierOnly(p+".manufacturer", v.Manufacturer)
	k.coding(p+".maholder", v.MAHolder, false)
	if v.Manufacturer.IsZero() && v.MAHolder.IsZero() {
		k.fail(p, RuleData1, "Neither the manufacturer nor the market authorisation holder is given.", "Supply one of the two.")
	}
	k.text(p+".lot", v.Lot, LimitLot, true)
	k.doses(v)
	k.country(p+".country", v.Country)
	k.text(p+".centre", v.Centre, LimitCentre, model == ModelVSCoC)
	k.identifier(p+".practitioner", v.Practitioner, false)
	k.coding(p+".disease", v.Disease, false)
	k.preferred(p+".disease", v.Disease, terminology.ValueSetDisease, terminology.ValueSetAgent)
	date := k.event(p+".date", v.Date)
	k.order(p+".validFrom", date, k.date(p+".validFrom", v.ValidFrom, false, Day), "The vaccination is valid before it took place.")
	k.order(p+".nextDose", date, k.date(p+".nextDose", v.NextDose, false, Day), "The next dose is due before this one.")
}

func (k *checker) doses(v Vaccination) {
	p := pathVaccination
	switch {
	case v.Dose == 0:
		k.missing(p + ".dose")
	case v.Dose < 0 || v.Dose > maxDose:
		k.fail(p+".dose", RulePositiveInt, "The dose number is out of range.", "Send a whole number from 1 to "+itoa(maxDose)+".")
	}
	if v.TotalDoses < 0 || v.TotalDoses > maxDose {
		k.fail(p+".totalDoses", RulePositiveInt, "The number of doses is out of range.", "Send a whole number from 1 to "+itoa(maxDose)+", or none.")
	}
	if v.TotalDoses > 0 && v.Dose > v.TotalDoses {
		k.warn(p+".dose", RuleSeries, "The dose number is above the number of doses in the series.", "Correct it unless this is a booster.")
	}
}

func (k *checker) test(t Test) {
	p := pathTest
	k.coding(p+".pathogen", t.Pathogen, true)
	k.preferred(p+".pathogen", t.Pathogen, terminology.ValueSetAgent)
	k.coding(p+".type", t.Type, true)
	k.preferred(p+".type", t.Type, terminology.ValueSetTestType)
	k.coding(p+".brand", t.Brand, false)
	k.label(p+".manufacturer", t.Manufacturer)
	k.coding(p+".origin", t.Origin, false)
	k.preferred(p+".origin", t.Origin, terminology.ValueSetSampleOrigin)
	k.event(p+".date", t.Date)
	k.coding(p+".result", t.Result, true)
	k.preferred(p+".result", t.Result, terminology.ValueSetTestResult)
	k.label(p+".centre", t.Centre)
	k.identifierOnly(p+".centre", t.Centre)
	k.country(p+".country", t.Country)
}

// event checks the date of the event against now and against the birth.
func (k *checker) event(path, s string) *DateTime {
	if s == "" {
		k.missing(path)
		return nil
	}
	d := k.date(path, s, true, Day)
	k.past(path, d)
	k.order(path, k.birth, d, "The event is before the birth.")
	return d
}

// coding checks a coding that must have a code.
func (k *checker) coding(path string, c Coding, required bool) {
	switch {
	case c.IsZero():
		if required {
			k.missing(path)
		}
		return
	case c.Code == "":
		k.fail(path+".code", RuleRequired, "The coding has no code.", "Supply code and system.")
	case c.System == "":
		k.warn(path+".system", RuleURI, "The coding has no system, so that its code has no defined meaning.", "Supply the URI of the code system.")
	}
	k.codingParts(path, c)
}

// vaccine: profiles DDCCImmunization and DDCCImmunizationRecommendation need the system.
func (k *checker) vaccine(path string, c Coding) {
	if c.Code != "" && c.System == "" {
		k.fail(path+".system", RuleRequired, "The vaccine code has no system.", "Supply the URI of the code system.")
		k.codingParts(path, c)
		return
	}
	k.coding(path, c, true)
}

// label checks a coding for which a text alone will do.
func (k *checker) label(path string, c Coding) {
	if c.IsZero() {
		return
	}
	if c.Code == "" && (c.Display == "" || c.System != "" || c.Version != "") {
		k.fail(path, RuleRequired, "The coding has no code and is not a text alone.", "Supply code and system, or display alone.")
	}
	k.codingParts(path, c)
}

// identifierOnly refuses what a code that travels as an identifier cannot carry.
func (k *checker) identifierOnly(path string, c Coding) {
	if c.Version != "" {
		k.fail(path+".version", RuleModel, "The code travels as an identifier and has no version.", "Call Normalize first.")
	}
}

func (k *checker) codingParts(path string, c Coding) {
	if c.Code != "" && !isCode(c.Code) {
		k.fail(path+".code", RuleCode, "The code has white space where FHIR allows none.", "Send the code as its code system lists it.")
	} else {
		k.text(path+".code", c.Code, LimitIdentifier, false)
	}
	k.uri(path+".system", c.System)
	if strings.HasPrefix(c.System, "http://hl7.org/fhir/ValueSet/") {
		k.fail(path+".system", RuleURI, "The system names a value set.", "Send the URI of the code system the code is from.")
	}
	k.text(path+".version", c.Version, LimitIdentifier, false)
	k.text(path+".display", c.Display, LimitLabel, false)
}

func (k *checker) preferred(path string, c Coding, sets ...string) {
	if c.Code == "" {
		return
	}
	for _, set := range sets {
		if member, _ := terminology.InValueSet(set, c.System, c.Code); member {
			return
		}
	}
	k.warn(path, RuleValueSet, "The code is not in WHO's preferred value set "+sets[0]+".", "Use a code of that value set if one fits.")
}

func (k *checker) country(path string, c Coding) {
	if c.IsZero() {
		k.missing(path)
		return
	}
	_, known := terminology.CountryByAlpha3(c.Code)
	switch {
	case c.System != terminology.SystemISO3166 || !known && !terminology.TestCountry(c.Code):
		k.fail(path, RuleCountry, "The code is no country of ISO 3166-1.", "Send the alpha-3 code under "+terminology.SystemISO3166+".")
	case !known:
		k.warn(path, RuleCountryTest, "The country code is user-assigned.", "Use it with test certificates only.")
	}
	if c.Version != "" || c.Display != "" {
		k.fail(path, RuleCountry, "The country has more than system and code.", "Call Normalize first.")
	}
}
