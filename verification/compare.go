package verification

import (
	"encoding/json"
	"strconv"
)

// compare holds the document against the verified content of its certificate: the same
// HCID, person and event. Both are signed, but perhaps with different keys, and a reader
// sees the document while the QR code was checked.
func compare(bundle any, certificate Result) *failure {
	c := comparison{bundle: bundle, content: certificate.Content}
	switch certificate.Profile {
	case ProfileDDCCVaccination:
		c.vaccination()
	case ProfileDDCCTest:
		c.test()
	default:
		return fail(ReasonDocumentCertificateMismatch, "the certificate is of a kind that a document cannot be compared with")
	}
	c.frame()
	c.person()
	return c.failure
}

type comparison struct {
	bundle  any
	content map[string]any
	failure *failure // the first difference
}

// same compares scalars; both absent is the same, too.
func (c *comparison) same(path string, inDocument, inCertificate any) {
	left, okLeft := scalar(inDocument)
	right, okRight := scalar(inCertificate)
	if (!okLeft || !okRight || left != right) && c.failure == nil {
		c.failure = fail(ReasonDocumentCertificateMismatch, path+" is not what the certificate says")
	}
}

// scalar is text, number or nothing. A number never equals a text.
func scalar(value any) (any, bool) {
	switch value := value.(type) {
	case nil, string:
		return value, true
	case json.Number:
		number, err := strconv.ParseFloat(value.String(), 64)
		return number, err == nil
	case uint64:
		return float64(value), true
	case float64:
		return value, true
	}
	return nil, false
}

// frame compares the HCID: DDCCDocument has exactly one publication link.
func (c *comparison) frame() {
	links, _ := dig(c.bundle, "link").([]any)
	var urls []any
	for _, link := range links {
		if dig(link, "relation") == "publication" {
			urls = append(urls, dig(link, "url"))
		}
	}
	var want any
	if hcid, ok := dig(c.content, "certificate", "hcid").(string); ok {
		want = "urn:HCID:" + hcid
	}
	if len(urls) != 1 || want == nil {
		c.same("Bundle.link.url", false, want)
		return
	}
	c.same("Bundle.link.url", urls[0], want)
}

func (c *comparison) person() {
	patient := c.only("Patient")
	c.same("Patient.name.text", dig(patient, "name", 0, "text"), c.content["name"])
	c.same("Patient.birthDate", dig(patient, "birthDate"), c.content["birthDate"])
}

func (c *comparison) vaccination() {
	event, want := c.only("Immunization"), c.content["vaccination"]
	c.coding("Immunization.vaccineCode", dig(event, "vaccineCode", "coding", 0), dig(want, "vaccine"))
	c.same("Immunization.lotNumber", dig(event, "lotNumber"), dig(want, "lot"))
	c.same("Immunization.occurrenceDateTime", dig(event, "occurrenceDateTime"), dig(want, "date"))
	c.same("Immunization.protocolApplied.doseNumberPositiveInt", dig(event, "protocolApplied", 0, "doseNumberPositiveInt"), dig(want, "dose"))
	c.same("Immunization.protocolApplied.seriesDosesPositiveInt", dig(event, "protocolApplied", 0, "seriesDosesPositiveInt"), dig(want, "totalDoses"))
}

func (c *comparison) test() {
	event, want := c.only("Observation"), c.content["test"]
	c.same("Observation.effectiveDateTime", dig(event, "effectiveDateTime"), dig(want, "date"))
	c.coding("Observation.valueCodeableConcept", dig(event, "valueCodeableConcept", "coding", 0), dig(want, "result"))
}

func (c *comparison) coding(path string, inDocument, inCertificate any) {
	c.same(path+".coding.code", dig(inDocument, "code"), dig(inCertificate, "code"))
	c.same(path+".coding.system", dig(inDocument, "system"), dig(inCertificate, "system"))
}

// only gives the single resource of a type; none or several cannot be compared.
func (c *comparison) only(resourceType string) any {
	all := resources(c.bundle, resourceType)
	if len(all) != 1 {
		c.same("the number of "+resourceType+" resources", false, nil)
		return nil
	}
	return all[0]
}
