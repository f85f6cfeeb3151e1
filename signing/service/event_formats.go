package service

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

// yellowCard compares an ICVP. Its product is WHO's own id, which no other code means.
func (m *match) yellowCard(c icvp.Card) {
	m.names("claims.icvp.name", c.Name)
	m.birth("claims.icvp.birthDate", c.BirthDate)
	v := c.Vaccination
	const path = "claims.icvp.vaccination"
	product := concept(terminology.SystemPrequalified, v.Product)
	m.must(path+".product", sameCode(product, m.code("brand")) || sameCode(product, m.code("vaccine")))
	m.when(path+".date", v.Date)
	m.same(path+".batch", v.Batch, "lot")
	if from := textOf(dig(m.event, "validFrom")); from != "" && v.ValidFrom != "" {
		m.must(path+".validFrom", coarser(v.ValidFrom, from))
	}
}

// healthCard compares a SMART Health Card.
func (m *match) healthCard(c shc.Card) {
	p := c.Patient
	if p.Text != "" {
		m.names("claims.shc.patient.text", p.Text)
	}
	if p.Text == "" || p.Family != "" || len(p.Given) > 0 {
		m.names("claims.shc.patient", strings.Join(p.Given, " "), p.Family)
	}
	m.birth("claims.shc.patient.birthDate", p.BirthDate)
	m.must("claims.shc.covid19", !c.COVID19 || m.isCOVID19())
	for _, i := range c.Immunizations {
		const path = "claims.shc.immunizations[0]"
		m.vaccine(path+".vaccine", concept(i.Vaccine.System, i.Vaccine.Code))
		m.must(path+".manufacturer", m.isMaker(i.Manufacturer))
		m.when(path+".date", i.Date)
		m.same(path+".lot", i.Lot, "lot")
	}
	for _, o := range c.Observations {
		const path = "claims.shc.observations[0]"
		m.must(path+".code", m.isTest(concept(o.Code.System, o.Code.Code)))
		m.must(path+".value", means(concept(o.Value.System, o.Value.Code), m.code("result"), terminology.TestResult))
		m.when(path+".date", o.Date)
	}
}

func (m *match) isMaker(stated *shc.Coding) bool {
	if stated == nil {
		return true
	}
	maker := concept(stated.System, stated.Code)
	return sameCode(maker, m.code("manufacturer")) || sameCode(maker, m.code("maholder"))
}

// isTest: LOINC codes what was looked for together with the kind of test. Those of the
// tables look for SARS-CoV-2; two of them are two tests.
func (m *match) isTest(stated terminology.Concept) bool {
	const part = "LP" // begins the id of a part, which is no test
	said := m.code("type")
	if canonical(said.System) == terminology.SystemLOINC && !strings.HasPrefix(said.Code, part) {
		return sameCode(stated, said)
	}
	listed, _ := terminology.InValueSet(terminology.ValueSetTestTypeLOINC, stated.System, stated.Code)
	return listed && m.isSARSCoV2() && means(stated, said, terminology.TestType)
}

// seal compares a VDS-NC. It has no pathogen: who reads one of a test takes it for
// SARS-CoV-2 (ICAO TR VDS-NC §2.3).
func (m *match) seal(c vdsnc.Message) {
	primary, secondary, _ := strings.Cut(c.Person.Name, "  ")
	m.zones("claims.vdsnc.pid.n", primary, secondary)
	m.birth("claims.vdsnc.pid.dob", c.Person.BirthDate)
	for _, v := range c.Vaccinations {
		m.sealed("claims.vdsnc.ve[0]", v)
	}
	if c.Times != nil {
		m.when("claims.vdsnc.dat.sc", c.Times.Sampled)
		m.must("claims.vdsnc", m.isSARSCoV2())
	}
	if c.Provider != nil {
		m.country("claims.vdsnc.sp.ctr", c.Provider.Country)
	}
	if r := c.Result; r != nil {
		const path = "claims.vdsnc.tr"
		m.must(path+".tc", says(terminology.SystemICAOType, terminology.MapTestTypeFromICAO, r.Type, m.code("type"), terminology.TestType))
		m.must(path+".r", says(terminology.SystemICAOResult, terminology.MapTestResultFromICAO, r.Value, m.code("result"), terminology.TestResult))
		m.must(path+".m", m.isOrigin(r.Method))
	}
}

func (m *match) sealed(path string, v vdsnc.Event) {
	m.vaccine(path+".des", concept(terminology.SystemICD11, v.Vaccine))
	m.must(path+".nam", m.isBrand(v.Brand))
	m.must(path+".dis", m.isDisease(v.Disease))
	for _, d := range v.Doses {
		const dose = "claims.vdsnc.ve[0].vd[0]"
		m.when(dose+".dvc", d.Date)
		m.same(dose+".seq", d.Number, "dose")
		m.same(dose+".lot", d.Lot, "lot")
		m.country(dose+".ctr", d.Country)
	}
}

// isOrigin: ICAO has a word for whatever it has no word for.
func (m *match) isOrigin(word string) bool {
	const other = "other"
	return word == "" || word == other || dig(m.event, "origin") == nil ||
		says(terminology.SystemICAOOrigin, terminology.MapOriginFromICAO, word, m.code("origin"), terminology.SampleOrigin)
}

// isBrand: a seal has the brand as a text. If it is a name of ICAO's list, it must not be
// another product's; a text that no table knows cannot be compared.
func (m *match) isBrand(text string) bool {
	listed, ok := terminology.CodeByName(terminology.SystemICAO, text)
	if !ok {
		return true
	}
	product := within(terminology.VaccineProduct, "")
	stated, err := terminology.Resolve(listed, terminology.SystemICD11, product)
	said, both := terminology.Resolve(m.code("brand"), terminology.SystemICD11, product)
	kind := within(terminology.VaccineType, "")
	return err != nil || both != nil || covers(stated, said, kind) || covers(said, stated, kind)
}

// isDisease: in ICD-11 a code with a point lies below the one before it. Of an event that
// names no disease, the vaccine tells whether it was COVID-19.
func (m *match) isDisease(stated string) bool {
	said := m.code("disease")
	if stated == "" {
		return true
	}
	if said.Code == "" {
		return isUnder(stated, codeCOVID19) == m.isCOVID19()
	}
	found, err := terminology.Resolve(said, terminology.SystemICD11, within(terminology.Disease, ""))
	if err != nil {
		found = said
	}
	return canonical(found.System) == terminology.SystemICD11 && isUnder(found.Code, stated)
}

func isUnder(code, above string) bool { return code == above || strings.HasPrefix(code, above+".") }
