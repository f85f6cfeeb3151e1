package service

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// compareDocument holds a DDCC document against the certificate it carries: the resources
// of the profile and no other, the same person, authority, event and HCID, and the
// certificate's own text and picture as its one QR code. What a certificate leaves out
// (sex, national id, practitioner, next dose, narrative) cannot be compared.
// The certificate's side comes from the independent reader, not from what was stated.
func compareDocument(cert signing.Certificate, subClaim int64, document []byte) ([]fault.Issue, error) {
	m, err := reader.Decode(cert.Text)
	if err != nil {
		return nil, err
	}
	content, ok := m.Claims.SubClaims[subClaim].(map[string]any)
	if !ok {
		return nil, errors.New("the released certificate has no content")
	}
	var bundle any
	if err := json.Unmarshal(document, &bundle); err != nil {
		return nil, err
	}
	c := comparison{document: bundle, content: content}
	c.frame(cert)
	c.person()
	c.authority()
	if _, ok := content["vaccination"]; ok {
		c.resources(vaccinationResources)
		c.vaccination()
	} else {
		c.resources(testResources)
		c.test()
	}
	return c.issues, c.qr(cert.Text)
}

// bounds are how often a type of resource may stand in a document.
type bounds struct{ least, most int }

// The resources of a document, by profile (DDCC IG, DDCCVSDocument and DDCCTRDocument);
// nothing else may ride along under the signature.
var (
	vaccinationResources = map[string]bounds{
		"Composition": {1, 1}, "Patient": {1, 1}, "Organization": {1, 1}, "Practitioner": {0, 1},
		"Immunization": {1, 1}, "ImmunizationRecommendation": {0, 1}, "DocumentReference": {1, 1},
	}
	testResources = map[string]bounds{
		"Composition": {1, 1}, "Patient": {1, 1}, "Organization": {1, 1},
		"Observation": {1, 1}, "DiagnosticReport": {1, 1}, "Device": {1, 1}, "Procedure": {1, 1},
		"Specimen": {0, 1}, "DocumentReference": {1, 1},
	}
)

type comparison struct {
	document any
	content  map[string]any
	issues   []fault.Issue
}

// same records an issue unless the document's value is the certificate's.
func (c *comparison) same(path string, inDocument, inCertificate any) {
	if n, ok := inCertificate.(uint64); ok {
		inCertificate = int64(n)
	}
	if !alike(inDocument, inCertificate) {
		c.issues = append(c.issues, fault.Issue{
			Path: path, Rule: "document-correspondence",
			Detail: "The document and its certificate differ here.", Fix: "Build the document from the certified data.",
		})
	}
}

// alike compares what two formats say: 1 in JSON is 1 in CBOR, whatever their types.
func alike(a, b any) bool {
	x, isText := a.(string)
	y, bothText := b.(string)
	if isText && bothText {
		return x == y // without a copy: one of them is a picture
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func (c *comparison) frame(cert signing.Certificate) {
	c.same("Bundle.resourceType", dig(c.document, "resourceType"), "Bundle")
	c.same("Bundle.type", dig(c.document, "type"), "document")
	c.same("Bundle.timestamp", dig(c.document, "timestamp"), cert.IssuedAt.UTC().Format(time.RFC3339))
	c.same("Bundle.link.url", dig(c.document, "link", 0, "url"), "urn:HCID:"+fmt.Sprint(dig(c.content, "certificate", "hcid")))
	c.same("Bundle.link.count()", size(dig(c.document, "link")), 1)
	c.same("Bundle.entry[0]", dig(c.document, "entry", 0, "resource", "resourceType"), "Composition")
	composition := c.only("Composition")
	c.same("Composition.status", dig(composition, "status"), "final")
	c.same("Composition.date", dig(composition, "date"), cert.IssuedAt.UTC().Format(time.RFC3339))
	c.same("Composition.event.period.start", dig(composition, "event", 0, "period", "start"), dig(c.content, "certificate", "period", "start"))
	c.same("Composition.event.period.end", dig(composition, "event", 0, "period", "end"), dig(c.content, "certificate", "period", "end"))
	c.same("modifierExtension.count()", modifiers(c.document), 0)
}

// resources refuses what the profile does not name, and what stands there too often.
func (c *comparison) resources(allowed map[string]bounds) {
	entries, _ := dig(c.document, "entry").([]any)
	count := map[string]int{}
	for _, e := range entries {
		kind, _ := dig(e, "resource", "resourceType").(string)
		count[kind]++
		if _, ok := allowed[kind]; !ok {
			c.same("Bundle.entry.resource", "another type", "a type of the profile")
		}
	}
	for kind, b := range allowed {
		if n := count[kind]; n < b.least || n > b.most {
			c.same("Bundle.entry.resource.ofType("+kind+").count()", n, fmt.Sprintf("%d to %d", b.least, b.most))
		}
	}
}

func (c *comparison) person() {
	patient := c.only("Patient")
	c.same("Patient.name.count()", size(dig(patient, "name")), 1)
	c.same("Patient.name.text", dig(patient, "name", 0, "text"), c.content["name"])
	c.same("Patient.birthDate", dig(patient, "birthDate"), c.content["birthDate"])
}

// authority: the certificate names who attests; the document must not name another.
func (c *comparison) authority() {
	organization, issuer := c.only("Organization"), dig(c.content, "certificate", "issuer")
	c.same("Organization.identifier.count()", size(dig(organization, "identifier")), 1)
	c.same("Organization.identifier.value", dig(organization, "identifier", 0, "value"), dig(issuer, "code"))
	if system := dig(issuer, "system"); system != nil {
		c.same("Organization.identifier.system", dig(organization, "identifier", 0, "system"), system)
	}
}

// coding compares a CodeableConcept of exactly one coding with a coded claim.
func (c *comparison) coding(path string, concept, claim any) {
	if claim == nil {
		c.same(path, concept, nil)
		return
	}
	c.same(path+".coding.count()", size(dig(concept, "coding")), 1)
	c.same(path+".coding.code", dig(concept, "coding", 0, "code"), dig(claim, "code"))
	c.same(path+".coding.system", dig(concept, "coding", 0, "system"), dig(claim, "system"))
	c.same(path+".text", dig(concept, "text"), nil)
}

// extension finds an extension by the last segment of its URL, in any base.
func extension(resource any, names ...string) any {
	extensions, _ := dig(resource, "extension").([]any)
	for _, e := range extensions {
		url, _ := dig(e, "url").(string)
		if slices.Contains(names, url[strings.LastIndexByte(url, '/')+1:]) {
			return e
		}
	}
	return nil
}

func (c *comparison) country(resource any, path string, claim any) {
	e := extension(resource, "DDCCCountryOfEvent", "DDCCCountryOfVaccination")
	c.same(path+".extension(DDCCCountryOfEvent)", dig(e, "valueCode"), dig(claim, "country", "code"))
}

func (c *comparison) vaccination() {
	event, shot := c.only("Immunization"), c.content["vaccination"]
	c.same("Immunization.status", dig(event, "status"), "completed")
	c.coding("Immunization.vaccineCode", dig(event, "vaccineCode"), dig(shot, "vaccine"))
	brand := dig(extension(event, "DDCCEventBrand", "DDCCVaccineBrand"), "valueCoding")
	c.same("Immunization.extension(DDCCEventBrand).code", dig(brand, "code"), dig(shot, "brand", "code"))
	c.same("Immunization.extension(DDCCEventBrand).system", dig(brand, "system"), dig(shot, "brand", "system"))
	holder := dig(extension(event, "DDCCVaccineMarketAuthorization"), "valueCoding")
	c.same("Immunization.extension(DDCCVaccineMarketAuthorization).code", dig(holder, "code"), dig(shot, "maholder", "code"))
	maker := dig(event, "manufacturer", "identifier", "value")
	if maker == nil {
		maker = dig(event, "manufacturer", "display")
	}
	c.same("Immunization.manufacturer", maker, dig(shot, "manufacturer", "code"))
	c.country(event, "Immunization", shot)
	c.same("Immunization.lotNumber", dig(event, "lotNumber"), dig(shot, "lot"))
	c.same("Immunization.occurrenceDateTime", dig(event, "occurrenceDateTime"), dig(shot, "date"))
	c.same("Immunization.location.display", dig(event, "location", "display"), dig(shot, "centre"))
	c.same("Immunization.protocolApplied.count()", size(dig(event, "protocolApplied")), 1)
	protocol := dig(event, "protocolApplied", 0)
	c.same("Immunization.protocolApplied.doseNumberPositiveInt", dig(protocol, "doseNumberPositiveInt"), dig(shot, "dose"))
	c.same("Immunization.protocolApplied.seriesDosesPositiveInt", dig(protocol, "seriesDosesPositiveInt"), dig(shot, "totalDoses"))
	c.coding("Immunization.protocolApplied.targetDisease", dig(protocol, "targetDisease", 0), dig(shot, "disease"))
}

func (c *comparison) test() {
	event, device, test := c.only("Observation"), c.only("Device"), c.content["test"]
	c.same("Observation.status", dig(event, "status"), "final")
	c.same("Observation.effectiveDateTime", dig(event, "effectiveDateTime"), dig(test, "date"))
	c.coding("Observation.valueCodeableConcept", dig(event, "valueCodeableConcept"), dig(test, "result"))
	c.coding("Observation.code", dig(event, "code"), dig(test, "type"))
	c.coding("Device.type", dig(device, "type"), dig(test, "type"))
	c.coding("Device.property(pathogen)", dig(device, "property", 0, "valueCode", 0), dig(test, "pathogen"))
	c.country(c.only("Procedure"), "Procedure", test)
}

// qr checks that the QR code of the document is the certificate: one text, and the picture
// that belongs to it.
func (c *comparison) qr(text string) error {
	symbol, err := qr.Encode(text, qr.Q)
	if err != nil {
		return err
	}
	picture, err := symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
	if err != nil {
		return err
	}
	contents, _ := dig(c.only("DocumentReference"), "content").([]any)
	want := map[string]string{
		"text/plain": base64.StdEncoding.EncodeToString([]byte(text)),
		"image/png":  base64.StdEncoding.EncodeToString(picture),
	}
	c.same("DocumentReference.content.count()", len(contents), len(want))
	for _, content := range contents {
		kind, _ := dig(content, "attachment", "contentType").(string)
		c.same("DocumentReference.content.attachment.data", dig(content, "attachment", "data"), want[kind])
		delete(want, kind)
	}
	return nil
}

// modifiers counts the members that change the meaning of what they stand in.
func modifiers(v any) int {
	n := 0
	switch x := v.(type) {
	case map[string]any:
		for name, member := range x {
			if name == "modifierExtension" || name == "implicitRules" || name == "contained" {
				n++
			}
			n += modifiers(member)
		}
	case []any:
		for _, member := range x {
			n += modifiers(member)
		}
	}
	return n
}

// size is the length of a list, 0 for anything else.
func size(v any) int {
	list, _ := v.([]any)
	return len(list)
}

// only gives the single resource of a type; none or several is an issue.
func (c *comparison) only(resourceType string) any {
	entries, _ := dig(c.document, "entry").([]any)
	var found []any
	for _, e := range entries {
		if dig(e, "resource", "resourceType") == resourceType {
			found = append(found, dig(e, "resource"))
		}
	}
	c.same("Bundle.entry.resource.ofType("+resourceType+").count()", len(found), 1)
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// dig follows member names and indexes through decoded JSON; nil where the way ends.
func dig(v any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			list, _ := v.([]any)
			if key >= len(list) {
				return nil
			}
			v = list[key]
		}
	}
	return v
}
