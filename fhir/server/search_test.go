package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// load fills a server with a small clinic.
func load(tb testing.TB, p peer) {
	tb.Helper()
	put := func(text string) {
		r := reply{body: []byte(text)}
		p.want(201, "PUT", "/"+r.text(tb, "resourceType")+"/"+r.text(tb, "id"), text)
	}
	put(`{"resourceType":"Organization","id":"clinic","name":"Clinic Specimen"}`)
	put(`{"resourceType":"Practitioner","id":"doc","name":[{"family":"Doctor Specimen"}]}`)
	put(`{"resourceType":"Patient","id":"ada","managingOrganization":{"reference":"Organization/clinic"},"name":[{"family":"Ada Specimen"}]}`)
	put(`{"resourceType":"Patient","id":"bob","name":[{"family":"Bob Specimen"}]}`)
	for i := range 5 {
		put(fmt.Sprintf(`{"resourceType":"Immunization","id":"i%d","status":"completed","vaccineCode":{"text":"v"},"patient":{"reference":"Patient/ada"},"performer":[{"actor":{"reference":"Practitioner/doc"}}],"occurrenceDateTime":"2026-0%d-01"}`, i, i+1))
	}
	put(`{"resourceType":"Immunization","id":"other","status":"completed","patient":{"reference":"Patient/bob"},"occurrenceDateTime":"2026-01-01"}`)
	put(`{"resourceType":"Composition","id":"c","status":"final","type":{"text":"t"},"subject":{"reference":"Patient/ada"},"author":[{"reference":"Practitioner/doc"}],"date":"2026-01-01","title":"t","section":[{"entry":[{"reference":"Immunization/i0"},{"reference":"Immunization/i1/_history/1"}]}]}`)
}

// pages follows the links of type next and gives the ids of all pages.
func pages(t *testing.T, p peer, path string, most int) []string {
	t.Helper()
	var ids []string
	for range most {
		got := p.want(200, "GET", path, "")
		ids = append(ids, got.ids(t)...)
		next := ""
		for i := range 3 {
			if got.text(t, "link", i, "relation") == "next" {
				next = got.text(t, "link", i, "url")
			}
		}
		if next == "" {
			return ids
		}
		path = strings.TrimPrefix(next, server.EmbeddedBase)
	}
	t.Fatalf("more than %d pages", most)
	return nil
}

func TestSearch(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	load(t, p)
	all := pages(t, p, "/Immunization?patient=Patient/ada&_count=2", 3)
	if want := "Immunization/i0 Immunization/i1 Immunization/i2 Immunization/i3 Immunization/i4"; strings.Join(all, " ") != want {
		t.Errorf("%v", all)
	}
	got := p.want(200, "GET", "/Immunization?_id=i3&_include=Immunization:patient&unknown=1", "")
	if ids := strings.Join(got.ids(t), " "); ids != "Immunization/i3 Patient/ada OperationOutcome/" {
		t.Errorf("%s", ids)
	}
	for i, want := range []string{"match", "include", "outcome"} {
		if mode := got.text(t, "entry", i, "search", "mode"); mode != want {
			t.Errorf("entry %d: %s", i, mode)
		}
	}
	if self := got.text(t, "link", 0, "url"); strings.Contains(self, "unknown") || !strings.Contains(self, "_id=i3") {
		t.Errorf("self link %s", self)
	}
	if url := got.text(t, "entry", 0, "fullUrl"); url != server.EmbeddedBase+"/Immunization/i3" {
		t.Errorf("fullUrl %s", url)
	}
	if url := got.text(t, "entry", 2, "fullUrl"); !strings.HasPrefix(url, "urn:uuid:") {
		t.Errorf("fullUrl of the outcome %q", url)
	}
	form := url.Values{"patient": {"Patient/bob"}}.Encode()
	posted := p.want(200, "POST", "/Immunization/_search?status=completed", form, "Content-Type", "application/x-www-form-urlencoded")
	if ids := posted.ids(t); !slices.Equal(ids, []string{"Immunization/other"}) {
		t.Errorf("by POST %v", ids)
	}
	system := p.want(200, "GET", "?_type=Patient,Organization&_sort=-_lastUpdated", "")
	if ids := system.ids(t); !slices.Equal(ids, []string{"Patient/bob", "Patient/ada", "Organization/clinic"}) {
		t.Errorf("of the system %v", ids)
	}
	if n := p.want(200, "POST", "/_search", "_type=Patient&_summary=count", "Content-Type", "application/x-www-form-urlencoded"); n.text(t, "total") != "2" || n.at(t, "entry") != nil {
		t.Errorf("count %s", n.body)
	}
	if absolute := p.want(200, "GET", "/Immunization?patient="+server.EmbeddedBase+"/Patient/bob", ""); absolute.text(t, "total") != "1" {
		t.Errorf("by absolute reference: %s", absolute.body)
	}
}

func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	load(t, p)
	const lot = `{"resourceType":"Immunization","status":"completed","lotNumber":"L1"}`
	made := p.want(201, "PUT", "/Immunization?lot-number=L1", lot)
	again := p.want(200, "PUT", "/Immunization?lot-number=L1", lot)
	if made.text(t, "id") != again.text(t, "id") || again.header.Get("ETag") != `W/"2"` {
		t.Errorf("%s %s", made.body, again.body)
	}
	id := made.text(t, "id")
	p.want(400, "PUT", "/Immunization?lot-number=L1", withIDOf(lot, "another"))
	p.want(412, "PUT", "/Immunization?lot-number=L1", lot, "If-Match", `W/"1"`)
	p.want(200, "PUT", "/Immunization?lot-number=L1", lot, "If-Match", `W/"2"`)
	p.want(201, "PUT", "/Immunization?lot-number=L2", withIDOf(lot, "chosen"))
	p.want(409, "PUT", "/Immunization?lot-number=L3", withIDOf(lot, "i0"))
	p.want(412, "PUT", "/Immunization?status=completed", lot)
	found := p.want(200, "POST", "/Immunization", lot, "If-None-Exist", "_id="+id)
	if found.text(t, "id") != id || !strings.HasSuffix(found.header.Get("Location"), id+"/_history/3") {
		t.Errorf("%v %s", found.header, found.body)
	}
	p.want(412, "POST", "/Immunization", lot, "If-None-Exist", "status=completed")
	p.want(200, "PATCH", "/Immunization?_id="+id, `[{"op":"replace","path":"/lotNumber","value":"L9"}]`, "Content-Type", "application/json-patch+json")
	p.want(404, "PATCH", "/Immunization?_id=none", `[]`, "Content-Type", "application/json-patch+json")
	p.want(412, "DELETE", "/Immunization?status=completed", "")
	p.want(204, "DELETE", "/Immunization?lot-number=L9", "")
	p.want(410, "GET", "/Immunization/"+id, "")
	p.want(204, "DELETE", "/Immunization?lot-number=L9", "")
}

func withIDOf(text, id string) string {
	return strings.Replace(text, `",`, `","id":"`+id+`",`, 1)
}

func TestHistory(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	for range 4 {
		p.do("PUT", "/Patient/a", []byte(withID(ada, "a")))
	}
	p.want(204, "DELETE", "/Patient/a", "")
	p.want(201, "POST", "/Basic", `{"resourceType":"Basic"}`)
	one := p.want(200, "GET", "/Patient/a/_history", "")
	if one.text(t, "total") != "5" || one.text(t, "entry", 0, "request", "method") != "DELETE" || one.at(t, "entry", 0, "resource") != nil ||
		one.text(t, "entry", 4, "response", "status") != "201 Created" || one.text(t, "entry", 4, "resource", "meta", "versionId") != "1" {
		t.Errorf("%s", one.body)
	}
	if ids := pages(t, p, "/_history?_count=2", 3); len(ids) != 6 || ids[0] == ids[1] {
		t.Errorf("of the system %v", ids)
	}
	if ids := pages(t, p, "/Patient/_history?_count=2", 3); len(ids) != 5 {
		t.Errorf("of the type %v", ids)
	}
	since := one.text(t, "entry", 1, "response", "lastModified")
	if got := p.want(200, "GET", "/Patient/a/_history?_since="+since, ""); got.text(t, "total") != "2" {
		t.Errorf("since %s: %s", since, got.text(t, "total"))
	}
	p.want(404, "GET", "/Patient/none/_history", "")
}

func TestPatch(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	p.want(201, "PUT", "/Patient/a", withID(ada, "a"))
	const media = "application/json-patch+json"
	p.want(412, "PATCH", "/Patient/a", `[]`, "Content-Type", media, "If-Match", `W/"2"`)
	got := p.want(200, "PATCH", "/Patient/a", `[{"op":"test","path":"/extension/0/valueDecimal","value":1.000000000000000000001},{"op":"add","path":"/name/0/given/-","value":"B."}]`, "Content-Type", media, "If-Match", `W/"1"`)
	if !strings.Contains(string(got.body), `"name":[{"family":"Sp\u00e9cimen","given":["Ada","B."]}], "extension":[{"url":"urn:example:x","valueDecimal":1.0000000000000000000010}] }`) {
		t.Errorf("%s", got.body)
	}
	if got.header.Get("ETag") != `W/"2"` {
		t.Errorf("%v", got.header)
	}
	for patch, status := range map[string]int{
		`{}`:           400,
		`[{"op":"x"}]`: 400,
		`[{"op":"test","path":"/name/0/family","value":"secret"}]`:               422,
		`[{"op":"remove","path":"/none"}]`:                                       422,
		`[{"op":"replace","path":"/id","value":"b"}]`:                            422,
		`[{"op":"remove","path":"/id"}]`:                                         422,
		`[{"op":"replace","path":"/resourceType","value":"Basic"}]`:              400,
		`[{"op":"add","path":"/active","value":"secret"}]`:                       422,
		`[` + strings.Repeat(`{"op":"test","path":""},`, 100) + `{"op":"test"}]`: 400,
	} {
		if got := p.want(status, "PATCH", "/Patient/a", patch, "Content-Type", media); strings.Contains(string(got.body), "secret") {
			t.Errorf("%s", got.body)
		}
	}
	p.want(415, "PATCH", "/Patient/a", `[]`)
	p.want(404, "PATCH", "/Patient/none", `[]`, "Content-Type", media)
	p.want(204, "DELETE", "/Patient/a", "")
	p.want(410, "PATCH", "/Patient/a", `[]`, "Content-Type", media)
}

func TestEverything(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	load(t, p)
	want := "Patient/ada Organization/clinic Practitioner/doc Immunization/i0 Immunization/i1 Immunization/i2 Immunization/i3 Immunization/i4 Composition/c"
	if got := strings.Join(pages(t, p, "/Patient/ada/$everything", 1), " "); got != want {
		t.Errorf("%s", got)
	}
	for count := 1; count < 10; count++ {
		if got := strings.Join(pages(t, p, fmt.Sprintf("/Patient/ada/$everything?_count=%d", count), 10), " "); got != want {
			t.Errorf("_count=%d: %s", count, got)
		}
	}
	if got := strings.Join(pages(t, p, "/Patient/ada/$everything?_type=Immunization,Composition&_count=4", 2), " "); !strings.HasPrefix(got, "Immunization/i0") || !strings.HasSuffix(got, "Composition/c") {
		t.Errorf("%s", got)
	}
	since := p.want(200, "GET", "/Immunization/i4", "").text(t, "meta", "lastUpdated")
	if got := strings.Join(pages(t, p, "/Patient/ada/$everything?_since="+since, 1), " "); got != "Immunization/i4 Composition/c" {
		t.Errorf("since: %s", got)
	}
	p.want(404, "GET", "/Patient/none/$everything", "")
	p.want(404, "GET", "/Group/none/$everything", "")
}

func TestDocument(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	load(t, p)
	got := p.want(200, "GET", "/Composition/c/$document", "")
	if ids := strings.Join(got.ids(t), " "); ids != "Composition/c Patient/ada Practitioner/doc Immunization/i0 Immunization/i1 Organization/clinic" {
		t.Errorf("%s", ids)
	}
	if got.text(t, "type") != "document" || !strings.HasPrefix(got.text(t, "identifier", "value"), "urn:uuid:") || got.text(t, "timestamp") == "" {
		t.Errorf("%.400s", got.body)
	}
	if checked := p.want(200, "POST", "/Bundle/$validate", string(got.body)); checked.text(t, "issue", 0, "severity") != "information" {
		t.Errorf("%s", checked.body)
	}
	p.want(200, "POST", "/Composition/c/$document", "")
	kept := p.want(201, "POST", "/Composition/c/$document?persist=true", "")
	if again := p.want(200, "GET", "/Bundle/"+kept.text(t, "id"), ""); again.text(t, "type") != "document" {
		t.Errorf("%.300s", again.body)
	}
	p.want(204, "DELETE", "/Practitioner/doc", "")
	if gap := p.want(422, "GET", "/Composition/c/$document", ""); gap.text(t, "issue", 0, "details", "coding", 0, "code") != "incomplete-document" {
		t.Errorf("%s", gap.body)
	}
}
