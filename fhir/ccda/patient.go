package ccda

import (
	"strings"

	"golang.org/x/text/language"
)

// Extensions of Patient.
const (
	extensionRace       = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
	extensionEthnicity  = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
	extensionBirthTime  = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
	extensionBirthPlace = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
	extensionReligion   = "http://hl7.org/fhir/StructureDefinition/patient-religion"
)

// recordTarget makes the Patient. A document about several people is refused: its
// statements do not say whose they are.
func (c *converter) recordTarget() error {
	targets := c.doc.all("recordTarget")
	if len(targets) > 1 {
		return broken(targets[1], "ccda-patients", "ccda-one-patient", "The document is about several people.", "Send a document for each.")
	}
	if len(targets) == 0 || targets[0].child("patientRole") == nil {
		return broken(c.doc, "ccda-patient", RuleRequired, "The document has no recordTarget with a patientRole.", "Say whom the document is about.")
	}
	role := targets[0].child("patientRole")
	if c.options.Vaccinations {
		c.holder(role)
		return nil
	}
	c.patient = c.event("Patient", role, c.person(role))
	if organization := c.organization(role.child("providerOrganization")); organization != nil {
		c.patient.body.put("managingOrganization", referTo(organization))
	}
	return nil
}

// holder is as much of the patient as names the holder of a certificate.
func (c *converter) holder(role *node) {
	patient := role.child("patient")
	o := newObject().put("identifier", c.identifiers(role.all("id"))).put("name", c.names(patient.all("name"))).
		put("gender", gender(patient.child("administrativeGenderCode"))).put("birthDate", c.date(patient.child("birthTime")))
	role.spend()
	c.patient = c.event("Patient", role, o)
}

func (c *converter) person(role *node) *object {
	patient := role.child("patient")
	o := newObject()
	c.patientExtensions(o, patient)
	o.put("identifier", c.identifiers(role.all("id")))
	o.put("name", c.names(patient.all("name"))).put("telecom", c.telecoms(role.all("telecom")))
	o.put("gender", gender(patient.child("administrativeGenderCode")))
	c.birth(o, patient)
	o.put("address", c.addresses(role.all("addr")))
	o.put("maritalStatus", c.concept(patient.child("maritalStatusCode")))
	c.multiple(o, patient)
	for _, guardian := range patient.all("guardian") {
		o.add("contact", c.guardian(guardian))
	}
	for _, participant := range c.doc.all("participant") {
		o.add("contact", c.support(participant))
	}
	for _, language := range patient.all("languageCommunication") {
		o.add("communication", c.language(language))
	}
	return o
}

// gender is HL7's map CF-AdministrativeGender.
func gender(n *node) string {
	switch {
	case n == nil:
		return ""
	case n.attr("code") == "F":
		return "female"
	case n.attr("code") == "M":
		return "male"
	case n.attr("code") == "UN":
		return "other"
	default:
		return "unknown"
	}
}

func (c *converter) birth(o *object, patient *node) {
	born := patient.child("birthTime")
	if text := c.dateTime(born); len(text) > len("2006-01-02") {
		o.put("birthDate", text[:len("2006-01-02")])
		o.put("_birthDate", newObject().add("extension", newObject().put("url", extensionBirthTime).put("valueDateTime", text)))
	} else if text != "" {
		o.put("birthDate", text)
	} else if born != nil {
		o.put("_birthDate", absent(born))
	}
	died := c.dateTime(patient.ext("deceasedTime"))
	switch dead := patient.ext("deceasedInd").attr("value"); {
	case died != "":
		o.put("deceasedDateTime", died)
	case dead == "true" || dead == "false":
		o.put("deceasedBoolean", dead == "true")
	}
}

func (c *converter) multiple(o *object, patient *node) {
	order := whole(patient.ext("multipleBirthOrderNumber").attr("value"))
	several := patient.ext("multipleBirthInd").attr("value")
	switch {
	case order != "":
		o.put("multipleBirthInteger", order)
	case several == "true" || several == "false":
		o.put("multipleBirthBoolean", several == "true")
	}
}

func (c *converter) patientExtensions(o *object, patient *node) {
	races := append(patient.all("raceCode"), patient.exts("raceCode")...)
	o.add("extension", c.background(extensionRace, races, map[string]bool{"1002-5": true, "2028-9": true, "2054-5": true, "2076-8": true, "2106-3": true}))
	ethnicities := append(patient.all("ethnicGroupCode"), patient.exts("ethnicGroupCode")...)
	o.add("extension", c.background(extensionEthnicity, ethnicities, map[string]bool{"2135-2": true, "2186-5": true}))
	if place := patient.child("birthplace", "place"); place != nil {
		if list := c.addresses(place.all("addr")); len(list) > 0 {
			o.add("extension", newObject().put("url", extensionBirthPlace).put("valueAddress", list[0]))
		}
	}
	if religion := c.concept(patient.child("religiousAffiliationCode")); !empty(religion) {
		o.add("extension", newObject().put("url", extensionReligion).put("valueCodeableConcept", religion))
	}
}

// background is US Core's extension of race or ethnicity: the categories of OMB, details,
// and a text, which it requires.
func (c *converter) background(url string, list []*node, categories map[string]bool) *object {
	out := newObject().put("url", url)
	var texts []string
	for _, n := range c.few(list) {
		one := c.coding(n)
		part := "detailed"
		switch {
		case one == nil && n.null() != "":
			part = "ombCategory"
			one = coding(systemNullFlavor, "UNK", "unknown")
			if n.null() == "ASKU" {
				one = coding(systemNullFlavor, "ASKU", "asked but unknown")
			}
		case one == nil:
			continue
		case categories[n.attr("code")]:
			part = "ombCategory"
		}
		if part == "ombCategory" && url == extensionEthnicity && hasPart(out, part) {
			continue
		}
		out.add("extension", newObject().put("url", part).put("valueCoding", one))
		display, _ := one.get("display").(string)
		code, _ := one.get("code").(string)
		texts = append(texts, firstOf(display, code))
	}
	if len(texts) == 0 {
		return nil
	}
	return out.add("extension", newObject().put("url", "text").put("valueString", strings.Join(texts, ", ")))
}

func hasPart(extension *object, url string) bool {
	list, _ := extension.get("extension").([]*object)
	for _, one := range list {
		if one.get("url") == url {
			return true
		}
	}
	return false
}

func (c *converter) guardian(n *node) *object {
	relation := c.concept(n.child("code"))
	if empty(relation) {
		relation = concept(coding(systemV3+"RoleClass", "GUARD", "guardian"))
	}
	o := c.contact(n, relation, n.child("guardianPerson"))
	if organization := c.organization(n.child("guardianOrganization")); organization != nil {
		o.put("organization", referTo(organization))
	}
	if len(o.members) == 1 { // pat-1: somebody, not only a relationship
		return nil
	}
	return o
}

// supporters are the roles of those who support the patient (RoleClass).
var supporters = map[string]string{
	"NOK": "next of kin", "ECON": "emergency contact", "CAREGIVER": "caregiver", "AGNT": "agent", "PRS": "personal relationship", "GUARD": "guardian",
}

// contactRoles translates them to the codes that FHIR binds Patient.contact.relationship to.
var contactRoles = map[string]string{"NOK": "N", "ECON": "C"}

// support maps a participant of the document who supports the patient, such as an
// emergency contact; other participants are no contacts.
func (c *converter) support(participant *node) *object {
	n := participant.child("associatedEntity")
	role := n.attr("classCode")
	if supporters[role] == "" {
		participant.used = false
		return nil
	}
	relation := concept(coding(systemV3+"RoleClass", role, supporters[role]))
	if code := contactRoles[role]; code != "" {
		relation.add("coding", coding(systemContactRole, code, ""))
	}
	if code := c.coding(n.child("code")); code != nil {
		relation.add("coding", code)
	}
	if o := c.contact(n, relation, n.child("associatedPerson")); len(o.members) > 1 {
		return o
	}
	return nil
}

func (c *converter) contact(n *node, relation *object, person *node) *object {
	o := newObject().add("relationship", relation)
	if list := c.names(person.all("name")); len(list) > 0 {
		o.put("name", list[0])
	}
	o.put("telecom", c.telecoms(n.all("telecom")))
	if list := c.addresses(n.all("addr")); len(list) > 0 {
		o.put("address", list[0])
	}
	return o
}

func (c *converter) language(n *node) *object {
	tag := c.languageTag(n.child("languageCode"))
	if tag == "" {
		return nil
	}
	o := newObject().put("language", concept(coding(systemLanguage, tag, "")))
	if preferred := n.child("preferenceInd").attr("value"); preferred == "true" || preferred == "false" {
		o.put("preferred", preferred == "true")
	}
	return o
}

// languageTag gives a language as BCP 47 writes it: en for eng.
func (c *converter) languageTag(n *node) string {
	code := n.attr("code")
	if code == "" {
		return ""
	}
	tag, err := language.Parse(code)
	if err != nil || len(code) > maxTag {
		c.note(n, RuleValue, "The language is no tag of BCP 47.", "Send a tag like en or en-US.")
		return ""
	}
	return tag.String()
}

const maxTag = 35 // characters (RFC 5646 §4.4.1)
