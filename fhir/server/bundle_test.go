package server_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

func bundleOf(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
}

func entryOf(fullURL, method, url, resource string, more ...string) string {
	out := `{"fullUrl":"` + fullURL + `",`
	if fullURL == "" {
		out = "{"
	}
	if resource != "" {
		out += `"resource":` + resource + `,`
	}
	return out + `"request":{"method":"` + method + `","url":"` + url + `"` + strings.Join(more, "") + `}}`
}

const (
	urnA = "urn:uuid:0c2f8ab4-7a1e-4b8c-9d0e-000000000001"
	urnB = "urn:uuid:0c2f8ab4-7a1e-4b8c-9d0e-000000000002"
)

// TestTransactionLinksByteExact: names become ids in references, in attachments and in
// narratives, and no other byte changes; a Bundle within is left alone.
func TestTransactionLinksByteExact(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	const document = `{ "resourceType":"DocumentReference", "status":"current","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"` + urnA + `\">A</a> ` + urnA + `</div>"},
 "masterIdentifier":{"system":"urn:ietf:rfc3986","value":"` + urnA + `"}, "subject":{"reference":"` + urnA + `"}, "author":[{"reference":"` + urnA + `#part"}],
 "extension":[{"url":"urn:example:e","valueUri":"` + urnA + `"},{"url":"urn:example:d","valueDecimal":1.50},{"url":"urn:example:c","valueCanonical":"` + urnA + `"}],
 "content":[{"attachment":{"url":"` + urnB + `"}}] }`
	const inner = `{"resourceType":"Bundle","type":"document","entry":[{"fullUrl":"` + urnA + `","resource":{"resourceType":"Composition","subject":{"reference":"` + urnA + `"}}}]}`
	got := p.want(200, "POST", "/", bundleOf("transaction",
		entryOf("", "POST", "DocumentReference", document), entryOf(urnA, "POST", "Patient", ada), entryOf(urnB, "POST", "Bundle", inner)))
	path := func(i int) string {
		return strings.TrimSuffix(strings.TrimPrefix(got.text(t, "entry", i, "response", "location"), server.EmbeddedBase+"/"), "/_history/1")
	}
	patient, bundle := path(1), path(2)
	want := strings.NewReplacer(`href=\"`+urnA, `href=\"`+patient, `"`+urnA+`#part"`, `"`+patient+`#part"`, `"reference":"`+urnA+`"`, `"reference":"`+patient+`"`,
		`"valueUri":"`+urnA, `"valueUri":"`+patient, `"`+urnB+`"`, `"`+bundle+`"`).Replace(document)
	if raw := p.want(200, "GET", "/"+path(0)+"/$raw", ""); string(raw.body) != want {
		t.Errorf("\n%s\nwant\n%s", raw.body, want)
	}
	if raw := p.want(200, "GET", "/"+bundle+"/$raw", ""); string(raw.body) != inner {
		t.Errorf("the inner Bundle changed: %s", raw.body)
	}
	if found := p.want(200, "GET", "/DocumentReference?subject="+patient, ""); found.text(t, "total") != "1" {
		t.Errorf("not found by the new reference: %s", found.body)
	}
}

// TestTransactionOrder: all verbs in one, in the order of the specification and not of the
// Bundle; the answers are in the order of the Bundle.
func TestTransactionOrder(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	p.want(201, "PUT", "/Patient/old", withID(ada, "old"))
	p.want(201, "PUT", "/Basic/b", `{"resourceType":"Basic","id":"b"}`)
	patch := base64.StdEncoding.EncodeToString([]byte(`[{"op":"add","path":"/language","value":"en"}]`))
	got := p.want(200, "POST", "", bundleOf("transaction",
		entryOf("", "GET", "Patient?_id=new,old", ""),
		entryOf("", "PATCH", "Basic/b", `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"`+patch+`"}`),
		entryOf("http://elsewhere.example/fhir/Patient/new", "PUT", "Patient/new", withID(ada, "new")),
		entryOf("http://elsewhere.example/fhir/Observation/1", "POST", "Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/new"},"performer":[{"reference":"Practitioner/x"}],"encounter":{"reference":"Encounter/e"}}`),
		entryOf("http://elsewhere.example/fhir/Encounter/e", "POST", "Encounter", `{"resourceType":"Encounter"}`),
		entryOf("", "DELETE", "Patient/old", ""),
		entryOf("", "HEAD", "Basic/b", ""),
	))
	var status []string
	for i := range 7 {
		status = append(status, got.text(t, "entry", i, "response", "status"))
	}
	if s := strings.Join(status, "|"); s != "200 OK|200 OK|201 Created|201 Created|201 Created|204 No Content|200 OK" {
		t.Errorf("%s\n%s", s, got.body)
	}
	if ids := fmt.Sprint(got.at(t, "entry", 0, "resource", "total")); ids != "1" {
		t.Errorf("the search saw %s", ids)
	}
	if v := got.text(t, "entry", 6, "response", "etag"); v != `W/"2"` {
		t.Errorf("the read saw version %s", v)
	}
	encounter := strings.Split(got.text(t, "entry", 4, "response", "location"), "/")[5]
	observation := p.want(200, "GET", "/Observation", "")
	if ref := observation.text(t, "entry", 0, "resource", "encounter", "reference"); ref != "Encounter/"+encounter {
		t.Errorf("relative reference %q, want Encounter/%s", ref, encounter)
	}
	if ref := observation.text(t, "entry", 0, "resource", "performer", 0, "reference"); ref != "Practitioner/x" {
		t.Errorf("reference to elsewhere %q", ref)
	}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	p.want(201, "PUT", "/Patient/a", withID(ada, "a"))
	one := entryOf("", "POST", "Basic", `{"resourceType":"Basic"}`)
	for name, tc := range map[string]struct {
		entries []string
		status  int
		place   string
	}{
		"condition":           {[]string{one, entryOf("", "PUT", "Patient/a", withID(ada, "a"), `,"ifMatch":"W/\"7\""`)}, 412, "Bundle.entry[1].request.ifMatch"},
		"invalid":             {[]string{one, entryOf("", "POST", "Patient", `{"resourceType":"Patient","active":1}`)}, 422, "Bundle.entry[1].resource.active"},
		"wrong type":          {[]string{one, entryOf("", "POST", "Patient", `{"resourceType":"Basic"}`)}, 400, "Bundle.entry[1].resource"},
		"read of nothing":     {[]string{one, entryOf("", "GET", "Patient/none", "")}, 404, "Bundle.entry[1]"},
		"unknown name":        {[]string{one, entryOf("", "POST", "Observation", `{"resourceType":"Observation","subject":{"reference":"`+urnB+`"}}`)}, 422, "Bundle.entry[1].resource"},
		"twice the same":      {[]string{one, entryOf("", "PUT", "Patient/a", withID(ada, "a")), entryOf("", "DELETE", "Patient/a", "")}, 422, "Bundle.entry[1]"},
		"same by criteria":    {[]string{one, entryOf("", "PUT", "Patient/a", withID(ada, "a")), entryOf("", "PUT", "Patient?_id=a", ada)}, 422, "Bundle.entry[2]"},
		"same name":           {[]string{one, entryOf(urnA, "POST", "Patient", ada), entryOf(urnA, "POST", "Patient", ada)}, 422, "Bundle.entry[2]"},
		"no request":          {[]string{one, `{"resource":` + ada + `}`}, 400, "Bundle.entry[1].request.method"},
		"no such reference":   {[]string{one, entryOf("", "POST", "Observation", `{"resourceType":"Observation","subject":{"reference":"Patient?identifier=none"}}`)}, 412, "Bundle.entry[1].resource"},
		"created twice":       {[]string{one, entryOf("", "POST", "Basic", `{"resourceType":"Basic","identifier":[{"value":"z"}]}`), entryOf("", "POST", "Basic", `{"resourceType":"Basic","identifier":[{"value":"z"}]}`, `,"ifNoneExist":"identifier=z"`)}, 412, "Bundle.entry[2]"},
		"patch is no patch":   {[]string{one, entryOf("", "PATCH", "Patient/a", `{"resourceType":"Binary","contentType":"text/plain","data":"eA=="}`)}, 422, "Bundle.entry[1].resource"},
		"criteria unknown":    {[]string{one, entryOf("", "DELETE", "Patient?odd=1", "")}, 400, "Bundle.entry[1].request.url"},
		"patch that does not": {[]string{one, entryOf("", "PATCH", "Patient/a", `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL3gifV0="}`)}, 422, "Bundle.entry[1].resource"},
	} {
		got := p.want(tc.status, "POST", "/", bundleOf("transaction", tc.entries...))
		if place := got.text(t, "issue", 0, "expression", 0); place != tc.place {
			t.Errorf("%s: at %q, want %q\n%s", name, place, tc.place, got.body)
		}
		if n := p.want(200, "GET", "/Basic?_summary=count", "").text(t, "total"); n != "0" {
			t.Fatalf("%s: %s resources are left of it", name, n)
		}
	}
}

func TestConditionalsInTransactions(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	named := func(value string) string {
		return `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"` + value + `"}]}`
	}
	observation := func(ref string) string {
		return `{"resourceType":"Observation","subject":{"reference":"` + ref + `"}}`
	}
	send := bundleOf("transaction",
		entryOf("", "POST", "Observation", observation("Patient?identifier=urn:x%7C1")),
		entryOf("", "POST", "Observation", observation(urnA)),
		entryOf(urnA, "POST", "Patient", named("1"), `,"ifNoneExist":"identifier=urn:x|1"`),
		entryOf(urnB, "POST", "Patient", named("1"), `,"ifNoneExist":"identifier=urn:x|1"`),
		entryOf("", "PUT", "Patient?identifier=urn:x%7C2", named("2")),
	)
	first := p.want(200, "POST", "/", send)
	second := p.want(200, "POST", "/", send)
	for i, want := range []string{"201 Created", "201 Created", "201 Created", "200 OK", "201 Created"} {
		if got := first.text(t, "entry", i, "response", "status"); got != want {
			t.Errorf("entry %d: %s, want %s", i, got, want)
		}
	}
	for i, want := range []string{"201 Created", "201 Created", "200 OK", "200 OK", "200 OK"} {
		if got := second.text(t, "entry", i, "response", "status"); got != want {
			t.Errorf("again, entry %d: %s, want %s", i, got, want)
		}
	}
	if n := p.want(200, "GET", "/Patient?_summary=count", "").text(t, "total"); n != "2" {
		t.Errorf("%s patients", n)
	}
	id := strings.Split(first.text(t, "entry", 2, "response", "location"), "/")[5]
	if got := first.text(t, "entry", 3, "response", "location"); !strings.Contains(got, id) {
		t.Errorf("twin %s, want %s", got, id)
	}
	if n := p.want(200, "GET", "/Observation?_summary=count&subject=Patient/"+id, "").text(t, "total"); n != "4" {
		t.Errorf("%s observations refer to the patient", n)
	}
	if v := p.want(200, "GET", "/Patient/"+id, "").header.Get("ETag"); v != `W/"1"` {
		t.Errorf("the patient that was found has version %s", v)
	}
}

// TestBatchEntriesAreIndependent: each has its own answer, in its place.
func TestBatchEntriesAreIndependent(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, func(o *server.Options) { o.MaxEntries = 8 }))
	entries := []string{
		entryOf("", "GET", "Patient/a", ""),
		entryOf("", "POST", "Patient", `{"resourceType":"Patient","name":{}}`),
		entryOf("", "PUT", "Patient/a", withID(ada, "a")),
		entryOf("", "PUT", "Patient/a", withID(ada, "a"), `,"ifMatch":"W/\"9\""`),
		entryOf("", "GET", "Nothing/a", ""),
		entryOf("", "GET", "metadata", ""),
		entryOf("", "DELETE", "Patient/none", ""),
		entryOf("", "GET", "Patient/a", "", `,"ifNoneMatch":"W/\"1\""`),
	}
	got := p.want(200, "POST", "/", bundleOf("batch", entries...), "Prefer", "return=representation")
	for i, want := range []string{"200 OK", "422 Unprocessable Entity", "201 Created", "412 Precondition Failed", "404 Not Found", "200 OK", "204 No Content", "304 Not Modified"} {
		if status := got.text(t, "entry", i, "response", "status"); status != want {
			t.Errorf("entry %d: %s, want %s", i, status, want)
		}
	}
	if place := got.text(t, "entry", 1, "response", "outcome", "issue", 0, "expression", 0); place != "Bundle.entry[1].resource.name" {
		t.Errorf("place %q", place)
	}
	if got.text(t, "entry", 2, "resource", "id") != "a" || got.text(t, "type") != "batch-response" {
		t.Errorf("%.600s", got.body)
	}
	p.want(422, "POST", "/", bundleOf("batch", append(entries, entries[0])...))
	if again := p.want(200, "POST", "/", bundleOf("transaction", entries[0], entries[7])); again.text(t, "entry", 0, "resource", "id") != "a" {
		t.Errorf("%s", again.body)
	}
}
