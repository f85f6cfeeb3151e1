package ccda

import (
	"slices"
	"strings"
)

// composition maps the header, and the body section by section.
func (c *converter) composition() {
	doc := c.doc
	o := newObject().put("language", c.languageTag(doc.child("languageCode")))
	if version := doc.child("versionNumber").attr("value"); version != "" {
		o.add("extension", newObject().put("url", "http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber").put("valueString", version))
	}
	ids := c.identifiers(doc.all("id"))
	if set := c.identifiers(doc.all("setId")); len(set) > 0 { // the same for all versions, as Composition.identifier is
		o.put("identifier", set[0])
	} else if len(ids) > 0 {
		o.put("identifier", ids[0])
	}
	kind := c.required(doc.child("code"))
	o.put("status", "final").put("type", kind).put("subject", referTo(c.patient))
	encompassing := c.encompassing(doc.child("componentOf", "encompassingEncounter"))
	o.put("encounter", referTo(encompassing))
	made := doc.child("effectiveTime")
	if date := c.dateTime(made); date != "" {
		o.put("date", date)
	} else {
		o.put("_date", absent(made))
	}
	for _, author := range doc.all("author") {
		o.add("author", referTo(c.practice(author.child("assignedAuthor"))))
	}
	if !o.has("author") {
		o.add("author", absent(doc.child("author")))
	}
	o.put("title", firstOf(c.text(doc.child("title")), label(kind), "Clinical document"))
	o.put("confidentiality", confidentiality(doc.child("confidentialityCode")))
	c.attesters(o)
	o.put("custodian", referTo(c.organization(doc.child("custodian", "assignedCustodian", "representedCustodianOrganization"))))
	c.related(o)
	for _, documented := range doc.all("documentationOf") {
		o.add("event", c.service(documented.child("serviceEvent")))
	}
	r := &resource{kind: "Composition", body: o, id: c.uuid("Composition", string(c.digest[:]))}
	if len(ids) > 0 {
		r.id = c.idOf("Composition", ids[0])
	}
	c.taken[r.id] = r
	c.body(o)
	c.resources = append([]*resource{r}, c.resources...) // a document begins with it
}

func confidentiality(n *node) string {
	switch code := n.attr("code"); code {
	case "L", "M", "N", "R", "U", "V":
		return code
	default:
		return ""
	}
}

func (c *converter) attesters(o *object) {
	for _, how := range []struct{ element, mode string }{{"legalAuthenticator", "legal"}, {"authenticator", "professional"}} {
		for _, n := range c.doc.all(how.element) {
			one := newObject().put("mode", how.mode).put("time", c.dateTime(n.child("time")))
			if who := c.practice(n.child("assignedEntity")); c.fits(who, n, append(professionals, "Patient")...) {
				one.put("party", referTo(who))
			}
			o.add("attester", one)
		}
	}
}

// related maps relations to earlier documents.
func (c *converter) related(o *object) {
	words := map[string]string{"RPLC": "replaces", "APND": "appends", "XFRM": "transforms"}
	for _, n := range c.doc.all("relatedDocument") {
		ids := c.identifiers(n.child("parentDocument").all("id"))
		if word := words[n.attr("typeCode")]; word != "" && len(ids) > 0 {
			o.add("relatesTo", newObject().put("code", word).put("targetIdentifier", ids[0]))
		}
	}
}

// service maps what the document is about: its period and who provided the care. A
// performer who is the primary care physician becomes the patient's.
func (c *converter) service(n *node) *object {
	if n == nil {
		return nil
	}
	o := newObject().add("code", c.concept(n.child("code"))).put("period", c.period(n.child("effectiveTime")))
	for _, p := range n.all("performer") {
		who := c.practice(p.child("assignedEntity"))
		if who == nil {
			continue
		}
		switch code := p.child("functionCode").attr("code"); {
		case (code == "PCP" || code == "PP") && slices.Contains(professionals, who.kind):
			c.patient.body.add("generalPractitioner", referTo(who))
		default:
			o.add("detail", referTo(who))
		}
	}
	return o
}

// body maps the sections, or the one text that is not XML.
func (c *converter) body(composition *object) {
	for _, component := range c.doc.all("component") {
		for _, part := range component.child("structuredBody").all("component") {
			for _, section := range part.all("section") {
				composition.add("section", c.section(section))
			}
		}
		c.attachment(composition, component.child("nonXMLBody", "text"))
	}
}

// section maps one section and those in it: narrative, and a resource for each entry that
// is understood.
func (c *converter) section(n *node) *object {
	if n == nil {
		return nil
	}
	title := c.text(n.child("title"))
	o := newObject().put("title", title).put("code", c.concept(n.child("code")))
	for _, author := range n.all("author") {
		o.add("author", referTo(c.practice(author.child("assignedAuthor"))))
	}
	text := c.narrative(n.child("text"))
	o.put("text", text)
	kind := kindOf(n)
	listed := map[*resource]bool{}
	for _, entry := range n.all("entry") {
		for _, r := range c.entry(kind, entry) {
			if r != nil && !listed[r] {
				listed[r] = true
				o.add("entry", referTo(r))
			}
		}
	}
	for _, component := range n.all("component") {
		o.add("section", c.section(component.child("section")))
	}
	c.emptySection(o, n, title)
	return o
}

// emptySection says why a section has nothing (cmp-1, cmp-2).
func (c *converter) emptySection(o *object, n *node, title string) {
	if reason := n.null(); reason != "" && !o.has("entry") {
		word := map[string]string{"NASK": "notasked", "MSK": "withheld", "NAV": "unavailable", "NI": "unavailable", "UNK": "unavailable"}[reason]
		o.put("emptyReason", concept(coding(systemSectionEmpty, firstOf(word, "unavailable"), "")))
	}
	if !o.has("text") && !o.has("entry") && !o.has("section") {
		o.put("text", emptyNarrative(title))
	}
}

// attachment keeps a body that is no XML as DocumentReference.
func (c *converter) attachment(composition *object, n *node) {
	if n == nil {
		return
	}
	content := newObject().put("contentType", n.attr("mediaType"))
	if n.attr("representation") == "B64" {
		data, ok := base64Text(n)
		if !ok {
			c.warn(n, RuleValue, "The body is not base64.", "Send the body as base64.")
			n.spend()
			return
		}
		content.put("data", data)
		n.spend()
	} else if text := c.text(n); text != "" {
		composition.add("section", newObject().put("title", "Document").put("text", plainNarrative(text)))
		return
	}
	if !content.has("data") {
		return
	}
	document := newObject().put("status", "current").put("type", composition.get("type")).put("subject", referTo(c.patient)).
		add("content", newObject().put("attachment", content))
	r := c.event("DocumentReference", n, document)
	composition.add("section", newObject().put("title", "Document").add("entry", referTo(r)))
}

func plainNarrative(text string) *object {
	var w xhtml
	w.out.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml"><p>`)
	w.escape(strings.TrimSpace(text))
	w.out.WriteString("</p></div>")
	return newObject().put("status", "generated").put("div", w.out.String())
}
