package ccda

// immunizationStatus is HL7's map CF-ImmunizationStatus. What is active is not yet given.
var immunizationStatus = map[string]string{
	"completed": "completed", "nullified": "entered-in-error", "aborted": "not-done", "cancelled": "not-done",
	"held": "not-done", "new": "not-done", "obsolete": "not-done", "suspended": "not-done",
}

// immunization maps an Immunization Activity that took place, or did not.
func (c *converter) immunization(n *node) []*resource {
	status := immunizationStatus[n.child("statusCode").attr("code")]
	switch {
	case n.negated() && status != "entered-in-error":
		status = "not-done"
	case status == "":
		c.leave(n, RuleStatus, "The status of the vaccination is missing or not final; it is not converted.", "Send statusCode completed for a dose that was given.")
		return nil
	}
	if c.options.Vaccinations && status != "completed" {
		c.leave(n, RuleStatus, "The vaccination did not take place.", "Nothing to do.")
		return nil
	}
	product := n.child("consumable", "manufacturedProduct")
	material := product.child("manufacturedMaterial")
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", status)
	refusal := c.one(n, isTemplate(templateRefusal))
	if status == "not-done" {
		o.put("statusReason", c.concept(refusal.child("code")))
	}
	o.put("vaccineCode", c.product(material)).put("patient", referTo(c.patient))
	c.occurrence(o, n)
	o.put("recorded", c.recorded(n))
	c.vaccinator(o, n)
	c.lot(o, product, material)
	o.put("site", c.concept(n.child("approachSiteCode"))).put("route", c.concept(n.child("routeCode")))
	o.put("doseQuantity", c.dose(n))
	c.givers(o, n)
	c.comments(o, n)
	for _, reason := range c.linked(n, isTemplate(templateIndication)) {
		o.add("reasonCode", c.concept(reason.child("value")))
	}
	c.vaccineReactions(o, n)
	c.series(o, n)
	return []*resource{c.event("Immunization", n, o)}
}

// product names a material: its code, or what it is called.
func (c *converter) product(material *node) *object {
	code := c.concept(material.child("code"))
	if name := joined(parts(material.all("name"))); name != "" && !empty(code) && !code.has("text") {
		code.put("text", name)
	} else if name != "" && empty(code) {
		return newObject().put("text", name)
	}
	if empty(code) {
		return absent(material.child("code"))
	}
	return code
}

func (c *converter) occurrence(o *object, n *node) {
	for _, at := range n.all("effectiveTime") {
		if text := c.pointIn(at); text != "" {
			o.put("occurrenceDateTime", text)
			return
		}
	}
	o.put("_occurrenceDateTime", absent(n.child("effectiveTime")))
}

// recorded is when a statement was written down first, without its authors.
func (c *converter) recorded(n *node) string {
	var first string
	for _, author := range n.all("author") {
		if at := c.dateTime(author.child("time")); at != "" && (first == "" || after(first, at)) {
			first = at
		}
	}
	return first
}

// vaccinator is where the dose was given.
func (c *converter) vaccinator(o *object, n *node) {
	for _, place := range c.places(n) {
		if !o.has("location") {
			location := referTo(place)
			if name, _ := place.body.get("name").(string); name != "" {
				location.put("display", name)
			}
			o.put("location", location)
		}
	}
}

// lot maps manufacturer, lot and expiry.
func (c *converter) lot(o *object, product, material *node) {
	if maker := c.organization(product.child("manufacturerOrganization")); maker != nil {
		name, _ := maker.body.get("name").(string)
		ref := referTo(maker)
		if id := firstIdentifier(maker.body); id != nil {
			ref.put("identifier", id)
		}
		o.put("manufacturer", ref.put("display", name))
	}
	o.put("lotNumber", c.text(material.child("lotNumberText")))
	o.put("expirationDate", c.date(material.ext("expirationTime")))
}

// dose is a doseQuantity that is one number.
func (c *converter) dose(n *node) *object {
	q := n.child("doseQuantity")
	if q == nil || q.attr("value") == "" {
		return nil
	}
	return c.quantity(q)
}

// givers are who gave the dose: the person, and the organisation as a performer of its
// own, as a certificate names the person alone.
func (c *converter) givers(o *object, n *node) {
	for _, p := range n.all("performer") {
		entity := p.child("assignedEntity")
		function := concept(coding("http://terminology.hl7.org/CodeSystem/v2-0443", "AP", "Administering Provider"))
		if person := c.practitioner(entity); person != nil {
			o.add("performer", newObject().put("function", function).put("actor", referTo(person)))
		}
		if organization := c.organization(entity.child("representedOrganization")); organization != nil {
			o.add("performer", newObject().put("actor", referTo(organization).put("type", "Organization")))
		}
	}
}

// vaccineReactions are Observations that the Immunization points to.
func (c *converter) vaccineReactions(o *object, n *node) {
	for _, s := range c.linked(n, isTemplate(templateReaction)) {
		if c.options.Vaccinations { // each Observation would be read as a test
			c.leave(s, RuleNotKept, "Reactions were left out.", "Nothing to do.")
			continue
		}
		started := c.pointIn(s.child("effectiveTime"))
		detail := newObject().put("identifier", c.identifiers(s.all("id"))).put("status", c.observed(s)).
			put("code", c.required(s.child("code"))).put("subject", referTo(c.patient)).put("effectiveDateTime", started)
		c.value(detail, s.child("value"))
		r := c.event("Observation", s, detail)
		o.add("reaction", newObject().put("date", started).put("detail", referTo(r)))
	}
}

// series is the number of the dose: of the series observation, or the repeatNumber.
func (c *converter) series(o *object, n *node) {
	number := positive(c.one(n, isEither("30973-2", templateSeries)).child("value").attr("value"))
	doses := positive(c.one(n, isEither("59782-3")).child("value").attr("value"))
	repeat := n.child("repeatNumber")
	if number == 0 {
		if number = positive(repeat.attr("value")); number == 0 && repeat.says() {
			c.note(repeat, RuleValue, "The dose number is not a whole number from 1 on and is not kept.", "Send repeatNumber as an INT.")
		}
	}
	if number == 0 {
		return
	}
	protocol := newObject().put("doseNumberPositiveInt", integer(number))
	if doses >= number {
		protocol.put("seriesDosesPositiveInt", integer(doses))
	}
	o.add("protocolApplied", protocol)
}
