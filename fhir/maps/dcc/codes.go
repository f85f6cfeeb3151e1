package dcc

import (
	"errors"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Codes with a meaning of their own here.
const (
	diseaseCOVID19 = "840539006" // tg, SNOMED CT: the one disease of the format
	testNAAT       = "LP6464-4"  // tt, LOINC
	resultDetected = "260373001" // tr, SNOMED CT
	agentSARSCoV2  = "XN109"     // ICD-11
	codeDetected   = "RA01.0"    // ICD-11

	// systemTestName is what the guide's map writes as the system of nm. The name is a
	// text; under this system it comes back as one.
	systemTestName = "https://id.uvci.eu/valuesets/test-manf.json"
)

// translate gives the EU's code for a code of the core data set.
func (w *writer) translate(path string, c fhir.Coding, target string, context terminology.Context) string {
	if c.Code == "" {
		w.fail(path, RuleRequired, "The format needs the element as a code.", "Supply code and system.")
		return ""
	}
	found, err := terminology.Resolve(concept(c), target, context)
	if err != nil {
		detail, fix := explain(err)
		w.fail(path, RuleUntranslatable, detail, fix)
	}
	return found.Code
}

func concept(c fhir.Coding) terminology.Concept {
	return terminology.Concept{System: c.System, Code: c.Code}
}

func explain(err error) (detail, fix string) {
	switch {
	case errors.Is(err, terminology.ErrUnknownCode):
		return "The code is in none of the gateway's tables, so that the EU's code for it is not known.",
			"Send a code of WHO's or of the EU's value set for the element."
	case errors.Is(err, terminology.ErrNoTranslation):
		return "The EU's value set has no code for what the code means.", "Send another code if one fits; else this format cannot be issued."
	default:
		return "Several of the EU's codes fit the code, which does not say which is meant.", "Send the EU's own code for the element."
	}
}

// euHolder is the holder as the EU's list names it, or nothing.
func euHolder(codings ...fhir.Coding) terminology.Concept {
	for _, c := range codings {
		if system, ok := terminology.CanonicalSystem(c.System); ok && system == terminology.SystemEUHolder {
			return terminology.Concept{System: system, Code: c.Code}
		}
	}
	return terminology.Concept{}
}
