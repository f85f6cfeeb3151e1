package hl7v2

import (
	"encoding/hex"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// ReadAdmission converts an ADT message whose event CheckEvent knows to a transaction Bundle:
// the Patient, the Encounter where the event has one, and the allergies and diagnoses. Each
// replaces the one with the same identifier, so that the same message again changes nothing.
// places says of each entry which segment it is from.
func ReadAdmission(m Message, o Options) (raw []byte, places []Location, findings []Finding) {
	c := newConverter(m, o)
	c.record = true
	e, known := events[m.Header.Event]
	p, ok := c.person(true)
	if !known || !ok {
		return nil, nil, c.findings
	}
	if len(p.Identifier) == 0 {
		c.missing(p.at, "The patient has no identifier.", "Send the patient's number with its assigning authority in PID-3.")
		return nil, nil, c.findings
	}
	active := e.person != personDelete
	p.Active = &active
	b := bundle{Type: "transaction", Entry: []entry{{
		FullURL: urn(p.id), Resource: p.patient, Request: replace("Patient", p.Identifier[0]), at: p.at,
	}}}
	visit := c.visit(&b, e, p)
	b.Entry = append(b.Entry, c.allergies(p)...)
	b.Entry = append(b.Entry, c.diagnoses(p, visit)...)
	raw, places = b.encode()
	return raw, places, c.findings
}

// visit adds the Encounter and gives the reference to it; nil without one.
func (c *converter) visit(b *bundle, e event, p person) *reference {
	all := c.all("PV1")
	switch {
	case e.status == "" || len(all) == 1 && all[0].Field(2).Text() == "N":
		return nil
	case len(all) != 1:
		c.report(NewFinding(Location{Segment: "PV1", Sequence: min(2, len(all)+1)}, CodeSequence, RuleStructure, "The message does not have exactly one PV1 segment.", "Send the visit that the event is about."))
		return nil
	}
	pv1 := all[0]
	id, ok := c.visitNumber(pv1)
	if !ok {
		c.missing(pv1.At(19), "The visit has no number.", "Send the visit number in PV1-19, or the account number in PID-18.")
		return nil
	}
	r := encounter{ResourceType: "Encounter", Identifier: []identifier{id}, Subject: p.reference()}
	if alternate, ok := c.identifierOf(pv1.Field(50)); ok {
		r.Identifier = append(r.Identifier, alternate)
	}
	c.stay(&r, pv1, e)
	c.attending(&r, pv1)
	c.locations(&r, pv1, e)
	full := urn(nameID("visit", id.System, id.Value))
	b.Entry = append(b.Entry, entry{FullURL: full, Resource: r, Request: replace("Encounter", id), at: pv1.At(0)})
	return &reference{Reference: full}
}

// visitNumber is PV1-19, else the account of the patient (PID-18).
func (c *converter) visitNumber(pv1 Segment) (identifier, bool) {
	if id, ok := c.identifierOf(pv1.Field(19)); ok {
		return id, true
	}
	return c.identifierOf(c.all("PID")[0].Field(18))
}

const systemActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

// classes translates patient classes (table 0004); others stay in their own table, which the
// binding of Encounter.class allows.
var classes = map[string]coding{
	"I": {System: systemActCode, Code: "IMP", Display: "inpatient encounter"},
	"O": {System: systemActCode, Code: "AMB", Display: "ambulatory"},
	"E": {System: systemActCode, Code: "EMER", Display: "emergency"},
	"P": {System: systemActCode, Code: "PRENC", Display: "pre-admission"},
	"R": {System: systemActCode, Code: "AMB", Display: "ambulatory"}, // recurring
}

// stay reads what kind of visit it is, and from when to when.
func (c *converter) stay(r *encounter, pv1 Segment, e event) {
	class := pv1.Field(2)
	switch code := class.Component(1).Text(); {
	case code == "":
		c.missing(class.At(), "The visit has no class.", "Send the patient class.")
	case classes[code].Code != "":
		r.Class = classes[code]
	default:
		r.Class = coding{System: table("0004"), Code: code}
	}
	when := c.stayed(pv1, e)
	r.Period, r.Status = when.orNil(), string(e.status)
	if e.status == byContent {
		r.Status = string(statusOf(when, r.Class.Code))
	}
	if kind := c.tabled(pv1.Field(4), "0007"); !kind.isZero() {
		r.Type = []concept{kind}
	}
	r.ServiceType = c.tabled(pv1.Field(10), "0069").orNil()
	source, disposition := c.tabled(pv1.Field(14), "0023").orNil(), c.tabled(pv1.Field(36), "0112").orNil()
	if source != nil || disposition != nil {
		r.Hospitalization = &stay{AdmitSource: source, DischargeDisposition: disposition}
	}
	for _, pv2 := range c.all("PV2") {
		if reason := c.coded(pv2.Field(3)); !reason.isZero() {
			r.ReasonCode = append(r.ReasonCode, reason)
		}
	}
}

// stayed reads from when to when a visit is.
func (c *converter) stayed(pv1 Segment, e event) period {
	start, end := pv1.Field(44), pv1.Field(45)
	when := period{Start: c.dateTime(start), End: c.dateTime(end)}
	if e.cancel {
		when.End = ""
	}
	from, to, ordered := fhir.PeriodEnds(when.Start, when.End)
	switch {
	case !ordered:
		c.report(NewFinding(end.At(), CodeDataType, RuleTime, "The visit ends before it begins.", "Correct PV1-44 or PV1-45."))
	case from != when.Start || to != when.End:
		c.report(NewFinding(end.At(), CodeDataType, RuleTime, "Beginning and end are not equally exact; both are kept as exact as the other.",
			"Send both with time and offset, or neither.").As(fault.SeverityInformation))
	}
	return period{Start: from, End: to}
}

// statusOf is the state of a visit whose update does not say it.
func statusOf(when period, class string) encounterStatus {
	switch {
	case when.End != "":
		return finished
	case when.Start != "":
		return inProgress
	case class == "PRENC":
		return planned
	}
	return "unknown"
}

const systemParticipation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

// attending reads who takes part.
func (c *converter) attending(r *encounter, pv1 Segment) {
	for _, role := range []struct {
		field int
		code  string
	}{{7, "ATND"}, {8, "REF"}, {9, "CON"}, {17, "ADM"}} {
		for _, v := range pv1.Repetitions(role.field) {
			if who, ok := c.practitioner(v); ok {
				r.Participant = append(r.Participant, participant{Type: []concept{plain(systemParticipation, role.code)}, Individual: who})
			}
		}
	}
}

// locations reads where the patient is (PV1-3), was (PV1-6) and will be (PV1-42).
func (c *converter) locations(r *encounter, pv1 Segment, e event) {
	current := "active"
	switch e.status {
	case finished, cancelled, enteredInError:
		current = "completed"
	case planned:
		current = "planned"
	case inProgress, onLeave, byContent:
	}
	for _, at := range []struct {
		field  int
		status string
	}{{3, current}, {6, "completed"}, {42, "planned"}} {
		if name := c.placeName(pv1.Field(at.field)); name != "" {
			r.Location = append(r.Location, place{Location: reference{Type: "Location", Display: name}, Status: at.status})
		}
	}
}

// placeName reads a PL: its description, or facility, building, floor, point of care, room
// and bed.
func (c *converter) placeName(v Value) string {
	if text := c.text(v.Component(9)); text != "" {
		return text
	}
	name := ""
	for _, n := range []int{4, 7, 8, 1, 2, 3} {
		if part := v.Component(n).Text(); part != "" {
			if name != "" {
				name += ", "
			}
			name += part
		}
	}
	return name
}

// allergyKinds translates AL1-2 (table 0127).
var allergyKinds = map[string]string{"DA": "medication", "FA": "food", "EA": "environment", "PA": "environment", "AA": "environment", "LA": "environment"}

// severities translates AL1-4 (table 0128).
var severities = map[string]string{"SV": "high", "MO": "unable-to-assess", "MI": "low"}

const systemAllergyClinical = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"

// allergies reads AL1. An allergy is found again by the person and what it is against, as
// AL1 has no number of its own.
func (c *converter) allergies(p person) []entry {
	var out []entry
	for _, al1 := range c.all("AL1") {
		code := c.coded(al1.Field(3))
		if code.isZero() {
			c.missing(al1.At(3), "The allergy does not say against what.", "Send the code or the words.")
			continue
		}
		r := allergy{
			ResourceType: "AllergyIntolerance", ClinicalStatus: plain(systemAllergyClinical, "active"), Code: code, Patient: p.reference(),
			Criticality: severities[al1.Field(4).Component(1).Text()], OnsetDateTime: c.date(al1.Field(6)),
		}
		if kind := allergyKinds[al1.Field(2).Component(1).Text()]; kind != "" {
			r.Category = []string{kind}
		}
		for _, v := range al1.Repetitions(5) {
			if text := c.text(v); text != "" {
				r.Reaction = append(r.Reaction, reaction{Manifestation: []concept{{Text: text}}})
			}
		}
		id, again := c.derived("allergy", p, code)
		if again {
			c.notKept(al1.At(0), "The allergy is there twice; the first is kept.")
			continue
		}
		r.Identifier = []identifier{id}
		out = append(out, entry{FullURL: urn(nameID(id.System, id.Value)), Resource: r, Request: replace(r.ResourceType, id), at: al1.At(0)})
	}
	return out
}

const (
	systemConditionCategory = "http://terminology.hl7.org/CodeSystem/condition-category"
	systemVerification      = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
	systemConditionClinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
)

// diagnoses reads DG1. A diagnosis is found again by the person, the visit and the code.
func (c *converter) diagnoses(p person, visit *reference) []entry {
	var out []entry
	for _, dg1 := range c.all("DG1") {
		code := c.coded(dg1.Field(3))
		if code.isZero() {
			code.Text = c.text(dg1.Field(4))
		}
		if code.isZero() {
			c.missing(dg1.At(3), "The diagnosis has neither a code nor words.", "Send one of them.")
			continue
		}
		r := condition{
			ResourceType: "Condition", Category: []concept{plain(systemConditionCategory, "encounter-diagnosis")}, Code: code,
			Subject: p.reference(), Encounter: visit, RecordedDate: c.dateTime(dg1.Field(5)),
		}
		if dg1.Field(21).Text() == "D" {
			r.VerificationStatus = plain(systemVerification, "entered-in-error").orNil()
		} else {
			r.ClinicalStatus = plain(systemConditionClinical, "active").orNil()
		}
		where := ""
		if visit != nil {
			where = visit.Reference
		}
		id, again := c.derived("diagnosis"+where, p, code)
		if again {
			c.notKept(dg1.At(0), "The diagnosis is there twice; the first is kept.")
			continue
		}
		r.Identifier = []identifier{id}
		out = append(out, entry{FullURL: urn(nameID(id.System, id.Value)), Resource: r, Request: replace(r.ResourceType, id), at: dg1.At(0)})
	}
	return out
}

// derived makes the identifier of what has none of its own; again is true for one that the
// message has already.
func (c *converter) derived(kind string, p person, what concept) (id identifier, again bool) {
	parts := []string{kind, p.id, what.Text, strconv.Itoa(len(what.Coding))}
	for _, x := range what.Coding {
		parts = append(parts, x.System, x.Code)
	}
	id = identifier{System: c.authority(derivedName, "", ""), Value: hex.EncodeToString(digest(parts...)[:16])}
	c.named[id.Value]++
	return id, c.named[id.Value] > 1
}

// derivedName is the local name under which derived identifiers stand.
const derivedName = "derived"
