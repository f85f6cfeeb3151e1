package search

import (
	"regexp"
	"strings"
)

// A logical id (FHIR R4 datatypes, id).
var idShape = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// target is what the text of a reference points to. A relative reference, or an absolute one
// to a RESTful server, has type and id.
type target struct {
	typ, id, version string
	base             string // of an absolute URL to a RESTful server, without the final slash
	url              string // an absolute URL as written
}

// parseTarget reads Reference.reference. Fragments of contained resources are nowhere to be
// found by (ok is false).
func parseTarget(s string) (target, bool) {
	if s == "" || s[0] == '#' || strings.ContainsAny(s, " \t\r\n") {
		return target{}, false
	}
	t := target{}
	if strings.Contains(s, ":") {
		t.url = s
	}
	parts := strings.Split(s, "/")
	if n := len(parts); n >= 4 && parts[n-2] == "_history" && idShape.MatchString(parts[n-1]) {
		t.version, parts = parts[n-1], parts[:n-2]
	}
	n := len(parts)
	if n >= 2 && IsType(parts[n-2]) && idShape.MatchString(parts[n-1]) && (n == 2 || t.url != "") {
		t.typ, t.id, t.base = parts[n-2], parts[n-1], strings.Join(parts[:n-2], "/")
		return t, true
	}
	t.version = ""
	return t, t.url != ""
}

// withoutVersion is the URL of a RESTful reference without its version.
func (t target) withoutVersion() string { return t.base + "/" + t.typ + "/" + t.id }

// referencedType is the type a reference says it leads to, as resolve() would find it.
func referencedType(n node) string {
	if n.typ != "Reference" {
		return n.typ // Bundle.entry[0].resource
	}
	if t, ok := parseTarget(text(n.value, "reference")); ok && t.typ != "" {
		return t.typ
	}
	return text(n.value, "type")
}
