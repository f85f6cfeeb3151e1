package maps

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// vaccine reads Immunization.vaccineCode. A resource that names the brand was written for
// DDCC, and its first coding is the vaccine. Any other comes from general care: the vaccine
// is the first coding of WHO's value set, or the first that translates into it, and the code
// it came as is the brand (DDCC IG, IPSToCoreDataSetVS, CertSHCtoCoreDataSet).
func vaccine(concept *element.Element, brand fhir.Coding) (fhir.Coding, fhir.Coding) {
	if !brand.IsZero() {
		return readConcept(concept), brand
	}
	for _, x := range concept.Child("coding").List() {
		c := readCoding(x)
		if member, _ := terminology.InValueSet(terminology.ValueSetVaccines, c.System, c.Code); member {
			return c, product(c)
		}
		if to, ok := translated(c, terminology.MapBrandFromCVX, terminology.MapBrandFromSNOMED); ok {
			x.Note(fault.SeverityInformation, RuleTranslated, "The vaccine code became WHO's.", "Nothing to do.")
			return to, c
		}
		if to, ok := translated(c, terminology.MapVaccineTypeFromSNOMED); ok {
			x.Note(fault.SeverityInformation, RuleTranslated, "The vaccine code became WHO's.", "Nothing to do.")
			return to, fhir.Coding{}
		}
	}
	return readConcept(concept), fhir.Coding{}
}

// RuleTranslated marks a code that was translated into WHO's value set.
const RuleTranslated = "translated"

func translated(c fhir.Coding, mapIDs ...string) (fhir.Coding, bool) {
	for _, id := range mapIDs {
		// A narrower code would say more than the source does.
		if found := terminology.Translate(id, c.System, c.Code); len(found) == 1 && found[0].Equivalence != terminology.Narrower {
			return fhir.Coding{System: found[0].System, Code: found[0].Code}, true
		}
	}
	return fhir.Coding{}, false
}

// product gives a code that names a product, nothing for a type of vaccine.
func product(c fhir.Coding) fhir.Coding {
	if member, _ := terminology.InValueSet(terminology.ValueSetBrands, c.System, c.Code); member {
		return c
	}
	return fhir.Coding{}
}
