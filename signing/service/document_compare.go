package service

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// compareDocument holds a DDCC document against the certificate it carries: the resources
// of the profile and no other, with the members that the gateway writes and no other; the
// same person, authority, event and HCID wherever they are named, and as its QR codes the
// text and the picture of that certificate and of those released beside it. What a certificate leaves out (sex, national id,
// practitioner, next dose, names of organisations and displays of codes) cannot be compared.
// The certificate's side comes from the independent reader, not from what was stated.
func compareDocument(cert signing.Certificate, subClaim int64, codes []picture, document []byte) ([]fault.Issue, error) {
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
	c := comparison{document: bundle, content: content, pictures: len(codes)}
	c.members("Bundle", "Bundle", bundle)
	c.references()
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
	err = c.codes(codes)
	return c.issues, err
}

// bounds are how often a type of resource may stand in a document.
type bounds struct{ least, most int }

// The resources of a document beside its QR codes, by profile (DDCC IG, DDCCVSDocument and
// DDCCTRDocument); nothing else may ride along under the signature.
var (
	vaccinationResources = map[string]bounds{
		"Composition": {1, 1}, "Patient": {1, 1}, "Organization": {1, 1}, "Practitioner": {0, 1},
		"Immunization": {1, 1}, "ImmunizationRecommendation": {0, 1},
	}
	testResources = map[string]bounds{
		"Composition": {1, 1}, "Patient": {1, 1}, "Organization": {1, 1},
		"Observation": {1, 1}, "DiagnosticReport": {1, 1}, "Device": {1, 1}, "Procedure": {1, 1},
		"Specimen": {0, 1},
	}
)

type comparison struct {
	document any
	content  map[string]any
	pictures int // that it must have
	issues   []fault.Issue
}

// maxIssues bounds a report: a document may be wrong in every line.
const maxIssues = 50

func (c *comparison) report(issue fault.Issue) {
	if len(c.issues) < maxIssues {
		c.issues = append(c.issues, issue)
	}
}

// same records an issue unless the document's value is the certificate's.
func (c *comparison) same(path string, inDocument, inCertificate any) {
	if !alike(inDocument, inCertificate) {
		c.report(fault.Issue{
			Path: path, Rule: "document-correspondence",
			Detail: "The document and its certificate differ here.", Fix: "Build the document from the certified data.",
		})
	}
}

// repeated is same for what a document may say again, or not.
func (c *comparison) repeated(path string, inDocument, inCertificate any) {
	if inDocument != nil {
		c.same(path, inDocument, inCertificate)
	}
}

func (c *comparison) frame(cert signing.Certificate) {
	c.same("Bundle.resourceType", dig(c.document, "resourceType"), "Bundle")
	c.same("Bundle.type", dig(c.document, "type"), "document")
	c.same("Bundle.timestamp", dig(c.document, "timestamp"), cert.IssuedAt.UTC().Format(time.RFC3339))
	c.same("Bundle.link.url", dig(c.document, "link", 0, "url"), "urn:HCID:"+textOf(dig(c.content, "certificate", "hcid")))
	c.same("Bundle.link.count()", size(dig(c.document, "link")), 1)
	c.same("Bundle.entry[0]", dig(c.document, "entry", 0, "resource", "resourceType"), "Composition")
	composition := c.only("Composition")
	c.same("Composition.status", dig(composition, "status"), "final")
	c.same("Composition.date", dig(composition, "date"), cert.IssuedAt.UTC().Format(time.RFC3339))
	c.same("Composition.event.period.start", dig(composition, "event", 0, "period", "start"), dig(c.content, "certificate", "period", "start"))
	c.same("Composition.event.period.end", dig(composition, "event", 0, "period", "end"), dig(c.content, "certificate", "period", "end"))
	c.same("modifierExtension.count()", modifiers(c.document), 0)
	c.headings(composition, cert)
}

// Titles and codes that tell a reader what a document is (DDCC IG, DDCCVSComposition and
// DDCCTRComposition; LOINC).
const (
	documentTitle    = "Digital Documentation of COVID-19 Certificate (DDCC)"
	documentType     = "82593-5"
	attestedOfficial = "official"
	textGenerated    = "generated"
)

// headings: a vaccination does not go under the title of a recovery.
func (c *comparison) headings(composition any, cert signing.Certificate) {
	category, title, code := "ddcc-vs", "Vaccination", "11369-6"
	if _, ok := c.content["test"]; ok {
		category, title, code = "ddcc-tr", "Test result", "30954-2"
	}
	issued := cert.IssuedAt.UTC().Format(time.RFC3339)
	section := dig(composition, "section", 0)
	for path, v := range map[string][2]any{
		"title":         {dig(composition, "title"), documentTitle},
		"type":          {dig(composition, "type", "coding", 0, "code"), documentType},
		"category":      {dig(composition, "category", 0, "coding", 0, "code"), category},
		"text.status":   {dig(composition, "text", "status"), textGenerated},
		"attester.mode": {dig(composition, "attester", 0, "mode"), attestedOfficial},
		"attester.time": {dig(composition, "attester", 0, "time"), issued},

		"section.title":       {dig(section, "title"), title},
		"section.code":        {dig(section, "code", "coding", 0, "code"), code},
		"section.text.status": {dig(section, "text", "status"), textGenerated},
	} {
		c.repeated("Composition."+path, v[0], v[1])
	}
	c.narrative("Composition.text", dig(composition, "text", "div"), c.documentLines())
	c.narrative("Composition.section.text", dig(section, "text", "div"), c.eventLines())
}

// resources refuses what the profile does not name, and what stands there too often.
func (c *comparison) resources(allowed map[string]bounds) {
	entries, _ := dig(c.document, "entry").([]any)
	count := map[string]int{}
	for _, e := range entries {
		kind, _ := dig(e, "resource", "resourceType").(string)
		count[kind]++
		if _, ok := allowed[kind]; !ok && kind != "DocumentReference" {
			c.same("Bundle.entry.resource", "another type", "a type of the profile")
		}
	}
	c.same("Bundle.entry.resource.ofType(DocumentReference).count()", count["DocumentReference"], c.pictures)
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
	c.repeated("Patient.name.use", dig(patient, "name", 0, "use"), "official")
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
	author := dig(c.only("Composition"), "author", 0, "identifier")
	c.repeated("Composition.author.identifier.value", dig(author, "value"), dig(issuer, "code"))
	c.repeated("Composition.author.identifier.system", dig(author, "system"), dig(issuer, "system"))
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

// all gives the resources of a type.
func (c *comparison) all(resourceType string) (found []any) {
	entries, _ := dig(c.document, "entry").([]any)
	for _, e := range entries {
		if dig(e, "resource", "resourceType") == resourceType {
			found = append(found, dig(e, "resource"))
		}
	}
	return found
}

// first gives a resource that a document may leave out; resources counts them.
func (c *comparison) first(resourceType string) any { return dig(c.all(resourceType), 0) }

// only gives the single resource of a type; none or several is an issue.
func (c *comparison) only(resourceType string) any {
	found := c.all(resourceType)
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
