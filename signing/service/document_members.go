package service

import (
	"strings"
	"sync"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// shapes are the members that a document of the gateway has (package fhir/maps), by
// resource and by element: "member:Shape" is an element, any other member is a plain value.
// A list holds one element; "*" marks the members whose list may hold more. Whatever a
// certificate does not say stands in none of them: notes, reactions, other names.
var shapes = map[string]string{
	"Bundle": "resourceType identifier:Identifier type timestamp link:Link entry:Entry*",
	"Link":   "relation url",
	"Entry":  "fullUrl resource:Resource",

	"Composition": "resourceType id meta:Meta text:Narrative identifier:Identifier status type:Concept category:Concept " +
		"subject:Reference date author:Reference title attester:Attester custodian:Reference event:Event section:Section",
	"Attester":  "mode time party:Reference",
	"Event":     "period:Period",
	"Period":    "start end",
	"Section":   "title code:Concept focus:Reference text:Narrative entry:Reference*",
	"Narrative": "status div",

	"Patient":      "resourceType id meta:Meta identifier:Identifier name:Name gender birthDate _birthDate:Absent",
	"Name":         "use text",
	"Organization": "resourceType id meta:Meta identifier:Identifier name",
	"Practitioner": "resourceType id meta:Meta identifier:Identifier",

	"Immunization": "resourceType id meta:Meta extension:Extension* status vaccineCode:Concept patient:Reference " +
		"occurrenceDateTime location:Reference manufacturer:Reference lotNumber performer:Performer protocolApplied:Protocol",
	"Performer": "actor:Reference",
	"Protocol":  "authority:Reference targetDisease:Concept doseNumberPositiveInt seriesDosesPositiveInt",

	"ImmunizationRecommendation": "resourceType id meta:Meta patient:Reference date recommendation:Recommendation",
	"Recommendation": "vaccineCode:Concept targetDisease:Concept forecastStatus:Concept dateCriterion:Criterion " +
		"doseNumberPositiveInt seriesDosesPositiveInt supportingImmunization:Reference",
	"Criterion": "code:Concept value",

	"Observation": "resourceType id meta:Meta status category:Concept code:Concept subject:Reference effectiveDateTime " +
		"performer:Reference valueCodeableConcept:Concept method:Concept specimen:Reference device:Reference",
	"Device":   "resourceType id meta:Meta manufacturer _manufacturer:Absent type:Concept property:Property* patient:Reference",
	"Property": "type:Label valueCode:Concept",
	"DiagnosticReport": "resourceType id meta:Meta status category:Concept code:Concept subject:Reference effectiveDateTime " +
		"specimen:Reference result:Reference",
	"Specimen":   "resourceType id meta:Meta type:Concept subject:Reference collection:Collection",
	"Collection": "collectedDateTime",
	"Procedure": "resourceType id meta:Meta extension:Extension* status code:Concept subject:Reference performedDateTime " +
		"location:Reference report:Reference usedReference:Reference",

	"DocumentReference": "resourceType id meta:Meta status type:Concept category:Concept subject:Reference date " +
		"authenticator:Reference description content:Content*",
	"Content":    "attachment:Attachment format:Coding",
	"Attachment": "contentType data",

	"Meta":       "profile tag:Coding",
	"Identifier": "use system value assigner:Reference",
	"Reference":  "reference type identifier:Identifier display _display:Absent extension:Unknown",
	"Concept":    "coding:Coding",
	"Label":      "coding:Coding text",
	"Coding":     "system version code display",
	"Extension":  "url valueCode valueCoding:Coding valueDate",
	"Absent":     "extension:Unknown",
	"Unknown":    "url valueCode",
}

// member is what a document may hold under a name.
type member struct {
	shape string // empty: a plain value
	many  bool
}

var membersOf = sync.OnceValue(func() map[string]map[string]member {
	all := map[string]map[string]member{}
	for shape, text := range shapes {
		all[shape] = map[string]member{}
		for field := range strings.FieldsSeq(text) {
			field, many := strings.CutSuffix(field, "*")
			name, of, _ := strings.Cut(field, ":")
			all[shape][name] = member{of, many}
		}
	}
	return all
})

// members refuses what the gateway's own documents do not hold.
func (c *comparison) members(path, shape string, v any) {
	element, ok := v.(map[string]any)
	if !ok {
		c.refuse(path)
		return
	}
	if shape == "Resource" { // one that the profile does not name is refused by resources
		if shape, _ = element["resourceType"].(string); membersOf()[shape] == nil {
			return
		}
		path = shape
	}
	if shape == "Unknown" {
		c.same(path+".url", element["url"], extensionAbsent)
		c.same(path+".valueCode", element["valueCode"], "unknown")
	}
	for name, value := range element {
		allowed, ok := membersOf()[shape][name]
		if !ok {
			c.refuse(path + ".*") // its name may be a text about a person
			continue
		}
		c.values(path+"."+name, allowed, value)
	}
}

// extensionAbsent says that a value is missing, and why.
const extensionAbsent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// values checks one member: an element or a list of them.
func (c *comparison) values(path string, allowed member, v any) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) > 1 && !allowed.many {
		c.refuse(path)
	}
	for _, one := range list {
		if allowed.shape != "" {
			c.members(path, allowed.shape, one)
			continue
		}
		switch one.(type) {
		case map[string]any, []any:
			c.refuse(path)
		}
	}
}

func (c *comparison) refuse(path string) {
	c.report(fault.Issue{
		Path: path, Rule: "document-member",
		Detail: "No certificate says this: the member is unknown here or stands there too often.",
		Fix:    "Leave it out. The members of a document are those that the gateway writes.",
	})
}

// references checks that a document speaks of its own resources alone: each reference
// leads to an entry, and those to the person to the person.
func (c *comparison) references() {
	entries, _ := dig(c.document, "entry").([]any)
	types := map[string]string{}
	for _, e := range entries {
		url, _ := dig(e, "fullUrl").(string)
		if _, twice := types[url]; twice && url != "" {
			c.same("Bundle.entry.fullUrl", "twice", "once")
		}
		types[url], _ = dig(e, "resource", "resourceType").(string)
	}
	delete(types, "")
	listed, _ := dig(c.only("Composition"), "section", 0, "entry").([]any)
	seen := map[string]bool{}
	for _, e := range listed {
		url := textOf(dig(e, "reference"))
		if seen[url] {
			c.refuse("Composition.section.entry")
		}
		seen[url] = true
	}
	c.referencesIn("", c.document, types)
}

func (c *comparison) referencesIn(name string, v any, types map[string]string) {
	switch x := v.(type) {
	case map[string]any:
		if url, ok := x["reference"].(string); ok {
			target, found := types[url]
			person := name == "subject" || name == "patient"
			if !found || person && target != "Patient" {
				c.same("Reference.reference", "something else", "an entry of the document")
			}
		}
		for name, value := range x {
			c.referencesIn(name, value, types)
		}
	case []any:
		for _, one := range x {
			c.referencesIn(name, one, types)
		}
	}
}
