package reader

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

const maxEntries = 256

var (
	shortURL     = regexp.MustCompile(`^resource:(0|[1-9][0-9]{0,3})$`)
	resourceType = regexp.MustCompile(`^[A-Z][A-Za-z]{2,40}$`)
)

// bundleCheck is the state of checking one bundle.
type bundleCheck struct {
	*checker
	urls  []string // fullUrl of every entry
	found content
}

// checkBundle checks vc.credentialSubject.fhirBundle (SMART Health Cards Framework, "Health
// Card Data Model"; Vaccination & Testing IG, bundle profiles).
func (c *checker) checkBundle(path string, bundle map[string]any) content {
	b := &bundleCheck{checker: c}
	if bundle["resourceType"] != "Bundle" {
		c.fail(RuleBundle, path+".resourceType", "must be Bundle")
	}
	if bundle["type"] != "collection" {
		c.fail(RuleBundle, path+".type", "must be collection")
	}
	entries, _ := bundle["entry"].([]any)
	if len(entries) == 0 || len(entries) > maxEntries {
		c.fail(RuleBundle, path+".entry", "must be a list of 1 to 256 resources")
		return b.found
	}
	resources := b.entries(path, entries)
	patients := 0
	for i, resource := range resources {
		at := fmt.Sprintf("%s.entry[%d].resource", path, i)
		b.resource(at, resource)
		if resource["resourceType"] == "Patient" {
			patients++
		}
	}
	if patients != 1 {
		c.fail(RulePatient, path+".entry", "must hold exactly one Patient")
	}
	return b.found
}

// entries checks the shape of the entries and notes their names.
func (b *bundleCheck) entries(path string, entries []any) []map[string]any {
	resources := make([]map[string]any, len(entries))
	for i, item := range entries {
		at := fmt.Sprintf("%s.entry[%d]", path, i)
		entry, _ := item.(map[string]any)
		fullURL, _ := entry["fullUrl"].(string)
		switch {
		case !shortURL.MatchString(fullURL):
			b.fail(RuleFullURL, at+".fullUrl", "must be resource: and a number")
		case slices.Contains(b.urls, fullURL):
			b.fail(RuleFullURL, at+".fullUrl", "must differ from that of other entries")
		case fullURL != "resource:"+strconv.Itoa(i):
			b.warn(RuleFullURL, at+".fullUrl", "should count from resource:0 in the order of the entries")
		}
		b.urls = append(b.urls, fullURL)
		resources[i], _ = entry["resource"].(map[string]any)
	}
	return resources
}

func (b *bundleCheck) resource(path string, resource map[string]any) {
	kind, _ := resource["resourceType"].(string)
	if !resourceType.MatchString(kind) {
		b.fail(RuleResource, path, "must be a FHIR resource with its resourceType")
		return
	}
	b.minimal(path, resource)
	b.walk(path, "", resource)
	switch kind {
	case "Patient":
		b.patient(path, resource)
	case "Immunization":
		b.found.immunizations++
		b.immunization(path, resource)
	case "Observation":
		b.found.observations++
		b.observation(path, resource)
	}
}

// minimal checks the members a resource in a card should not have at its root.
func (b *bundleCheck) minimal(path string, resource map[string]any) {
	for _, name := range []string{"id", "text"} {
		if _, present := resource[name]; present {
			b.warn(RuleMinimal, path+"."+name, "should be left out of a card")
		}
	}
	meta, present := resource["meta"]
	if !present {
		return
	}
	members, ok := meta.(map[string]any)
	security, hasSecurity := members["security"]
	if !ok || !hasSecurity || len(members) > 1 {
		b.warn(RuleMeta, path+".meta", "should hold security alone")
	}
	if hasSecurity && !isSecurity(security) {
		b.fail(RuleMeta, path+".meta.security", "must be a list of codes of the identity assurance level")
	}
}

// isSecurity knows a list of FHIR Codings with a code each.
func isSecurity(value any) bool {
	list, ok := value.([]any)
	for _, item := range list {
		coding, isObject := item.(map[string]any)
		code, _ := coding["code"].(string)
		ok = ok && isObject && code != ""
		for name := range coding {
			ok = ok && slices.Contains([]string{"id", "system", "version", "code", "display", "userSelected"}, name)
		}
	}
	return ok && len(list) > 0
}
