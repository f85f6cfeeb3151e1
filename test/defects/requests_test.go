package defects

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	generate     = "/ddcc/generateHealthCertificate"
	generateQR   = "/ddcc/QuestionnaireResponse/$generateHealthCertificate"
	submit       = "/ddcc/submitHealthEvent"
	fromResource = "/ddcc/Bundle/$generateHealthCertificate"
)

func itoa(n int) string { return strconv.Itoa(n) }

// hcid makes an id that no other proof uses.
func hcid(t *testing.T) string {
	t.Helper()
	return strings.NewReplacer("/", "-", "TestDefects", "D").Replace(t.Name()) + "-" + strconv.FormatInt(int64(len(t.Name())), 10)
}

// post sends a body and insists on an answer.
func post(t *testing.T, s *harness.System, path string, body []byte, header ...string) harness.Answer {
	t.Helper()
	a, err := s.Post(path, body, header...)
	if err != nil {
		t.Fatalf("%s: no answer: %v", path, err)
	}
	return a
}

// refused insists on a status with an OperationOutcome that says something.
func refused(t *testing.T, a harness.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d: %.300s", a.Status, status, a.Body)
	}
	if _, ok := harness.OutcomeRules(a.Body); !ok {
		t.Errorf("the body is no OperationOutcome: %.300s", a.Body)
	}
}

// issued insists on a new certificate.
func issued(t *testing.T, a harness.Answer) harness.Certificate {
	t.Helper()
	if a.Status != http.StatusCreated {
		t.Fatalf("status %d, want 201: %.600s", a.Status, a.Body)
	}
	return harness.ReadCertificate(t, a.Body)
}

func issue(t *testing.T, s *harness.System, body []byte) harness.Certificate {
	t.Helper()
	return issued(t, post(t, s, generate, body))
}

// signatures counts the certificates signed so far, by the signer's own metrics of its
// route: what did not reach the signer was not signed.
func signatures(t *testing.T, s *harness.System) int {
	t.Helper()
	a, err := s.Admin("signer", "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(string(a.Body)) {
		if strings.Contains(line, `/v1/certificates"`) && strings.Contains(line, "2xx") && strings.Contains(line, "_total") {
			var n float64
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' ')+1:], "%g", &n); err != nil {
				t.Fatal(line, err)
			}
			total += int(n)
		}
	}
	return total
}

func foreignBodies(t *testing.T, s *harness.System) {
	before := signatures(t, s)
	for name, tc := range map[string]struct {
		body, contentType string
		status            int
	}{
		"empty object":   {`{}`, "application/fhir+json", 400},
		"empty":          {``, "application/fhir+json", 400},
		"null":           {`null`, "application/fhir+json", 400},
		"array":          {`[]`, "application/fhir+json", 400},
		"string":         {`"QuestionnaireResponse"`, "application/fhir+json", 400},
		"number":         {`1`, "application/json", 400},
		"patient":        {`{"resourceType":"Patient"}`, "application/fhir+json", 400},
		"type is number": {`{"resourceType":1}`, "application/fhir+json", 400},
		"text":           {`hello`, "text/plain", 415},
		"xml":            {`<Patient/>`, "application/fhir+xml", 415},
		"form":           {`a=b`, "application/x-www-form-urlencoded", 415},
		"no type":        {`{}`, "", 415},
		"latin-1":        {`{}`, "application/fhir+json; charset=iso-8859-1", 415},
		"invalid UTF-8":  {"{\"resourceType\":\"Q\xff\"}", "application/fhir+json", 400},
		"twice":          {`{"resourceType":"Bundle","resourceType":"QuestionnaireResponse"}`, "application/fhir+json", 400},
		"two values":     {`{"resourceType":"QuestionnaireResponse"}{}`, "application/fhir+json", 400},
		"cut off":        {`{"resourceType":"QuestionnaireResponse"`, "application/fhir+json", 400},
		"deep":           {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), "application/fhir+json", 413},
		"deep, small":    {strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "application/fhir+json", 400},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{generate, generateQR, fromResource, generate + "/$validate"} {
				refused(t, post(t, s, path, []byte(tc.body), "Content-Type", tc.contentType), tc.status)
			}
		})
	}
	if after := signatures(t, s); after != before {
		t.Errorf("%d signatures for bodies that are no events", after-before)
	}
}

func parametersWithoutResponse(t *testing.T, s *harness.System) {
	for name, body := range map[string]string{
		"nothing":        `{"resourceType":"Parameters"}`,
		"empty":          `{"resourceType":"Parameters","parameter":[]}`,
		"null":           `{"resourceType":"Parameters","parameter":[null]}`,
		"other name":     `{"resourceType":"Parameters","parameter":[{"name":"answer","resource":{"resourceType":"QuestionnaireResponse"}}]}`,
		"no resource":    `{"resourceType":"Parameters","parameter":[{"name":"response"}]}`,
		"value":          `{"resourceType":"Parameters","parameter":[{"name":"response","valueString":"x"}]}`,
		"wrong resource": `{"resourceType":"Parameters","parameter":[{"name":"response","resource":{"resourceType":"Patient"}}]}`,
		"wrapped twice":  `{"resourceType":"Parameters","parameter":[{"name":"response","resource":{"resourceType":"Parameters"}}]}`,
	} {
		t.Run(name, func(t *testing.T) { refused(t, post(t, s, generate, []byte(body)), http.StatusBadRequest) })
	}
}

func invalidBatches(t *testing.T, s *harness.System) {
	before := signatures(t, s)
	event := harness.Response(harness.QuestionnaireVS, harness.Vaccination(hcid(t)))
	typed := func(kind string) []byte {
		b := harness.Batch(event)
		b["type"] = kind
		return harness.JSON(t, b)
	}
	for name, tc := range map[string]struct {
		body   []byte
		status int
	}{
		"transaction":  {typed("transaction"), 400},
		"no type":      {typed(""), 400},
		"collection":   {typed("collection"), 400},
		"no entries":   {[]byte(`{"resourceType":"Bundle","type":"batch"}`), 400},
		"not a bundle": {harness.JSON(t, event), 400},
		"entries":      {[]byte(`{"resourceType":"Bundle","type":"batch","entry":{}}`), 400},
		"10,000":       {harness.JSON(t, harness.Batch(make([]any, 10_000)...)), 413},
	} {
		t.Run(name, func(t *testing.T) { refused(t, post(t, s, submit, tc.body), tc.status) })
	}
	if after := signatures(t, s); after != before {
		t.Errorf("refused batches issued %d certificates", after-before)
	}
	mixedBatch(t, s, event)
}

// mixedBatch: each entry has its own fate.
func mixedBatch(t *testing.T, s *harness.System, good any) {
	batch := harness.Batch(good, good, harness.Parameters(good), map[string]any{"resourceType": "Patient"}, nil,
		harness.Response("http://example.org/unknown", harness.Vaccination("X-1")))
	entries, _ := batch["entry"].([]any)
	delete(entries[1].(map[string]any), "request")
	a := post(t, s, submit, harness.JSON(t, batch))
	var response struct {
		Type  string
		Entry []struct {
			Resource json.RawMessage
			Response struct {
				Status  string
				Outcome json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(a.Body, &response); err != nil || a.Status != http.StatusOK || response.Type != "batch-response" {
		t.Fatalf("answer %d, %v: %.300s", a.Status, err, a.Body)
	}
	want := []string{"20", "404", "20", "400", "400", "422"} // entries 0 and 2 are one event: 201 and 200 in either order
	if strings.Count(string(a.Body), `"type":"document"`) != 1 {
		t.Error("the one document of entries 0 and 2 is there twice, or not at all")
	}
	if len(response.Entry) != len(want) {
		t.Fatalf("%d entries answered, want %d", len(response.Entry), len(want))
	}
	for i, e := range response.Entry {
		_, explained := harness.OutcomeRules(e.Response.Outcome)
		ok := strings.HasPrefix(want[i], "20")
		if !strings.HasPrefix(e.Response.Status, want[i]) || (e.Resource != nil && !ok) || (!ok && !explained) {
			t.Errorf("entry %d: status %q, outcome %.200s; want %s", i, e.Response.Status, e.Response.Outcome, want[i])
		}
	}
}

func absentElements(t *testing.T, s *harness.System) {
	for _, link := range []string{"birthDate", "identifier", "sex", "total_doses", "hw", "disease"} {
		t.Run("without "+link, func(t *testing.T) {
			body := harness.VS(t, hcid(t), harness.Items{link: nil})
			first := issue(t, s, body)
			if a := post(t, s, generate, body); harness.ReadCertificate(t, a.Body).Text != first.Text {
				t.Error("the certificate was not kept")
			}
		})
	}
	t.Run("with holder instead of manufacturer", func(t *testing.T) {
		holder := harness.Items{"manufacturer": nil, "ma_holder": {"valueCoding": map[string]any{"system": "urn:specimen", "code": "H1"}}}
		issue(t, s, harness.VS(t, hcid(t), holder))
	})
	for _, link := range []string{"name", "vaccine", "brand", "manufacturer", "lot", "date", "dose", "country", "centre", "pha", "hcid"} {
		t.Run("required "+link, func(t *testing.T) {
			refused(t, post(t, s, generate, harness.VS(t, hcid(t), harness.Items{link: nil})), http.StatusUnprocessableEntity)
		})
	}
}

func honestStatus(t *testing.T, s *harness.System) {
	event := harness.VS(t, hcid(t))
	for name, tc := range map[string]struct {
		answer harness.Answer
		status int
	}{
		"unknown route":         {post(t, s, "/ddcc/nothing", event), 404},
		"unknown questionnaire": {post(t, s, generate, []byte(`{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"http://example.org/q"}`)), 422},
		"business rule":         {post(t, s, generate, harness.VS(t, hcid(t), harness.Items{"dose": {"valueInteger": 0}})), 422},
		"precondition":          {post(t, s, generate, event, "If-None-Match", `"1"`), 412},
		"not acceptable":        {post(t, s, generate, event, "Accept", "application/fhir+xml"), 406},
		"bad key":               {post(t, s, generate, event, "Idempotency-Key", "a b"), 400},
	} {
		t.Run(name, func(t *testing.T) { refused(t, tc.answer, tc.status) })
	}
	a, err := s.Get(generate)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, a, http.StatusMethodNotAllowed)
	if a.Header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
	large := make([]byte, 50<<20)
	for i := range large {
		large[i] = ' '
	}
	for _, path := range []string{generate, submit} {
		if a, err := s.Post(path, large); err == nil {
			refused(t, a, http.StatusRequestEntityTooLarge)
		}
	}
}

func noSilentRoute(t *testing.T, s *harness.System) {
	refused(t, post(t, s, "/ddcc/submitIPS", []byte(`{"resourceType":"Bundle","type":"document"}`)), http.StatusNotFound)
	a := post(t, s, fromResource, []byte(`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition"}}]}`))
	refused(t, a, http.StatusUnprocessableEntity)
}

func invalidContentIsRefused(t *testing.T, s *harness.System) {
	before := signatures(t, s)
	text := func(v string) map[string]any { return map[string]any{"valueString": v} }
	date := func(v string) map[string]any { return map[string]any{"valueDate": v} }
	for name, change := range map[string]harness.Items{
		"future event":       {"date": date("2999-01-01")},
		"no such day":        {"date": date("2026-02-30")},
		"born after":         {"birthDate": date("2026-12-31")},
		"born 1066":          {"birthDate": date("1066-10-14")},
		"negative dose":      {"dose": {"valueInteger": -1}},
		"dose as text":       {"dose": text("1")},
		"dose as fraction":   {"dose": {"valueDecimal": 1.5}},
		"unknown sex":        {"sex": {"valueCoding": map[string]any{"code": "m"}}},
		"unknown country":    {"country": {"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "ZZZ"}}},
		"empty name":         {"name": text("")},
		"blank name":         {"name": text("   ")},
		"control characters": {"name": text("A\u0000B")},
		"endless name":       {"name": text(strings.Repeat("x", 5000))},
		"endless lot":        {"lot": text(strings.Repeat("x", 5000))},
		"hcid with spaces":   {"hcid": text("A B")},
		"unknown authority":  {"pha": text("somebody")},
		"unknown item":       {"favourite_colour": text("blue")},
		"period reversed":    {"valid_from": date("2027-05-01"), "valid_until": date("2027-01-01")},
		"born expired":       {"valid_until": date("2024-01-01")},
		"code with space":    {"vaccine": {"valueCoding": map[string]any{"code": " X Y "}}},
		"coding as text":     {"vaccine": text("Comirnaty")},
	} {
		t.Run(name, func(t *testing.T) {
			a := post(t, s, generate, harness.VS(t, hcid(t), change))
			if a.Status != 422 && a.Status != 403 {
				t.Errorf("status %d: %.300s", a.Status, a.Body)
			}
			if _, ok := harness.OutcomeRules(a.Body); !ok {
				t.Errorf("no OperationOutcome: %.300s", a.Body)
			}
		})
	}
	duplicate := harness.Response(harness.QuestionnaireVS, harness.Vaccination(hcid(t)))
	items, _ := duplicate["item"].([]any)
	duplicate["item"] = append(items, items[0])
	refused(t, post(t, s, generate, harness.JSON(t, duplicate)), 422)
	if after := signatures(t, s); after != before {
		t.Errorf("%d signatures for invalid content", after-before)
	}
	everythingAtOnce(t, s)
}

// everythingAtOnce: an issuer learns of all errors in one answer.
func everythingAtOnce(t *testing.T, s *harness.System) {
	a := post(t, s, generate, harness.VS(t, hcid(t), harness.Items{
		"name": nil, "lot": nil, "manufacturer": nil, "dose": {"valueInteger": 0}, "date": {"valueDate": "2999-01-01"},
	}))
	var outcome struct {
		Issue []struct{ Severity, Diagnostics string }
	}
	if err := json.Unmarshal(a.Body, &outcome); err != nil {
		t.Fatal(err)
	}
	errors := 0
	for _, i := range outcome.Issue {
		if i.Severity == "error" {
			errors++
		}
		if i.Diagnostics == "" {
			t.Error("an issue without rule and repair")
		}
	}
	if errors < 5 {
		t.Errorf("%d errors reported at once, want at least 5: %s", errors, a.Body)
	}
}
