package validate

import (
	"strings"
	"testing"
)

// TestBrokenResourcesAreReported: the validator finds what is wrong, so that its silence means
// something.
func TestBrokenResourcesAreReported(t *testing.T) {
	t.Parallel()
	const patient = `"resource":{"resourceType":"Patient","id":"a","birthDate":"1990-01-01"}`
	for name, broken := range map[string]struct{ resource, path, says string }{
		"cut off":           {`{"resourceType":"Patient",`, "", "JsonSyntaxException"},
		"unknown element":   {`{"resourceType":"Patient","birthday":"1990-01-01"}`, "Patient", "Unrecognized property 'birthday'"},
		"a date":            {`{"resourceType":"Patient","birthDate":"1990-13-01"}`, "Patient.birthDate", "Not a valid date"},
		"a required code":   {`{"resourceType":"Patient","gender":"w"}`, "Patient.gender", "not found in the value set"},
		"a missing element": {`{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"x"},"patient":{"display":"x"}}`, "Immunization", "Immunization.occurrence[x]: minimum required = 1"},
		"an invariant":      {`{"resourceType":"Patient","contact":[{"gender":"female"}]}`, "Patient.contact[0]", "pat-1"},
		"an empty value":    {`{"resourceType":"Patient","name":[{"text":""}]}`, "Patient.name[0].text", "empty"},
		"a bad narrative":   {`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}`, "Patient.text.div", "script"},
		"no Composition":    {`{"resourceType":"Bundle","type":"document","timestamp":"2026-01-01T00:00:00Z","identifier":{"system":"urn:x","value":"x"},"entry":[{"fullUrl":"urn:uuid:0a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9a01",` + patient + `}]}`, "Bundle", "Composition"},
		"inside a Bundle":   {`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":"yes"}}]}`, "Bundle.entry[0].resource", "boolean"},
		"inside Parameters": {`{"resourceType":"Parameters","parameter":[{"name":"x","resource":{"resourceType":"Patient","active":"yes"}}]}`, "Parameters.parameter[0].resource", "boolean"},
		"a code system":     {`{"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"specimen"}]}}`, "Patient.maritalStatus", "Unknown code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range errorsOf(t, []byte(broken.resource)) {
				if strings.HasPrefix(f.Path, broken.path) && strings.Contains(f.Text, broken.says) {
					return
				}
				t.Logf("%+v", f)
			}
			t.Error("was not reported")
		})
	}
}
