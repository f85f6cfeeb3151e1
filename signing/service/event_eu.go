package service

import (
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
)

// certificate compares an EU DCC.
func (m *match) certificate(c dcc.Certificate) {
	m.certificateName(c.Name)
	m.birth("claims.dcc.dob", c.BirthDate)
	for _, v := range c.Vaccinations {
		m.euVaccination("claims.dcc.v[0]", v)
	}
	for _, t := range c.Tests {
		m.euTest("claims.dcc.t[0]", t)
	}
	for _, r := range c.Recoveries {
		m.euRecovery("claims.dcc.r[0]", r)
	}
}

func (m *match) euVaccination(path string, v dcc.Vaccination) {
	if dig(m.event, "disease") != nil {
		m.must(path+".tg", covers(concept(terminology.SystemSNOMED, v.Disease), m.code("disease"), within(terminology.Disease, terminology.ValueSetEUDisease)))
	}
	product, holder := within(terminology.VaccineProduct, terminology.ValueSetEUProduct), m.holder()
	product.Holder = holder
	m.must(path+".mp", covers(concept(terminology.SystemEURegister, v.Product), m.code("brand"), product))
	m.must(path+".ma", holder.Code == "" || holder.Code == v.Holder)
	m.kind(path+".vp", prophylaxis(v.Prophylaxis))
	m.same(path+".dn", v.Dose, "dose")
	m.must(path+".sd", m.series(v))
	m.when(path+".dt", v.Date)
	m.country(path+".co", v.Country)
}

// prophylaxis is vp, which is SNOMED CT but for what the EU took from ATC.
func prophylaxis(code string) terminology.Concept {
	if terminology.Known(terminology.SystemATC, code) {
		return concept(terminology.SystemATC, code)
	}
	return concept(terminology.SystemSNOMED, code)
}

// series: the whole series is complete or not. Of an event that does not say, only the
// single dose of a product that needs no second is known to be.
func (m *match) series(v dcc.Vaccination) bool {
	if total := dig(m.event, "totalDoses"); total != nil {
		return alike(v.TotalDoses, total)
	}
	single, _ := terminology.InValueSet(terminology.ValueSetSingleDose, terminology.SystemEURegister, v.Product)
	return v.Dose == 1 && v.TotalDoses == 1 && single
}

func (m *match) euTest(path string, t dcc.Test) {
	m.must(path+".tg", m.isAbout(t.Disease))
	m.must(path+".tt", m.isOfType(t.Type))
	m.must(path+".tr", means(concept(terminology.SystemSNOMED, t.Result), m.code("result"), terminology.TestResult))
	m.must(path+".ma", m.isDevice(t.Device))
	m.when(path+".sc", t.Sampled)
	m.country(path+".co", t.Country)
}

// euRecovery: nothing but a nucleic acid test that found the virus proves that somebody
// had it (Regulation (EU) 2021/953, Article 7).
func (m *match) euRecovery(path string, r dcc.Recovery) {
	detected := concept(terminology.SystemSNOMED, resultDetected)
	m.must(path, m.isOfType(testNAAT) && means(detected, m.code("result"), terminology.TestResult))
	m.must(path+".tg", m.isAbout(r.Disease))
	m.when(path+".fr", r.FirstPositive)
	m.country(path+".co", r.Country)
}

func (m *match) isAbout(disease string) bool {
	return covers(concept(terminology.SystemSNOMED, disease), m.code("pathogen"), within(terminology.Disease, terminology.ValueSetEUDisease))
}

func (m *match) isOfType(code string) bool {
	return covers(concept(terminology.SystemLOINC, code), m.code("type"), within(terminology.TestType, terminology.ValueSetEUTestType))
}

// isDevice: a rapid test has the JRC's id, which the event may have as maker or brand.
func (m *match) isDevice(id string) bool {
	known := false
	for _, member := range []string{"manufacturer", "brand"} {
		said := m.code(member)
		if canonical(said.System) != terminology.SystemJRCDevice {
			continue
		}
		if said.Code == id {
			return true
		}
		known = true
	}
	return id == "" || !known
}
