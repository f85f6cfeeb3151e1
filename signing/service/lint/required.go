package lint

import (
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var required = Lint{
	ID:     "ddcc-required",
	For:    ddccs,
	Source: "DDCC IG, DDCCCoreDataSetVS and DDCCCoreDataSetTR cardinalities; who-ddcc-data-1",
	Blame:  fault.Rule,
	Check:  checkRequired,
}

func checkRequired(in Input) []Finding {
	c := in.Claims.DDCC
	var f missing
	f.text("name", c.Name)
	f.text("certificate.hcid", c.Certificate.HCID)
	f.text("certificate.issuer.code", c.Certificate.Issuer.Code)
	f.text("certificate.version", c.Certificate.Version)
	switch {
	case (c.Vaccination == nil) == (c.Test == nil):
		f.add("claims", "Exactly one of vaccination and test is needed.")
	case c.Vaccination != nil:
		f.vaccination(*c.Vaccination)
	default:
		f.test(*c.Test)
	}
	return f.found
}

type missing struct{ found []Finding }

func (m *missing) add(path, detail string) {
	m.found = append(m.found, Finding{Path: path, Detail: detail, Fix: "Supply the element."})
}

func (m *missing) text(path, value string) {
	if value == "" {
		m.add(path, "The element is required.")
	}
}

func (m *missing) coding(path string, c hcert.Coding) { m.text(path+".code", c.Code) }

func (m *missing) vaccination(v hcert.DDCCVaccination) {
	m.coding("vaccination.vaccine", v.Vaccine)
	m.coding("vaccination.brand", v.Brand)
	m.coding("vaccination.country", v.Country)
	m.text("vaccination.lot", v.Lot)
	m.text("vaccination.date", v.Date)
	if v.Dose < 1 {
		m.add("vaccination.dose", "The dose number must be 1 or more.")
	}
	if v.TotalDoses < 0 {
		m.add("vaccination.totalDoses", "The number of doses must be 1 or more, or absent.")
	}
	if v.Manufacturer == nil && v.MAHolder == nil {
		m.add("vaccination.manufacturer", "A manufacturer or a marketing authorization holder is required (who-ddcc-data-1).")
	}
}

func (m *missing) test(t hcert.DDCCTest) {
	m.coding("test.pathogen", t.Pathogen)
	m.coding("test.type", t.Type)
	m.coding("test.result", t.Result)
	m.coding("test.country", t.Country)
	m.text("test.date", t.Date)
}
