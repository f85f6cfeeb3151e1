package maps_test

import "strings"

// extension counts the extensions of one name; names of the old generation are not asked for.
func (c *conformance) extension(r object, name, value string, least, most int) {
	n := 0
	list, _ := r["extension"].([]any)
	for _, x := range list {
		url, _ := dig(x, "url").(string)
		if strings.HasSuffix(url, "/"+name) {
			n++
			c.exists(x, value)
		}
	}
	c.want(n >= least && n <= most, "%d extensions %s", n, name)
}

func (c *conformance) vaccinationDocument() {
	i := c.one("Immunization", "DDCCImmunization")
	c.extension(i, "DDCCEventBrand", "valueCoding", 1, 1)
	c.extension(i, "DDCCCountryOfEvent", "valueCode", 1, 1)
	c.extension(i, "DDCCVaccineMarketAuthorization", "valueCoding", 0, 1)
	c.extension(i, "DDCCVaccineValidFrom", "valueDate", 0, 1)
	c.equal(i, "status", "completed")
	c.exactly(i, "vaccineCode.coding", 1)
	c.exists(i, "vaccineCode.coding.0.code", "occurrenceDateTime", "location", "protocolApplied.0.doseNumberPositiveInt")
	c.want(i["occurrenceString"] == nil && dig(i, "protocolApplied.0.doseNumberString") == nil, "a choice is written twice")
	c.want(dig(i, "location.display") != nil || dig(i, "location._display.extension.0.url") != nil, "location.display is missing")
	c.exactly(i, "protocolApplied", 1)
	c.target(i, "patient.reference", "Patient")
	c.target(i, "protocolApplied.0.authority.reference", "Organization")
	for _, p := range c.all("Practitioner") {
		c.profile(p, "DDCCPractitioner")
		c.equal(p, "identifier.0.use", "official")
		c.exists(p, "identifier.0.system", "identifier.0.value")
		c.target(p, "identifier.0.assigner.reference", "Organization")
		c.target(i, "performer.0.actor.reference", "Practitioner")
	}
	recommendations := c.all("ImmunizationRecommendation")
	c.want(len(recommendations) <= 1, "%d recommendations", len(recommendations))
	for _, r := range recommendations {
		c.recommendation(r)
	}
}

func (c *conformance) recommendation(r object) {
	c.profile(r, "DDCCImmunizationRecommendation")
	c.exists(r, "date")
	c.target(r, "patient.reference", "Patient")
	c.exactly(r, "recommendation", 1)
	x := dig(r, "recommendation.0")
	c.exactly(x, "vaccineCode", 1)
	c.exists(x, "vaccineCode.0.coding.0.code", "dateCriterion.0.value")
	c.equal(x, "forecastStatus.coding.0.system", "http://terminology.hl7.org/CodeSystem/immunization-recommendation-status")
	c.equal(x, "forecastStatus.coding.0.code", "due")
	c.exactly(x, "dateCriterion", 1)
	c.equal(x, "dateCriterion.0.code.coding.0.code", "30980-7")
	dose, _ := dig(c.all("Immunization")[0], "protocolApplied.0.doseNumberPositiveInt").(float64)
	c.equal(x, "doseNumberPositiveInt", dose+1)
	c.exactly(x, "supportingImmunization", 1)
	c.target(x, "supportingImmunization.0.reference", "Immunization")
}

func (c *conformance) testDocument() {
	o := c.one("Observation", "DDCCObservation")
	c.equal(o, "status", "final")
	c.equal(o, "category.0.coding.0.system", "http://terminology.hl7.org/CodeSystem/observation-category")
	c.equal(o, "category.0.coding.0.code", "laboratory")
	c.exists(o, "code.coding.0.code", "effectiveDateTime", "valueCodeableConcept.coding.0.code", "performer.0")
	c.target(o, "subject.reference", "Patient")
	d := c.one("Device", "DDCCTest")
	c.want(d["manufacturer"] != nil || dig(d, "_manufacturer.extension.0.url") != nil, "manufacturer is missing")
	c.exists(d, "type.coding.0.code")
	c.target(d, "patient.reference", "Patient")
	c.coding(d, "property.0.type.coding.0", "DDCCDevicePropertyCodeSystem", "pathogen")
	c.exists(d, "property.0.valueCode.0.coding.0.code")
	r := c.one("DiagnosticReport", "DDCCDiagnosticReport")
	c.equal(r, "status", "final")
	c.exists(r, "code.coding.0.code", "effectiveDateTime", "category.0.coding.0.code")
	c.target(r, "subject.reference", "Patient")
	c.exactly(r, "specimen", 1)
	c.exactly(r, "result", 1)
	c.target(r, "result.0.reference", "Observation")
	specimens := c.all("Specimen")
	c.want(len(specimens) <= 1, "%d specimens", len(specimens))
	for _, s := range specimens {
		c.profile(s, "DDCCSpecimen")
		c.exists(s, "type.coding.0.code", "collection.collectedDateTime")
		c.target(s, "subject.reference", "Patient")
		c.target(r, "specimen.0.reference", "Specimen")
	}
	if len(specimens) == 0 {
		c.exists(r, "specimen.0.extension.0.valueCode")
	}
	p := c.one("Procedure", "DDCCProcedure")
	c.extension(p, "DDCCCountryOfEvent", "valueCode", 1, 1)
	c.equal(p, "status", "completed")
	c.exists(p, "performedDateTime", "code.coding.0.code")
	c.target(p, "subject.reference", "Patient")
	c.exactly(p, "report", 1)
	c.target(p, "report.0.reference", "DiagnosticReport")
	c.exactly(p, "usedReference", 1)
	c.target(p, "usedReference.0.reference", "Device")
}
