package ccda

// Statuses of medication resources (v3 ActStatus), after CF-MedicationStatus.
var (
	statementStatus = map[string]string{
		"active": "active", "completed": "completed", "aborted": "stopped", "suspended": "on-hold", "held": "on-hold",
		"nullified": "entered-in-error", "cancelled": "not-taken", "new": "intended",
	}
	requestStatus = map[string]string{
		"active": "active", "completed": "completed", "aborted": "stopped", "suspended": "on-hold", "held": "on-hold",
		"nullified": "entered-in-error", "cancelled": "cancelled", "new": "draft",
	}
	dispenseStatus = map[string]string{
		"active": "in-progress", "completed": "completed", "aborted": "stopped", "suspended": "on-hold", "held": "on-hold",
		"nullified": "entered-in-error", "cancelled": "cancelled", "new": "preparation",
	}
)

// medication maps a Medication Activity: what the patient takes or took is a
// MedicationStatement, what is intended a MedicationRequest that plans it.
func (c *converter) medication(n *node) []*resource {
	intended := n.attr("moodCode") == "INT" || n.attr("moodCode") == "RQO" || n.attr("moodCode") == "PRMS" || n.attr("moodCode") == "PRP"
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	drug := c.drug(n.child("consumable", "manufacturedProduct"))
	status := n.child("statusCode").attr("code")
	author, recorded := c.author(n, people...)
	dosage := c.dosage(n)
	if intended {
		c.bounds(dosage, n)
		o.put("status", firstOf(requestStatus[status], "unknown")).put("intent", "plan")
		if n.negated() {
			o.put("doNotPerform", true)
		}
		o.put(drug.name, drug.value)
		o.put("subject", referTo(c.patient)).put("authoredOn", recorded).put("requester", author)
		c.reasons(o, n)
		c.comments(o, n)
		o.add("dosageInstruction", dosage)
	} else {
		word := firstOf(statementStatus[status], "unknown")
		if n.negated() && word != "entered-in-error" {
			word = "not-taken"
		}
		o.put("status", word)
		o.put(drug.name, drug.value)
		o.put("subject", referTo(c.patient))
		c.effective(o, n)
		o.put("dateAsserted", recorded).put("informationSource", author)
		c.reasons(o, n)
		c.comments(o, n)
		o.add("dosage", dosage)
	}
	supplies := c.supplies(n, drug)
	if intended {
		return append([]*resource{c.event("MedicationRequest", n, o)}, supplies...)
	}
	for _, s := range supplies {
		if s.kind == "MedicationRequest" {
			o.add("basedOn", referTo(s))
		}
	}
	return append([]*resource{c.event("MedicationStatement", n, o)}, supplies...)
}

// bounds puts the time over which an intended medicine is to be taken.
func (c *converter) bounds(dosage *object, n *node) {
	for _, at := range n.all("effectiveTime") {
		period := c.period(at)
		if isTiming(at) || empty(period) {
			continue
		}
		timing, _ := dosage.get("timing").(*object)
		if timing == nil {
			timing = newObject()
		}
		repeat, _ := timing.get("repeat").(*object)
		if repeat == nil {
			repeat = newObject()
		}
		dosage.put("timing", timing.put("repeat", repeat.put("boundsPeriod", period)))
		return
	}
}

func (c *converter) reasons(o *object, n *node) {
	for _, reason := range c.linked(n, isTemplate(templateIndication)) {
		o.add("reasonCode", c.concept(reason.child("value")))
	}
}

// effective is the time over which the medicine is taken: the interval among the times.
func (c *converter) effective(o *object, n *node) {
	for _, at := range n.all("effectiveTime") {
		if isTiming(at) {
			continue
		}
		c.when(o, "effective", at)
		return
	}
}

// drug is medication[x]: the code, or a Medication where maker or lot are known too.
func (c *converter) drug(product *node) member {
	material := product.child("manufacturedMaterial")
	code := c.product(material)
	maker := c.organization(product.child("manufacturerOrganization"))
	lot := c.text(material.child("lotNumberText"))
	expiry := c.date(material.ext("expirationTime"))
	if maker == nil && lot == "" && expiry == "" {
		return member{"medicationCodeableConcept", code}
	}
	m := newObject().put("code", code).put("manufacturer", referTo(maker)).
		put("batch", newObject().put("lotNumber", lot).put("expirationDate", expiry))
	return member{"medicationReference", referTo(c.party("Medication", product, m))}
}

// supplies are the orders and dispenses of a Medication Activity.
func (c *converter) supplies(n *node, drug member) []*resource {
	var out []*resource
	for _, s := range c.linked(n, func(s *node) bool { return s.is("supply") }) {
		if !c.full() {
			out = append(out, c.supplied(s, drug)...)
		}
	}
	return out
}

// supply maps one that stands alone.
func (c *converter) supply(n *node) []*resource { return c.supplied(n, c.drug(nil)) }

// supplied maps a Medication Supply Order (intended) or Dispense. The product is its own,
// or that of the activity it belongs to.
func (c *converter) supplied(n *node, drug member) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The supply is negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	if own := n.child("product", "manufacturedProduct"); own != nil {
		drug = c.drug(own)
	}
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	status := n.child("statusCode").attr("code")
	if n.attr("moodCode") == "INT" || n.attr("moodCode") == "RQO" {
		return []*resource{c.ordered(o, n, drug, status)}
	}
	o.put("status", firstOf(dispenseStatus[status], "unknown"))
	o.put(drug.name, drug.value)
	o.put("subject", referTo(c.patient))
	for _, who := range c.performers(n, professionals...) {
		o.add("performer", newObject().put("actor", referTo(who)))
	}
	o.put("quantity", c.quantity(n.child("quantity")))
	for _, at := range n.all("effectiveTime") {
		if text := c.pointIn(at); text != "" && !o.has("whenHandedOver") {
			o.put("whenHandedOver", text)
		}
	}
	return []*resource{c.event("MedicationDispense", n, o)}
}

func (c *converter) ordered(o *object, n *node, drug member, status string) *resource {
	o.put("status", firstOf(requestStatus[status], "unknown")).put("intent", "order")
	o.put(drug.name, drug.value)
	author, recorded := c.author(n, people...)
	o.put("subject", referTo(c.patient)).put("authoredOn", recorded).put("requester", author)
	c.comments(o, n)
	request := newObject()
	for _, at := range n.all("effectiveTime") {
		request.put("validityPeriod", c.period(at))
	}
	if fills := positive(n.child("repeatNumber").attr("value")); fills > 0 { // the first is no repeat
		request.put("numberOfRepeatsAllowed", integer(fills-1))
	}
	request.put("quantity", c.quantity(n.child("quantity")))
	o.put("dispenseRequest", request)
	for _, s := range c.linked(n, isTemplate(templateInstruction)) {
		if text := c.text(s.child("text")); text != "" {
			o.add("dosageInstruction", newObject().put("patientInstruction", text))
		}
	}
	return c.event("MedicationRequest", n, o)
}
