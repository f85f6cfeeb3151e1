package reader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The credential types of the framework's vocabulary.
const (
	typeHealthCard   = "https://smarthealth.cards#health-card"
	typeImmunization = "https://smarthealth.cards#immunization"
	typeLaboratory   = "https://smarthealth.cards#laboratory"
	typeCOVID19      = "https://smarthealth.cards#covid19"
)

const (
	maxRID      = 24
	maxProblems = 100 // enough to mend a card, and a bound for a hostile one
	kidLength   = 43  // base64url of a SHA-256
)

var versionPattern = regexp.MustCompile(`^[1-9][0-9]*\.[0-9]+\.[0-9]+$`)

// checker collects what a card breaks.
type checker struct {
	problems []Problem
}

func (c *checker) add(severity Severity, rule Rule, path, detail string) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, Problem{severity, rule, path, detail})
	}
}

func (c *checker) fail(rule Rule, path, detail string) { c.add(SeverityError, rule, path, detail) }
func (c *checker) warn(rule Rule, path, detail string) { c.add(SeverityWarning, rule, path, detail) }

// Check says which rules of the framework and of its FHIR profiles the content breaks, at
// most 100 of them, in the order of the content. Its severities are those of the
// framework's own validator. It knows no clock, no key and no trust.
func (m *Message) Check() []Problem {
	c := &checker{}
	c.checkClaims(m)
	bundle, _ := m.subject()["fhirBundle"].(map[string]any)
	found := c.checkBundle("vc.credentialSubject.fhirBundle", bundle)
	c.checkTypes(m.Types, found)
	return c.problems
}

func (c *checker) checkClaims(m *Message) {
	c.checkMinified(m.Payload)
	if len(m.KID) != kidLength || !isBase64URL(m.KID) {
		c.fail(RuleKID, "header.kid", "must be the SHA-256 thumbprint of the key in base64url (RFC 7638)")
	}
	if detail := issuerProblem(m.Issuer); detail != "" {
		c.fail(RuleIssuer, "iss", detail)
	}
	if !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(m.NotBefore) {
		c.fail(RuleValidity, "exp", "must be later than nbf")
	}
	if len(m.RID) > maxRID || !isBase64URL(m.RID) {
		c.fail(RuleRevocationID, "vc.rid", "must be at most 24 characters of base64url")
	}
	if version, _ := m.subject()["fhirVersion"].(string); !versionPattern.MatchString(version) {
		c.fail(RuleFHIRVersion, "vc.credentialSubject.fhirVersion", "must be a version of FHIR such as 4.0.1")
	}
}

// checkMinified wants the payload without white space; around it, white space is an error
// of whoever cut the text, within it only a waste of room.
func (c *checker) checkMinified(payload []byte) {
	if len(bytes.TrimSpace(payload)) != len(payload) {
		c.fail(RuleMinified, "", "there must be no white space around the JSON")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err == nil && compact.Len() != len(bytes.TrimSpace(payload)) {
		c.warn(RuleMinified, "", "the JSON must be minified")
	}
}

// issuerProblem says what is wrong with an iss claim, to which a verifier appends
// /.well-known/jwks.json.
func issuerProblem(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "":
		return "must be a URL"
	case u.Scheme != "https":
		return "must be an https URL"
	case strings.HasSuffix(issuer, "/"):
		return "must not end in a slash"
	case u.User != nil || strings.ContainsAny(issuer, "?#"):
		return "must have no user name, query or fragment"
	}
	return ""
}

// content is what a bundle holds, as far as credential types speak of it.
type content struct {
	immunizations, observations int
	covid19                     bool // a dose or a test was for COVID-19
}

func (c *checker) checkTypes(types []string, found content) {
	const path = "vc.type"
	if !slices.Contains(types, typeHealthCard) {
		c.fail(RuleType, path, "must contain the type #health-card")
	}
	for i, name := range types {
		switch name {
		case typeHealthCard, typeImmunization, typeLaboratory, typeCOVID19:
		case "VerifiableCredential":
			c.warn(RuleType, fmt.Sprintf("%s[%d]", path, i), "the type VerifiableCredential is implied and should be left out")
		default:
			c.warn(RuleType, fmt.Sprintf("%s[%d]", path, i), "is no type of the framework's vocabulary")
		}
	}
	for _, rule := range []struct {
		name    string
		present bool
		label   string
	}{
		{typeImmunization, found.immunizations > 0, "#immunization for vaccinations"},
		{typeLaboratory, found.observations > 0, "#laboratory for laboratory results"},
		{typeCOVID19, found.covid19, "#covid19 for COVID-19 vaccines and tests"},
	} {
		if rule.present && !slices.Contains(types, rule.name) {
			c.warn(RuleType, path, "should contain the type "+rule.label)
		}
	}
	for i, name := range types {
		if name == typeImmunization && found.immunizations == 0 || name == typeLaboratory && found.observations == 0 {
			c.warn(RuleType, fmt.Sprintf("%s[%d]", path, i), "names a kind of content the card does not have")
		}
	}
}
