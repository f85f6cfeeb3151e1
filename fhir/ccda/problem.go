package ccda

// problemConcern maps a Problem Concern Act: a Condition for each observation.
func (c *converter) problemConcern(n *node) []*resource {
	return c.concern(n, isEitherObservation(templateProblem), (*converter).listed)
}

func (c *converter) problemAlone(n *node) []*resource { return c.listed(n, &concern{}) }

// diagnosis maps an Encounter, Admission or Discharge Diagnosis act.
func (c *converter) diagnosis(n *node) []*resource {
	return c.concern(n, isEitherObservation(templateProblem), (*converter).diagnosed)
}

func (c *converter) listed(n *node, of *concern) []*resource {
	return c.condition(n, of, "problem-list-item")
}

func (c *converter) diagnosed(n *node, of *concern) []*resource {
	return c.condition(n, of, "encounter-diagnosis")
}

// condition maps a Problem Observation.
func (c *converter) condition(n *node, of *concern, category string) []*resource {
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	status := c.clinicalStatus(n, of, templateProblemStatus)
	value := n.child("value")
	code, verification := c.required(value), "confirmed"
	switch {
	case status == "":
		verification = "entered-in-error"
	case n.negated() && codeIn(value, snomedOID) == "55607006": // no problem at all
		code = concept(coding(systemSNOMED, "160245001", "No current problems or disability"))
	case n.negated():
		verification, status = "refuted", "inactive" // con-3 wants a status of what is on a list
	}
	if status != "" {
		o.put("clinicalStatus", concept(coding(systemClinical, status, "")))
	}
	o.put("verificationStatus", concept(coding(systemVerified, verification, "")))
	o.put("severity", c.concept(c.one(n, isEither("SEV", templateSeverity)).child("value")))
	o.put("code", code)
	for _, site := range n.all("targetSiteCode") {
		o.add("bodySite", c.concept(site))
	}
	o.put("subject", referTo(c.patient))
	c.onset(o, n)
	age := c.one(n, isEither("445518008", templateAge)).child("value")
	if q := c.quantity(age); q != nil && !o.has("onsetDateTime") {
		o.put("onsetAge", q)
	}
	c.abatement(o, n, status)
	c.recordedBy(o, n, of)
	c.comments(o, n)
	n.child("statusCode").spend()
	n.child("code").spend()
	return []*resource{c.listedAs(n, o, category)}
}

// listedAs adds a Condition in a category. The same observation in the problem list and
// among the diagnoses is one Condition in two categories.
func (c *converter) listedAs(n *node, o *object, category string) *resource {
	own := concept(coding(systemCategory, category, ""))
	r := c.event("Condition", n, o)
	list, _ := r.body.get("category").([]*object)
	for _, one := range list {
		if contains(one, coding(systemCategory, category, "")) {
			return r
		}
	}
	r.body.add("category", own)
	return r
}

// abatement is when it ended, which an active condition has not (con-4).
func (c *converter) abatement(o *object, n *node, status string) {
	high := n.child("effectiveTime", "high")
	at := c.dateTime(high)
	switch {
	case at == "":
	case status == "inactive" || status == "resolved" || status == "remission":
		o.put("abatementDateTime", at)
	default:
		c.warn(high, RuleStatus, "The condition has an end and a status that says it has not ended; the end is not kept.", "Mend the status or the end.")
	}
}
