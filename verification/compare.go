package verification

import (
	"encoding/json"
	"strconv"
)

// compare holds the document against the verified content of a certificate in it. Both are
// signed, but perhaps with different keys, and a reader sees the document while a QR code is
// checked. The document and its DDCC say the same HCID, person and event; a certificate of
// the event in another format has codes of its own, and is of the same birth date.
func compare(bundle any, certificate Result) *failure {
	c := comparison{bundle: bundle, content: certificate.Content}
	switch certificate.Profile {
	case ProfileDDCCVaccination:
		c.vaccination()
	case ProfileDDCCTest:
		c.test()
	default:
		c.beside(certificate.Profile)
		return c.failure
	}
	c.frame()
	c.person()
	return c.failure
}

func isDDCC(profile string) bool {
	return profile == ProfileDDCCVaccination || profile == ProfileDDCCTest
}

// births give the birth date in the content of other formats; nil or empty: it has none.
var births = map[string]func(content map[string]any) any{
	ProfileEUDCC: func(content map[string]any) any { return content["dob"] },
	ProfileICVP:  func(content map[string]any) any { return content["dob"] },
	ProfileVDSNC: func(content map[string]any) any { return dig(content, "msg", "pid", "dob") },
	ProfileSHC: func(content map[string]any) any {
		patients := resources(dig(content, "vc", "credentialSubject", "fhirBundle"), "Patient")
		if len(patients) != 1 {
			return nil
		}
		return dig(patients[0], "birthDate")
	},
}

// beside compares what every format has.
func (c *comparison) beside(profile string) {
	birth, ok := births[profile]
	if !ok {
		c.failure = fail(ReasonDocumentCertificateMismatch, "a certificate is of a kind that a document cannot be compared with")
		return
	}
	if date := birth(c.content); date != nil && date != "" {
		c.same("Patient.birthDate", dig(c.only("Patient"), "birthDate"), date)
	}
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
