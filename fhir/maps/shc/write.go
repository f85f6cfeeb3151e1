package shc

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RuleUntranslatable marks an element that a card cannot say.
const RuleUntranslatable = "shc-untranslatable"

// Context is what a card needs beside the event.
type Context struct {
	RevocationID string // vc.rid
	Performer    string // name of the authority, when the core data set has no centre
}

// FromCore gives the content of a card for one event. An error issue means that the card
// cannot be issued; the paths are those of the core data set. The core data set has to be
// valid, see fhir.CoreDataSet.Validate.
//
// A card has no certificate id, dose number, country or identifier, and the day alone of
// a vaccination (IG, "Data minimization"). The time of a test stays.
func FromCore(core fhir.CoreDataSet, c Context) (shc.Card, []fault.Issue) {
	w := writer{context: c, card: shc.Card{
		Patient:      shc.Patient{Text: core.Name, BirthDate: core.BirthDate},
		RevocationID: c.RevocationID,
	}}
	w.need("name", core.Name)
	w.need("birthDate", core.BirthDate)
	switch {
	case core.Vaccination != nil && core.Test == nil:
		w.vaccination(*core.Vaccination)
	case core.Test != nil && core.Vaccination == nil:
		w.test(*core.Test)
	default:
		w.fail("", fhir.RuleOneEvent, "The core data set does not hold exactly one event.", "Send one vaccination or one test.")
	}
	return w.card, w.issues
}

type writer struct {
	context Context
	card    shc.Card
	issues  []fault.Issue
}

func (w *writer) fail(element, rule, detail, fix string) {
	path := "DDCCCoreDataSet"
	if element != "" {
		path += "." + element
	}
	w.issues = append(w.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

func (w *writer) need(element, value string) {
	if value == "" {
		w.fail(element, fhir.RuleRequired, "A SMART Health Card needs the element, and it is missing.", "Supply it, or leave the format out.")
	}
}

// performer is who vaccinated or tested.
func (w *writer) performer(centre string) string {
	if centre == "" {
		return w.context.Performer
	}
	return centre
}

func (w *writer) vaccination(v fhir.Vaccination) {
	v.Brand.System, v.Vaccine.System = foreign.System(v.Brand.System), foreign.System(v.Vaccine.System)
	w.card.COVID19 = isCOVID19(v.Disease) || isCOVID19Vaccine(v.Brand) || isCOVID19Vaccine(v.Vaccine)
	i := shc.Immunization{Date: day(v.Date), Lot: v.Lot, Performer: w.performer(v.Centre)}
	i.Vaccine, i.Manufacturer = w.vaccine(v)
	w.need("vaccination.date", v.Date)
	w.card.Immunizations = []shc.Immunization{i}
}

func day(date string) string {
	if len(date) > len(time.DateOnly) {
		return date[:len(time.DateOnly)]
	}
	return date
}

// vaccine finds the code of the vaccine, and the manufacturer where the code needs one;
// see the package for the rule.
func (w *writer) vaccine(v fhir.Vaccination) (shc.Coding, *shc.Coding) {
	for _, c := range []fhir.Coding{v.Brand, v.Vaccine} {
		if precise(c.System) && c.Code != "" {
			return code(c), nil
		}
	}
	for _, c := range []fhir.Coding{v.Brand, v.Vaccine} {
		if found := resolve(c, terminology.SystemCVX, terminology.Context{Use: terminology.VaccineProduct}); found.Code != "" {
			return code(found), nil
		}
	}
	maker := manufacturer(v)
	product := v.Brand
	if !allowed(product.System) {
		product = resolve(v.Brand, terminology.SystemICD11, terminology.Context{Use: terminology.VaccineProduct})
	}
	for _, c := range []fhir.Coding{product, v.Vaccine} {
		if allowed(c.System) && c.Code != "" && (maker != nil || isProduct(c) || !w.card.COVID19) {
			return code(c), maker
		}
	}
	w.fail("vaccination.brand", RuleUntranslatable,
		"No table leads from brand or vaccine to a code that names the product in a SMART Health Card.",
		"Code the brand in CVX, ICD-11, SNOMED CT or GTIN, or the manufacturer in MVX or GLN, or leave the format out.")
	return shc.Coding{}, nil
}

// manufacturer gives the maker in one of the two systems a card may have it in.
func manufacturer(v fhir.Vaccination) *shc.Coding {
	for _, c := range []fhir.Coding{v.Manufacturer, v.MAHolder} {
		if (c.System == systemMVX || c.System == systemGLN) && c.Code != "" {
			out := code(c)
			return &out
		}
	}
	return nil
}

func code(c fhir.Coding) shc.Coding { return shc.Coding{System: c.System, Code: c.Code} }

func (w *writer) test(t fhir.Test) {
	w.card.COVID19 = isSARSCoV2(t.Pathogen)
	centre := t.Centre.Display
	if centre == "" {
		centre = t.Centre.Code
	}
	w.need("test.date", t.Date)
	w.card.Observations = []shc.Observation{{
		Code: w.testCode(t), Value: w.result(t.Result), Date: t.Date, Performer: w.performer(centre),
	}}
}

// testCode takes a LOINC code as it is, and else what agent, kind of test and origin of
// the sample say together.
func (w *writer) testCode(t fhir.Test) shc.Coding {
	if system := foreign.System(t.Type.System); system == terminology.SystemLOINC && !strings.HasPrefix(t.Type.Code, loincPart) {
		return shc.Coding{System: system, Code: t.Type.Code}
	}
	kind := resolve(t.Type, terminology.SystemICD11, terminology.Context{Use: terminology.TestType})
	origin := resolve(t.Origin, terminology.SystemICD11, terminology.Context{Use: terminology.SampleOrigin})
	switch {
	case !w.card.COVID19 || kind.Code != codeNAAT && kind.Code != codeRapidTest:
		w.fail("test.type", RuleUntranslatable, "No table has a LOINC code for this kind of test and pathogen.",
			"Code the test in LOINC, or leave the format out.")
	case kind.Code == codeNAAT:
		return shc.Coding{System: terminology.SystemLOINC, Code: loincNAAT}
	case respiratory[origin.Code]:
		return shc.Coding{System: terminology.SystemLOINC, Code: loincRapidTest}
	default:
		w.fail("test.origin", RuleUntranslatable, "LOINC codes an antigen test together with its specimen, and the origin is no known swab of the airways.",
			"Supply the origin of the sample, or code the test in LOINC, or leave the format out.")
	}
	return shc.Coding{}
}

// result gives the SNOMED CT qualifier; the guide binds the value to a list of them.
func (w *writer) result(c fhir.Coding) shc.Coding {
	found := resolve(c, terminology.SystemSNOMED, terminology.Context{
		Use: terminology.TestResult, Within: terminology.ValueSetTestResultSNOMED,
	})
	if found.Code == "" {
		w.fail("test.result", RuleUntranslatable, "No table translates the result to a qualifier value of SNOMED CT.",
			"Code the result in ICD-11 or SNOMED CT as WHO's value sets do, or leave the format out.")
	}
	return code(found)
}
