package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

const pathFolder = "/ddcc/Bundle/$generateHealthFolder"

// TestFormatsOfARequest: the query, the body and both; what is left out is said, and the
// formats are part of what a request says.
func TestFormatsOfARequest(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer := p.client(t, devpki.IssuerName)
	abroad := response(t, s.example(t, "WithFormats"))
	post := func(path, key string, body []byte, want int) []part {
		t.Helper()
		x := exchange{method: http.MethodPost, path: path, header: with("Idempotency-Key", key), body: body, client: issuer, want: want}
		header, answer := s.do(t, g.mediatorURL, x)
		if !strings.HasPrefix(header.Get("Location"), "/ddcc/Bundle/") {
			t.Errorf("%s: Location %q", path, header.Get("Location"))
		}
		return answerOf(t, answer)
	}
	for path, want := range map[string][]string{
		"?format=dcc":                       {"dcc", "who"},
		"?format=shc&format=dcc":            {"dcc", "shc", "who"},
		"?format=shc,icao&format=icao":      {"shc", "vdsnc", "who"},
		"?format=who":                       {"who"},
		"?format=dcc,shc,vdsnc,icvp,who":    {"dcc", "shc", "vdsnc", "who"}, // no ICVP of this disease
		"?format=dcc-recovery,shc":          {"shc", "who"},                 // nobody recovers from a vaccination
		"?format=shc&format=shc&format=shc": {"shc", "who"},
	} {
		parts := post(pathAny+path, path, abroad, 201)
		got := texts(parts)
		names := make([]string, 0, len(got))
		for name, text := range got {
			names = append(names, name)
			if !strings.HasPrefix(text, map[string]string{"who": "HC1:", "dcc": "HC1:", "shc": "shc:/", "vdsnc": "{"}[name]) {
				t.Errorf("%s: a text of format %s begins otherwise", path, name)
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s: issued %q, want %q", path, names, want)
		}
		again := post(pathAny+path, path, abroad, 200)
		if !bytes.Equal(first(parts, "return").Resource, first(again, "return").Resource) || texts(again)[want[0]] != got[want[0]] {
			t.Errorf("%s: the replay differs", path)
		}
		s.references(t, g, issuer, parts)
	}
	outcome := first(post(pathAny+"?format=icvp", "left-out", abroad, 201), "outcome").Resource
	if !bytes.Contains(outcome, []byte(`"icvp:`)) || bytes.Contains(outcome, []byte(`"severity":"error"`)) {
		t.Errorf("why there is no ICVP: %.400s", outcome)
	}
	body := s.example(t, "WithFormats") // dcc and shc; the body decides
	if got := texts(post(pathAny+"?format=vdsnc", "both", body, 201)); len(got) != 3 || got["vdsnc"] != "" {
		t.Errorf("%d formats where body and query name some", len(got))
	}
	s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny + "?format=shc", header: with("Idempotency-Key", "?format=dcc"), body: abroad, client: issuer, want: 422,
	})
	for _, query := range []string{"?format=", "?format=passport", "?format=DCC", "?format=dcc,,shc", "?format=dcc&format=%00", "?format=" + strings.Repeat("dcc,", 5000)} {
		for _, path := range []string{pathAny, pathAny + "/$validate", pathBatch, pathBatch + "/$validate", pathFolder} {
			s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path + query, like: path, header: fhirJSON, body: abroad, client: issuer, want: 400, lenient: true})
		}
	}
}

// response takes the event out of a Parameters.
func response(t *testing.T, raw []byte) []byte {
	t.Helper()
	return first(answerOf(t, raw), "response").Resource
}

// references: each certificate's QR code can be had, as a picture and as a page.
func (s spec) references(t *testing.T, g gateway, issuer *http.Client, parts []part) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range named(parts, "certificate") {
		reference := first(c.Part, "reference").ValueReference.Reference
		if seen[reference] {
			t.Errorf("two formats have the QR code %s", reference)
		}
		seen[reference] = true
		get := exchange{method: http.MethodGet, path: "/ddcc/" + reference + "/$getQRCode", client: issuer, want: 200}
		for accept, want := range map[string]string{
			"": "image/png", "image/png": "image/png", "application/pdf": "application/pdf", "image/*": "image/png",
			"application/pdf, */*;q=0.1": "application/pdf", "image/png;q=0.2, application/pdf;q=0.3": "application/pdf", "*/*": "image/png",
			"image/png;q=0, */*": "application/pdf",
		} {
			get.header = map[string]string{"Accept": accept}
			header, body := s.do(t, g.mediatorURL, get)
			if got := header.Get("Content-Type"); got != want || !bytes.HasPrefix(body, map[string][]byte{"image/png": []byte("\x89PNG"), "application/pdf": []byte("%PDF-")}[want]) {
				t.Errorf("Accept %q: %s", accept, got)
			}
		}
	}
}

// TestDryRunKnowsFormats: $validate says which formats cannot be had, of query and body.
func TestDryRunKnowsFormats(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	issuer := p.client(t, devpki.IssuerName)
	home := s.example(t, "Vaccination") // in XXA, which no EU DCC can name
	batch := s.example(t, "BatchOfOne")
	for _, test := range []struct {
		path string
		body []byte
		want string
	}{
		{pathAny + "/$validate?format=dcc", home, `"dcc:`},
		{pathAny + "/$validate?format=icvp", home, `"icvp:`},
		{"/ddcc/QuestionnaireResponse/$validate?format=dcc", home, `"dcc:`},
		{pathBatch + "/$validate?format=dcc", batch, `"dcc:`},
		{pathAny + "/$validate", home, ``},
	} {
		_, outcome := s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: test.path, header: fhirJSON, body: test.body, client: issuer, want: 200})
		if !bytes.Contains(outcome, []byte(test.want)) || bytes.Contains(outcome, []byte(`"severity":"error"`)) {
			t.Errorf("%s: %.500s", test.path, outcome)
		}
	}
}

// TestBatchWithFormats: each entry has its formats and its outcome.
func TestBatchWithFormats(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	entry := func(resource json.RawMessage) map[string]any {
		return map[string]any{"resource": resource, "request": map[string]any{"method": "POST", "url": "QuestionnaireResponse/$generateHealthCertificate"}}
	}
	home := bytes.Replace(s.example(t, "InParameters"), []byte(`"parameter":[`), []byte(`"parameter":[{"name":"format","valueCode":"dcc"},`), 1)
	body := marshal(t, map[string]any{"resourceType": "Bundle", "type": "batch", "entry": []any{
		entry(s.example(t, "WithFormats")), entry(home), entry(bytes.Replace(home, []byte(`"dcc"`), []byte(`"passport"`), 1)),
	}})
	x := exchange{method: http.MethodPost, path: pathBatch, header: fhirJSON, body: body, client: p.client(t, devpki.IssuerName), want: 200, lenient: true}
	_, answer := s.do(t, g.mediatorURL, x)
	var batch struct {
		Entry []struct {
			Resource json.RawMessage
			Response struct {
				Status  string
				Outcome json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(answer, &batch); err != nil || len(batch.Entry) != 3 {
		t.Fatalf("%v: %.300s", err, answer)
	}
	for i, want := range []string{"201", "201", "400"} {
		if got := batch.Entry[i].Response.Status; !strings.HasPrefix(got, want) {
			t.Errorf("entry %d: %s, want %s", i, got, want)
		}
	}
	abroad, left := batch.Entry[0], batch.Entry[1]
	if bytes.Count(abroad.Resource, []byte(`"resourceType":"DocumentReference"`)) != 3 || bytes.Contains(abroad.Response.Outcome, []byte(`dcc:`)) {
		t.Error("the document has not one QR code a format")
	}
	if bytes.Count(left.Resource, []byte(`"resourceType":"DocumentReference"`)) != 1 || !bytes.Contains(left.Response.Outcome, []byte(`"dcc:`)) {
		t.Errorf("why there is no EU DCC: %.300s", left.Response.Outcome)
	}
}

// TestFormatsNeedTheRight: an issuer without a format's profile gets the others, and is told.
func TestFormatsNeedTheRight(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	_, answer := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny + "?format=shc", header: fhirJSON, body: s.example(t, "TestResult"), client: p.client(t, testsIssuer), want: 201,
	})
	parts := answerOf(t, answer)
	if got := texts(parts); len(got) != 1 || got["who"] == "" || !bytes.Contains(first(parts, "outcome").Resource, []byte("shc:format-allowed")) {
		t.Errorf("%d certificates, outcome %.300s", len(got), first(parts, "outcome").Resource)
	}
}
