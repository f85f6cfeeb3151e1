package ccda

// kind is what a section is about.
type kind uint8

const (
	other kind = iota
	immunizations
	results
	vitals
	allergies
	medications
	problems
	diagnoses // of an encounter
	procedures
	encounters
	social
)

// sectionTemplates and sectionCodes name the sections of C-CDA R1.1 and R2.1, entries
// required or optional; the versions of a template share its root.
var (
	sectionTemplates = map[string]kind{
		"2.16.840.1.113883.10.20.22.2.2": immunizations, "2.16.840.1.113883.10.20.22.2.2.1": immunizations,
		"2.16.840.1.113883.10.20.22.2.3": results, "2.16.840.1.113883.10.20.22.2.3.1": results,
		"2.16.840.1.113883.10.20.22.2.4": vitals, "2.16.840.1.113883.10.20.22.2.4.1": vitals,
		"2.16.840.1.113883.10.20.22.2.6": allergies, "2.16.840.1.113883.10.20.22.2.6.1": allergies,
		"2.16.840.1.113883.10.20.22.2.1": medications, "2.16.840.1.113883.10.20.22.2.1.1": medications,
		"2.16.840.1.113883.10.20.22.2.11": medications, "2.16.840.1.113883.10.20.22.2.11.1": medications,
		"2.16.840.1.113883.10.20.22.2.38": medications, "2.16.840.1.113883.10.20.22.2.44": medications,
		"2.16.840.1.113883.10.20.22.2.5": problems, "2.16.840.1.113883.10.20.22.2.5.1": problems,
		"2.16.840.1.113883.10.20.22.2.20": problems, "2.16.840.1.113883.10.20.22.2.58": problems,
		"2.16.840.1.113883.10.20.22.2.24": diagnoses, "2.16.840.1.113883.10.20.22.2.43": diagnoses,
		"2.16.840.1.113883.10.20.22.2.7": procedures, "2.16.840.1.113883.10.20.22.2.7.1": procedures,
		"2.16.840.1.113883.10.20.22.2.22": encounters, "2.16.840.1.113883.10.20.22.2.22.1": encounters,
		"2.16.840.1.113883.10.20.22.2.17": social,
	}
	sectionCodes = map[string]kind{
		"11369-6": immunizations, "30954-2": results, "8716-3": vitals, "48765-2": allergies,
		"10160-0": medications, "42346-7": medications, "10183-2": medications, "29549-3": medications, "75311-1": medications,
		"11450-4": problems, "11348-0": problems, "75310-3": problems, "11535-2": diagnoses, "46241-6": diagnoses,
		"47519-4": procedures, "46240-8": encounters, "29762-2": social,
	}
)

// Templates of entries. R2.1 has the roots of R1.1 with a date as extension.
const (
	templates              = "2.16.840.1.113883.10.20.22.4."
	templateReport         = templates + "1"
	templateResult         = templates + "2"
	templateProblemConcern = templates + "3"
	templateProblem        = templates + "4"
	templateProblemStatus  = templates + "6"
	templateAllergy        = templates + "7"
	templateSeverity       = templates + "8"
	templateReaction       = templates + "9"
	templateProcedureAct   = templates + "12"
	templateProcedureObs   = templates + "13"
	templateProcedure      = templates + "14"
	templateMedication     = templates + "16"
	templateOrder          = templates + "17"
	templateDispense       = templates + "18"
	templateIndication     = templates + "19"
	templateInstruction    = templates + "20"
	templateVitals         = templates + "26"
	templateVital          = templates + "27"
	templateAllergyStatus  = templates + "28"
	templateAllergyConcern = templates + "30"
	templateAge            = templates + "31"
	templateDischarge      = templates + "33"
	templateAdmission      = templates + "34"
	templateSocial         = templates + "38"
	templatePlanned        = templates + "42"
	templateEncounter      = templates + "49"
	templateImmunization   = templates + "52"
	templateRefusal        = templates + "53"
	templateComment        = templates + "64"
	templateSmoking        = templates + "78"
	templateDiagnosis      = templates + "80"
	templateTobacco        = templates + "85"
	templateCriticality    = templates + "145"
	templateSig            = templates + "147"
	templateSeries         = "2.16.840.1.113883.10.20.1.46" // CCD 1.0, medication series number
)

func kindOf(section *node) kind {
	for _, kid := range section.kids {
		if kid.is("templateId") {
			if k := sectionTemplates[kid.attr("root")]; k != other {
				return k
			}
		}
	}
	return sectionCodes[codeIn(section.child("code"), "2.16.840.1.113883.6.1")]
}

// statements are the elements of CDA's clinical statement.
var statements = map[string]bool{
	"act": true, "encounter": true, "observation": true, "observationMedia": true, "organizer": true,
	"procedure": true, "regionOfInterest": true, "substanceAdministration": true, "supply": true,
}

// statement gives the clinical statement of an entry, entryRelationship or component.
func (n *node) statement() *node {
	if n == nil {
		return nil
	}
	for _, kid := range n.kids {
		if kid.space == hl7 && statements[kid.name] {
			return kid
		}
	}
	return nil
}

func (n *node) negated() bool { return n.attr("negationInd") == "true" }

// elsewhere reports a statement about somebody else, such as a relative or a donor.
func (n *node) elsewhere() bool {
	for _, kid := range n.kids {
		if kid.is("subject") && kid.says() {
			return true
		}
	}
	return false
}

// linked gives the statements that n points to and that match, those that are negated or
// about somebody else left out and reported. Whoever handles negation asks linkedAny.
func (c *converter) linked(n *node, match func(*node) bool) []*node {
	var out []*node
	for _, s := range c.linkedAny(n, match) {
		if s.negated() {
			c.leave(s, RuleNegation, "The statement is negated, which the resource cannot say; it is not kept.", "Nothing to do.")
			continue
		}
		for _, kid := range s.kids { // what only says which kind of statement it is
			if kid.is("id") || kid.is("code") || kid.is("statusCode") {
				kid.spend()
			}
		}
		out = append(out, s)
	}
	return out
}

func (c *converter) linkedAny(n *node, match func(*node) bool) []*node {
	var out []*node
	for _, kid := range n.kids {
		if !kid.is("entryRelationship") && !kid.is("component") {
			continue
		}
		kid.used = true
		s := kid.statement()
		if s == nil || s.used || c.full() || !match(s) {
			continue
		}
		if s.elsewhere() {
			c.leave(s, RuleSubject, "The statement is about somebody else than the patient; it is not kept.", "Nothing to do.")
			continue
		}
		s.used = true
		out = append(out, s)
	}
	return out
}

// one is the first of linked.
func (c *converter) one(n *node, match func(*node) bool) *node {
	if list := c.linked(n, match); len(list) > 0 {
		return list[0]
	}
	return nil
}

// isTemplate matches by template.
func isTemplate(roots ...string) func(*node) bool {
	return func(n *node) bool { return n.template(roots...) }
}

// isEither matches by template, or by code where the sender left the template out.
func isEither(code string, roots ...string) func(*node) bool {
	return func(n *node) bool { return n.template(roots...) || n.is("observation") && n.coded(code) }
}

// comments become notes.
func (c *converter) comments(o *object, n *node) {
	for _, comment := range c.linked(n, func(s *node) bool { return s.is("act") && (s.template(templateComment) || s.coded("48767-8")) }) {
		text := c.text(comment.child("text"))
		if text == "" {
			continue
		}
		annotation := newObject()
		author, at := c.author(comment, people...)
		annotation.put("authorReference", author).put("time", at).put("text", text)
		o.add("note", annotation)
	}
}
