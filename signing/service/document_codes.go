package service

import (
	"slices"
	"strings"
)

// coding compares a CodeableConcept of exactly one coding with a coded claim.
func (c *comparison) coding(path string, concept, claim any) {
	if claim == nil {
		c.same(path, concept, nil)
		return
	}
	c.same(path+".coding.count()", size(dig(concept, "coding")), 1)
	c.code(path+".coding", dig(concept, "coding", 0), claim)
	c.same(path+".text", dig(concept, "text"), nil)
}

// codingAgain is coding for a concept that a document may repeat, or not.
func (c *comparison) codingAgain(path string, concept, claim any) {
	if concept != nil {
		c.coding(path, concept, claim)
	}
}

// code compares a Coding with a coded claim.
func (c *comparison) code(path string, coding, claim any) {
	c.same(path+".code", codeOf(coding), dig(claim, "code"))
	c.same(path+".system", dig(coding, "system"), dig(claim, "system"))
}

// codeOf is the code, or the text where there is none: so does the certificate.
func codeOf(coding any) any {
	if code := dig(coding, "code"); code != nil {
		return code
	}
	return dig(coding, "display")
}

// label compares a Reference that names something outside the document with a coded claim.
func (c *comparison) label(path string, reference, claim any) {
	name := dig(reference, "identifier", "value")
	if name == nil {
		name = dig(reference, "display")
	}
	c.same(path, name, dig(claim, "code"))
	c.repeated(path+".identifier.system", dig(reference, "identifier", "system"), dig(claim, "system"))
}

// The bases under which the extensions of the guide were published (package fhir).
var extensionBases = []string{
	"http://smart.who.int/ddcc/StructureDefinition/",
	"http://worldhealthorganization.github.io/ddcc/StructureDefinition/",
}

// extensions gives the extensions of a resource by name. One that is not among names, under
// another base or there twice, is an issue.
func (c *comparison) extensions(path string, resource any, names ...string) map[string]any {
	list, _ := dig(resource, "extension").([]any)
	found := map[string]any{}
	for _, e := range list {
		url, _ := dig(e, "url").(string)
		cut := strings.LastIndexByte(url, '/') + 1
		name := url[cut:]
		if _, twice := found[name]; twice || !slices.Contains(names, name) || !slices.Contains(extensionBases, url[:cut]) {
			c.refuse(path + ".extension")
			continue
		}
		found[name] = e
	}
	return found
}

// extensionValue compares one value of an extension, and that it has no other.
func (c *comparison) extensionValue(path string, e any, kind string) any {
	members, _ := e.(map[string]any)
	for name := range members {
		if name != "url" && name != kind {
			c.refuse(path)
		}
	}
	return members[kind]
}

// either gives what an extension has under its name or under the one before 2023; a
// document that has it under both must say the same twice.
func (c *comparison) either(path string, found map[string]any, kind, name, before string) any {
	value, old := c.extensionValue(path, found[name], kind), c.extensionValue(path, found[before], kind)
	if value == nil {
		return old
	}
	c.repeated(path, old, value)
	return value
}

func (c *comparison) country(path string, found map[string]any, claim any) {
	path += ".extension(DDCCCountryOfEvent)"
	country := c.either(path, found, "valueCode", "DDCCCountryOfEvent", "DDCCCountryOfVaccination")
	c.same(path, country, dig(claim, "country", "code"))
}
