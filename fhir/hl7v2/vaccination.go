package hl7v2

import "strconv"

// Dose is one administration (RXA with what belongs to it).
type Dose struct {
	At         Location // the RXA segment
	Outcome    Outcome
	Action     Action
	Historical bool // the sender has it from somebody else (RXA-9, table NIP001, not 00)

	immunization immunization
}

// Outcome says what became of a dose (RXA-20, RXA-18, and CVX 998).
type Outcome uint8

// The outcomes.
const (
	Given       Outcome = iota + 1 // CP, or nothing to the contrary
	PartlyGiven                    // PA: does not count as a dose
	NotGiven                       // RE, NA
	NoVaccine                      // CVX 998: the group only carries observations
)

// Action is RXA-21 (table 0323).
type Action uint8

// The actions. A message that names none adds.
const (
	Add Action = iota + 1
	Update
	Delete
)

// Vaccinations is what a VXU^V04 says.
type Vaccinations struct {
	Doses  []Dose
	person person
	others []entry
}

// ReadVaccinations converts a VXU^V04. Findings of severity error mean that the message must
// not be processed further.
func ReadVaccinations(m Message, o Options) (Vaccinations, []Finding) {
	c := newConverter(m, o)
	var v Vaccinations
	var ok bool
	if v.person, ok = c.person(false); !ok {
		return v, c.findings
	}
	v.others = c.relatives(v.person)
	for _, g := range c.orders() {
		v.Doses = append(v.Doses, c.dose(g, v.person))
	}
	return v, c.findings
}

// Bundle gives a Bundle (collection) of the patient, the relatives and the doses that keep
// says yes to, and for each entry the segment it is from. The patient's Health Certificate
// ID, if the message has one, is the Bundle's link.
func (v Vaccinations) Bundle(keep func(Dose) bool) (raw []byte, places []Location) {
	b := bundle{Type: "collection"}
	if v.person.hcid != "" {
		b.Link = []link{{Relation: "publication", URL: "urn:HCID:" + v.person.hcid}}
	}
	p := v.person.patient
	p.ID = v.person.id
	b.Entry = append([]entry{{FullURL: urn(p.ID), Resource: p, at: v.person.at}}, v.others...)
	for _, d := range v.Doses {
		if keep(d) {
			b.Entry = append(b.Entry, entry{FullURL: urn(d.immunization.ID), Resource: d.immunization, at: d.At})
		}
	}
	return b.encode()
}

// order is one ORDER group: ORC, RXA, RXR and OBX.
type order struct {
	orc, rxa, rxr Segment
	observations  []Segment
}

// orders groups the segments behind PID. A group begins with ORC or, where the sender has
// none (before v2.5), with RXA. OBX before the first are about the person.
func (c *converter) orders() []order {
	var groups []order
	open := false
	for _, s := range c.message.Segments {
		last := len(groups) - 1
		switch {
		case s.Name == "ORC", s.Name == "RXA" && (!open || groups[last].rxa.Name != ""):
			groups, open = append(groups, order{}), true
			last++
		}
		switch {
		case s.Name == "ORC":
			groups[last].orc = s
		case s.Name == "RXA":
			groups[last].rxa = s
		case s.Name == "RXR" && open:
			groups[last].rxr = s
		case s.Name == "OBX" && open:
			groups[last].observations = append(groups[last].observations, s)
		case s.Name == "RXR":
			c.report(NewFinding(s.At(0), CodeSequence, RuleStructure, "The route stands before any administration.", "Send RXR behind its RXA."))
		}
	}
	return c.administered(groups)
}

// administered drops orders that were not carried out, and says so.
func (c *converter) administered(groups []order) []order {
	var out []order
	for _, g := range groups {
		if g.rxa.Name == "" {
			c.report(NewFinding(g.orc.At(0), CodeSequence, RuleStructure, "The order has no administration.", "Send RXA behind ORC."))
			continue
		}
		out = append(out, g)
	}
	return out
}

// doseID names the resource by the filler's order number, which stays with the dose (ORC-3;
// CDC 1.5 requires it), else, or where one order had several, by the patient and its place in the message.
func (c *converter) doseID(g order, p person, ids []identifier) string {
	if len(ids) > 0 {
		name := nameID("dose", ids[0].System, ids[0].Value)
		if c.named[name]++; c.named[name] == 1 {
			return name
		}
	}
	h := c.message.Header
	return nameID("dose of message", p.id, c.Sender, h.Facility, h.ControlID, strconv.Itoa(g.rxa.Sequence))
}

// action reads RXA-21.
func (c *converter) action(rxa Segment) Action {
	switch v := rxa.Field(21); v.Text() {
	case "", "A":
		return Add
	case "U", "X": // X: no change
		return Update
	case "D":
		return Delete
	default:
		c.report(NewFinding(v.At(), CodeTable, RuleCodes, "The action is not one of HL7 table 0323.", "Send A, U, D or X."))
		return Add
	}
}

// outcome reads RXA-20 (table 0322) and RXA-18.
func (c *converter) outcome(rxa Segment) Outcome {
	switch v := rxa.Field(20); v.Text() {
	case "":
		if rxa.Field(18).Exists() {
			return NotGiven
		}
		return Given
	case "CP":
		return Given
	case "PA":
		return PartlyGiven
	case "RE", "NA":
		return NotGiven
	default:
		c.report(NewFinding(v.At(), CodeTable, RuleCodes, "The completion status is not one of HL7 table 0322.", "Send CP, PA, NA or RE."))
		return NotGiven
	}
}

// origins are the words of table NIP001 for what is not from the one who gave the dose.
var origins = map[string]string{
	"01": "Historical: source unspecified", "02": "Historical: other provider", "03": "Historical: parent's written record",
	"04": "Historical: parent's recall", "05": "Historical: other registry", "06": "Historical: birth certificate",
	"07": "Historical: school record", "08": "Historical: public agency",
}

// reported are those that FHIR has a code for.
var reported = map[string]string{"02": "provider", "03": "record", "04": "recall", "06": "record", "07": "school"}

const systemOrigin = "http://terminology.hl7.org/CodeSystem/immunization-origin"

// source reads RXA-9, where notes may stand beside the code.
func (c *converter) source(d *Dose, rxa Segment) {
	for _, v := range rxa.Repetitions(9) {
		code, system := v.Component(1).Text(), v.Component(3).Text()
		switch {
		case system != "NIP001" && (system != "" || len(code) != 2 || !digitsOnly(code)):
			if text := first(c.text(v.Component(2)), code); text != "" {
				d.immunization.Note = append(d.immunization.Note, annotation{text})
			}
		case code == "00":
			yes := true
			d.immunization.PrimarySource = &yes
		default:
			no := false
			d.Historical, d.immunization.PrimarySource = true, &no
			origin := concept{Text: first(origins[code], "Historical")}
			if known := reported[code]; known != "" {
				origin.Coding = []coding{{System: systemOrigin, Code: known}}
			}
			d.immunization.ReportOrigin = &origin
		}
	}
}
