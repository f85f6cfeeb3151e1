package defects

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// hosts are those of canonical addresses of FHIR, WHO, IHE and code systems; nothing else may
// be named in what is delivered.
var hosts = map[string]bool{
	"smart.who.int": true, "hl7.org": true, "terminology.hl7.org": true, "profiles.ihe.net": true, "ihe.net": true, "loinc.org": true, "snomed.info": true,
	"id.who.int": true, "dicom.nema.org": true, "spor.ema.europa.eu": true, "www.w3.org": true,
}

var address = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>|]+`)

// deliveredHoldsNoInternals walks every string of every body that goes to the FHIR server, files
// and signatures included, and of every resource that is there.
func deliveredHoldsNoInternals(t *testing.T, l *landscape) {
	l.settle(t)
	before := len(l.fhir.seen(0))
	first := l.issue(t, hcid(t)+"-SENT")
	second := l.issue(t, hcid(t)+"-SENT", dose(2))
	tested := certified(t, post(t, l.System, generate, harness.TR(t, hcid(t)+"-TESTED")))
	inFormats(t, l.System, "dcc,shc", harness.VS(t, hcid(t)+"-FORMATS", harness.Country("CHE")))
	l.arrive(t, first, second, tested)
	l.revoke(t, second)
	l.eventually(t, "the revoked document stays", func() bool { return l.stored(second.ID) == nil })
	l.settle(t)
	own := []string{strings.TrimPrefix(l.URL, "https://"), l.SignerAddress, strings.TrimPrefix(l.fhir.peer.URL(), "https://"), serverToken, string(l.Install)}
	types := map[string]bool{}
	for _, r := range l.fhir.seen(before) {
		for name, values := range r.header {
			checkText(t, append(own, "localhost"), name+": "+strings.ReplaceAll(strings.Join(values, " "), serverToken, ""))
		}
		var body any
		if json.Unmarshal(r.body, &body) != nil {
			checkText(t, append(own, "127.0.0.1", "localhost"), string(r.body))
			continue
		}
		checkIdentifiers(t, body)
		walk(t, body, types, func(text string) {
			checkText(t, append(own, "127.0.0.1", "localhost"), text)
			for _, found := range address.FindAllString(text, -1) {
				if u, err := url.Parse(found); err != nil || !hosts[u.Hostname()] {
					t.Errorf("what is sent names %.100s", found)
				}
			}
		})
	}
	l.resourcesHoldNoInternals(t, own, types)
}

// resourcesHoldNoInternals looks at everything that all proofs had delivered.
func (l *landscape) resourcesHoldNoInternals(t *testing.T, own []string, types map[string]bool) {
	t.Helper()
	for _, typ := range []string{"AuditEvent", "Binary", "Bundle", "DocumentReference", "List", "Patient", "Provenance"} {
		if !types[typ] {
			t.Errorf("no %s was sent", typ)
		}
		all := l.search(t, typ, url.Values{})
		if len(all) == 0 {
			t.Errorf("no %s is there", typ)
		}
		for _, raw := range all {
			var resource any
			if err := json.Unmarshal(raw, &resource); err != nil {
				t.Fatal(err)
			}
			checkIdentifiers(t, resource)
			walk(t, resource, types, func(text string) { checkText(t, own, text) })
		}
	}
}

func checkText(t *testing.T, forbidden []string, text string) {
	t.Helper()
	for _, word := range forbidden {
		if strings.Contains(text, word) {
			t.Errorf("%s is in %.100s", word, text)
		}
	}
}

// walk visits every string, and what is in those that are base64: text, or resources again. It
// notes the types of resources.
func walk(t *testing.T, v any, types map[string]bool, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		if typ, ok := v["resourceType"].(string); ok {
			types[typ] = true
		}
		for name, member := range v {
			visit(name)
			walk(t, member, types, visit)
		}
	case []any:
		for _, member := range v {
			walk(t, member, types, visit)
		}
	case string:
		visit(v)
		raw, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(raw) < 9 || !utf8.Valid(raw) {
			return
		}
		var inside any
		if json.Unmarshal(raw, &inside) != nil {
			inside = string(raw)
		}
		if text, ok := inside.(string); ok {
			visit(text)
			return
		}
		checkIdentifiers(t, inside)
		walk(t, inside, types, visit)
	}
}
