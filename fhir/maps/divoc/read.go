package divoc

import (
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// The credential types of DIVOC's contexts.
const (
	typeVaccination = "ProofOfVaccinationCredential"
	typeTest        = "ProofOfTestCertificateCredential"
)

// The context that every credential has; the one behind it names DIVOC's version.
const contextW3C = "https://www.w3.org/2018/credentials/v1"

const root = "credential"

// Read gives one reading for each evidence of a credential. Content is the JSON-LD
// credential. There is always a reading: a credential without an event has one that says
// so.
//
// The age that older credentials have in place of the birth date is not a birth date and
// is left out. A vaccination is valid from effectiveStart; the guide's other map takes
// effectiveUntil.
func Read(s maps.Source) []maps.Reading {
	tree, ok := foreign.Tree(s.Content)
	if !ok {
		return foreign.TooMany(root)
	}
	credential := element.Root(root, tree, new(element.Log))
	types := texts(credential.Child("type"))
	vaccination, test := slices.Contains(types, typeVaccination), slices.Contains(types, typeTest)
	if vaccination == test {
		return foreign.Unreadable(root+".type", foreign.RuleEvents,
			"The credential is neither a proof of vaccination nor a proof of a test.", "Send a DIVOC certificate of a vaccination or a test.")
	}
	evidence := credential.Child("evidence").List()
	switch n := len(evidence); {
	case n == 0:
		return foreign.NoEvent(root + ".evidence")
	case n > foreign.MaxEvents:
		return foreign.TooMany(root + ".evidence")
	}
	out := make([]maps.Reading, len(evidence))
	for i := range evidence {
		out[i] = readEvent(s, tree, i, test)
	}
	return out
}

// texts gives the strings of an array, or the one that stands in its place.
func texts(e *element.Element) []string {
	if e.Exists() && e.Value().Kind == jsontree.String {
		return []string{e.Text()}
	}
	var out []string
	for _, x := range e.List() {
		if x.Exists() && x.Value().Kind == jsontree.String {
			out = append(out, x.Text())
		}
	}
	return out
}

// readEvent reads one evidence, with issues of its own.
func readEvent(s maps.Source, tree *jsontree.Value, index int, isTest bool) maps.Reading {
	var log element.Log
	credential := element.Root(root, tree, &log)
	event := credential.Child("evidence").List()[index]
	core := holder(credential.Child("credentialSubject"))
	core.Certificate = fhir.Certificate{
		Issuer:  fhir.Identifier{Value: s.Issuer},
		HCID:    foreign.Text(event.Child("certificateId"), fhir.LimitHCID),
		Version: version(credential),
		Period: fhir.Period{
			Start: foreign.DateTime(event.Child("effectiveStart")),
			End:   foreign.DateTime(event.Child("effectiveUntil")),
		},
	}
	if isTest {
		core.Test = test(event)
	} else {
		core.Vaccination = vaccination(event)
	}
	foreign.Model(&core)
	return maps.Reading{Core: core, Issues: log.Issues}
}

// version is the context that names DIVOC's vocabulary; the guide takes it for the version.
func version(credential *element.Element) string {
	context := credential.Child("@context")
	if !context.Exists() {
		context = credential.Child("context") // the guide's own rendering
	}
	for _, uri := range texts(context) {
		if uri != contextW3C && strings.Contains(uri, "/credentials/") && len(uri) <= fhir.LimitIdentifier {
			return uri
		}
	}
	return ""
}

func holder(subject *element.Element) fhir.CoreDataSet {
	core := fhir.CoreDataSet{
		Name:      foreign.Name(subject.Child("name")),
		BirthDate: foreign.Date(subject.Child("dob")),
		Sex:       foreign.Sex(subject.Child("gender")),
	}
	if core.Sex == "" {
		core.Sex = foreign.Sex(subject.Child("sex"))
	}
	if id := foreign.Identifier(subject.Child("id")); id != "" {
		core.Identifier = &fhir.Identifier{Value: id}
	}
	if core.BirthDate == "" && subject.Child("age").Exists() {
		subject.Child("age").Note(fault.SeverityWarning, fhir.RuleNotKept,
			"An age does not say the birth date and was left out.", "Supply the birth date.")
	}
	return core
}

func vaccination(e *element.Element) *fhir.Vaccination {
	v := &fhir.Vaccination{
		Vaccine:      vaccine(e),
		Brand:        foreign.Brand(e.Child("vaccine")),
		Manufacturer: foreign.Label(e.Child("manufacturer")),
		Lot:          foreign.Text(e.Child("batch"), fhir.LimitLot),
		Date:         foreign.DateTime(e.Child("date")),
		ValidFrom:    foreign.Day(e.Child("effectiveStart")),
		Dose:         foreign.Count(e.Child("dose")),
		TotalDoses:   foreign.Count(e.Child("totalDoses")),
		Practitioner: fhir.Identifier{Value: foreign.Identifier(e.Child("verifier").Child("name"))},
	}
	v.Country, v.Centre = facility(e)
	foreign.Required(e.Child("date"), v.Date)
	return v
}

// vaccine takes the ICD-11 code of newer credentials, and else what the guide's table
// says of the vaccine's name.
func vaccine(e *element.Element) fhir.Coding {
	if code := foreign.Identifier(e.Child("icd11Code")); code != "" {
		return fhir.Coding{System: terminology.SystemICD11, Code: code}
	}
	name := e.Child("vaccine")
	concept, ok := terminology.CodeByName(terminology.SystemDIVOC, foreign.Identifier(name))
	if !ok {
		foreign.Untranslated(name, "The vaccine is left out")
		return fhir.Coding{}
	}
	c, _ := foreign.Translate(name, fhir.Coding{System: concept.System, Code: concept.Code}, terminology.MapVaccineTypeFromDIVOC)
	return c
}

func test(e *element.Element) *fhir.Test {
	t := &fhir.Test{
		Pathogen:     foreign.Word(e.Child("disease"), terminology.SystemDIVOCPathogen, terminology.MapPathogenFromDIVOC),
		Type:         foreign.Word(e.Child("testType"), terminology.SystemDIVOCType, terminology.MapTestTypeFromDIVOC),
		Brand:        fhir.Coding{Code: foreign.Identifier(e.Child("testName"))},
		Manufacturer: foreign.Label(e.Child("manufacturer")),
		Origin:       foreign.Word(e.Child("sampleOrigin"), terminology.SystemDIVOCOrigin, terminology.MapOriginFromDIVOC),
		Date:         foreign.DateTime(e.Child("sampleCollectionTimestamp")),
		Result:       foreign.Word(e.Child("result"), terminology.SystemDIVOCResult, terminology.MapTestResultFromDIVOC),
	}
	country, centre := facility(e)
	t.Country, t.Centre = country, fhir.Coding{Display: centre}
	foreign.Required(e.Child("testType"), t.Type.Code)
	foreign.Required(e.Child("result"), t.Result.Code)
	foreign.Required(e.Child("sampleCollectionTimestamp"), t.Date)
	return t
}

func facility(e *element.Element) (fhir.Coding, string) {
	f := e.Child("facility")
	return foreign.Country(f.Child("address").Child("addressCountry")), foreign.Text(f.Child("name"), fhir.LimitCentre)
}
