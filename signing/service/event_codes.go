package service

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Codes with a meaning of their own here.
const (
	codeCOVID19        = "RA01"   // ICD-11, and what lies below it
	codeCOVID19Vaccine = "XM68M6" // ICD-11: a vaccine against COVID-19 of whatever kind

	testNAAT       = "LP6464-4"  // LOINC: the nucleic acid tests of the EU's value set
	resultDetected = "260373001" // SNOMED CT: detected, of the EU's value set
)

// code gives a code of the event. WHO's core data set is in ICD-11 where no system is named.
func (m *match) code(member string) terminology.Concept {
	said := dig(m.event, member)
	c := terminology.Concept{System: textOf(dig(said, "system")), Code: textOf(dig(said, "code"))}
	if c.System == "" {
		c.System = terminology.SystemICD11
	}
	return c
}

func concept(system, code string) terminology.Concept {
	return terminology.Concept{System: system, Code: code}
}

// within asks for a code of a value set; of any when it is empty.
func within(use terminology.Use, set string) terminology.Context {
	return terminology.Context{Use: use, Within: set}
}

// covers reports whether a stated code says what the event's does or something wider, by
// table: itself, or what the event's code translates to for one of the uses.
func covers(stated, event terminology.Concept, uses ...terminology.Context) bool {
	return sameCode(stated, event) || slices.ContainsFunc(uses, func(use terminology.Context) bool {
		found, err := terminology.Resolve(event, stated.System, use)
		return err == nil && sameCode(found, stated)
	})
}

// means reports whether two codes are the same in ICD-11.
func means(stated, event terminology.Concept, use terminology.Use) bool {
	a, known := terminology.Resolve(stated, terminology.SystemICD11, within(use, ""))
	b, both := terminology.Resolve(event, terminology.SystemICD11, within(use, ""))
	return sameCode(stated, event) || known == nil && both == nil && sameCode(a, b)
}

// says reports whether a word of ICAO's means the event's code or something wider. The
// table leads from the words to ICD-11.
func says(system, mapID, word string, event terminology.Concept, use terminology.Use) bool {
	code, err := terminology.Resolve(event, terminology.SystemICD11, within(use, ""))
	return sameCode(concept(system, word), event) || err == nil &&
		slices.ContainsFunc(terminology.Translate(mapID, system, word), func(t terminology.Translation) bool {
			return t.Equivalence != terminology.Wider && sameCode(t.Concept, code)
		})
}

func sameCode(a, b terminology.Concept) bool {
	return a.Code == b.Code && canonical(a.System) == canonical(b.System)
}

// canonical gives the one URI of a system, or the one it came with.
func canonical(system string) string {
	if known, ok := terminology.CanonicalSystem(system); ok {
		return known
	}
	return system
}

// vaccine: a format has one code where the event has vaccine and brand.
func (m *match) vaccine(path string, stated terminology.Concept) {
	m.must(path, slices.ContainsFunc([]string{"brand", "vaccine"}, func(member string) bool {
		said := m.code(member)
		return covers(stated, said, within(terminology.VaccineProduct, ""), within(terminology.VaccineType, "")) || isGeneral(stated, said)
	}))
}

// kind compares kinds of vaccines alone.
func (m *match) kind(path string, stated terminology.Concept) {
	said := m.code("vaccine")
	m.must(path, means(stated, said, terminology.VaccineType) || isGeneral(stated, said))
}

// isGeneral: a vaccine against COVID-19, whatever its kind, is wider than each of them.
func isGeneral(stated, event terminology.Concept) bool {
	wide, err := terminology.Resolve(stated, terminology.SystemICD11, within(terminology.VaccineType, ""))
	if err != nil || wide.Code != codeCOVID19Vaccine {
		return false
	}
	kind, err := terminology.Resolve(event, terminology.SystemICD11, within(terminology.VaccineType, ""))
	listed, _ := terminology.InValueSet(terminology.ValueSetVaccinesICD11, kind.System, kind.Code)
	return err == nil && listed
}

// holder is who holds the authorisation of the event's product, as the EU's list names it.
func (m *match) holder() terminology.Concept {
	for _, member := range []string{"maholder", "manufacturer"} {
		if c := m.code(member); canonical(c.System) == terminology.SystemEUHolder {
			return c
		}
	}
	return terminology.Concept{}
}

// isSARSCoV2 reports that the event's test was for the virus or a variant of it.
func (m *match) isSARSCoV2() bool {
	agent := m.code("pathogen")
	if found, err := terminology.Resolve(agent, terminology.SystemICD11, within(terminology.Pathogen, "")); err == nil {
		agent = found
	}
	member, _ := terminology.InValueSet(terminology.ValueSetAgent, agent.System, agent.Code)
	return member
}

// covid19Vaccines are the tables of what is a vaccine against COVID-19, in one system each.
var covid19Vaccines = []string{
	terminology.ValueSetVaccinesICD11, terminology.ValueSetVaccines, terminology.ValueSetVaccinesCVX,
	terminology.ValueSetVaccinesSNOMED, terminology.ValueSetVaccinesEU,
}

// isCOVID19 reports that the event is about COVID-19: its disease, vaccine or pathogen is.
func (m *match) isCOVID19() bool {
	if dig(m.event, "pathogen") != nil {
		return m.isSARSCoV2()
	}
	return dig(m.event, "disease") != nil && m.isDisease(codeCOVID19) ||
		slices.ContainsFunc([]string{"brand", "vaccine"}, func(member string) bool {
			said := m.code(member)
			return slices.ContainsFunc(covid19Vaccines, func(set string) bool {
				listed, _ := terminology.InValueSet(set, said.System, said.Code)
				return listed
			}) || isGeneral(concept(terminology.SystemICD11, codeCOVID19Vaccine), said)
		})
}
