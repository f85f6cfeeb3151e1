package api_test

// fhirStep is one request to the embedded FHIR server and its status.
type fhirStep struct {
	method, path, body, header string
	want                       int
}

const (
	fhirAda    = `{"resourceType":"Patient","id":"a","name":[{"family":"Ada Specimen"}]}`
	fhirAnon   = `{"resourceType":"Patient","name":[{"family":"Specimen"}]}`
	fhirList   = `{"resourceType":"Patient","name":{}}`
	fhirLetter = `{"resourceType":"Composition","id":"c","status":"final","type":{"text":"t"},"date":"2026-01-01","title":"t","author":[{"reference":"Patient/a"}]}`
	fhirTorn   = `{"resourceType":"Composition","id":"torn","status":"final","type":{"text":"t"},"date":"2026-01-01","title":"t","author":[{"reference":"Patient/none"}]}`
	strictly   = "Prefer: handling=strict"
)

func fhirEntry(kind, method, url, more string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[{` + more + `"request":{"method":"` + method + `","url":"` + url + `"}}]}`
}

var fhirSteps = []fhirStep{
	{"GET", "/fhir/metadata", "", "", 200},
	{"HEAD", "/fhir/metadata", "", "", 200},

	// writes
	{"PUT", "/fhir/Patient/a", fhirAda, "", 201},
	{"PUT", "/fhir/Patient/a", fhirAda, `If-Match: W/"1"`, 200},
	{"PUT", "/fhir/Patient/a", fhirAda, `If-Match: W/"1"`, 412},
	{"PUT", "/fhir/Patient/a", fhirAnon, "", 400},
	{"PUT", "/fhir/Alien/a", fhirAda, "", 404},
	{"PUT", "/fhir/Patient/a", fhirList, "", 422},
	{"POST", "/fhir/Patient", fhirAnon, "", 201},
	{"POST", "/fhir/Patient", fhirAnon, "Prefer: return=minimal", 201},
	{"POST", "/fhir/Patient", fhirAnon, "If-None-Exist: _id=a", 200},
	{"POST", "/fhir/Patient", fhirAnon, "If-None-Exist: name=specimen", 412},
	{"POST", "/fhir/Patient", `{`, "", 400},
	{"POST", "/fhir/Alien", fhirAnon, "", 404},
	{"POST", "/fhir/Patient", fhirList, "", 422},
	{"PUT", "/fhir/Patient?identifier=b", `{"resourceType":"Patient","id":"b","identifier":[{"value":"b"}]}`, "", 201},
	{"PUT", "/fhir/Patient?identifier=b", `{"resourceType":"Patient","identifier":[{"value":"b"}]}`, "", 200},
	{"PUT", "/fhir/Patient?identifier=none", fhirAda, "", 409},
	{"PUT", "/fhir/Patient?unknown=b", fhirAnon, "", 400},
	{"PUT", "/fhir/Patient", fhirAnon, "", 412},
	{"PUT", "/fhir/Alien?_id=a", fhirAnon, "", 404},
	{"PUT", "/fhir/Patient?_id=a", fhirList, "", 422},
	{"PATCH", "/fhir/Patient/a", `[{"op":"add","path":"/active","value":true}]`, "", 200},
	{"PATCH", "/fhir/Patient/a", `[{"op":"remove","path":"/none"}]`, "", 422},
	{"PATCH", "/fhir/Patient/a", `{}`, "", 400},
	{"PATCH", "/fhir/Patient/a", `[]`, `If-Match: W/"1"`, 412},
	{"PATCH", "/fhir/Patient/none", `[]`, "", 404},
	{"PATCH", "/fhir/Patient?_id=a", `[{"op":"remove","path":"/active"}]`, "", 200},
	{"PATCH", "/fhir/Patient?_id=a", `[{"op":"remove","path":"/active"}]`, "", 422},
	{"PATCH", "/fhir/Patient?_id=a", `{}`, "", 400},
	{"PATCH", "/fhir/Patient?_id=none", `[]`, "", 404},
	{"PATCH", "/fhir/Patient", `[]`, "", 412},

	// reads
	{"GET", "/fhir/Patient/a", "", "", 200},
	{"GET", "/fhir/Patient/a", "", `If-None-Match: W/"4"`, 304},
	{"GET", "/fhir/Patient/a?_summary=most", "", "", 400},
	{"GET", "/fhir/Patient/none", "", "", 404},
	{"HEAD", "/fhir/Patient/a", "", "", 200},
	{"HEAD", "/fhir/Patient/a", "", `If-None-Match: W/"4"`, 304},
	{"HEAD", "/fhir/Patient/a?odd=1", "", strictly, 400},
	{"HEAD", "/fhir/Patient/none", "", "", 404},
	{"GET", "/fhir/Patient/a/_history/1", "", "", 200},
	{"GET", "/fhir/Patient/a/_history/1", "", `If-None-Match: W/"1"`, 304},
	{"GET", "/fhir/Patient/a/_history/1?odd=1", "", strictly, 400},
	{"GET", "/fhir/Patient/a/_history/99", "", "", 404},
	{"HEAD", "/fhir/Patient/a/_history/1", "", "", 200},
	{"HEAD", "/fhir/Patient/a/_history/1", "", `If-None-Match: W/"1"`, 304},
	{"HEAD", "/fhir/Patient/a/_history/1?odd=1", "", strictly, 400},
	{"HEAD", "/fhir/Patient/a/_history/99", "", "", 404},
	{"GET", "/fhir/Patient/a/$raw", "", "", 200},
	{"GET", "/fhir/Patient/none/$raw", "", "", 404},
	{"GET", "/fhir/Patient/a/_history/1/$raw", "", "", 200},
	{"GET", "/fhir/Patient/a/_history/99/$raw", "", "", 404},

	// searches and histories
	{"GET", "/fhir?_type=Patient&_count=1", "", "", 200},
	{"GET", "/fhir?odd=1", "", strictly, 400},
	{"GET", "/fhir/Patient?name=ada", "", "", 200},
	{"GET", "/fhir/Patient?birthdate=never", "", "", 400},
	{"GET", "/fhir/Alien", "", "", 404},
	{"POST", "/fhir/_search", "_type=Patient", "", 200},
	{"POST", "/fhir/_search", "_type=Alien", "", 400},
	{"POST", "/fhir/Patient/_search", "_id=a", "", 200},
	{"POST", "/fhir/Patient/_search", "_count=most", "", 400},
	{"POST", "/fhir/Alien/_search", "_id=a", "", 404},
	{"GET", "/fhir/_history?_count=2", "", "", 200},
	{"GET", "/fhir/_history?_count=most", "", "", 400},
	{"GET", "/fhir/Patient/_history", "", "", 200},
	{"GET", "/fhir/Patient/_history?_since=ever", "", "", 400},
	{"GET", "/fhir/Alien/_history", "", "", 404},
	{"GET", "/fhir/Patient/a/_history", "", "", 200},
	{"GET", "/fhir/Patient/a/_history?_cursor=x", "", "", 400},
	{"GET", "/fhir/Patient/none/_history", "", "", 404},

	// operations
	{"POST", "/fhir/Patient/$validate", fhirAnon, "", 200},
	{"POST", "/fhir/Patient/$validate", `{"resourceType":"Basic"}`, "", 400},
	{"POST", "/fhir/Alien/$validate", fhirAnon, "", 404},
	{"POST", "/fhir/Patient/a/$validate", fhirAda, "", 200},
	{"POST", "/fhir/Patient/a/$validate", `[]`, "", 400},
	{"POST", "/fhir/Alien/a/$validate", fhirAnon, "", 404},
	{"GET", "/fhir/Patient/a/$everything", "", "", 200},
	{"GET", "/fhir/Patient/a/$everything?start=2020", "", "", 400},
	{"GET", "/fhir/Patient/none/$everything", "", "", 404},
	{"PUT", "/fhir/Composition/c", fhirLetter, "", 201},
	{"PUT", "/fhir/Composition/torn", fhirTorn, "", 201},
	{"GET", "/fhir/Composition/c/$document", "", "", 200},
	{"GET", "/fhir/Composition/torn/$document", "", "", 422},
	{"GET", "/fhir/Composition/none/$document", "", "", 404},
	{"POST", "/fhir/Composition/c/$document", "", "", 200},
	{"POST", "/fhir/Composition/c/$document?persist=true", "", "", 201},
	{"POST", "/fhir/Composition/torn/$document", "", "", 422},
	{"POST", "/fhir/Composition/none/$document", "", "", 404},

	// Bundles
	{"POST", "/fhir", fhirEntry("batch", "GET", "Patient/none", ""), "", 200},
	{"POST", "/fhir", fhirEntry("transaction", "POST", "Patient", `"resource":`+fhirAnon+`,`), "", 200},
	{"POST", "/fhir", fhirEntry("transaction", "SHUT", "Patient", ""), "", 400},
	{"POST", "/fhir", fhirEntry("transaction", "GET", "Patient/none", ""), "", 404},
	{"POST", "/fhir", fhirEntry("transaction", "DELETE", "Patient?name=specimen", ""), "", 412},
	{"POST", "/fhir", fhirEntry("collection", "GET", "Patient/a", ""), "", 422},

	// deletions
	{"DELETE", "/fhir/Patient?identifier=b", "", "", 204},
	{"DELETE", "/fhir/Patient?identifier=b", "", "Prefer: return=OperationOutcome", 200},
	{"DELETE", "/fhir/Patient?odd=b", "", "", 400},
	{"DELETE", "/fhir/Alien?_id=b", "", "", 404},
	{"DELETE", "/fhir/Patient", "", "", 412},
	{"DELETE", "/fhir/Patient/a", "", `If-Match: W/"1"`, 412},
	{"DELETE", "/fhir/Patient/a", "", "If-Match: 1", 400},
	{"DELETE", "/fhir/Alien/a", "", "", 404},
	{"DELETE", "/fhir/Patient/a", "", "Prefer: return=OperationOutcome", 200},
	{"DELETE", "/fhir/Composition/c", "", "", 204},
	{"GET", "/fhir/Patient/a", "", "", 410},
	{"HEAD", "/fhir/Patient/a", "", "", 410},
	{"GET", "/fhir/Patient/a/_history/5", "", "", 410},
	{"HEAD", "/fhir/Patient/a/_history/5", "", "", 410},
	{"GET", "/fhir/Patient/a/$raw", "", "", 410},
	{"GET", "/fhir/Patient/a/_history/5/$raw", "", "", 410},
	{"PATCH", "/fhir/Patient/a", `[]`, "", 410},
	{"GET", "/fhir/Patient/a/$everything", "", "", 410},
	{"GET", "/fhir/Composition/c/$document", "", "", 410},
	{"POST", "/fhir/Composition/c/$document", "", "", 410},
}
