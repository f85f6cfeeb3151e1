package ccda

// Codes of the propensity (SNOMED CT), as HL7's maps CF-AllergyIntoleranceType and
// CF-AllergyIntoleranceCategory have them. A propensity to a substance says neither.
var (
	allergyTypes = map[string]string{
		"416098002": "allergy", "414285001": "allergy", "419199007": "allergy", "232347008": "allergy", "426232007": "allergy",
		"59037007": "intolerance", "235719002": "intolerance",
	}
	allergyCategories = map[string]string{
		"416098002": "medication", "59037007": "medication", "419511003": "medication",
		"414285001": "food", "235719002": "food", "418471000": "food",
		"232347008": "environment", "426232007": "environment",
	}
	criticalities = map[string]string{"CRITL": "low", "CRITH": "high", "CRITU": "unable-to-assess"}
	severities    = map[string]string{
		"255604002": "mild", "371923003": "moderate", "6736007": "moderate", "371924009": "severe", "24484000": "severe", "399166001": "severe",
	}
	// noKnown is HL7's map CF-NoKnownAllergies, with the propensities it leaves open.
	noKnown = map[string][2]string{
		"416098002": {"409137002", "No known drug allergy"}, "419511003": {"409137002", "No known drug allergy"},
		"414285001": {"429625007", "No known food allergy"}, "418471000": {"429625007", "No known food allergy"},
		"426232007": {"428607008", "No known environmental allergy"}, "232347008": {"428607008", "No known environmental allergy"},
	}
	// substances that stand for any of their kind: no such allergy is none at all.
	anySubstance = map[string]bool{"105590001": true, "410942007": true, "762766007": true}
)

// allergyConcern maps an Allergy Concern Act: an AllergyIntolerance for each observation.
func (c *converter) allergyConcern(n *node) []*resource {
	return c.concern(n, isEitherObservation(templateAllergy), (*converter).allergy)
}

func (c *converter) allergyAlone(n *node) []*resource { return c.allergy(n, &concern{}) }

// concern converts the observations of a concern act; its own status is theirs where they
// have none.
func (c *converter) concern(n *node, match func(*node) bool, convert func(*converter, *node, *concern) []*resource) []*resource {
	if n.negated() {
		c.leave(n, RuleNegation, "The concern is negated, which FHIR cannot say.", "Nothing to do.")
		return nil
	}
	for _, name := range []string{"id", "code", "statusCode", "effectiveTime"} { // the concern's, not the condition's
		for _, x := range n.all(name) {
			x.spend()
		}
	}
	of := &concern{status: n.child("statusCode").attr("code")}
	of.author, of.recorded = c.author(n, people...)
	var out []*resource
	for _, s := range c.linkedAny(n, match) {
		out = append(out, convert(c, s, of)...)
	}
	return out
}

// concern is what a concern act says of its observations; read once, as there may be many.
type concern struct {
	status   string
	author   *object
	recorded string
}

// recordedBy puts who wrote a condition down and when, which the concern may say for it.
func (c *converter) recordedBy(o *object, n *node, of *concern) {
	author, at := c.author(n, people...)
	if author == nil && at == "" {
		author, at = of.author, of.recorded
	}
	o.put("recordedDate", at).put("recorder", author)
}

// isEitherObservation matches by template, or any observation that is a condition by its
// place: the subject of a concern.
func isEitherObservation(root string) func(*node) bool {
	return func(n *node) bool {
		return n.is("observation") && (n.template(root) || n.parent.attr("typeCode") == "SUBJ" || n.parent.attr("typeCode") == "")
	}
}

// allergy maps an Allergy Intolerance Observation.
func (c *converter) allergy(n *node, of *concern) []*resource {
	kind := codeIn(n.child("value"), snomedOID)
	o := newObject().put("identifier", c.identifiers(n.all("id")))
	substance := c.substance(n)
	verification := "confirmed"
	status := c.clinicalStatus(n, of, templateAllergyStatus)
	switch generic := empty(substance) || c.generic(n); {
	case n.negated() && generic:
		code, known := noKnown[kind]
		if !known {
			code = [2]string{"716186003", "No known allergy"}
		}
		substance, status = concept(coding(systemSNOMED, code[0], code[1])), "active"
	case n.negated():
		verification, status = "refuted", "inactive"
	case empty(substance):
		substance = c.required(n.child("value"))
	}
	if clinical := map[string]string{"resolved": "resolved", "inactive": "inactive", "remission": "inactive"}[status]; status != "" {
		o.put("clinicalStatus", concept(coding(systemAllergy, firstOf(clinical, "active"), "")))
	}
	if status == "" {
		verification = "entered-in-error"
	}
	o.put("verificationStatus", concept(coding(systemAllergySeen, verification, "")))
	for _, name := range []string{"code", "statusCode", "value"} {
		n.child(name).spend()
	}
	o.put("type", allergyTypes[kind])
	if category := allergyCategories[kind]; category != "" {
		o.put("category", []string{category})
	}
	o.put("criticality", criticalities[c.one(n, isEither("82606-5", templateCriticality)).child("value").attr("code")])
	o.put("code", substance).put("patient", referTo(c.patient))
	c.onset(o, n)
	c.recordedBy(o, n, of)
	c.comments(o, n)
	c.reactions(o, n)
	return []*resource{c.event("AllergyIntolerance", n, o)}
}

const snomedOID = "2.16.840.1.113883.6.96"

// substance is what the patient reacts to.
func (c *converter) substance(n *node) *object {
	for _, p := range n.all("participant") {
		entity := p.child("participantRole", "playingEntity")
		if entity == nil {
			continue
		}
		out := c.concept(entity.child("code"))
		if name := joined(parts(entity.all("name"))); name != "" && empty(out) {
			out = newObject().put("text", name)
		}
		if !empty(out) {
			return out
		}
	}
	return nil
}

func (c *converter) generic(n *node) bool {
	return anySubstance[codeIn(n.child("participant", "participantRole", "playingEntity", "code"), snomedOID)]
}

// clinicalStatus is that of the status observation, else resolved where the time has an
// end, else the tracking status of the concern. "" is a statement that was nullified.
func (c *converter) clinicalStatus(n *node, of *concern, template string) string {
	said := c.one(n, isEither("33999-4", template)).child("value")
	if status := clinicalStatuses[codeIn(said, snomedOID)]; status != "" {
		return status
	}
	switch {
	case n.child("statusCode").attr("code") == "nullified" || of.status == "nullified":
		return ""
	case ended(n.child("effectiveTime")):
		return "resolved"
	case of.status == "completed", of.status == "aborted", of.status == "suspended":
		return "inactive"
	case of.status != "active":
		c.note(n, RuleStatus, "Neither a status nor an end is given; the condition counts as active.", "Send a status observation, or the status of the concern.")
	}
	return "active"
}

// clinicalStatuses is HL7's map CF-ProblemStatus.
var clinicalStatuses = map[string]string{
	"55561003": "active", "73425007": "inactive", "413322009": "resolved",
	"246455001": "recurrence", "263855007": "relapse", "277022003": "remission",
}

// onset is when it began.
func (c *converter) onset(o *object, n *node) {
	at := n.child("effectiveTime")
	o.put("onsetDateTime", firstOf(c.dateTime(at.child("low")), c.dateTime(at)))
}

// reactions are the manifestations with their severity. One severity for the whole
// allergy is that of its reactions where they have none.
func (c *converter) reactions(o *object, n *node) {
	whole := c.severity(n)
	list := c.linked(n, func(s *node) bool {
		return s.template(templateReaction) || s.is("observation") && s.parent.attr("typeCode") == "MFST"
	})
	for _, s := range list {
		reaction := newObject().add("manifestation", c.required(s.child("value")))
		reaction.put("onset", c.pointIn(s.child("effectiveTime")))
		reaction.put("severity", firstOf(c.severity(s), whole))
		o.add("reaction", reaction)
	}
	if len(list) == 0 && whole != "" {
		c.note(n, RuleNotKept, "The severity of an allergy without a reaction is not kept.", "Send the reaction with its severity.")
	}
}

func (c *converter) severity(n *node) string {
	s := c.one(n, isEither("SEV", templateSeverity))
	return severities[codeIn(s.child("value"), snomedOID)]
}
