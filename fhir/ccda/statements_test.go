package ccda_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
)

// withEntry puts one entry into a section of the minimal document.
func withEntry(t testing.TB, section, entries string) []byte {
	t.Helper()
	component := `<component><section><code code="` + section + `" codeSystem="2.16.840.1.113883.6.1"/><title>T</title><text>Told.</text>` + entries + `</section></component>`
	return bytes.Replace(sample(t, "minimal"), []byte("<structuredBody>"), []byte("<structuredBody>"+component), 1)
}

func rules(result ccda.Result) string {
	var out []string
	for _, i := range result.Issues {
		if i.Path != "/ClinicalDocument/author/time" { // of the document they are all put in
			out = append(out, i.Rule)
		}
	}
	return strings.Join(out, " ")
}

func observation(attributes, inner string) string {
	return `<observation classCode="OBS" moodCode="EVN"` + attributes + `>` + inner + `</observation>`
}

func snomed(code string) string {
	return `<value xsi:type="CD" code="` + code + `" codeSystem="2.16.840.1.113883.6.96"/>`
}

// TestStatus: each status of CDA gives the status that HL7's maps say.
func TestStatus(t *testing.T) {
	t.Parallel()
	material := `<consumable><manufacturedProduct><manufacturedMaterial><code code="1"/></manufacturedMaterial></manufacturedProduct></consumable>`
	for _, tc := range []struct{ kind, section, form, words string }{
		{"Immunization", "11369-6", `<substanceAdministration moodCode="EVN">%s` + material + `</substanceAdministration>`,
			"completed=completed aborted=not-done cancelled=not-done held=not-done nullified=entered-in-error active= x="},
		{"Observation", "30954-2", `<observation moodCode="EVN">%s<code code="1"/></observation>`,
			"completed=final active=registered held=registered aborted=cancelled cancelled=cancelled nullified=entered-in-error x=unknown"},
		{"MedicationStatement", "10160-0", `<substanceAdministration moodCode="EVN">%s` + material + `</substanceAdministration>`,
			"completed=completed active=active aborted=stopped suspended=on-hold nullified=entered-in-error cancelled=not-taken x=unknown"},
		{"MedicationRequest", "10160-0", `<substanceAdministration moodCode="INT">%s` + material + `</substanceAdministration>`,
			"completed=completed active=active cancelled=cancelled aborted=stopped held=on-hold nullified=entered-in-error x=unknown"},
		{"MedicationDispense", "10160-0", `<supply moodCode="EVN">%s</supply>`, "completed=completed active=in-progress x=unknown"},
		{"Procedure", "47519-4", `<procedure moodCode="EVN">%s<code code="1"/></procedure>`,
			"completed=completed active=in-progress aborted=stopped cancelled=not-done nullified=entered-in-error x=unknown"},
		{"Encounter", "46240-8", `<encounter moodCode="EVN">%s</encounter>`,
			"completed=finished active=in-progress cancelled=cancelled held=planned suspended=onleave nullified=entered-in-error aborted=unknown x=unknown"},
	} {
		for _, pair := range strings.Fields(tc.words) {
			code, want, _ := strings.Cut(pair, "=")
			entry := "<entry>" + fmt.Sprintf(tc.form, `<statusCode code="`+code+`"/>`) + "</entry>"
			got := entries(t, convert(t, withEntry(t, tc.section, entry), ccda.Options{}).Bundle)[tc.kind]
			switch {
			case want == "" && len(got) != 0, want != "" && (len(got) != 1 || got[0]["status"] != want):
				t.Errorf("%s %s: %v, want %s", tc.kind, code, got, want)
			}
		}
	}
}

// TestAllergyTables: type, category, criticality and severity by code.
func TestAllergyTables(t *testing.T) {
	t.Parallel()
	convertOne := func(observation string) map[string]any {
		entry := `<entry><act moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ">` + observation + `</entryRelationship></act></entry>`
		return entries(t, convert(t, withEntry(t, "48765-2", entry), ccda.Options{}).Bundle)["AllergyIntolerance"][0]
	}
	for code, want := range map[string]string{
		"416098002": "allergy [medication]", "59037007": "intolerance [medication]", "419511003": "<nil> [medication]",
		"414285001": "allergy [food]", "235719002": "intolerance [food]", "418471000": "<nil> [food]",
		"419199007": "allergy <nil>", "420134006": "<nil> <nil>", "418038007": "<nil> <nil>", "232347008": "allergy [environment]", "426232007": "allergy [environment]",
	} {
		got := convertOne(observation("", snomed(code)))
		if said := fmt.Sprint(got["type"], " ", got["category"]); said != want {
			t.Errorf("%s: %s, want %s", code, said, want)
		}
	}
	for code, want := range map[string]string{"CRITL": "low", "CRITH": "high", "CRITU": "unable-to-assess", "x": "<nil>"} {
		got := convertOne(observation("", snomed("416098002")+`<entryRelationship>`+observation("", `<code code="82606-5"/><value xsi:type="CD" code="`+code+`"/>`)+`</entryRelationship>`))
		if fmt.Sprint(got["criticality"]) != want {
			t.Errorf("%s: %v", code, got["criticality"])
		}
	}
	for code, want := range map[string]string{"255604002": "mild", "371923003": "moderate", "6736007": "moderate", "371924009": "severe", "24484000": "severe", "399166001": "severe", "1": "<nil>"} {
		got := convertOne(observation("", snomed("416098002")+`<entryRelationship typeCode="MFST">`+observation("", snomed("1")+`<entryRelationship>`+observation("", `<code code="SEV"/>`+snomed(code))+`</entryRelationship>`)+`</entryRelationship>`))
		if severity := got["reaction"].([]any)[0].(map[string]any)["severity"]; fmt.Sprint(severity) != want {
			t.Errorf("%s: %v", code, severity)
		}
	}
}

// TestClinicalStatus: the status observation wins, then the end, then the concern.
func TestClinicalStatus(t *testing.T) {
	t.Parallel()
	status := func(code string) string {
		return `<entryRelationship typeCode="REFR">` + observation("", `<code code="33999-4"/>`+snomed(code)) + `</entryRelationship>`
	}
	end := `<effectiveTime><low value="2020"/><high value="2021"/></effectiveTime>`
	for _, tc := range []struct{ concern, inner, want, rules string }{
		{"active", "", "active", ""}, {"completed", "", "inactive", ""}, {"aborted", "", "inactive", ""}, {"suspended", "", "inactive", ""},
		{"active", end, "resolved", ""}, {"active", `<effectiveTime><high nullFlavor="UNK"/></effectiveTime>`, "resolved", ""},
		{"active", `<effectiveTime><high nullFlavor="NI"/></effectiveTime>`, "active", ""},
		{"completed", status("55561003"), "active", ""}, {"active", status("73425007") + end, "inactive", ""}, {"active", status("413322009"), "resolved", ""},
		{"active", status("246455001"), "recurrence", ""}, {"active", status("277022003"), "remission", ""}, {"active", status("263855007"), "relapse", ""},
		{"active", status("55561003") + end, "active", "ccda-status"}, {"nonsense", "", "active", "ccda-status"},
		{"nullified", "", "", ""},
	} {
		entry := `<entry><act moodCode="EVN"><statusCode code="` + tc.concern + `"/><entryRelationship typeCode="SUBJ">` +
			observation("", snomed("195967001")+tc.inner) + `</entryRelationship></act></entry>`
		result := convert(t, withEntry(t, "11450-4", entry), ccda.Options{})
		got := entries(t, result.Bundle)["Condition"][0]
		said := ""
		if concept, ok := got["clinicalStatus"].(map[string]any); ok {
			said = concept["coding"].([]any)[0].(map[string]any)["code"].(string)
		}
		if said != tc.want || rules(result) != tc.rules {
			t.Errorf("%+v: %s %s", tc, said, rules(result))
		}
	}
}

// TestLeftOut: what would say something else in FHIR than in the document is left out with
// its rule, and the narrative stays.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	subject := `<subject><relatedSubject classCode="PRS"><code code="FTH"/></relatedSubject></subject>`
	for name, tc := range map[string]struct{ section, entry, rule string }{
		"another's result":      {"30954-2", observation("", subject+`<code code="1"/>`), ccda.RuleSubject},
		"another's component":   {"30954-2", `<organizer moodCode="EVN"><code code="1"/><component>` + observation("", subject+`<code code="1"/>`) + `</component></organizer>`, ccda.RuleSubject},
		"another's problem":     {"11450-4", `<act moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ">` + observation("", subject+snomed("1")) + `</entryRelationship></act>`, ccda.RuleSubject},
		"negated result":        {"30954-2", observation(` negationInd="true"`, `<code code="1"/>`), ccda.RuleNegation},
		"negated organizer":     {"8716-3", `<organizer moodCode="EVN" negationInd="true"/>`, ccda.RuleNegation},
		"negated report":        {"30954-2", `<organizer moodCode="EVN" negationInd="true"/>`, ccda.RuleNegation},
		"negated concern":       {"11450-4", `<act moodCode="EVN" negationInd="true"/>`, ccda.RuleNegation},
		"negated encounter":     {"46240-8", `<encounter moodCode="EVN" negationInd="true"/>`, ccda.RuleNegation},
		"negated supply":        {"10160-0", `<supply moodCode="EVN" negationInd="true"/>`, ccda.RuleNegation},
		"negated reaction":      {"48765-2", `<act moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ">` + observation("", snomed("1")+`<entryRelationship typeCode="MFST">`+observation(` negationInd="true"`, snomed("2"))+`</entryRelationship>`) + `</entryRelationship></act>`, ccda.RuleNegation},
		"planned vaccination":   {"11369-6", `<substanceAdministration moodCode="INT"/>`, ccda.RuleMood},
		"planned procedure":     {"47519-4", `<procedure moodCode="RQO"/>`, ccda.RuleMood},
		"null":                  {"47519-4", `<procedure moodCode="EVN" nullFlavor="NI"/>`, ccda.RuleStatement},
		"unknown kind":          {"47519-4", `<observationMedia moodCode="EVN"/>`, ccda.RuleStatement},
		"unknown section":       {"12345-6", `<procedure moodCode="EVN"/>`, ccda.RuleStatement},
		"value of another type": {"30954-2", observation("", `<code code="1"/><statusCode code="completed"/><value xsi:type="BAG_PQ"><item value="1"/></value>`), ccda.RuleValue},
	} {
		result := convert(t, withEntry(t, tc.section, "<entry>"+tc.entry+"</entry>"), ccda.Options{})
		if rules(result) != tc.rule {
			t.Errorf("%s: %+v", name, result.Issues)
		}
		if !bytes.Contains(result.Bundle, []byte("Told.")) {
			t.Errorf("%s: no narrative", name)
		}
	}
}

// TestIdentity: one identifier for the same statement is one resource, for others an issue.
func TestIdentity(t *testing.T) {
	t.Parallel()
	procedure := func(code string) string {
		return `<entry><procedure moodCode="EVN"><id root="1.2.3" extension="1"/><code code="` + code + `"/><statusCode code="completed"/></procedure></entry>`
	}
	result := convert(t, withEntry(t, "47519-4", procedure("a")+procedure("a")), ccda.Options{Type: ccda.Transaction})
	if got := entries(t, result.Bundle)["Procedure"]; len(got) != 1 || rules(result) != "" {
		t.Errorf("%v %s", got, rules(result))
	}
	result = convert(t, withEntry(t, "47519-4", procedure("a")+procedure("b")), ccda.Options{Type: ccda.Transaction})
	got := entries(t, result.Bundle)["Procedure"]
	if len(got) != 2 || got[0]["identifier"] == nil || got[1]["identifier"] != nil || rules(result) != ccda.RuleDuplicate {
		t.Errorf("%v %s", got, rules(result))
	}
	who := func(name string) string {
		return `<entry><procedure moodCode="EVN"><code code="a"/><statusCode code="completed"/><performer><assignedEntity><id root="1.2.4"/>` + name + `</assignedEntity></performer></procedure></entry>`
	}
	person := func(name string) string { return `<assignedPerson><name>` + name + `</name></assignedPerson>` }
	result = convert(t, withEntry(t, "47519-4", who("")+who(person("One Specimen"))+who("")+who(person("Two Specimen"))), ccda.Options{})
	if got := entries(t, result.Bundle)["Practitioner"]; len(got) != 3 || rules(result) != ccda.RuleDuplicate { // with the author
		t.Errorf("%v %s", got, rules(result))
	}
	problem := observation("", `<id root="1.2.5"/><statusCode code="completed"/>`+snomed("1"))
	list := `<entry><act moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ">` + problem + `</entryRelationship></act></entry>`
	visit := `<entry><act moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.80"/><statusCode code="active"/><entryRelationship typeCode="SUBJ">` + problem + `</entryRelationship></act></entry>`
	result = convert(t, withEntry(t, "11450-4", list+visit), ccda.Options{})
	conditions := entries(t, result.Bundle)["Condition"]
	if len(conditions) != 1 || len(conditions[0]["category"].([]any)) != 2 || rules(result) != "" {
		t.Errorf("%v %s", conditions, rules(result))
	}
}

// The patient as author is the patient.
func TestPatientAsAuthor(t *testing.T) {
	t.Parallel()
	raw := bytes.Replace(sample(t, "minimal"), []byte(`<id root="2.16.840.1.113883.4.6" extension="9999999901"/>`), []byte(`<id root="2.999.2" extension="MRN-4712"/>`), 1)
	got := entries(t, convert(t, raw, ccda.Options{}).Bundle)
	author := got["Composition"][0]["author"].([]any)[0].(map[string]any)["reference"]
	if author != "urn:uuid:"+got["Patient"][0]["id"].(string) || len(got["Practitioner"]) != 0 {
		t.Errorf("%v %v", author, got["Practitioner"])
	}
}

func TestUnstructuredBody(t *testing.T) {
	t.Parallel()
	body := func(text string) []byte {
		raw := string(sample(t, "minimal"))
		return []byte(raw[:strings.Index(raw, "<structuredBody>")] + "<nonXMLBody>" + text + "</nonXMLBody></component></ClinicalDocument>")
	}
	got := entries(t, convert(t, body("<text mediaType=\"application/pdf\" representation=\"B64\">JVBE\n Ri0=</text>"), ccda.Options{Type: ccda.Document}).Bundle)
	if len(got["DocumentReference"]) != 1 || !strings.Contains(fmt.Sprint(got["DocumentReference"]), "contentType:application/pdf data:JVBERi0=") {
		t.Errorf("%v", got["DocumentReference"])
	}
	if result := convert(t, body(`<text mediaType="text/plain">A &lt; B</text>`), ccda.Options{}); !bytes.Contains(result.Bundle, []byte(`A &lt; B`)) && !bytes.Contains(result.Bundle, []byte(`A \u0026lt; B`)) {
		t.Errorf("%s", result.Bundle)
	}
	if result := convert(t, body(`<text mediaType="application/pdf" representation="B64">no base64!</text>`), ccda.Options{}); rules(result) != ccda.RuleValue {
		t.Errorf("%s", rules(result))
	}
}
