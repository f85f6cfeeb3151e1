package vdsnc

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Codes of ICD-11.
const (
	codeSARSCoV2    = "XN109"
	originNasalSwab = "JAE.AH.XF" // swab from nasal sinus, for which ICAO has no word
)

// The namespaces that say what kind of document an identifier's value is the number of.
const (
	systemDocument = "http://terminology.hl7.org/CodeSystem/v2-0203#" // with a code of HL7 table 0203
	systemTravel   = "http://hl7.org/fhir/sid/passport-"              // with the state in alpha-3
)

// ICAO's kinds of documents that HL7 table 0203 has, TR VDS-NC §2.3.1.
const (
	kindPassport = "P"
	kindIdentity = "I"
	kindDriver   = "D"
)

// documentKinds has HL7 table 0203 for ICAO's kinds of documents. The guide's map has DL,
// driving licence, for identity cards and ACSN, a laboratory's accession number, for
// visas; the table has CZ, citizenship card, for the first and nothing for visas and crew.
var documentKinds = map[string]string{kindPassport: "PPN", "A": "CZ", "C": "CZ", kindIdentity: "CZ", kindDriver: "DL"}

// documentKind gives ICAO's kind of the document an identifier is the number of.
func documentKind(id fhir.Identifier) string {
	if strings.HasPrefix(id.System, systemTravel) {
		return kindPassport
	}
	for _, kind := range []string{kindPassport, kindIdentity, kindDriver} {
		if id.System == systemDocument+documentKinds[kind] {
			return kind
		}
	}
	return ""
}

// ICAO's words, the one that means a code best before others that lead to it. They stay
// words in tests of types and results that no table translates.
var (
	testTypes   = []string{"molecular(PCR)", "molecular(other)", "antigen", "antibody"}
	testResults = []string{"positive", "negative", "normal", "abnormal"}
	origins     = []string{"nasopharyngeal", "oropharyngeal", "saliva", "blood", "other"}
)

// wording is how one element becomes a word of ICAO's.
type wording struct {
	system, mapID string // of the words, and from them to ICD-11
	words         []string
	use           terminology.Use
}

var (
	typeWording   = wording{terminology.SystemICAOType, terminology.MapTestTypeFromICAO, testTypes, terminology.TestType}
	resultWording = wording{terminology.SystemICAOResult, terminology.MapTestResultFromICAO, testResults, terminology.TestResult}
	originWording = wording{terminology.SystemICAOOrigin, terminology.MapOriginFromICAO, origins, terminology.SampleOrigin}
)

// word gives ICAO's word for a code, empty when there is none. The tables lead from the
// words to ICD-11; this is the way back.
func (w wording) word(c fhir.Coding) string {
	if foreign.System(c.System) == w.system && terminology.Known(w.system, c.Code) {
		return c.Code
	}
	code := resolve(c, w.use)
	if code.Code == "" {
		return ""
	}
	for _, word := range w.words {
		found := terminology.Translate(w.mapID, w.system, word)
		if len(found) > 0 && found[0].System == code.System && found[0].Code == code.Code {
			return word
		}
	}
	return ""
}

// resolve translates a code to ICD-11, or gives nothing.
func resolve(c fhir.Coding, use terminology.Use) fhir.Coding {
	found, err := terminology.Resolve(terminology.Concept{System: c.System, Code: c.Code}, terminology.SystemICD11, terminology.Context{Use: use})
	if err != nil {
		return fhir.Coding{}
	}
	return fhir.Coding{System: found.System, Code: found.Code, Display: found.Display}
}

// isSARSCoV2 reports the virus or a variant of it.
func isSARSCoV2(agent fhir.Coding) bool {
	agent.System = foreign.System(agent.System)
	if agent.System != terminology.SystemICD11 {
		agent = resolve(agent, terminology.Pathogen)
	}
	member, _ := terminology.InValueSet(terminology.ValueSetAgent, agent.System, agent.Code)
	return member
}
