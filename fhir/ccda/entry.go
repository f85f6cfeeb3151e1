package ccda

// mapper converts one statement; it may give several resources, or none and an issue.
type mapper func(c *converter, n *node) []*resource

// rule says which statements a mapper is for: an element with one of the templates, or any
// such element in a section of the kind.
type rule struct {
	element   string
	templates []string
	section   kind
	convert   mapper
	planned   bool // also statements that are intended and not yet done
}

// rules are tried in this order, templates of all before sections.
var rules = []rule{
	{element: "substanceAdministration", templates: []string{templateImmunization}, section: immunizations, convert: (*converter).immunization},
	{element: "substanceAdministration", templates: []string{templateMedication, templatePlanned}, section: medications, convert: (*converter).medication, planned: true},
	{element: "supply", templates: []string{templateOrder, templateDispense}, section: medications, convert: (*converter).supply, planned: true},
	{element: "organizer", templates: []string{templateReport}, section: results, convert: (*converter).report},
	{element: "observation", templates: []string{templateResult}, section: results, convert: (*converter).result},
	{element: "organizer", templates: []string{templateVitals}, section: vitals, convert: (*converter).panel},
	{element: "observation", templates: []string{templateVital}, section: vitals, convert: (*converter).vital},
	{element: "act", templates: []string{templateAllergyConcern}, section: allergies, convert: (*converter).allergyConcern},
	{element: "observation", templates: []string{templateAllergy}, section: allergies, convert: (*converter).allergyAlone},
	{element: "act", templates: []string{templateProblemConcern}, section: problems, convert: (*converter).problemConcern},
	{element: "act", templates: []string{templateDischarge, templateAdmission, templateDiagnosis}, section: diagnoses, convert: (*converter).diagnosis},
	{element: "observation", templates: []string{templateProblem}, section: problems, convert: (*converter).problemAlone},
	{element: "procedure", templates: []string{templateProcedure}, section: procedures, convert: (*converter).procedure},
	{element: "act", templates: []string{templateProcedureAct}, section: procedures, convert: (*converter).procedure},
	{element: "observation", templates: []string{templateProcedureObs}, section: procedures, convert: (*converter).procedure},
	{element: "encounter", templates: []string{templateEncounter}, section: encounters, convert: (*converter).visit},
	{element: "observation", templates: []string{templateSmoking, templateTobacco, templateSocial}, section: social, convert: (*converter).socialHistory},
}

func ruleFor(k kind, n *node) (rule, bool) {
	for _, r := range rules {
		if r.element == n.name && n.template(r.templates...) {
			return r, true
		}
	}
	for _, r := range rules {
		if r.element == n.name && r.section == k && k != other {
			return r, true
		}
	}
	return rule{}, false
}

// entry converts the statement of an entry.
func (c *converter) entry(k kind, entry *node) []*resource {
	n := entry.statement()
	if n == nil || c.full() {
		return nil
	}
	r, ok := ruleFor(k, n)
	n.used = true
	switch {
	case !ok:
		c.leave(n, RuleStatement, "Statements of this kind are not converted; what the narrative says of it is kept.", "Nothing to do.")
	case n.null() != "":
		c.leave(n, RuleStatement, "The statement is null and says nothing.", "Nothing to do.")
	case n.elsewhere():
		c.leave(n, RuleSubject, "The statement is about somebody else than the patient; it is not converted.", "Nothing to do.")
	case !r.planned && n.attr("moodCode") != "" && n.attr("moodCode") != "EVN":
		c.leave(n, RuleMood, "The statement is a plan or request and not an event; it is not converted.", "Nothing to do.")
	default:
		return r.convert(c, n)
	}
	return nil
}

// vaccinationsOnly converts the vaccinations that were given and nothing else.
func (c *converter) vaccinationsOnly() {
	for _, kid := range c.doc.kids {
		if kid.name != "recordTarget" && kid.name != "component" {
			kid.spend()
		}
	}
	for _, component := range c.doc.all("component") {
		c.vaccinationsIn(component.child("structuredBody"))
		component.child("nonXMLBody").spend()
	}
}

func (c *converter) vaccinationsIn(n *node) {
	for _, component := range n.all("component") {
		for _, section := range component.all("section") {
			k := kindOf(section)
			for _, kid := range section.kids {
				switch {
				case kid.is("entry"):
					kid.used = true
					if isVaccination(k, kid.statement()) {
						c.entry(k, kid)
					} else {
						kid.spend()
					}
				case !kid.is("component"):
					kid.spend()
				}
			}
			c.vaccinationsIn(section)
		}
	}
}

func isVaccination(k kind, n *node) bool {
	if n == nil {
		return false
	}
	r, ok := ruleFor(k, n)
	return ok && r.section == immunizations
}
