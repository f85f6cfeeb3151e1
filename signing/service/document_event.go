package service

func (c *comparison) vaccination() {
	event, shot := c.only("Immunization"), c.content["vaccination"]
	c.same("Immunization.status", dig(event, "status"), "completed")
	c.coding("Immunization.vaccineCode", dig(event, "vaccineCode"), dig(shot, "vaccine"))
	found := c.extensions("Immunization", event, "DDCCEventBrand", "DDCCVaccineBrand",
		"DDCCCountryOfEvent", "DDCCCountryOfVaccination", "DDCCVaccineMarketAuthorization", "DDCCVaccineValidFrom")
	const brand, holder, from = "Immunization.extension(DDCCEventBrand)",
		"Immunization.extension(DDCCVaccineMarketAuthorization)", "Immunization.extension(DDCCVaccineValidFrom)"
	c.code(brand, c.either(brand, found, "valueCoding", "DDCCEventBrand", "DDCCVaccineBrand"), dig(shot, "brand"))
	authorised := c.extensionValue(holder, found["DDCCVaccineMarketAuthorization"], "valueCoding")
	c.same(holder+".code", codeOf(authorised), dig(shot, "maholder", "code"))
	c.repeated(holder+".system", dig(authorised, "system"), dig(shot, "maholder", "system"))
	c.repeated(from, c.extensionValue(from, found["DDCCVaccineValidFrom"], "valueDate"), dig(shot, "validFrom"))
	c.country("Immunization", found, shot)
	c.label("Immunization.manufacturer", dig(event, "manufacturer"), dig(shot, "manufacturer"))
	c.same("Immunization.lotNumber", dig(event, "lotNumber"), dig(shot, "lot"))
	c.same("Immunization.occurrenceDateTime", dig(event, "occurrenceDateTime"), dig(shot, "date"))
	c.same("Immunization.location.display", dig(event, "location", "display"), dig(shot, "centre"))
	c.same("Immunization.protocolApplied.count()", size(dig(event, "protocolApplied")), 1)
	protocol := dig(event, "protocolApplied", 0)
	c.same("Immunization.protocolApplied.doseNumberPositiveInt", dig(protocol, "doseNumberPositiveInt"), dig(shot, "dose"))
	c.same("Immunization.protocolApplied.seriesDosesPositiveInt", dig(protocol, "seriesDosesPositiveInt"), dig(shot, "totalDoses"))
	c.coding("Immunization.protocolApplied.targetDisease", dig(protocol, "targetDisease", 0), dig(shot, "disease"))
	c.recommendation(shot)
}

// recommendation: when the next dose is due is in no certificate; for what, is.
func (c *comparison) recommendation(shot any) {
	r := c.first("ImmunizationRecommendation")
	next := dig(r, "recommendation", 0)
	c.repeated("ImmunizationRecommendation.date", dig(r, "date"), dig(shot, "date"))
	c.codingAgain("ImmunizationRecommendation.vaccineCode", dig(next, "vaccineCode", 0), dig(shot, "vaccine"))
	c.codingAgain("ImmunizationRecommendation.targetDisease", dig(next, "targetDisease"), dig(shot, "disease"))
	c.repeated("ImmunizationRecommendation.forecastStatus", dig(next, "forecastStatus", "coding", 0, "code"), "due")
	c.repeated("ImmunizationRecommendation.seriesDosesPositiveInt", dig(next, "seriesDosesPositiveInt"), dig(shot, "totalDoses"))
}

func (c *comparison) test() {
	event, test := c.only("Observation"), c.content["test"]
	c.same("Observation.status", dig(event, "status"), "final")
	c.same("Observation.effectiveDateTime", dig(event, "effectiveDateTime"), dig(test, "date"))
	c.coding("Observation.valueCodeableConcept", dig(event, "valueCodeableConcept"), dig(test, "result"))
	c.coding("Observation.code", dig(event, "code"), dig(test, "type"))
	c.codingAgain("Observation.method", dig(event, "method"), dig(test, "origin"))
	c.label("Observation.performer", dig(event, "performer", 0), dig(test, "centre"))
	c.device(test)
	report, procedure, specimen := c.only("DiagnosticReport"), c.only("Procedure"), c.first("Specimen")
	c.repeated("DiagnosticReport.status", dig(report, "status"), "final")
	c.codingAgain("DiagnosticReport.code", dig(report, "code"), dig(test, "type"))
	c.repeated("DiagnosticReport.effectiveDateTime", dig(report, "effectiveDateTime"), dig(test, "date"))
	c.repeated("Procedure.status", dig(procedure, "status"), "completed")
	c.codingAgain("Procedure.code", dig(procedure, "code"), dig(test, "type"))
	c.repeated("Procedure.performedDateTime", dig(procedure, "performedDateTime"), dig(test, "date"))
	c.label("Procedure.location", dig(procedure, "location"), dig(test, "centre"))
	c.country("Procedure", c.extensions("Procedure", procedure, "DDCCCountryOfEvent"), test)
	c.codingAgain("Specimen.type", dig(specimen, "type"), dig(test, "origin"))
	c.repeated("Specimen.collection.collectedDateTime", dig(specimen, "collection", "collectedDateTime"), dig(test, "date"))
}

// device: what was used for the test. Its manufacturer is a text in FHIR; the code of the
// certificate is a property.
func (c *comparison) device(test any) {
	device := c.only("Device")
	c.coding("Device.type", dig(device, "type"), dig(test, "type"))
	found := map[string]any{}
	properties, _ := dig(device, "property").([]any)
	for _, p := range properties {
		kind := dig(p, "type", "coding", 0, "code")
		if kind == nil {
			kind = dig(p, "type", "text")
		}
		name, _ := kind.(string)
		if found[name] != nil || name != "pathogen" && name != "brand" && name != "manufacturer" {
			c.refuse("Device.property")
			continue
		}
		found[name] = dig(p, "valueCode", 0)
		c.coding("Device.property", found[name], dig(test, name))
	}
	c.same("Device.property(pathogen).count()", found["pathogen"] != nil, true)
	if found["manufacturer"] == nil { // else it is the display of the code
		c.same("Device.manufacturer", dig(device, "manufacturer"), dig(test, "manufacturer", "code"))
	}
}
