package ccda

// observationStatus is HL7's map CF-ResultStatus.
var observationStatus = map[string]string{
	"completed": "final", "active": "registered", "held": "registered", "suspended": "registered", "new": "registered",
	"aborted": "cancelled", "cancelled": "cancelled", "nullified": "entered-in-error",
}

func (c *converter) observed(n *node) string {
	return firstOf(observationStatus[n.child("statusCode").attr("code")], "unknown")
}

// report maps a Result Organizer and its results.
func (c *converter) report(n *node) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The report is negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", c.observed(n)).
		add("category", concept(coding("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory"))).
		put("code", c.required(n.child("code"))).put("subject", referTo(c.patient))
	members := c.members(n, isObservation, (*converter).result)
	c.when(o, "effective", n.child("effectiveTime"))
	if !o.has("effectiveDateTime") && !o.has("effectivePeriod") { // the guide takes the results' own time
		o.put("effectiveDateTime", commonTime(members))
	}
	for _, who := range c.performers(n, professionals...) {
		o.add("performer", referTo(who))
	}
	o.add("specimen", referTo(c.specimen(n.child("specimen", "specimenRole"))))
	for _, r := range members {
		o.add("result", referTo(r))
	}
	r := c.event("DiagnosticReport", n, o)
	return append([]*resource{r}, members...)
}

func isObservation(n *node) bool { return n.is("observation") }

// members converts the components of an organizer.
func (c *converter) members(n *node, match func(*node) bool, convert mapper) []*resource {
	var out []*resource
	for _, s := range c.linkedAny(n, match) {
		out = append(out, convert(c, s)...)
	}
	return out
}

// commonTime is the time of all, if it is one.
func commonTime(list []*resource) string {
	var at string
	for i, r := range list {
		text, _ := r.body.get("effectiveDateTime").(string)
		if i > 0 && text != at {
			return ""
		}
		at = text
	}
	return at
}

func (c *converter) specimen(role *node) *resource {
	if role == nil {
		return nil
	}
	o := newObject().put("identifier", c.identifiers(role.all("id"))).
		put("type", c.concept(role.child("specimenPlayingEntity", "code")))
	if empty(o) {
		return nil
	}
	return c.event("Specimen", role, o.put("subject", referTo(c.patient)))
}

func (c *converter) result(n *node) []*resource {
	return c.observation(n, concept(coding(systemObservation, "laboratory", "Laboratory")))
}

func (c *converter) vital(n *node) []*resource {
	return c.observation(n, concept(coding(systemObservation, "vital-signs", "Vital Signs")))
}

func (c *converter) socialHistory(n *node) []*resource {
	return c.observation(n, concept(coding(systemObservation, "social-history", "Social History")))
}

// observation maps a Result, Vital Sign or Social History Observation.
func (c *converter) observation(n *node, category *object) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The observation is negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", c.observed(n)).
		add("category", category).put("code", c.required(n.child("code"))).put("subject", referTo(c.patient))
	c.when(o, "effective", n.child("effectiveTime"))
	for _, who := range c.performers(n, professionals...) {
		o.add("performer", referTo(who))
	}
	if author, _ := c.author(n, append(professionals, "Patient")...); !o.has("performer") {
		o.add("performer", author)
	}
	c.value(o, n.child("value"))
	for _, code := range n.all("interpretationCode") {
		o.add("interpretation", c.concept(code))
	}
	c.comments(o, n)
	o.put("bodySite", c.concept(n.child("targetSiteCode"))).put("method", c.concept(n.child("methodCode")))
	o.put("specimen", referTo(c.specimen(n.child("specimen", "specimenRole"))))
	for _, r := range n.all("referenceRange") {
		o.add("referenceRange", c.normal(r.child("observationRange")))
	}
	return []*resource{c.event("Observation", n, o)}
}

// normal maps a reference range: two ends or one, or a text (obs-3).
func (c *converter) normal(n *node) *object {
	o := newObject()
	value := n.child("value")
	if value != nil && (value.xsi == "IVL_PQ" || value.xsi == "") {
		o.put("low", c.quantity(value.child("low"))).put("high", c.quantity(value.child("high")))
	}
	if !o.has("low") && !o.has("high") {
		if text := c.text(n.child("text")); text != "" {
			return o.put("text", text)
		}
		if value != nil && (value.xsi == "ST" || value.xsi == "ED") {
			return o.put("text", c.text(value))
		}
		return nil
	}
	if kind := c.concept(n.child("interpretationCode")); !empty(kind) {
		o.add("appliesTo", kind)
	}
	return o.put("text", c.text(n.child("text")))
}

// panel maps a Vital Signs Organizer: an Observation that has the others as members.
func (c *converter) panel(n *node) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The vital signs are negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	code := concept(coding(systemLOINC, "85353-1", "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel"))
	if own := c.concept(n.child("code")); own != nil {
		list, _ := own.get("coding").([]*object)
		for _, one := range list {
			if !contains(code, one) {
				code.add("coding", one)
			}
		}
	}
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", c.observed(n)).
		add("category", concept(coding(systemObservation, "vital-signs", "Vital Signs"))).
		put("code", code).put("subject", referTo(c.patient))
	members := c.members(n, isObservation, (*converter).vital)
	c.when(o, "effective", n.child("effectiveTime"))
	if !o.has("effectiveDateTime") && !o.has("effectivePeriod") {
		o.put("effectiveDateTime", commonTime(members))
	}
	for _, r := range members {
		o.add("hasMember", referTo(r))
	}
	r := c.event("Observation", n, o)
	return append([]*resource{r}, members...)
}
