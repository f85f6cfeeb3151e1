package service

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// compareDocument holds a DDCC document against the certificate it carries: same person,
// same event, same HCID, and the certificate's own text as the one serialized QR code.
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
	if _, ok := content["vaccination"]; ok {
		c.vaccination()
	} else {
		c.test()
	}
	c.text(cert.Text)
	return c.issues, nil
}

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
	if fmt.Sprint(inDocument) != fmt.Sprint(inCertificate) {
		c.issues = append(c.issues, fault.Issue{
			Path: path, Rule: "document-correspondence",
			Detail: "The document and its certificate differ here.", Fix: "Build the document from the certified data.",
		})
	}
}

func (c *comparison) frame(cert signing.Certificate) {
	c.same("Bundle.resourceType", dig(c.document, "resourceType"), "Bundle")
	c.same("Bundle.type", dig(c.document, "type"), "document")
	c.same("Bundle.timestamp", dig(c.document, "timestamp"), cert.IssuedAt.UTC().Format(time.RFC3339))
	c.same("Bundle.link.url", dig(c.document, "link", 0, "url"), "urn:HCID:"+fmt.Sprint(dig(c.content, "certificate", "hcid")))
	c.same("Bundle.entry[0]", dig(c.document, "entry", 0, "resource", "resourceType"), "Composition")
}

func (c *comparison) person() {
	patient := c.only("Patient")
	c.same("Patient.name.text", dig(patient, "name", 0, "text"), c.content["name"])
	c.same("Patient.birthDate", dig(patient, "birthDate"), c.content["birthDate"])
}

func (c *comparison) vaccination() {
	event, shot := c.only("Immunization"), c.content["vaccination"]
	c.same("Immunization.vaccineCode.coding.code", dig(event, "vaccineCode", "coding", 0, "code"), dig(shot, "vaccine", "code"))
	c.same("Immunization.vaccineCode.coding.system", dig(event, "vaccineCode", "coding", 0, "system"), dig(shot, "vaccine", "system"))
	c.same("Immunization.lotNumber", dig(event, "lotNumber"), dig(shot, "lot"))
	c.same("Immunization.occurrenceDateTime", dig(event, "occurrenceDateTime"), dig(shot, "date"))
	c.same("Immunization.protocolApplied.doseNumberPositiveInt", dig(event, "protocolApplied", 0, "doseNumberPositiveInt"), dig(shot, "dose"))
}

func (c *comparison) test() {
	event, test := c.only("Observation"), c.content["test"]
	c.same("Observation.effectiveDateTime", dig(event, "effectiveDateTime"), dig(test, "date"))
	c.same("Observation.valueCodeableConcept.coding.code", dig(event, "valueCodeableConcept", "coding", 0, "code"), dig(test, "result", "code"))
	c.same("Observation.valueCodeableConcept.coding.system", dig(event, "valueCodeableConcept", "coding", 0, "system"), dig(test, "result", "system"))
}

// text checks that the one serialized QR attachment is the certificate.
func (c *comparison) text(text string) {
	contents, _ := dig(c.only("DocumentReference"), "content").([]any)
	for _, entry := range contents {
		if dig(entry, "attachment", "contentType") != "text/plain" {
			continue
		}
		c.same("DocumentReference.content.attachment.data", dig(entry, "attachment", "data"), base64.StdEncoding.EncodeToString([]byte(text)))
		return
	}
	c.same("DocumentReference.content.attachment", nil, "text/plain")
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
