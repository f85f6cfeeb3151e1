package hl7v2

import (
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/ucum"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

const cvxNone = "998" // no vaccine administered

// extensionCountry is the country of the event, as DDCC's profiles have it.
const extensionCountry = "http://smart.who.int/ddcc/StructureDefinition/DDCCCountryOfEvent"

// dose converts one ORDER group.
func (c *converter) dose(g order, p person) Dose {
	rxa := g.rxa
	d := Dose{At: rxa.At(0), Outcome: c.outcome(rxa), Action: c.action(rxa)}
	r := &d.immunization
	r.ResourceType, r.Patient, r.Status = "Immunization", p.reference(), "completed"
	c.vaccine(&d, rxa)
	c.orderNumbers(&d, g)
	r.ID = c.doseID(g, p, r.Identifier)
	if r.OccurrenceDateTime = c.dateTime(rxa.Field(3)); rxa.Field(3).Text() == "" { // spaces, or parts behind nothing
		c.missing(rxa.At(3), "The dose has no time.", "Send when it was given.")
	}
	c.completion(&d, rxa)
	c.source(&d, rxa)
	r.DoseQuantity = c.amount(rxa)
	r.LotNumber, r.ExpirationDate = c.text(rxa.Field(15)), c.date(rxa.Field(16))
	r.Manufacturer = c.manufacturer(rxa.Field(17))
	c.performers(&d, g)
	c.facility(&d, rxa)
	r.Recorded = c.dateTime(rxa.Field(22))
	if r.Recorded == "" {
		r.Recorded = c.dateTime(g.orc.Field(9))
	}
	if g.rxr.Name != "" {
		r.Route, r.Site = c.tabled(g.rxr.Field(1), "0162").orNil(), c.tabled(g.rxr.Field(2), "0163").orNil()
	}
	c.observations(&d, g.observations)
	return d
}

// vaccine reads RXA-5: CVX first, as it is what receivers understand, then its translations.
func (c *converter) vaccine(d *Dose, rxa Segment) {
	v := rxa.Field(5)
	vaccine := c.coded(v)
	for i, x := range vaccine.Coding {
		if x.System == terminology.SystemCVX {
			vaccine.Coding[0], vaccine.Coding[i] = vaccine.Coding[i], vaccine.Coding[0]
			break
		}
	}
	d.immunization.VaccineCode = vaccine
	switch {
	case vaccine.isZero():
		c.missing(rxa.At(5), "The dose has no vaccine.", "Send the CVX code of the vaccine.")
	case len(vaccine.Coding) == 0:
		c.report(NewFinding(v.Component(3).At(), CodeTable, RuleCodes, "The vaccine has no code of a known system.", "Send a CVX code with CVX as its coding system."))
	case vaccine.Coding[0].System == terminology.SystemCVX && vaccine.Coding[0].Code == cvxNone:
		d.Outcome = NoVaccine
	}
}

// orderNumbers reads the filler's and the placer's number of the order (ORC-3, ORC-2).
func (c *converter) orderNumbers(d *Dose, g order) {
	if g.orc.Name == "" {
		return
	}
	for _, n := range []struct {
		field int
		kind  string
	}{{3, "FILL"}, {2, "PLAC"}} {
		if id, ok := c.entityIdentifier(g.orc.Field(n.field)); ok && id.Value != "9999" { // CDC: no order number
			kind := plain(table("0203"), n.kind)
			id.Type = &kind
			d.immunization.Identifier = append(d.immunization.Identifier, id)
		}
	}
}

// completion sets the status and why a dose was not given (RXA-18, table NIP002).
func (c *converter) completion(d *Dose, rxa Segment) {
	r := &d.immunization
	yes := true
	switch {
	case d.Action == Delete:
		r.Status = "entered-in-error"
	case d.Outcome == NotGiven || d.Outcome == NoVaccine:
		r.Status = "not-done"
	case d.Outcome == PartlyGiven:
		r.IsSubpotent = &yes
	}
	if r.Status == "not-done" {
		if reason := c.coded(rxa.Field(18)); !reason.isZero() {
			r.StatusReason = &reason
		} else if rxa.Field(20).Text() == "RE" {
			reason := plain("http://terminology.hl7.org/CodeSystem/v3-ActReason", "PATOBJ")
			r.StatusReason = &reason
		}
	}
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$`)

// amount reads RXA-6 and RXA-7; 999 stands for an unknown amount.
func (c *converter) amount(rxa Segment) *quantity {
	v := rxa.Field(6)
	text := v.Text()
	if text == "" || text == "999" {
		return nil
	}
	text = strings.TrimPrefix(text, "+")
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	if text = strings.TrimSuffix(text, "."); !decimal.MatchString(text) {
		c.report(NewFinding(v.At(), CodeDataType, RuleNumber, "The amount is no number.", "Send a decimal, or 999 when it is not known."))
		return nil
	}
	q := &quantity{Value: number(text)}
	if unit := c.coded(rxa.Field(7)); len(unit.Coding) > 0 && unit.Coding[0].System == systemUCUM && ucum.Valid(unit.Coding[0].Code) {
		q.System, q.Code, q.Unit = systemUCUM, unit.Coding[0].Code, first(unit.Coding[0].Display, unit.Coding[0].Code)
	} else {
		q.Unit = first(rxa.Field(7).Component(1).Text(), unit.Text)
	}
	return q
}

// manufacturer reads RXA-17: who made it, by MVX code and name.
func (c *converter) manufacturer(v Value) *reference {
	who := c.coded(v)
	if who.isZero() {
		return nil
	}
	r := &reference{Type: "Organization", Display: who.Text}
	if len(who.Coding) > 0 {
		r.Identifier = &identifier{System: who.Coding[0].System, Value: who.Coding[0].Code}
		r.Display = first(who.Coding[0].Display, who.Text)
	}
	return r
}

// performers reads who gave the dose (RXA-10) and who ordered it (ORC-12).
func (c *converter) performers(d *Dose, g order) {
	add := func(values []Value, role string) {
		for _, v := range values {
			if actor, ok := c.practitioner(v); ok {
				function := plain(table("0443"), role)
				d.immunization.Performer = append(d.immunization.Performer, performer{Function: &function, Actor: actor})
			}
		}
	}
	add(g.rxa.Repetitions(10), "AP")
	if g.orc.Name != "" {
		add(g.orc.Repetitions(12), "OP")
	}
}

// facility reads where the dose was given: RXA-11 (LA2) or, from v2.7 on, RXA-27 and RXA-28.
// Without a country there, that of the message counts (MSH-17).
func (c *converter) facility(d *Dose, rxa Segment) {
	la2, pl := rxa.Field(11), rxa.Field(27)
	name := c.text(la2.Component(4).Sub(1))
	country := c.text(la2.Component(14))
	if pl.Exists() {
		name = first(c.text(pl.Component(9)), c.text(pl.Component(4).Sub(1)), name)
		country = first(c.text(rxa.Field(28).Component(6)), country)
	}
	name = first(name, c.text(la2.Component(1)), c.text(pl.Component(1)))
	if name != "" {
		d.immunization.Location = &reference{Type: "Location", Display: name}
	}
	if country = first(country, c.message.Header.country); country != "" {
		d.immunization.Extension = append(d.immunization.Extension, extension{URL: extensionCountry, ValueCode: country})
	}
}
