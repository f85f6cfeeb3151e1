package ccda

// periodUnits are the units of UCUM that Timing.repeat.periodUnit has.
var periodUnits = map[string]string{"s": "s", "min": "min", "h": "h", "d": "d", "wk": "wk", "mo": "mo", "a": "a"}

// timingEvents are the codes of TimingEvent that Timing.repeat.when has.
var timingEvents = map[string]bool{
	"HS": true, "WAKE": true, "C": true, "CM": true, "CD": true, "CV": true, "AC": true, "ACM": true, "ACD": true, "ACV": true,
	"PC": true, "PCM": true, "PCD": true, "PCV": true,
}

// isTiming reports a time that says how often: PIVL_TS or EIVL_TS.
func isTiming(n *node) bool {
	return n.xsi == "PIVL_TS" || n.xsi == "EIVL_TS" || n.xsi == "SXPR_TS" || n.child("period") != nil || n.child("event") != nil
}

// dosage maps how a medicine is taken; nil when nothing is said.
func (c *converter) dosage(n *node) *object {
	o := newObject()
	sig := c.one(n, isTemplate(templateSig))
	o.put("text", firstOf(c.text(sig.child("text")), c.text(sig.child("value"))))
	for _, s := range c.linked(n, isTemplate(templateInstruction)) {
		if text := c.text(s.child("text")); text != "" && !o.has("patientInstruction") {
			o.put("patientInstruction", text)
		}
	}
	for _, at := range n.all("effectiveTime") {
		if !isTiming(at) || o.has("timing") {
			continue
		}
		if repeat := c.repeat(at); !empty(repeat) {
			o.put("timing", newObject().put("repeat", repeat))
		} else if at.says() && at.null() == "" {
			c.note(at, RuleNotKept, "How often is said in a way that FHIR's Timing cannot hold; the narrative keeps it.", "Send PIVL_TS with a period, or EIVL_TS with an event.")
			at.spend()
		}
	}
	c.asNeeded(o, n)
	o.put("site", c.concept(n.child("approachSiteCode"))).put("route", c.concept(n.child("routeCode")))
	o.add("doseAndRate", c.doseAndRate(n))
	if limit := n.child("maxDoseQuantity"); limit != nil {
		o.put("maxDosePerPeriod", c.ratio(limit))
	}
	return o
}

// repeat maps PIVL_TS (every so often) or EIVL_TS (at an event of the day).
func (c *converter) repeat(n *node) *object {
	o := newObject()
	if event := n.child("event").attr("code"); timingEvents[event] {
		return o.put("when", []string{event})
	}
	period := n.child("period")
	value, most, unit := period.attr("value"), "", period.attr("unit")
	if value == "" {
		low, high := period.child("low"), period.child("high")
		value, most, unit = low.attr("value"), high.attr("value"), low.attr("unit")
		if high != nil && high.attr("unit") != unit {
			return nil
		}
	}
	if decimal(value) == "" || value[0] == '-' || periodUnits[unit] == "" {
		return nil
	}
	o.put("frequency", number("1")).put("period", decimal(value))
	if d := decimal(most); d != "" && most[0] != '-' {
		o.put("periodMax", d)
	}
	return o.put("periodUnit", periodUnits[unit])
}

// asNeeded maps a precondition: for what, or only that there is one.
func (c *converter) asNeeded(o *object, n *node) {
	for _, p := range n.all("precondition") {
		criterion := p.child("criterion")
		if criterion == nil || o.has("asNeededCodeableConcept") || o.has("asNeededBoolean") {
			continue
		}
		var what *object
		if value := criterion.child("value"); isCoded(value) {
			what = c.concept(value)
		}
		if text := c.text(criterion.child("text")); empty(what) && text != "" {
			what = newObject().put("text", text)
		}
		criterion.child("code").spend()
		if empty(what) {
			o.put("asNeededBoolean", true)
		} else {
			o.put("asNeededCodeableConcept", what)
		}
	}
}

func (c *converter) doseAndRate(n *node) *object {
	o := newObject()
	if dose := n.child("doseQuantity"); dose != nil {
		span, one := c.interval(dose)
		if one != nil && !one.has("unit") {
			if form := label(c.concept(n.child("administrationUnitCode"))); form != "" {
				one.put("unit", form)
			}
		}
		put(o, "dose", span, one)
	}
	if rate := n.child("rateQuantity"); rate != nil {
		span, one := c.interval(rate)
		put(o, "rate", span, one)
	}
	return o
}

// put sets Range or Quantity. A SimpleQuantity has no comparator: one open end is a Range.
func put(o *object, name string, span, one *object) {
	if one != nil && one.has("comparator") {
		end := "high"
		if sign, _ := one.get("comparator").(string); sign[0] == '>' {
			end = "low"
		}
		one.drop("comparator")
		span, one = newObject().put(end, one), nil
	}
	o.put(name+"Range", span).put(name+"Quantity", one)
}
