package ccda

// procedureStatus is HL7's map CF-ProcedureStatus.
var procedureStatus = map[string]string{
	"completed": "completed", "active": "in-progress", "aborted": "stopped", "cancelled": "not-done",
	"nullified": "entered-in-error", "held": "on-hold", "suspended": "on-hold", "new": "preparation",
}

// procedure maps a Procedure Activity Procedure, Act or Observation.
func (c *converter) procedure(n *node) []*resource {
	status := firstOf(procedureStatus[n.child("statusCode").attr("code")], "unknown")
	if n.negated() && status != "entered-in-error" {
		status = "not-done"
	}
	o := newObject().put("identifier", c.identifiers(n.all("id"))).put("status", status).
		put("code", c.required(n.child("code"))).put("subject", referTo(c.patient))
	c.when(o, "performed", n.child("effectiveTime"))
	author, _ := c.author(n, people...)
	o.put("recorder", author)
	for _, who := range c.performers(n, professionals...) {
		performer := newObject().put("actor", referTo(who))
		o.add("performer", performer)
	}
	for _, place := range c.places(n) {
		if !o.has("location") {
			o.put("location", referTo(place))
		}
	}
	for _, reason := range c.linked(n, isTemplate(templateIndication)) {
		o.add("reasonCode", c.concept(reason.child("value")))
	}
	for _, site := range n.all("targetSiteCode") {
		o.add("bodySite", c.concept(site))
	}
	if value := n.child("value"); n.is("observation") && isCoded(value) {
		o.put("outcome", c.concept(value))
	}
	c.comments(o, n)
	return []*resource{c.event("Procedure", n, o)}
}
