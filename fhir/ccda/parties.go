package ccda

import "slices"

// organization maps an organisation; nil stays nil.
func (c *converter) organization(n *node) *resource {
	if n == nil {
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	o.add("type", c.concept(n.child("standardIndustryClassCode")))
	o.put("name", joined(parts(n.all("name"))))
	o.put("telecom", notHome(c.telecoms(n.all("telecom")))).put("address", notHome(c.addresses(n.all("addr"))))
	if !o.has("identifier") && !o.has("name") { // org-1
		return nil
	}
	return c.party("Organization", n, o)
}

// notHome drops a use that an organisation's addresses must not have (org-2, org-3).
func notHome(list []*object) []*object {
	for _, o := range list {
		if o.get("use") == "home" {
			o.drop("use")
		}
	}
	return list
}

// practitioner maps an assigned person: a Practitioner.
func (c *converter) practitioner(n *node) *resource {
	if n == nil {
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	person := n.child("assignedPerson")
	if person == nil {
		person = n.child("relatedPerson")
	}
	o.put("name", c.names(person.all("name")))
	if !o.has("name") && !o.has("identifier") {
		return nil
	}
	o.put("telecom", c.telecoms(n.all("telecom"))).put("address", c.addresses(n.all("addr")))
	return c.party("Practitioner", n, o)
}

// practice maps an assigned entity or author to whom FHIR refers: the patient, a
// PractitionerRole when code or organisation say more about the person, the person, a
// device or an organisation.
func (c *converter) practice(n *node) *resource {
	if n == nil {
		return nil
	}
	if c.isPatient(n) {
		n.child("assignedPerson").spend()
		return c.patient
	}
	if device := n.child("assignedAuthoringDevice"); device != nil {
		return c.device(n, device)
	}
	organization := c.organization(n.child("representedOrganization"))
	person := c.practitioner(n)
	code := c.concept(n.child("code"))
	switch {
	case person == nil:
		return organization
	case organization == nil && empty(code):
		return person
	}
	role := newObject().put("practitioner", referTo(person)).put("organization", referTo(organization))
	return c.party("PractitionerRole", n, role.add("code", code))
}

// isPatient reports that the person is the patient.
func (c *converter) isPatient(n *node) bool {
	if c.patient == nil {
		return false
	}
	mine, _ := c.patient.body.get("identifier").([]*object)
	for _, id := range c.identifiers(n.all("id")) {
		for _, other := range mine {
			if id.get("system") == other.get("system") && id.get("value") == other.get("value") {
				return true
			}
		}
	}
	return false
}

// device maps an authoring device; what only holds an identifier of a software is one too.
func (c *converter) device(assigned, n *node) *resource {
	o := newObject().put("identifier", c.identifiers(assigned.all("id")))
	if model := c.text(n.child("manufacturerModelName")); model != "" {
		o.add("deviceName", newObject().put("name", model).put("type", "model-name"))
	}
	if software := c.text(n.child("softwareName")); software != "" {
		o.add("deviceName", newObject().put("name", software).put("type", "other"))
	}
	o.put("type", c.concept(n.child("code")))
	o.put("owner", referTo(c.organization(assigned.child("representedOrganization"))))
	return c.party("Device", assigned, o)
}

// location maps a participant of type LOC, or a health care facility.
func (c *converter) location(role, place *node) *resource {
	if role == nil {
		return nil
	}
	o := newObject().put("identifier", c.identifiers(role.all("id")))
	o.put("name", firstOf(joined(parts(place.all("name"))), label(c.concept(role.child("code")))))
	o.add("type", c.concept(role.child("code")))
	o.put("telecom", c.telecoms(role.all("telecom")))
	list := c.addresses(append(role.all("addr"), place.all("addr")...))
	if len(list) > 0 {
		o.put("address", list[0])
	}
	if o.has("type") && len(o.members) == 1 {
		return nil
	}
	o.put("managingOrganization", referTo(c.organization(role.child("serviceProviderOrganization"))))
	return c.party("Location", role, o)
}

// places are the locations among the participants of a statement.
func (c *converter) places(n *node) []*resource {
	var out []*resource
	for _, p := range n.kids {
		if !p.is("participant") || p.attr("typeCode") != "LOC" {
			continue
		}
		p.used = true
		role := p.child("participantRole")
		if place := c.location(role, role.child("playingEntity")); place != nil {
			out = append(out, place)
		}
	}
	return out
}

// authors are who wrote a statement, and when first.
func (c *converter) authors(n *node) (who []*resource, recorded string) {
	for _, author := range n.all("author") {
		at := c.dateTime(author.child("time"))
		if recorded == "" || at != "" && after(recorded, at) {
			recorded = at
		}
		if one := c.practice(author.child("assignedAuthor")); one != nil {
			who = append(who, one)
		}
	}
	return who, recorded
}

// author is the one author of a statement whose resource has room for one.
func (c *converter) author(n *node, kinds ...string) (*object, string) {
	who, recorded := c.authors(n)
	for _, one := range who {
		if c.fits(one, n.child("author"), kinds...) {
			return referTo(one), recorded
		}
	}
	return nil, recorded
}

// fits reports that FHIR allows a reference to r; where it does not, that is an issue.
func (c *converter) fits(r *resource, at *node, kinds ...string) bool {
	if r == nil {
		return false
	}
	if !slices.Contains(kinds, r.kind) {
		c.note(at, RuleNotKept, "The participant is of a kind that the resource cannot refer to.", "Nothing to do.")
		return false
	}
	return true
}

// people are whom most references of FHIR allow.
var people = []string{"Practitioner", "PractitionerRole", "Patient"}

// professionals are whom references to those who did something allow everywhere.
var professionals = []string{"Practitioner", "PractitionerRole", "Organization"}

// performers are those who did what a statement says.
func (c *converter) performers(n *node, kinds ...string) []*resource {
	var out []*resource
	for _, p := range n.all("performer") {
		if one := c.practice(p.child("assignedEntity")); c.fits(one, p, kinds...) {
			out = append(out, one)
		}
	}
	return out
}
