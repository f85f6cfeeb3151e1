package maps_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

// The checker below is written from the table of profiles in the guide, not from the
// writer: it reads the document as plain JSON.

type object = map[string]any

type conformance struct {
	doc      object
	test     bool
	problems []string
	byURL    map[string]object
}

func (c *conformance) want(ok bool, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

// dig walks "a.b.0.c"; a missing step gives nil.
func dig(v any, path string) any {
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[step]
		case []any:
			i := int(step[0] - '0')
			if len(step) != 1 || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (c *conformance) equal(v any, path string, want any) {
	got := dig(v, path)
	c.want(reflect.DeepEqual(got, want), "%s = %v, want %v", path, got, want)
}

func (c *conformance) exists(v any, paths ...string) {
	for _, p := range paths {
		got := dig(v, p)
		c.want(got != nil && got != "", "%s is missing in a %v", p, dig(v, "resourceType"))
	}
}

// exactly checks the number of elements of a list.
func (c *conformance) exactly(v any, path string, n int) {
	list, _ := dig(v, path).([]any)
	c.want(len(list) == n, "%s has %d elements, want %d", path, len(list), n)
}

func check(document []byte) []string {
	c := &conformance{byURL: map[string]object{}}
	if err := json.Unmarshal(document, &c.doc); err != nil {
		return []string{err.Error()}
	}
	if err := fhir.Check(document); err != nil {
		return []string{err.Error()}
	}
	c.bundle()
	c.references(c.doc, "Bundle")
	c.empties(c.doc, "Bundle")
	if c.test {
		c.testDocument()
	} else {
		c.vaccinationDocument()
	}
	return c.problems
}

func (c *conformance) all(kind string) []object {
	var out []object
	entries, _ := c.doc["entry"].([]any)
	for _, e := range entries {
		if r, ok := dig(e, "resource").(object); ok && r["resourceType"] == kind {
			out = append(out, r)
		}
	}
	return out
}

// one gives the only resource of a kind with the profile it claims.
func (c *conformance) one(kind, profile string) object {
	all := c.all(kind)
	c.want(len(all) == 1, "%d resources %s", len(all), kind)
	if len(all) == 0 {
		return object{}
	}
	c.profile(all[0], profile)
	return all[0]
}

func (c *conformance) profile(r object, name string) {
	got, _ := dig(r, "meta.profile.0").(string)
	canonical, ok := fhir.ParseCanonical(got)
	c.want(ok && canonical.Type == "StructureDefinition" && canonical.Name == name, "%v claims profile %q", r["resourceType"], got)
}

func (c *conformance) bundle() {
	d := c.doc
	c.equal(d, "resourceType", "Bundle")
	c.equal(d, "type", "document")
	c.exists(d, "id", "identifier.system", "identifier.value", "timestamp")
	c.exactly(d, "link", 1)
	c.equal(d, "link.0.relation", "publication")
	url, _ := dig(d, "link.0.url").(string)
	c.want(strings.HasPrefix(url, "urn:HCID:") && len(url) > 9, "link url %q", url)
	c.want(d["signature"] == nil, "the document is signed")
	entries, _ := d["entry"].([]any)
	c.want(len(entries) > 0 && dig(entries[0], "resource.resourceType") == "Composition", "the composition is not first")
	for _, e := range entries {
		full, _ := dig(e, "fullUrl").(string)
		r, _ := dig(e, "resource").(object)
		c.want(full == "urn:uuid:"+fmt.Sprint(r["id"]), "fullUrl %q against id %v", full, r["id"])
		c.want(c.byURL[full] == nil, "fullUrl %q twice", full)
		c.want(len(e.(object)) == 2, "entry has more than fullUrl and resource: %v", e)
		c.byURL[full] = r
	}
	c.want(len(c.all("QuestionnaireResponse")) == 0, "a QuestionnaireResponse is inside")
	c.composition()
	c.patient(c.one("Patient", "DDCCPatient"))
	c.exists(c.one("Organization", "DDCCOrganization"), "name", "identifier.0.value")
	for _, q := range c.all("DocumentReference") {
		c.qr(q)
	}
	name := "DDCCVSDocument"
	if c.test {
		name = "DDCCTRDocument"
	}
	c.profile(d, name)
}

func (c *conformance) composition() {
	comp := c.all("Composition")[0]
	category, _ := dig(comp, "category.0.coding.0.code").(string)
	c.test = category == "ddcc-tr"
	profile, section := "DDCCVSComposition", "11369-6"
	focus, allowed := "Immunization", []string{"Immunization", "DocumentReference", "ImmunizationRecommendation"}
	if c.test {
		profile, section, focus = "DDCCTRComposition", "30954-2", "Observation"
		allowed = []string{"Observation", "DocumentReference", "Device", "DiagnosticReport", "Specimen", "Procedure"}
	}
	c.one("Composition", profile)
	c.exists(comp, "identifier.system", "identifier.value", "date", "text.div", "section.0.text.div")
	c.equal(comp, "status", "final")
	c.equal(comp, "type.coding.0.system", "http://loinc.org")
	c.equal(comp, "type.coding.0.code", "82593-5")
	c.equal(comp, "title", "Digital Documentation of COVID-19 Certificate (DDCC)")
	c.want(category == "ddcc-vs" || c.test, "category %q", category)
	c.exactly(comp, "category", 1)
	c.target(comp, "subject.reference", "Patient")
	c.target(comp, "author.0.reference", "Organization")
	c.exactly(comp, "attester", 1)
	c.equal(comp, "attester.0.mode", "official")
	c.target(comp, "attester.0.party.reference", "Organization")
	c.exactly(comp, "section", 1)
	c.equal(comp, "section.0.code.coding.0.system", "http://loinc.org")
	c.equal(comp, "section.0.code.coding.0.code", section)
	c.target(comp, "section.0.focus.reference", focus)
	c.narrative(dig(comp, "text.div"))
	c.narrative(dig(comp, "section.0.text.div"))
	entries, _ := dig(comp, "section.0.entry").([]any)
	listed := map[string]bool{}
	for _, e := range entries {
		url, _ := dig(e, "reference").(string)
		listed[fmt.Sprint(c.byURL[url]["resourceType"])] = true
	}
	for kind := range listed {
		c.want(strings.Contains(strings.Join(allowed, " "), kind), "section lists a %s", kind)
	}
	c.want(listed[focus], "the section does not list its focus")
}

// narrative must be well-formed XHTML in one div.
func (c *conformance) narrative(div any) {
	text, _ := div.(string)
	c.want(strings.HasPrefix(text, `<div xmlns="http://www.w3.org/1999/xhtml">`), "narrative is no XHTML div")
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			c.want(err == io.EOF, "narrative: %v", err)
			return
		}
	}
}

func (c *conformance) target(r any, path, kind string) {
	url, _ := dig(r, path).(string)
	c.want(c.byURL[url] != nil && c.byURL[url]["resourceType"] == kind, "%s of %v does not point to a %s", path, dig(r, "resourceType"), kind)
}

func (c *conformance) patient(p object) {
	c.exists(p, "name.0.text")
	c.equal(p, "name.0.use", "official")
	absent := dig(p, "_birthDate.extension.0.url") == "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
	c.want((p["birthDate"] != nil) != absent, "birthDate %v, absent %v", p["birthDate"], absent)
}

func (c *conformance) qr(q object) {
	c.profile(q, "DDCCDocumentReferenceQR")
	c.equal(q, "status", "current")
	c.exists(q, "date")
	c.coding(q, "type.coding.0", "DDCCQRTypeCodeSystem", "who dcc icao au shc divoc")
	c.target(q, "authenticator.reference", "Organization")
	c.target(q, "subject.reference", "Patient")
	counts := map[string]int{}
	list, _ := q["content"].([]any)
	for _, x := range list {
		c.coding(x, "format", "DDCCQRFormatCodeSystem", "image serialized pdf")
		c.exists(x, "attachment.contentType", "attachment.data")
		_, err := base64.StdEncoding.DecodeString(fmt.Sprint(dig(x, "attachment.data")))
		c.want(err == nil, "attachment: %v", err)
		counts[fmt.Sprint(dig(x, "format.code"))]++
	}
	c.want(counts["image"] >= 1 && counts["serialized"] == 1 && counts["pdf"] <= 1, "contents %v", counts)
}

func (c *conformance) coding(v any, path, system, codes string) {
	url, _ := dig(v, path+".system").(string)
	canonical, ok := fhir.ParseCanonical(url)
	c.want(ok && canonical.Name == system, "%s.system = %q", path, url)
	code, _ := dig(v, path+".code").(string)
	c.want(code != "" && strings.Contains(" "+codes+" ", " "+code+" "), "%s.code = %q", path, code)
}

// references checks that every reference resolves inside the bundle.
func (c *conformance) references(v any, path string) {
	switch x := v.(type) {
	case object:
		for k, y := range x {
			if k == "reference" {
				url, _ := y.(string)
				c.want(strings.HasPrefix(url, "urn:uuid:") && c.byURL[url] != nil, "%s: %v does not resolve", path, y)
			}
			c.references(y, path+"."+k)
		}
	case []any:
		for _, y := range x {
			c.references(y, path)
		}
	}
}

// empties checks FHIR's rule that no element is empty or null.
func (c *conformance) empties(v any, path string) {
	switch x := v.(type) {
	case nil:
		c.want(false, "%s is null", path)
	case string:
		c.want(x != "", "%s is empty", path)
	case object:
		c.want(len(x) > 0, "%s is an empty object", path)
		for k, y := range x {
			c.empties(y, path+"."+k)
		}
	case []any:
		c.want(len(x) > 0, "%s is an empty array", path)
		for _, y := range x {
			c.empties(y, path)
		}
	}
}
