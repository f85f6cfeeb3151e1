package ccda

import (
	"bytes"
	"strings"
)

// encounterStatus is HL7's map CF-EncounterStatus.
var encounterStatus = map[string]string{
	"completed": "finished", "active": "in-progress", "cancelled": "cancelled", "held": "planned",
	"suspended": "onleave", "nullified": "entered-in-error", "aborted": "unknown", "new": "unknown",
}

// actEncounters are the codes of v3 ActEncounterCode that are classes.
var actEncounters = map[string]string{
	"AMB": "ambulatory", "EMER": "emergency", "FLD": "field", "HH": "home health", "IMP": "inpatient encounter", "ACUTE": "inpatient acute",
	"NONAC": "inpatient non-acute", "OBSENC": "observation encounter", "PRENC": "pre-admission", "SS": "short stay", "VR": "virtual",
}

// classWords are how codes and names of other systems begin (the seeds' table).
var classWords = []struct{ prefix, class string }{
	{"amb", "AMB"}, {"out", "AMB"}, {"off", "AMB"}, {"inp", "IMP"}, {"eme", "EMER"}, {"hom", "HH"}, {"vir", "VR"}, {"tel", "VR"}, {"fie", "FLD"},
}

// visitClasses are the ranges of CPT's evaluation and management codes.
var visitClasses = []struct{ from, to, class string }{
	{"99202", "99215", "AMB"}, {"99221", "99223", "IMP"}, {"99231", "99239", "IMP"}, {"99241", "99245", "AMB"},
	{"99281", "99288", "EMER"}, {"99341", "99350", "HH"}, {"99381", "99397", "AMB"}, {"99421", "99443", "VR"},
}

// visit maps an Encounter Activity.
func (c *converter) visit(n *node) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The encounter is negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", c.visited(n))
	code := n.child("code")
	o.put("class", class(code)).add("type", c.concept(code)).put("subject", referTo(c.patient))
	for _, p := range n.all("performer") {
		c.participant(o, p.child("assignedEntity"), "")
	}
	o.put("period", c.period(n.child("effectiveTime")))
	for _, reason := range c.linked(n, isTemplate(templateIndication)) {
		o.add("reasonCode", c.concept(reason.child("value")))
	}
	var found []*resource
	for _, act := range c.linked(n, isTemplate(templateDiagnosis)) {
		found = append(found, c.diagnosis(act)...)
	}
	for _, r := range found {
		o.add("diagnosis", newObject().put("condition", referTo(r)))
	}
	c.discharge(o, n)
	for _, place := range c.places(n) {
		o.add("location", newObject().put("location", referTo(place)))
	}
	r := c.party("Encounter", n, o)
	if r.body != o { // the encompassing encounter, of which the header says less
		r.body.sharpen(o, "status", "unknown")
		r.body.sharpen(o, "class", class(nil))
	}
	return append([]*resource{r}, found...)
}

// sharpen takes a member of other where o only says that it is not known.
func (o *object) sharpen(other *object, name string, unknown any) {
	if value := other.get(name); !empty(value) && bytes.Equal(appendJSON(nil, o.get(name)), appendJSON(nil, unknown)) {
		o.put(name, value)
	}
}

// visited is the status; an encounter that took place and names no status is finished once
// its time is past.
func (c *converter) visited(n *node) string {
	status := n.child("statusCode")
	if status == nil && past(n.child("effectiveTime")) {
		return "finished"
	}
	return firstOf(encounterStatus[status.attr("code")], "unknown")
}

// past reports a time that is over: a point, or an interval with an end.
func past(n *node) bool { return n.attr("value") != "" || n.child("high").attr("value") != "" }

// class finds the class of an encounter: a code of ActEncounterCode, a range of CPT, or
// how the code or its name begins; unknown else.
func class(n *node) *object {
	if code := codeIn(n, "2.16.840.1.113883.5.4"); actEncounters[code] != "" {
		return coding(systemActCode, code, actEncounters[code])
	}
	if code := codeIn(n, "2.16.840.1.113883.6.12"); len(code) == 5 {
		for _, r := range visitClasses {
			if code >= r.from && code <= r.to {
				return coding(systemActCode, r.class, actEncounters[r.class])
			}
		}
	}
	for _, text := range []string{n.attr("code"), n.attr("displayName")} {
		for _, w := range classWords {
			if strings.HasPrefix(strings.ToLower(text), w.prefix) {
				return coding(systemActCode, w.class, actEncounters[w.class])
			}
		}
	}
	return coding(systemNullFlavor, "UNK", "unknown")
}

func (c *converter) participant(o *object, entity *node, typeCode string) {
	who := c.practice(entity)
	if !c.fits(who, entity, "Practitioner", "PractitionerRole") {
		return
	}
	participant := newObject()
	if typeCode != "" {
		participant.add("type", concept(coding(systemV3+"ParticipationType", typeCode, "")))
	}
	o.add("participant", participant.put("individual", referTo(who)))
}

func (c *converter) discharge(o *object, n *node) {
	disposition := n.ext("dischargeDispositionCode")
	if disposition == nil {
		disposition = n.child("dischargeDispositionCode")
	}
	if code := c.concept(disposition); !empty(code) {
		o.put("hospitalization", newObject().put("dischargeDisposition", code))
	}
}

// encompassing maps the encounter in which the document was made.
func (c *converter) encompassing(n *node) *resource {
	if n == nil {
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	status := "unknown"
	if past(n.child("effectiveTime")) {
		status = "finished"
	}
	code := n.child("code")
	o.put("status", status).put("class", class(code)).add("type", c.concept(code)).put("subject", referTo(c.patient))
	if responsible := n.child("responsibleParty", "assignedEntity"); responsible != nil {
		c.participant(o, responsible, "")
	}
	for _, p := range n.all("encounterParticipant") {
		c.participant(o, p.child("assignedEntity"), p.attr("typeCode"))
	}
	o.put("period", c.period(n.child("effectiveTime")))
	c.discharge(o, n)
	facility := n.child("location", "healthCareFacility")
	if place := c.location(facility, facility.child("location")); place != nil {
		o.add("location", newObject().put("location", referTo(place)))
	}
	o.put("serviceProvider", referTo(c.organization(facility.child("serviceProviderOrganization"))))
	return c.party("Encounter", n, o)
}
