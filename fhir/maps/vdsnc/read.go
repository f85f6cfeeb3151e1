package vdsnc

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Read gives one reading for each dose of a proof of vaccination, in the order of the
// seal, and one for a proof of testing. Content is data, the object that is signed, with
// hdr and msg. There is always a reading: a seal without an event has one that says so.
//
// A vaccine's name becomes the product ICAO's list of names has for it and stays as its
// display. The report time, the provider's contact and a second document are not kept.
// ICAO's seal names no pathogen; it was made for SARS-CoV-2 (DDCC IG, CertICAOtoCoreDataSet).
func Read(s maps.Source) []maps.Reading {
	tree, ok := foreign.Tree(s.Content)
	if !ok {
		return foreign.TooMany("data")
	}
	data := element.Root("data", tree, new(element.Log))
	switch data.Child("hdr").Child("t").Text() {
	case vdsnc.TypeVaccination:
		return readVaccinations(s, tree)
	case vdsnc.TypeTest:
		return []maps.Reading{readTest(s, tree)}
	default:
		return foreign.Unreadable("data.hdr.t", foreign.RuleEvents,
			"The seal is neither a proof of vaccination nor a proof of testing.", "Send a seal of type icao.vacc or icao.test.")
	}
}

func readVaccinations(s maps.Source, tree *jsontree.Value) []maps.Reading {
	type place struct{ event, dose int }
	var places []place
	for i, event := range message(tree, new(element.Log)).Child("ve").List() {
		for j := range event.Child("vd").List() {
			places = append(places, place{i, j})
		}
		if i >= foreign.MaxEvents || len(places) > foreign.MaxEvents {
			return foreign.TooMany("data.msg.ve")
		}
	}
	if len(places) == 0 {
		return foreign.NoEvent("data.msg.ve")
	}
	out := make([]maps.Reading, len(places))
	for n, at := range places {
		out[n] = readDose(s, tree, at.event, at.dose)
	}
	return out
}

func message(tree *jsontree.Value, log *element.Log) *element.Element {
	return element.Root("data", tree, log).Child("msg")
}

// readDose reads one dose of one vaccine, with issues of its own.
func readDose(s maps.Source, tree *jsontree.Value, i, j int) maps.Reading {
	var log element.Log
	core := header(s, tree, &log, "uvci")
	event := message(tree, &log).Child("ve").List()[i]
	dose := event.Child("vd").List()[j]
	core.Vaccination = &fhir.Vaccination{
		Vaccine:  icd11(event.Child("des")),
		Brand:    foreign.Brand(event.Child("nam")),
		Disease:  icd11(event.Child("dis")),
		Date:     foreign.Day(dose.Child("dvc")),
		Dose:     foreign.Count(dose.Child("seq")),
		Country:  foreign.Country(dose.Child("ctr")),
		Centre:   foreign.Text(dose.Child("adm"), fhir.LimitCentre),
		Lot:      foreign.Text(dose.Child("lot"), fhir.LimitLot),
		NextDose: foreign.Day(dose.Child("dvn")),
	}
	foreign.Required(event.Child("des"), core.Vaccination.Vaccine.Code)
	foreign.Required(dose.Child("dvc"), core.Vaccination.Date)
	foreign.Model(&core)
	return maps.Reading{Core: core, Issues: log.Issues}
}

func readTest(s maps.Source, tree *jsontree.Value) maps.Reading {
	var log element.Log
	core := header(s, tree, &log, "utci")
	msg := message(tree, &log)
	result, provider := msg.Child("tr"), msg.Child("sp")
	core.Test = &fhir.Test{
		Pathogen: fhir.Coding{System: terminology.SystemICD11, Code: codeSARSCoV2},
		Type:     foreign.Word(result.Child("tc"), terminology.SystemICAOType, terminology.MapTestTypeFromICAO),
		Origin:   foreign.Word(result.Child("m"), terminology.SystemICAOOrigin, terminology.MapOriginFromICAO),
		Result:   foreign.Word(result.Child("r"), terminology.SystemICAOResult, terminology.MapTestResultFromICAO),
		Date:     foreign.DateTime(msg.Child("dat").Child("sc")),
		Centre:   foreign.Label(provider.Child("spn")),
		Country:  foreign.Country(provider.Child("ctr")),
	}
	foreign.Required(result.Child("tc"), core.Test.Type.Code)
	foreign.Required(result.Child("r"), core.Test.Result.Code)
	foreign.Required(msg.Child("dat").Child("sc"), core.Test.Date)
	foreign.Model(&core)
	return maps.Reading{Core: core, Issues: log.Issues}
}

// header reads the holder and the certificate, id being the member that has its id.
func header(s maps.Source, tree *jsontree.Value, log *element.Log, id string) fhir.CoreDataSet {
	data := element.Root("data", tree, log)
	msg := data.Child("msg")
	person := msg.Child("pid")
	core := fhir.CoreDataSet{
		Name:       foreign.Name(person.Child("n")),
		BirthDate:  foreign.Date(person.Child("dob")),
		Sex:        foreign.Sex(person.Child("sex")),
		Identifier: document(person),
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: s.Issuer},
			HCID:   foreign.Text(msg.Child(id), fhir.LimitHCID),
		},
	}
	if v := data.Child("hdr").Child("v"); v.Exists() && v.Value().Kind == jsontree.Number {
		core.Certificate.Version = v.Value().Text
	}
	return core
}

// document reads the number of the document the seal goes with, and its kind as the
// system of the number, where HL7 table 0203 has one.
func document(person *element.Element) *fhir.Identifier {
	if number := foreign.Identifier(person.Child("i")); number != "" {
		return &fhir.Identifier{Value: number}
	}
	number := foreign.Identifier(person.Child("dn"))
	if number == "" {
		return nil
	}
	kind := person.Child("dt")
	code, known := documentKinds[kind.Text()]
	if !known {
		kind.Note(fault.SeverityWarning, foreign.RuleUntranslated, "No table has this kind of document; the number stays without it.",
			"Supply the system of the number.")
		return &fhir.Identifier{Value: number}
	}
	return &fhir.Identifier{System: systemDocument + code, Value: number}
}

// icd11 reads an ICD-11 code. ICAO's members have no room for another system.
func icd11(e *element.Element) fhir.Coding {
	code := foreign.Identifier(e)
	if code == "" {
		return fhir.Coding{}
	}
	return fhir.Coding{System: terminology.SystemICD11, Code: code}
}
