package validate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// embedded validates what is delivered to a FHIR server, and what that server makes of it.
func (g gateway) embedded(t *testing.T, issued []string) {
	t.Helper()
	const revoke = "/ddcc/Bundle/$revokeHealthCertificate"
	for _, id := range issued {
		g.settle(t, "/fhir/Provenance?target=Bundle/"+id, `"total":1`)
	}
	body := bytes.Replace(g.example(t, "Revoke"), []byte("471af853-c142-4cb6-9612-bc42b70a2dc4"), []byte(issued[0]), 1)
	g.ask(t, http.MethodPost, revoke, body, http.StatusOK)
	g.ask(t, http.MethodPost, "/ddcc/$revokeByKey", g.example(t, "RevokeByKey"), http.StatusOK)
	g.settle(t, "/fhir/DocumentReference?status=entered-in-error", `"entered-in-error"`)
	g.serverAnswers(t, issued[1])
	for _, typ := range []string{"Bundle", "List", "DocumentReference", "Provenance", "AuditEvent", "Binary", "Patient"} {
		page := "/fhir/" + typ + "?_count=20"
		for page != "" {
			page = next(t, g.ask(t, http.MethodGet, page, nil, http.StatusOK).Body)
		}
	}
	g.ask(t, http.MethodGet, "/fhir/_history?_count=200", nil, http.StatusOK)
}

// next is the path of the next page.
func next(t *testing.T, page []byte) string {
	t.Helper()
	var b struct {
		Link []struct{ Relation, URL string }
	}
	if err := json.Unmarshal(page, &b); err != nil {
		t.Fatal(err)
	}
	for _, l := range b.Link {
		if u, err := url.Parse(l.URL); err == nil && l.Relation == "next" {
			return u.RequestURI()
		}
	}
	return ""
}

// settle asks until the answer has a part.
func (g gateway) settle(t *testing.T, path, part string) {
	t.Helper()
	for range 200 {
		a, err := g.Get(path)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v %d %.300s", path, err, a.Status, a.Body)
		}
		if bytes.Contains(a.Body, []byte(part)) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s never has %s\n%s", path, part, g.Logs())
}

// serverAnswers are those of the embedded FHIR server: each kind of answer once.
func (g gateway) serverAnswers(t *testing.T, document string) {
	t.Helper()
	const (
		patient     = `{"resourceType":"Patient","id":"val-1","name":[{"family":"Specimen","given":["Ada"]}],"birthDate":"1990-01-01"}`
		anonymous   = `{"resourceType":"Patient","name":[{"family":"Specimen"}]}`
		organized   = `{"resourceType":"Patient","id":"val-1","name":[{"family":"Specimen"}],"managingOrganization":{"reference":"Organization/val-o"}}`
		letter      = `{"resourceType":"Composition","id":"val-c","status":"final","type":{"text":"Letter"},"date":"2026-01-01","title":"Letter","subject":{"reference":"Patient/val-1"},"author":[{"reference":"Organization/val-o"}]}`
		transaction = `{"resourceType":"Bundle","type":"transaction","entry":[
			{"fullUrl":"urn:uuid:0a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9a01","resource":` + anonymous + `,"request":{"method":"POST","url":"Patient"}},
			{"resource":{"resourceType":"Organization","id":"val-o","name":"Specimen Clinic"},"request":{"method":"PUT","url":"Organization/val-o"}},
			{"request":{"method":"GET","url":"Patient/val-1"}},{"request":{"method":"GET","url":"Patient?family=Specimen"}},{"request":{"method":"DELETE","url":"Patient/val-none"}}]}`
		batch = `{"resourceType":"Bundle","type":"batch","entry":[
			{"request":{"method":"GET","url":"Patient/val-none"}},{"request":{"method":"GET","url":"Patient/val-1"}},
			{"resource":` + anonymous + `,"request":{"method":"POST","url":"Alien"}}]}`
	)
	for _, r := range []struct {
		method, path, body string
		want               int
		header             []string
	}{
		{"GET", "metadata", "", 200, nil},
		{"PUT", "Patient/val-1", patient, 201, nil},
		{"POST", "Patient", anonymous, 201, nil},
		{"POST", "Patient", anonymous, 201, []string{"Prefer", "return=OperationOutcome"}},
		{"POST", "", transaction, 200, nil},
		{"POST", "", transaction, 200, []string{"Prefer", "return=representation"}},
		{"POST", "", transaction, 200, []string{"Prefer", "return=OperationOutcome"}},
		{"POST", "", batch, 200, nil},
		{"PUT", "Patient/val-1", organized, 200, nil},
		{"PUT", "Composition/val-c", letter, 201, nil},
		{"GET", "Patient/val-1", "", 200, nil},
		{"GET", "Patient/val-1?_summary=true", "", 200, nil},
		{"GET", "Patient/val-1?_elements=name", "", 200, nil},
		{"GET", "Patient/val-1/_history/1", "", 200, nil},
		{"GET", "Patient/val-1/_history", "", 200, nil},
		{"GET", "Patient/_history?_count=2", "", 200, nil},
		{"GET", "Patient/val-1/$everything", "", 200, nil},
		{"GET", "Composition/val-c/$document", "", 200, nil},
		{"POST", "Composition/val-c/$document?persist=true", "", 201, nil},
		{"GET", "Patient?family=Specimen&_count=1&_sort=-_lastUpdated", "", 200, nil},
		{"GET", "Patient?family=Specimen&_summary=count", "", 200, nil},
		{"GET", "Patient?family=Specimen&_summary=data", "", 200, nil},
		{"GET", "Patient?_id=val-1&_include=Patient:organization&_revinclude=Composition:subject&odd=1", "", 200, nil},
		{"GET", "?_type=Patient,Composition&_count=3", "", 200, nil},
		{"GET", "Bundle/" + document, "", 200, nil},
		{"GET", "Bundle/" + document + "/$raw", "", 200, nil},
		{"POST", "Patient/$validate", patient, 200, nil},
		{"POST", "Patient/$validate", `{"resourceType":"Patient","name":{}}`, 200, nil},
		{"PATCH", "Patient/val-1", `[{"op":"add","path":"/active","value":true}]`, 200, []string{"Content-Type", "application/json-patch+json"}},
		{"DELETE", "Composition/val-c", "", 200, []string{"Prefer", "return=OperationOutcome"}},
		{"GET", "Composition/val-c", "", 410, nil},
		{"GET", "Composition/val-c/_history", "", 200, nil},
		{"GET", "Patient/val-none", "", 404, nil},
		{"GET", "Alien/x", "", 404, nil},
		{"GET", "Patient?birthdate=never", "", 400, nil},
		{"GET", "Patient?odd=1", "", 400, []string{"Prefer", "handling=strict"}},
		{"PUT", "Patient/val-1", `{"resourceType":"Patient","id":"val-1","name":{}}`, 422, nil},
		{"PUT", "Patient/val-1", patient, 412, []string{"If-Match", `W/"99"`}},
		{"POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/val-none"}}]}`, 404, nil},
		{"POST", "Patient", `{`, 400, nil},
		{"POST", "Patient", patient, 415, []string{"Content-Type", "text/plain"}},
	} {
		path := "/fhir"
		if r.path != "" {
			path += "/" + r.path
		}
		var body []byte
		if r.body != "" {
			body = []byte(r.body)
		}
		g.ask(t, r.method, path, body, r.want, r.header...)
	}
	g.askAs(t, g.Anonymous, http.MethodGet, "/fhir/Patient", nil, http.StatusUnauthorized)
}
