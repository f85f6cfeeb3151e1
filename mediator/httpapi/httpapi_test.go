package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

const (
	parametersOf = `{"resourceType":"Parameters","parameter":[%]}`
	reason       = `{"name":"reason","valueCode":"fraud"}`
)

func parameters(parts ...string) string {
	return strings.Replace(parametersOf, "%", strings.Join(parts, ","), 1)
}

// posts are all routes that take a body, with one that they take.
var posts = map[string]string{
	"/ddcc/generateHealthCertificate": `{}`, "/ddcc/generateHealthCertificate/$validate": `{}`,
	"/ddcc/QuestionnaireResponse/$generateHealthCertificate": `{}`, "/ddcc/QuestionnaireResponse/$validate": `{}`,
	"/ddcc/Bundle/$generateHealthCertificate": `{}`, "/ddcc/Bundle/$validate": `{}`,
	"/ddcc/submitHealthEvent": `{}`, "/ddcc/submitHealthEvent/$validate": `{}`,
	"/ddcc/Bundle/$generateHealthFolder": `{}`, "/ddcc/$convert": `{}`,
	"/ddcc/QuestionnaireResponse/$revokeHealthCertificate": parameters(`{"name":"id","valueId":"`+id+`"}`, reason),
	"/ddcc/Bundle/$revokeHealthCertificate":                parameters(`{"name":"id","valueId":"`+id+`"}`, reason),
	"/ddcc/Bundle/" + id + "/$revokeHealthCertificate":     parameters(reason),
	"/ddcc/$revokeByKey":                                   parameters(`{"name":"kid","valueString":"q83vEjRWeJA="}`, reason),
}

var gets = []string{"/ddcc/Bundle/" + id, "/ddcc/Bundle/" + id + "/$card", "/ddcc/DocumentReference/" + picture + "/$getQRCode", "/ddcc/List/" + folder}

// TestNobodyGetsIn: without a certificate of an issuer nothing is reached, whatever is sent.
func TestNobodyGetsIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for path, body := range posts {
		refused(t, e.send(t, "", http.MethodPost, path, body), 401)
		refused(t, e.send(t, "nobody", http.MethodPost, path, body), 403)
		refused(t, e.send(t, "", http.MethodPost, path, body, "Content-Type", "text/plain", "X-Client-Cert", "urn:clinic"), 401)
	}
	for _, path := range gets {
		refused(t, e.send(t, "", http.MethodGet, path, ""), 401)
		refused(t, e.send(t, "nobody", http.MethodGet, path, ""), 403)
	}
	if calls := e.calls(); len(calls) != 0 {
		t.Errorf("reached %q", calls)
	}
}

// TestBodiesAreGuarded: media type, encoding and length, of every route, before anything is
// read.
func TestBodiesAreGuarded(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for path, body := range posts {
		for _, kind := range []string{"", "text/plain", "application/fhir+xml", "application/json; charset=latin1", "application/jsonp", "multipart/form-data"} {
			refused(t, e.send(t, "clinic", http.MethodPost, path, body, "Content-Type", kind), 415)
		}
		refused(t, e.send(t, "clinic", http.MethodPost, path, body, "Content-Encoding", "gzip"), 415)
		refused(t, e.send(t, "clinic", http.MethodPost, path, strings.Repeat(" ", 8<<20+1)), 413)
		if !strings.Contains(path, "submit") {
			refused(t, e.send(t, "clinic", http.MethodPost, path, strings.Repeat(" ", 512<<10+1)), 413)
		}
		if w := e.send(t, "clinic", http.MethodGet, path, ""); w.Code != 405 && w.Code != 404 {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/ddcc/Bundle/" + id + "/$revokeHealthCertificate", "/ddcc/$revokeByKey"} {
		refused(t, e.send(t, "clinic", http.MethodPost, path, posts[path]+strings.Repeat(" ", 16<<10)), 413)
	}
	if calls := e.calls(); len(calls) != 0 {
		t.Errorf("reached %q", calls)
	}
	for path, body := range posts {
		if w := e.send(t, "clinic", http.MethodPost, path, body, "Content-Type", "application/json; charset=UTF-8"); w.Code >= 300 {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
	}
}

// TestFormatsOfTheQuery: of every route that issues or tells what would be issued.
func TestFormatsOfTheQuery(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for path, body := range posts {
		if strings.Contains(path, "revoke") {
			continue
		}
		for _, bad := range []string{"=", "=DCC", "=dcc,", "=passport", "=dcc;shc", "=%00", "=dcc&format=xml", "=" + strings.Repeat("a", 100_000)} {
			refused(t, e.send(t, "clinic", http.MethodPost, path+"?format"+bad, body), 400)
		}
		if w := e.send(t, "clinic", http.MethodPost, path+"?format=shc,dcc&format=icao", body); w.Code >= 300 {
			t.Errorf("%s: %d", path, w.Code)
		}
		want := []issuance.Format{issuance.FormatWHO, issuance.FormatDCC, issuance.FormatSHC, issuance.FormatVDSNC}
		if !slices.Equal(e.options.Formats, want) {
			t.Errorf("%s: formats %v", path, e.options.Formats)
		}
		e.send(t, "clinic", http.MethodPost, path, body)
		if e.options.Formats != nil {
			t.Errorf("%s: formats %v although none is named", path, e.options.Formats)
		}
	}
}

// TestOthersSeeNothing: what belongs to another issuer answers like what does not exist.
func TestOthersSeeNothing(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for _, path := range gets {
		if w := e.send(t, "clinic", http.MethodGet, path, ""); w.Code != 200 {
			t.Fatalf("%s: %d", path, w.Code)
		}
		foreign := e.send(t, "neighbour", http.MethodGet, path, "")
		unknown := e.send(t, "clinic", http.MethodGet, strings.NewReplacer(id, other, picture, other, folder, other).Replace(path), "")
		refused(t, foreign, 404)
		refused(t, unknown, 404)
		if foreign.Body.String() != unknown.Body.String() || foreign.Header().Get("ETag")+foreign.Header().Get("Link") != "" {
			t.Errorf("%s: another's answers %s, none %s", path, foreign.Body, unknown.Body)
		}
		refused(t, e.send(t, "neighbour", http.MethodGet, path, "", "If-None-Match", "*"), 404)
		for _, bad := range []string{"1", strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, id + "%00", "..%2f" + id, strings.ReplaceAll(id, "-", ""), strings.Repeat("a", 5000)} {
			refused(t, e.send(t, "clinic", http.MethodGet, strings.NewReplacer(id, bad, picture, bad, folder, bad).Replace(path), ""), 404)
		}
	}
	for path, body := range posts {
		if strings.Contains(path, "revokeHealth") {
			foreign := e.send(t, "neighbour", http.MethodPost, path, body)
			unknown := e.send(t, "clinic", http.MethodPost, strings.ReplaceAll(path, id, other), strings.ReplaceAll(body, id, other))
			refused(t, foreign, 404)
			if foreign.Body.String() != unknown.Body.String() {
				t.Errorf("%s: another's answers %s, none %s", path, foreign.Body, unknown.Body)
			}
		}
	}
}

// TestAnswersOfGenerate: 201 and 200, document and Parameters, byte for byte.
func TestAnswersOfGenerate(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const path = "/ddcc/generateHealthCertificate"
	if w := e.send(t, "clinic", http.MethodPost, path, `{}`); w.Code != 201 || w.Body.String() != document {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	e.issued.Replayed = true
	if w := e.send(t, "clinic", http.MethodPost, path, `{}`); w.Code != 200 || w.Body.String() != document {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	e.issued.Named = true
	e.issued.Beside[0].Text = "shc:/\"\\\u2028<&>"
	e.issued.Warnings = []fault.Issue{{Severity: fault.SeverityWarning, Rule: "dcc:x", Detail: "\"quoted\"", Fix: "\x00"}}
	w := e.send(t, "clinic", http.MethodPost, path, `{}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `{"name":"return","resource":`+document+`}`) || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, header := range []string{"Location", "Link"} {
		if w.Header().Get(header) == "" {
			t.Errorf("no %s", header)
		}
	}
	if n := len(w.Header().Values("Link")); n != 4 { // folder, card, two QR codes
		t.Errorf("%d links", n)
	}
	e.issued.Replayed = false
	if w := e.send(t, "clinic", http.MethodPost, path, `{}`); w.Code != 201 {
		t.Errorf("%d", w.Code)
	}
}

// TestBatchAnswer: what was left out is said of each entry, next to the document.
func TestBatchAnswer(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	left := mediator.Generated{Issued: certificate(), Warnings: []fault.Issue{{Severity: fault.SeverityWarning, Rule: "dcc:dcc-untranslatable", Detail: "d"}}}
	e.results = []mediator.EntryResult{{Generated: left}, {Generated: left}, {Err: errors.New("Zoe Specimen")}, {Err: errNotFound}}
	w := e.send(t, "clinic", http.MethodPost, "/ddcc/submitHealthEvent", `{}`)
	var batch struct {
		Entry []struct {
			Resource json.RawMessage
			Response struct {
				Status  string
				Outcome struct {
					Issue []struct {
						Details struct{ Coding []struct{ Code string } }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &batch); err != nil || len(batch.Entry) != 4 {
		t.Fatalf("%v %s", err, w.Body)
	}
	if string(batch.Entry[0].Resource) != document || batch.Entry[1].Resource != nil {
		t.Error("the document is there twice, or not as it was signed")
	}
	for i, want := range []string{"201", "201", "500", "404"} {
		r := batch.Entry[i].Response
		if !strings.HasPrefix(r.Status, want) || len(r.Outcome.Issue) != 1 || (i < 2) != (r.Outcome.Issue[0].Details.Coding[0].Code == "dcc:dcc-untranslatable") {
			t.Errorf("entry %d: %+v", i, r)
		}
	}
	if strings.Count(w.Body.String(), "Specimen") != 1 {
		t.Error("an internal error is shown")
	}
}

// TestFolderAnswer: as the guide has it, and with an outcome when formats are named.
func TestFolderAnswer(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const path = "/ddcc/Bundle/$generateHealthFolder"
	w := e.send(t, "clinic", http.MethodPost, path, `{}`)
	if w.Code != 200 || w.Header().Get("Location") != "/ddcc/List/"+folder || !strings.HasPrefix(w.Body.String(), `{"resourceType":"List"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	e.folder.Named = true
	if w := e.send(t, "clinic", http.MethodPost, path, `{}`); !json.Valid(w.Body.Bytes()) || strings.Contains(w.Body.String(), "outcome") {
		t.Errorf("%s", w.Body)
	}
	e.folder.Issued = []mediator.Generated{{Warnings: []fault.Issue{{Severity: fault.SeverityWarning, Rule: "icvp:x"}}}}
	if w := e.send(t, "clinic", http.MethodPost, path, `{}`); !json.Valid(w.Body.Bytes()) || !strings.Contains(w.Body.String(), `"icvp:x"`) {
		t.Errorf("%s", w.Body)
	}
	refused(t, e.send(t, "clinic", http.MethodPost, path, `{}`, "If-None-Match", "*"), 412)
}

// TestConvertAnswer is JSON whatever a certificate says, and tells what it is.
func TestConvertAnswer(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	hostile := "\"}],\\\u2028\x00\xff<"
	e.found = mediator.Converted{Foreign: mediator.Foreign{
		Format: hostile, Profile: hostile, Reason: hostile, Detail: hostile, Signer: hostile, Warnings: []string{hostile},
		Readings: []maps.Reading{{Issues: []fault.Issue{{Rule: hostile, Detail: hostile, Path: hostile}}}},
	}}
	w := e.send(t, "clinic", http.MethodPost, "/ddcc/$convert", `{}`)
	if w.Code != 200 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	e.found.Issued = []mediator.Generated{{Issued: certificate()}}
	if w := e.send(t, "clinic", http.MethodPost, "/ddcc/$convert", `{}`); w.Code != 201 || w.Header().Get("Location") == "" || !strings.Contains(w.Body.String(), document) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestRevokeAsks: ids and reasons, in body and path.
func TestRevokeAsks(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const byType, byKey = "/ddcc/Bundle/$revokeHealthCertificate", "/ddcc/$revokeByKey"
	own := "/ddcc/Bundle/" + id + "/$revokeHealthCertificate"
	named := func(value string) string { return parameters(`{"name":"id",`+value+`}`, reason) }
	for name, x := range map[string]struct {
		path, body string
		status     int
	}{
		"no body":        {byType, ``, 400},
		"an array":       {byType, `[]`, 400},
		"no Parameters":  {byType, `{"resourceType":"Bundle"}`, 400},
		"no parameter":   {byType, parameters(), 400},
		"id twice":       {byType, `{"resourceType":"Parameters","parameter":[{"name":"id","name":"id","valueId":"` + id + `"}]}`, 400},
		"id as number":   {byType, named(`"valueInteger":1`), 400},
		"id as resource": {byType, named(`"resource":{"resourceType":"Bundle","id":"` + id + `"}`), 400},
		"id in braces":   {byType, named(`"valueId":"{` + id + `}"`), 400},
		"deep":           {byType, strings.Repeat(`{"parameter":[`, 500) + strings.Repeat(`]}`, 500), 400},
		"other id":       {own, named(`"valueId":"` + other + `"`), 400},
		"key, short":     {byKey, parameters(`{"name":"kid","valueString":"q83v"}`, reason), 400},
		"key, URL":       {byKey, parameters(`{"name":"kid","valueString":"q83vEjRWeJ_"}`, reason), 400},
		"key, long":      {byKey, parameters(`{"name":"kid","valueString":"`+strings.Repeat("q83v", 3000)+`"}`, reason), 400},
	} {
		t.Run(name, func(t *testing.T) { refused(t, e.send(t, "clinic", http.MethodPost, x.path, x.body), x.status) })
	}
	if calls := e.calls(); len(calls) != 0 {
		t.Errorf("reached %q", calls)
	}
	for _, body := range []string{parameters(reason), named(`"valueId":"` + id + `"`)} {
		if w := e.send(t, "clinic", http.MethodPost, own, body); w.Code != 200 || e.reason != "fraud" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	e.more = true
	w := e.send(t, "clinic", http.MethodPost, byKey, posts[byKey])
	if w.Body.String() != `{"resourceType":"Parameters","parameter":[{"name":"revoked","valueInteger":1},{"name":"failed","valueInteger":0},{"name":"more","valueBoolean":true}]}` {
		t.Errorf("%s", w.Body)
	}
}
