package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

// TestFolderOfEvents: a certificate for each event, all or none.
func TestFolderOfEvents(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer, other := p.client(t, devpki.IssuerName), p.client(t, otherIssuer)
	post := exchange{method: http.MethodPost, path: pathFolder, header: fhirJSON, body: s.example(t, "TwoEvents"), client: issuer, want: 200}
	header, body := s.do(t, g.mediatorURL, post)
	folder := header.Get("Location")
	if bytes.Count(body, []byte(`"reference":"Bundle/`)) != 2 || !bytes.Contains(body, []byte(`"code":"ddcc"`)) {
		t.Errorf("%.500s", body)
	}
	if _, again := s.do(t, g.mediatorURL, post); !bytes.Equal(body, again) {
		t.Error("the same request has another folder")
	}
	get := exchange{method: http.MethodGet, path: folder, client: issuer, want: 200}
	if _, list := s.do(t, g.mediatorURL, get); !bytes.Equal(body, list) {
		t.Error("the folder is another when it is read")
	}
	get.client, get.want = other, 404
	s.do(t, g.mediatorURL, get)

	post.body, post.header = s.example(t, "TwoEventsInParameters"), with("Idempotency-Key", "formats")
	_, body = s.do(t, g.mediatorURL, post)
	parts := answerOf(t, body)
	if outcome := first(parts, "outcome").Resource; !bytes.Contains(outcome, []byte(`"icvp:`)) || !bytes.Contains(first(parts, "return").Resource, []byte(`"resourceType":"List"`)) {
		t.Errorf("why there is no ICVP: %.500s", body)
	}
	s.folderRefusals(t, p, g)
}

// changed edits the Bundle of an example.
func (s spec) changed(t *testing.T, edit func(entries []map[string]any, bundle map[string]any)) []byte {
	t.Helper()
	var bundle map[string]any
	if err := json.Unmarshal(s.example(t, "TwoEvents"), &bundle); err != nil {
		t.Fatal(err)
	}
	bundle["link"] = []any{map[string]any{"relation": "publication", "url": "urn:HCID:SPECIMEN-NONE"}}
	var entries []map[string]any
	for _, e := range bundle["entry"].([]any) {
		entries = append(entries, e.(map[string]any))
	}
	edit(entries, bundle)
	return marshal(t, bundle)
}

func (s spec) folderRefusals(t *testing.T, p pki, g gateway) {
	t.Helper()
	issuer, slow := p.client(t, devpki.IssuerName), p.client(t, slowIssuer)
	good := s.changed(t, func([]map[string]any, map[string]any) {})
	resource := func(e map[string]any) map[string]any { return e["resource"].(map[string]any) }
	secondFails := s.changed(t, func(e []map[string]any, _ map[string]any) { delete(resource(e[3]), "lotNumber") })
	twoPeople := s.changed(t, func(e []map[string]any, b map[string]any) {
		second := map[string]any{"fullUrl": "urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b09", "resource": map[string]any{
			"resourceType": "Patient", "name": []any{map[string]any{"text": "Eli Specimen"}}, "birthDate": "1990-01-01",
		}}
		resource(e[3])["patient"] = map[string]any{"reference": second["fullUrl"]}
		b["entry"] = append(b["entry"].([]any), second)
	})
	taken := bytes.Replace(good, []byte("SPECIMEN-NONE"), []byte("SPECIMEN-0001"), 1)
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "Vaccination"), client: issuer, want: 201})
	for name, x := range map[string]exchange{
		"no certificate":        {body: good, client: p.client(t, ""), want: 401},
		"unknown certificate":   {body: good, client: p.client(t, "urn:nobody"), want: 403},
		"profile not allowed":   {body: good, client: p.client(t, testsIssuer), want: 403},
		"a rule of the second":  {body: secondFails, want: 422},
		"two people":            {body: twoPeople, want: 422},
		"no event":              {body: []byte(`{"resourceType":"Bundle","type":"collection","entry":[]}`), want: 422},
		"101 events":            {body: s.many(t, 101), want: 422},
		"more than the burst":   {body: s.many(t, 1001), want: 413},
		"HCID of another":       {body: taken, want: 409},
		"an event by itself":    {body: s.example(t, "Vaccination"), want: 400},
		"no bundle":             {body: []byte(`{"resourceType":"Parameters","parameter":[{"name":"response"}]}`), want: 400},
		"not JSON":              {body: []byte(`{`), want: 400},
		"supersedes":            {body: []byte(`{"resourceType":"Parameters","parameter":[{"name":"bundle","resource":` + string(good) + `},{"name":"supersedes","valueId":"471af853-c142-4cb6-9612-bc42b70a2dc4"}]}`), want: 400},
		"unusable key":          {header: with("Idempotency-Key", "a b"), body: good, want: 400},
		"only new":              {header: with("If-None-Match", "*"), body: good, want: 412},
		"not acceptable":        {header: with("Accept", "application/pdf"), body: good, want: 406},
		"media type":            {header: with("Content-Type", "text/plain"), body: good, want: 415},
		"too large":             {body: bytes.Repeat([]byte(" "), 512<<10+1), want: 413},
		"more than slow's rate": {body: good, client: slow, want: 413},
	} {
		t.Run(name, func(t *testing.T) {
			x.method, x.path, x.lenient = http.MethodPost, pathFolder, true
			if x.client == nil {
				x.client = issuer
			}
			if x.header == nil {
				x.header = fhirJSON
			}
			_, body := s.do(t, g.mediatorURL, x)
			if name == "a rule of the second" && !bytes.Contains(body, []byte("Bundle.entry[3]")) {
				t.Errorf("which event: %.400s", body)
			}
		})
	}
	// None of the refused left anything: the HCID is still nobody's.
	body := bytes.Replace(s.example(t, "Vaccination"), []byte("SPECIMEN-0001"), []byte("SPECIMEN-NONE"), 1)
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathAny, header: fhirJSON, body: body, client: issuer, want: 201})
}

// many is a Bundle with so many vaccinations.
func (s spec) many(t *testing.T, n int) []byte {
	t.Helper()
	return s.changed(t, func(e []map[string]any, b map[string]any) {
		for range n - 2 {
			small := map[string]any{"resource": map[string]any{"resourceType": "Immunization"}}
			b["entry"] = append(b["entry"].([]any), small)
		}
	})
}

// TestFolderIsInterrupted: after an outage the same request goes on from there.
func TestFolderIsInterrupted(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	g.signer.audit.set(true)
	post := exchange{method: http.MethodPost, path: pathFolder, header: fhirJSON, body: s.example(t, "TwoEvents"), client: p.client(t, devpki.IssuerName), want: 503}
	s.do(t, g.mediatorURL, post)
	g.signer.audit.set(false)
	post.want = 200
	if _, body := s.do(t, g.mediatorURL, post); strings.Count(string(body), `"reference":"Bundle/`) != 2 {
		t.Errorf("%.300s", body)
	}
}
