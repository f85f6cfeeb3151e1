package fhir

import (
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// ParseCoreDataSet reads the JSON of MarshalJSON and of WHO's own examples, which wrap
// the one vaccination in an array in older versions. The JSON does not name its model:
// a test makes TR, sex or centre make VSCoC, anything else is VSPoV. The error is a
// fault.Malformed; Validate checks the content.
func ParseCoreDataSet(raw []byte) (CoreDataSet, error) {
	var log element.Log
	e, err := open(raw, resourceCoreDataSet, &log)
	if err != nil {
		return CoreDataSet{}, err
	}
	known(e, "resourceType", "name", "birthDate", "identifier", "sex", "certificate", "vaccination", "test")
	c := CoreDataSet{
		Name:        e.Child("name").Text(),
		BirthDate:   e.Child("birthDate").Text(),
		Sex:         e.Child("sex").Text(),
		Certificate: readCertificate(e.Child("certificate")),
	}
	if id := e.Child("identifier"); id.Object() {
		c.Identifier = optional(readIdentifier(id))
	}
	if v := onlyOne(e.Child("vaccination")); v.Object() {
		c.Vaccination = readVaccination(v)
	}
	if t := onlyOne(e.Child("test")); t.Object() {
		c.Test = readTest(t)
	}
	c.Model = InferModel(c)
	return c, closeLog(&log, resourceCoreDataSet)
}

// InferModel gives the model of a core data set whose source does not name it.
func InferModel(c CoreDataSet) Model {
	switch {
	case c.Test != nil && c.Vaccination == nil:
		return ModelTR
	case c.Vaccination != nil && (c.Sex != "" || c.Vaccination.Centre != ""):
		return ModelVSCoC
	default:
		return ModelVSPoV
	}
}

func onlyOne(e *element.Element) *element.Element {
	if !e.Exists() || e.Value().Kind != jsontree.Array {
		return e
	}
	list := e.List()
	if len(list) == 1 {
		return list[0]
	}
	e.Report(RuleOneEvent, "There is not exactly one event.", "Send one event in each core data set.")
	return e.Child("")
}

func readIdentifier(e *element.Element) Identifier {
	return Identifier{System: e.Child("system").Text(), Value: e.Child("value").Text()}
}

func readCertificate(e *element.Element) Certificate {
	if !e.Object() {
		return Certificate{}
	}
	known(e, "issuer", "kid", "hcid", "ddccid", "version", "period")
	return Certificate{
		Issuer:  readIdentifier(e.Child("issuer").Child("identifier")),
		HCID:    e.Child("hcid").Child("value").Text(),
		DDCCID:  e.Child("ddccid").Child("value").Text(),
		Version: e.Child("version").Text(),
		Period: Period{
			Start: e.Child("period").Child("start").Text(),
			End:   e.Child("period").Child("end").Text(),
		},
	}
}

func readVaccination(e *element.Element) *Vaccination {
	known(e, "vaccine", "brand", "manufacturer", "maholder", "lot", "date", "validFrom", "dose",
		"totalDoses", "country", "centre", "signature", "practitioner", "disease", "nextDose")
	return &Vaccination{
		Vaccine:      readCoding(e.Child("vaccine")),
		Brand:        readCoding(e.Child("brand")),
		Manufacturer: readCoding(e.Child("manufacturer")),
		MAHolder:     readCoding(e.Child("maholder")),
		Lot:          e.Child("lot").Text(),
		Date:         e.Child("date").Text(),
		ValidFrom:    e.Child("validFrom").Text(),
		Dose:         readPositive(e.Child("dose")),
		TotalDoses:   readPositive(e.Child("totalDoses")),
		Country:      readCoding(e.Child("country")),
		Centre:       e.Child("centre").Text(),
		Practitioner: readIdentifier(e.Child("practitioner")),
		Disease:      readCoding(e.Child("disease")),
		NextDose:     e.Child("nextDose").Text(),
	}
}

func readTest(e *element.Element) *Test {
	known(e, "pathogen", "type", "brand", "manufacturer", "origin", "date", "result", "centre", "country")
	return &Test{
		Pathogen:     readCoding(e.Child("pathogen")),
		Type:         readCoding(e.Child("type")),
		Brand:        readCoding(e.Child("brand")),
		Manufacturer: readCoding(e.Child("manufacturer")),
		Origin:       readCoding(e.Child("origin")),
		Date:         e.Child("date").Text(),
		Result:       readCoding(e.Child("result")),
		Centre:       readCoding(e.Child("centre")),
		Country:      readCoding(e.Child("country")),
	}
}

// readPositive reads a positiveInt, which has no zero (FHIR R4 datatypes).
func readPositive(e *element.Element) int {
	n, ok := e.Int()
	if ok && n < 1 {
		e.Report(RulePositiveInt, "The number is not positive.", "Send a whole number from 1 on.")
	}
	return n
}
