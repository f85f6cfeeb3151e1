package shc

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Code systems of the guide that package terminology has no tables for.
const (
	systemGTIN = "https://www.gs1.org/gtin"
	systemAIR  = "https://www.humanservices.gov.au/organisations/health-professionals/enablers/air-vaccine-code-formats"
	systemMVX  = "http://hl7.org/fhir/sid/mvx"
	systemGLN  = "https://www.gs1.org/gln"
)

// Codes of ICD-11 and ICHI.
const (
	codeSARSCoV2  = "XN109"
	codeCOVID19   = "RA01" // and what is below it
	codeNAAT      = "1334426561"
	codeRapidTest = "2056159157"
)

// LOINC codes of the two kinds of test the core data set's value set has, which name the
// kind alone. A card needs a code that says what was looked for and in what. The guide's
// map to LOINC gives parts of codes, which are no codes of tests.
const (
	loincNAAT      = "94309-2" // SARS-CoV-2 RNA by NAA with probe detection, any specimen
	loincRapidTest = "94558-4" // SARS-CoV-2 antigen by rapid immunoassay, respiratory specimen
	loincPart      = "LP"      // begins the id of a part
)

// respiratory has the sample origins of the core data set's value set that are swabs of
// the airways.
var respiratory = map[string]bool{"JAM.AH.XF": true, "KAR.AH.XF": true, "JAE.AH.XF": true}

// precise reports systems whose codes name a product (IG, "Vaccine formulation
// specificity requirements").
func precise(system string) bool {
	return system == terminology.SystemCVX || system == systemGTIN || system == systemAIR
}

// allowed reports the other systems a vaccine's code may be from (IG, "Identifying vaccines").
func allowed(system string) bool {
	return system == terminology.SystemSNOMED || system == terminology.SystemICD11
}

// resolve translates a code, or gives nothing.
func resolve(c fhir.Coding, system string, in terminology.Context) fhir.Coding {
	found, err := terminology.Resolve(terminology.Concept{System: c.System, Code: c.Code}, system, in)
	if err != nil {
		return fhir.Coding{}
	}
	return fhir.Coding{System: found.System, Code: found.Code}
}

// isCOVID19Vaccine reports a vaccine of any kind against COVID-19.
func isCOVID19Vaccine(c fhir.Coding) bool {
	for _, set := range []string{
		terminology.ValueSetVaccinesICD11, terminology.ValueSetVaccines, terminology.ValueSetVaccinesCVX,
		terminology.ValueSetVaccinesSNOMED, terminology.ValueSetVaccinesEU,
	} {
		if member, _ := terminology.InValueSet(set, c.System, c.Code); member {
			return true
		}
	}
	kind := resolve(c, terminology.SystemICD11, terminology.Context{Use: terminology.VaccineType})
	member, _ := terminology.InValueSet(terminology.ValueSetVaccinesICD11, kind.System, kind.Code)
	return member
}

// isProduct reports a COVID-19 vaccine of one maker, not a type of vaccine: ICD-11 has it
// below a type, or WHO lists it as a brand.
func isProduct(c fhir.Coding) bool {
	if c.System != terminology.SystemICD11 {
		c = resolve(c, terminology.SystemICD11, terminology.Context{Use: terminology.VaccineProduct})
	}
	brand, _ := terminology.InValueSet(terminology.ValueSetBrands, c.System, c.Code)
	return brand || len(terminology.Translate(terminology.MapVaccineProductToType, c.System, c.Code)) > 0
}

func isCOVID19(disease fhir.Coding) bool {
	if disease.System != terminology.SystemICD11 {
		disease = resolve(disease, terminology.SystemICD11, terminology.Context{Use: terminology.Disease})
	}
	return disease.Code == codeCOVID19 || strings.HasPrefix(disease.Code, codeCOVID19+".")
}

// isSARSCoV2 reports the virus or a variant of it.
func isSARSCoV2(agent fhir.Coding) bool {
	if agent.System != terminology.SystemICD11 {
		agent = resolve(agent, terminology.SystemICD11, terminology.Context{Use: terminology.Pathogen})
	}
	member, _ := terminology.InValueSet(terminology.ValueSetAgent, agent.System, agent.Code)
	return member
}
