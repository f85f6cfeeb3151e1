package server_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// ada is a text whose bytes no encoder would write.
const ada = "{ \"resourceType\" : \"Patient\",\n\t\"name\":[{\"family\":\"Sp\\u00e9cimen\",\"given\":[\"Ada\"]}], \"extension\":[{\"url\":\"urn:example:x\",\"valueDecimal\":1.0000000000000000000010}] }"

func withID(text, id string) string {
	return strings.Replace(text, `"Patient",`, `"Patient","id":"`+id+`",`, 1)
}

func TestLifeOfAResource(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	made := p.want(201, "POST", "/Patient", ada)
	id := made.text(t, "id")
	at := "/Patient/" + id
	if got := made.header.Get("Location"); got != server.EmbeddedBase+at+"/_history/1" {
		t.Errorf("Location %q", got)
	}
	if made.header.Get("ETag") != `W/"1"` || made.header.Get("Last-Modified") == "" {
		t.Errorf("headers %v", made.header)
	}
	want := strings.Replace(ada, `"Patient",`, `"Patient","id":"`+id+`","meta":{"versionId":"1","lastUpdated":"`+made.text(t, "meta", "lastUpdated")+`"},`, 1)
	if read := p.want(200, "GET", at, ""); string(read.body) != want {
		t.Errorf("read\n%s\nwant\n%s", read.body, want)
	}
	if raw := p.want(200, "GET", at+"/$raw", ""); string(raw.body) != ada {
		t.Errorf("raw %s", raw.body)
	}
	changed := p.want(200, "PUT", at, withID(ada, id), "If-Match", `W/"1"`)
	if changed.header.Get("ETag") != `W/"2"` {
		t.Errorf("ETag %q", changed.header.Get("ETag"))
	}
	p.want(412, "PUT", at, withID(ada, id), "If-Match", `W/"1"`)
	p.want(412, "DELETE", at, "", "If-Match", `W/"1"`)
	gone := p.want(204, "DELETE", at, "", "If-Match", `W/"2"`)
	if gone.header.Get("ETag") != `W/"3"` || len(gone.body) != 0 {
		t.Errorf("deletion %v %s", gone.header, gone.body)
	}
	p.want(410, "GET", at, "")
	p.want(410, "GET", at+"/_history/3", "")
	p.want(204, "DELETE", at, "")
	p.want(412, "PUT", at, withID(ada, id), "If-Match", `W/"3"`)
	if v := p.want(200, "GET", at+"/_history/1", ""); v.header.Get("ETag") != `W/"1"` || string(v.body) != want {
		t.Errorf("first version %s", v.body)
	}
	if raw := p.want(200, "GET", at+"/_history/2/$raw", ""); string(raw.body) != withID(ada, id) {
		t.Errorf("raw of the second version %s", raw.body)
	}
	if back := p.want(201, "PUT", at, withID(ada, id)); back.header.Get("ETag") != `W/"4"` {
		t.Errorf("resurrection %v", back.header)
	}
}

func TestSplices(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	const stamp = `2026-11-21T09:`
	for name, tc := range map[string]struct{ sent, want string }{
		"no meta":        {`{"resourceType":"Basic","id":"a"}`, `{"resourceType":"Basic","id":"a","meta":{"versionId":"1","lastUpdated":"NOW"}}`},
		"id first":       {`{"id":"a","resourceType":"Basic"}`, `{"id":"a","meta":{"versionId":"1","lastUpdated":"NOW"},"resourceType":"Basic"}`},
		"meta with tags": {`{"resourceType":"Basic","id":"a","meta":{ "tag":[{"code":"x"}]}}`, `{"resourceType":"Basic","id":"a","meta":{"versionId":"1","lastUpdated":"NOW", "tag":[{"code":"x"}]}}`},
		"both there":     {`{"resourceType":"Basic","meta":{"lastUpdated":"2001-01-01T00:00:00Z","versionId":"77"},"id":"a"}`, `{"resourceType":"Basic","meta":{"lastUpdated":"NOW","versionId":"1"},"id":"a"}`},
		"one there":      {`{"resourceType":"Basic","id":"a","meta":{"versionId":"x" }}`, `{"resourceType":"Basic","id":"a","meta":{"lastUpdated":"NOW","versionId":"1" }}`},
		"escaped":        {`{"\u0072esourceType":"Basic","id":"\u0061"}`, `{"\u0072esourceType":"Basic","id":"\u0061","meta":{"versionId":"1","lastUpdated":"NOW"}}`},
	} {
		id := strings.ReplaceAll(name, " ", "-")
		sent := strings.NewReplacer(`"id":"a"`, `"id":"`+id+`"`, `\u0061`, id).Replace(tc.sent)
		want := strings.NewReplacer(`"id":"a"`, `"id":"`+id+`"`, `\u0061`, id).Replace(tc.want)
		got := p.want(201, "PUT", "/Basic/"+id, sent)
		now := got.text(t, "meta", "lastUpdated")
		if string(got.body) != strings.ReplaceAll(want, "NOW", now) || !strings.HasPrefix(now, stamp) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got.body, want)
		}
	}
	if got := p.want(201, "POST", "/Basic", `{"resourceType":"Basic","id":"mine"}`); got.text(t, "id") == "mine" || got.text(t, "id") == "" {
		t.Errorf("a creation kept the id of the client: %s", got.body)
	}
}

// TestRefusals: each with its status, rule and place, and never the value.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *server.Options) { o.MaxBody = 4096 })
	p := peerOf(t, s)
	p.want(201, "PUT", "/Patient/known", withID(ada, "known"))
	for name, tc := range map[string]struct {
		method, path, body, header, value string
		status                            int
		rule, place                       string
	}{
		"unknown type":           {"GET", "/Alien/1", "", "", "", 404, "unknown-type", ""},
		"unknown id":             {"GET", "/Patient/secret", "", "", "", 404, "not-found", ""},
		"unknown version":        {"GET", "/Patient/known/_history/2", "", "", "", 404, "not-found", ""},
		"version is no number":   {"GET", "/Patient/known/_history/secret", "", "", "", 404, "not-found", ""},
		"no route":               {"GET", "/Patient/known/_history/1/2", "", "", "", 404, "no-such-route", ""},
		"no operation":           {"POST", "/Patient/known/$document", "", "", "", 404, "no-such-route", ""},
		"not JSON":               {"POST", "/Patient", `{"secret"`, "", "", 400, "json", ""},
		"member twice":           {"POST", "/Patient", `{"resourceType":"Patient","secret":1,"secret":2}`, "", "", 400, "json", ""},
		"two values":             {"POST", "/Patient", `{"resourceType":"Patient"}{}`, "", "", 400, "json", ""},
		"not UTF-8":              {"POST", "/Patient", "{\"resourceType\":\"Patient\",\"language\":\"secret\xff\"}", "", "", 400, "json", ""},
		"an array":               {"POST", "/Patient", `["secret"]`, "", "", 400, "json", ""},
		"too deep":               {"POST", "/Patient", `{"resourceType":"Patient","extension":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "", "", 400, "json", ""},
		"too large":              {"POST", "/Patient", `{"resourceType":"Patient","language":"` + strings.Repeat("s", 5000) + `"}`, "", "", 413, "body-too-large", ""},
		"no type":                {"POST", "/Patient", `{"id":"secret"}`, "", "", 400, "resource-type", ""},
		"another type":           {"POST", "/Patient", `{"resourceType":"Basic"}`, "", "", 400, "resource-type", ""},
		"no id":                  {"PUT", "/Patient/known", ada, "", "", 400, "id", "Patient.id"},
		"another id":             {"PUT", "/Patient/known", withID(ada, "secret"), "", "", 400, "id", "Patient.id"},
		"no id at all":           {"PUT", "/Patient/a_secret", withID(ada, "a_secret"), "", "", 400, "id", ""},
		"wrong JSON type":        {"POST", "/Patient", `{"resourceType":"Patient","active":"secret"}`, "", "", 422, "json-type", "Patient.active"},
		"no list":                {"POST", "/Patient", `{"resourceType":"Patient","name":{"family":"secret"}}`, "", "", 422, "cardinality", "Patient.name"},
		"empty":                  {"POST", "/Patient", `{"resourceType":"Patient","name":[{}]}`, "", "", 422, "empty", "Patient.name[0]"},
		"choice twice":           {"POST", "/Patient", `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}`, "", "", 422, "choice", "Patient.deceasedDateTime"},
		"unknown, strict":        {"POST", "/Patient", `{"resourceType":"Patient","secret":"x"}`, "Prefer", "handling=strict", 422, "unknown-element", "Patient"},
		"form, strict":           {"POST", "/Patient", `{"resourceType":"Patient","birthDate":"secret"}`, "Prefer", "handling=strict", 422, "format", "Patient.birthDate"},
		"contained is nothing":   {"POST", "/Patient", `{"resourceType":"Patient","contained":[{"id":"secret"}]}`, "", "", 422, "resource-type", "Patient.contained[0]"},
		"XML sent":               {"POST", "/Patient", `<Patient/>`, "Content-Type", "application/fhir+xml", 415, "content-type", ""},
		"another version":        {"POST", "/Patient", ada, "Content-Type", "application/fhir+json; fhirVersion=3.0", 415, "fhir-version", ""},
		"XML wanted":             {"GET", "/Patient/known", "", "Accept", "application/fhir+xml", 406, "format", ""},
		"XML by parameter":       {"GET", "/Patient/known?_format=xml", "", "", "", 406, "format", ""},
		"If-Match no tag":        {"PUT", "/Patient/known", withID(ada, "known"), "If-Match", "secret", 400, "etag", "If-Match"},
		"If-None-Match a tag":    {"PUT", "/Patient/known", withID(ada, "known"), "If-None-Match", `W/"1"`, 400, "etag", "If-None-Match"},
		"exists":                 {"PUT", "/Patient/known", withID(ada, "known"), "If-None-Match", "*", 412, "exists", "If-None-Match"},
		"no criteria":            {"DELETE", "/Patient", "", "", "", 412, "criteria", ""},
		"criteria unknown":       {"DELETE", "/Patient?secret=secret", "", "", "", 400, "search-unknown-parameter", "secret"},
		"If-None-Exist empty":    {"POST", "/Patient", ada, "If-None-Exist", "_count=3", 412, "criteria", ""},
		"_summary unknown":       {"GET", "/Patient/known?_summary=secret", "", "", "", 400, "search-value", "_summary"},
		"read, strict":           {"GET", "/Patient/known?secret=1", "", "Prefer", "handling=strict", 400, "unknown-parameter", ""},
		"search, strict":         {"GET", "/Patient?_secret=1", "", "Prefer", "handling=strict", 400, "search-unknown-parameter", "_secret"},
		"_since no instant":      {"GET", "/_history?_since=secret", "", "", "", 400, "search-value", "_since"},
		"history, strict":        {"GET", "/_history?at=secret", "", "Prefer", "handling=strict", 400, "unknown-parameter", ""},
		"bundle of another sort": {"POST", "/", `{"resourceType":"Bundle","type":"collection"}`, "", "", 422, "bundle-type", "Bundle.type"},
		"no bundle":              {"POST", "/", `{"resourceType":"Patient","id":"secret"}`, "", "", 400, "resource-type", ""},
		"everything, start":      {"GET", "/Patient/known/$everything?start=2020", "", "", "", 400, "unknown-parameter", ""},
		"persist by GET":         {"GET", "/Composition/secret/$document?persist=true", "", "", "", 422, "persist", "persist"},
	} {
		var headers []string
		if tc.header != "" {
			headers = []string{tc.header, tc.value}
		}
		got := p.do(tc.method, tc.path, []byte(tc.body), headers...)
		rule := got.text(t, "issue", 0, "details", "coding", 0, "code")
		place := got.text(t, "issue", 0, "expression", 0) + strings.TrimPrefix(got.text(t, "issue", 0, "location", 0), "http.")
		if got.status != tc.status || rule != tc.rule || place != tc.place {
			t.Errorf("%s: status %d rule %q at %q\n%.400s", name, got.status, rule, place, got.body)
		}
		if tc.place != "secret" && strings.Contains(string(got.body), "secret") && tc.place != "_secret" {
			t.Errorf("%s: the answer repeats the value: %s", name, got.body)
		}
		if got.header.Get("Content-Type") != "application/fhir+json; charset=utf-8" {
			t.Errorf("%s: %q", name, got.header.Get("Content-Type"))
		}
	}
}

// TestLenience: what R4 does not define is kept as it came.
func TestLenience(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	const odd = `{"resourceType":"Observation","id":"o","odd":{"a":[1,null]},"issued":"yesterday"}`
	p.want(201, "PUT", "/Observation/o", odd)
	if raw := p.want(200, "GET", "/Observation/o/$raw", ""); string(raw.body) != odd {
		t.Errorf("%s", raw.body)
	}
	found := p.want(200, "POST", "/Observation/$validate", odd)
	rules := map[string]bool{}
	for i := range 10 {
		rules[found.text(t, "issue", i, "details", "coding", 0, "code")] = true
	}
	if !rules["unknown-element"] || !rules["required"] || !rules["format"] || !rules["validation-scope"] {
		t.Errorf("%s", found.body)
	}
	good := p.want(200, "POST", "/Patient/x/$validate", `{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"create"},{"name":"resource","resource":`+withID(ada, "x")+`}]}`)
	if good.text(t, "issue", 0, "severity") != "information" || good.at(t, "issue", 1) != nil {
		t.Errorf("%s", good.body)
	}
	p.want(400, "POST", "/Patient/$validate", `{"resourceType":"Parameters","parameter":[{"name":"mode"}]}`)
	p.want(400, "POST", "/Patient/$validate", `{"resourceType":"Basic"}`)
}

func TestConditionalRead(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	made := p.want(201, "PUT", "/Patient/a", withID(ada, "a"))
	when := made.header.Get("Last-Modified")
	for _, tc := range []struct {
		header, value string
		want          int
	}{
		{"If-None-Match", `W/"1"`, 304}, {"If-None-Match", `"x", W/"1"`, 304}, {"If-None-Match", "*", 304},
		{"If-None-Match", `W/"2"`, 200}, {"If-Modified-Since", when, 304}, {"If-Modified-Since", "nonsense", 200},
		{"If-Modified-Since", "Sat, 21 Nov 2020 09:30:00 GMT", 200},
	} {
		got := p.want(tc.want, "GET", "/Patient/a", "", tc.header, tc.value)
		if got.header.Get("ETag") != `W/"1"` || (tc.want == 304) != (len(got.body) == 0) {
			t.Errorf("%s %s: %v %d bytes", tc.header, tc.value, got.header, len(got.body))
		}
	}
	if head := p.want(200, "HEAD", "/Patient/a", ""); len(head.body) != 0 || head.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD %v", head)
	}
}

func TestPrefer(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	if got := p.want(201, "PUT", "/Patient/a", withID(ada, "a"), "Prefer", "return=minimal"); len(got.body) != 0 || got.header.Get("Location") == "" {
		t.Errorf("minimal: %v %s", got.header, got.body)
	}
	if got := p.want(200, "PUT", "/Patient/a", withID(ada, "a"), "Prefer", `handling=lenient, return="OperationOutcome"`); got.text(t, "resourceType") != "OperationOutcome" {
		t.Errorf("outcome: %s", got.body)
	}
	if got := p.want(200, "PUT", "/Patient/a", withID(ada, "a"), "Prefer", "return=representation"); got.text(t, "id") != "a" {
		t.Errorf("representation: %s", got.body)
	}
	if got := p.want(200, "DELETE", "/Patient/a", "", "Prefer", "return=OperationOutcome"); got.text(t, "resourceType") != "OperationOutcome" {
		t.Errorf("deletion: %s", got.body)
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	p.want(201, "PUT", "/Observation/o", `{"resourceType":"Observation","id":"o","meta":{"tag":[{"code":"mine"}]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":1.50},"note":[{"text":"n"}],"device":{"display":"d"}}`)
	for query, want := range map[string]string{
		"_summary=true":              "_status code id meta resourceType status valueQuantity",
		"_summary=text":              "_status code id meta resourceType status text",
		"_summary=data":              "_status code device id meta note resourceType status valueQuantity",
		"_summary=false":             "_status code device id meta note resourceType status text valueQuantity",
		"_elements=note,device":      "_status code device id meta note resourceType status",
		"_elements=Observation.note": "_status code id meta note resourceType status",
	} {
		for _, got := range []any{
			p.want(200, "GET", "/Observation/o?"+query, "").at(t),
			p.want(200, "GET", "/Observation?_id=o&"+query, "").at(t, "entry", 0, "resource"),
		} {
			members := got.(map[string]any)
			if names := keys(members); names != want {
				t.Errorf("%s: %s, want %s", query, names, want)
			}
			tags := members["meta"].(map[string]any)["tag"].([]any)
			if last := tags[len(tags)-1].(map[string]any)["code"]; (query == "_summary=false") != (last == "mine") {
				t.Errorf("%s: tags %v", query, tags)
			}
		}
	}
	pretty := p.want(200, "GET", "/Observation/o?_pretty=true", "")
	if !strings.Contains(string(pretty.body), "\n    \"value\": 1.50\n") {
		t.Errorf("%s", pretty.body)
	}
}
