package hl7v2

import (
	"strconv"
	"strings"
)

// person is the patient of a message.
type person struct {
	patient

	id   string // of the resource inside the Bundle
	hcid string
	at   Location
}

func (p person) reference() reference { return reference{Reference: urn(p.id)} }

// genders translates table 0001.
var genders = map[string]string{"F": "female", "M": "male", "O": "other", "A": "other", "N": "other", "X": "other", "U": "unknown"}

// person reads PID. keepHCID leaves a Health Certificate ID among the identifiers.
func (c *converter) person(keepHCID bool) (person, bool) {
	all := c.all("PID")
	if len(all) != 1 {
		c.report(NewFinding(Location{Segment: "PID", Sequence: min(2, len(all)+1)}, CodeSequence, RuleStructure, "The message does not have exactly one PID segment.", "Send one message for each patient."))
		return person{}, false
	}
	pid := all[0]
	p := person{at: pid.At(0)}
	p.ResourceType = "Patient"
	c.identifiers(&p, pid, keepHCID)
	p.Name = official(c.names(pid.Repetitions(5)))
	if p.Name == nil {
		c.missing(pid.At(5), "The patient has no name.", "Send the name.")
	}
	p.BirthDate = c.date(pid.Field(7))
	p.Gender = c.gender(pid.Field(8))
	p.Address = c.addresses(pid.Repetitions(11))
	p.Telecom = append(c.telecoms(pid.Repetitions(13), "home"), c.telecoms(pid.Repetitions(14), "work")...)
	if pid.Repetitions(40) != nil { // v2.7 and later, in place of 13 and 14
		p.Telecom = c.telecoms(pid.Repetitions(40), "")
	}
	if language := c.coded(pid.Field(15)); !language.isZero() {
		p.Communication = []communication{{Language: language, Preferred: true}}
	}
	p.MaritalStatus = c.maritalStatus(pid.Field(16))
	c.birthOrder(&p, pid)
	c.death(&p, pid)
	p.id = c.patientID(p)
	return p, true
}

const systemMaritalStatus = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"

// maritalStatuses translates table 0002 to the codes that FHIR binds the element to.
var maritalStatuses = map[string]string{
	"B": "U", "C": "C", "D": "D", "E": "L", "I": "I", "M": "M", "N": "A", "P": "T", "R": "T", "S": "S", "W": "W",
}

// maritalStatus reads PID-16, with the translation ahead of what was sent.
func (c *converter) maritalStatus(v Value) *concept {
	status := c.tabled(v, "0002")
	for _, sent := range status.Coding {
		if code := maritalStatuses[sent.Code]; sent.System == table("0002") && code != "" {
			status.Coding = []coding{{System: systemMaritalStatus, Code: code}, sent}
		}
	}
	return status.orNil()
}

// identifiers reads PID-3 and, as v2.3 had it, PID-2.
func (c *converter) identifiers(p *person, pid Segment, keepHCID bool) {
	for _, v := range append(pid.Repetitions(3), pid.Repetitions(2)...) {
		id, ok := c.identifierOf(v)
		if !ok {
			continue
		}
		if c.isHCID(v) {
			p.hcid = first(p.hcid, id.Value)
			if !keepHCID {
				continue
			}
		}
		p.Identifier = append(p.Identifier, id)
	}
}

func (c *converter) isHCID(v Value) bool {
	return c.HCIDType != "" && (v.Component(5).Text() == c.HCIDType || v.Component(4).Sub(1).Text() == c.HCIDType)
}

// official puts the name for the certificate first: the legal one, else the first.
func official(names []humanName) []humanName {
	for i, n := range names {
		if n.Use == "official" {
			return append([]humanName{n}, append(names[:i:i], names[i+1:]...)...)
		}
	}
	return names
}

func (c *converter) gender(v Value) string {
	code := v.Component(1).Text()
	if code == "" {
		return ""
	}
	g, ok := genders[strings.ToUpper(code)]
	if !ok {
		c.report(NewFinding(v.At(), CodeTable, RuleCodes, "The sex is not one of HL7 table 0001.", "Send F, M, O, U, A, N or X."))
	}
	return g
}

// birthOrder reads PID-24 and PID-25.
func (c *converter) birthOrder(p *person, pid Segment) {
	order := pid.Field(25).Text()
	if n, err := strconv.Atoi(order); err == nil && n > 0 && n < 20 {
		p.MultipleBirthInteger = number(strconv.Itoa(n))
		return
	}
	p.MultipleBirthBoolean = c.yesNo(pid.Field(24))
}

// death reads PID-29 and PID-30.
func (c *converter) death(p *person, pid Segment) {
	if p.DeceasedDateTime = c.dateTime(pid.Field(29)); p.DeceasedDateTime == "" {
		p.DeceasedBoolean = c.yesNo(pid.Field(30))
	}
}

func (c *converter) yesNo(v Value) *bool {
	yes := v.Text() == "Y"
	if !yes && v.Text() != "N" {
		return nil
	}
	return &yes
}

// patientID names the resource by the patient's first identifier; without one by the
// message, as nothing else says who it is.
func (c *converter) patientID(p person) string {
	if len(p.Identifier) > 0 {
		return nameID("patient", p.Identifier[0].System, p.Identifier[0].Value)
	}
	h := c.message.Header
	return nameID("patient of message", c.Sender, h.Facility, h.ControlID)
}

// relatives reads NK1.
func (c *converter) relatives(p person) []entry {
	var out []entry
	for _, nk1 := range c.all("NK1") {
		r := relatedPerson{ResourceType: "RelatedPerson", Patient: p.reference(), Name: c.names(nk1.Repetitions(2)), Address: c.addresses(nk1.Repetitions(4))}
		if kind := c.tabled(nk1.Field(3), "0063"); !kind.isZero() {
			r.Relationship = []concept{kind}
		}
		r.Telecom = append(c.telecoms(nk1.Repetitions(5), "home"), c.telecoms(nk1.Repetitions(6), "work")...)
		if r.Name == nil && r.Relationship == nil {
			c.notKept(nk1.At(0), "The relative has neither name nor relationship and is not kept.")
			continue
		}
		r.ID = nameID("relative", p.id, strconv.Itoa(nk1.Sequence))
		out = append(out, entry{FullURL: urn(r.ID), Resource: r, at: nk1.At(0)})
	}
	return out
}
