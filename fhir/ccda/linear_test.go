package ccda_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestLinear: documents that are built to cost more than their size are done in time. Not
// parallel: it measures.
func TestLinear(t *testing.T) {
	minimal := string(sample(t, "minimal"))
	inSection := func(code, entries string) string {
		section := `<component><section><code code="` + code + `" codeSystem="2.16.840.1.113883.6.1"/><text><paragraph ID="big">` + strings.Repeat("long text ", 190) + `</paragraph></text>` + entries + `</section></component>`
		return strings.Replace(minimal, "<structuredBody>", "<structuredBody>"+section, 1)
	}
	n := ccda.MaxNodes / 12
	for name, raw := range map[string]string{
		"issues":       strings.Replace(minimal, "<author>", strings.Repeat(`<a b="c"/>`, n)+"<author>", 1),
		"warnings":     inSection("11369-6", strings.Repeat(`<entry><act classCode="ACT"/></entry>`, n)),
		"identifiers":  strings.Replace(minimal, "<patientRole>", "<patientRole>"+strings.Repeat(`<id root="1.2" extension="x"/>`, n), 1),
		"categories":   strings.Replace(minimal, "<birthTime", strings.Repeat(`<ethnicGroupCode code="x"/>`, n)+"<birthTime", 1),
		"translations": inSection("47519-4", `<entry><procedure><code code="x">`+strings.Repeat(`<translation code="y"/>`, n)+`</code></procedure></entry>`),
		"references":   inSection("47519-4", strings.Repeat(`<entry><procedure><code><originalText><reference value="#big"/></originalText></code></procedure></entry>`, n)),
		"one name, many mentions": strings.Replace(minimal, "<custodian>", `<informant/><author><assignedAuthor><id root="1.2.3"/><representedOrganization><id root="1.2.4"/><name>`+strings.Repeat("x", 1<<20)+"</name></representedOrganization></assignedAuthor></author>"+
			strings.Repeat(`<author><assignedAuthor><id root="1.2.3"/><representedOrganization><id root="1.2.4"/><name>y</name></representedOrganization></assignedAuthor></author>`, n/5)+"<custodian>", 1),
		"one id, many statements": inSection("47519-4", `<entry><procedure><id root="1.2.5"/><code><originalText>`+strings.Repeat("x", 1<<20)+`</originalText></code></procedure></entry>`+
			strings.Repeat(`<entry><procedure><id root="1.2.5"/><code code="y"/></procedure></entry>`, n/2)),
		"concern without status": inSection("48765-2", `<entry><act>`+strings.Repeat(`<entryRelationship><observation/></entryRelationship>`, n*2)+`</act></entry>`),
		"product with many names": inSection("10160-0", `<entry><substanceAdministration><consumable><manufacturedProduct><manufacturedMaterial>`+strings.Repeat("<name/>", n*2)+
			`</manufacturedMaterial></manufacturedProduct></consumable>`+strings.Repeat(`<entryRelationship><supply/></entryRelationship>`, n)+`</substanceAdministration></entry>`),
		"empty sections": strings.Replace(minimal, "<structuredBody>", "<structuredBody>"+strings.Repeat("<component><section/></component>", n), 1),
		"nested":         inSection("11450-4", `<entry><act><statusCode code="active"/>`+strings.Repeat(`<entryRelationship typeCode="SUBJ"><observation><value xsi:type="CD" code="x"/></observation></entryRelationship>`, n/2)+`</act></entry>`),
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(raw)
			if len(raw) > ccda.MaxBytes {
				t.Fatalf("the case has %d bytes", len(raw))
			}
			start := time.Now()
			_, err := ccda.Convert(raw, ccda.Options{})
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%d bytes took %s", len(raw), took)
			}
			if err != nil && fault.KindOf(err) != fault.TooLarge {
				t.Errorf("%v", err)
			}
		})
	}
}

// A product of a megabyte that thousands of supplies share must not be written thousands
// of times.
func TestAmplificationIsRefused(t *testing.T) {
	entry := `<component><section><code code="10160-0" codeSystem="2.16.840.1.113883.6.1"/><entry><substanceAdministration moodCode="EVN"><consumable><manufacturedProduct><manufacturedMaterial><code><originalText>` +
		strings.Repeat("x", 1<<20-10) + `</originalText></code></manufacturedMaterial></manufacturedProduct></consumable>` +
		strings.Repeat(`<entryRelationship><supply moodCode="EVN"/></entryRelationship>`, 5000) + `</substanceAdministration></entry></section></component>`
	raw := strings.Replace(string(sample(t, "minimal")), "<structuredBody>", "<structuredBody>"+entry, 1)
	start := time.Now()
	_, err := ccda.Convert([]byte(raw), ccda.Options{})
	if fault.KindOf(err) != fault.TooLarge || time.Since(start) > time.Minute {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}
