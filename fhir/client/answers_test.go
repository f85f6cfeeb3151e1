package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const refusal = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"HAPI-0550: Ada Specimen at 10.0.0.1","expression":["Patient.name[0].family","Patient.where(name='Ada Specimen')"]}]}`

// TestStatuses: what a status means, with an OperationOutcome and without.
func TestStatuses(t *testing.T) {
	t.Parallel()
	type verdict struct {
		kind      fault.Kind
		temporary bool
		maybe     bool
	}
	for status, want := range map[int][2]verdict{ // with an OperationOutcome, without
		300: {{fault.Upstream, true, false}, {fault.Upstream, true, false}},
		304: {{fault.Upstream, true, false}, {fault.Upstream, true, false}},
		400: {{fault.Malformed, false, false}, {fault.Upstream, true, false}},
		401: {{fault.Upstream, true, false}, {fault.Upstream, true, false}},
		403: {{fault.Upstream, true, false}, {fault.Upstream, true, false}},
		404: {{fault.NotFound, false, false}, {fault.Upstream, true, false}},
		405: {{fault.Upstream, false, false}, {fault.Upstream, false, false}},
		408: {{fault.Timeout, true, false}, {fault.Timeout, true, false}},
		409: {{fault.Conflict, true, false}, {fault.Conflict, true, false}},
		410: {{fault.NotFound, false, false}, {fault.NotFound, false, false}},
		412: {{fault.PreconditionFailed, false, false}, {fault.PreconditionFailed, false, false}},
		413: {{fault.TooLarge, false, false}, {fault.TooLarge, false, false}},
		414: {{fault.TooLarge, false, false}, {fault.TooLarge, false, false}},
		431: {{fault.TooLarge, false, false}, {fault.TooLarge, false, false}},
		423: {{fault.Unavailable, true, false}, {fault.Unavailable, true, false}},
		415: {{fault.Upstream, false, false}, {fault.Upstream, false, false}},
		418: {{fault.Upstream, false, false}, {fault.Upstream, false, false}},
		422: {{fault.Rule, false, false}, {fault.Rule, false, false}},
		429: {{fault.Unavailable, true, false}, {fault.Unavailable, true, false}},
		500: {{fault.Upstream, true, true}, {fault.Upstream, true, true}},
		501: {{fault.Upstream, false, false}, {fault.Upstream, false, false}},
		502: {{fault.Unavailable, true, true}, {fault.Unavailable, true, true}},
		503: {{fault.Unavailable, true, true}, {fault.Unavailable, true, true}},
		504: {{fault.Timeout, true, true}, {fault.Timeout, true, true}},
		599: {{fault.Upstream, true, true}, {fault.Upstream, true, true}},
		206: {{fault.Upstream, true, true}, {fault.Upstream, true, true}},
	} {
		for n, body := range []string{refusal, "<html>no</html>"} {
			_, _, err := answering(t, status, body).Update(t.Context(), "Patient", "x", patient("x"), "")
			f := check(t, err)
			if got := (verdict{f.Kind, client.IsTemporary(err), client.MaybeDone(err)}); got != want[n] {
				t.Errorf("%d, body %d: %+v, not %+v", status, n, got, want[n])
			}
		}
	}
}

// TestVersionConflict: 409 for a request that names a version is 412.
func TestVersionConflict(t *testing.T) {
	t.Parallel()
	c := answering(t, http.StatusConflict, refusal)
	_, _, err := c.Update(t.Context(), "Patient", "x", patient("x"), "1")
	if f := check(t, err); f.Kind != fault.PreconditionFailed || client.IsTemporary(err) {
		t.Errorf("%v", err)
	}
	if err := c.Delete(t.Context(), "Patient", "x", "1"); fault.KindOf(err) != fault.PreconditionFailed {
		t.Errorf("%v", err)
	}
}

// TestCauseHasCodesAlone: the log may know codes and places, and no words.
func TestCauseHasCodesAlone(t *testing.T) {
	t.Parallel()
	_, err := answering(t, http.StatusUnprocessableEntity, refusal).Read(t.Context(), "Patient", "x")
	check(t, err)
	for _, part := range []string{"status 422", "error processing HAPI-0550", "at Patient.name[0].family"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "where") {
		t.Errorf("an expression with a value is told: %v", err)
	}
	var f *client.Failure
	if !errors.As(err, &f) || f.Status != 422 || len(f.Issues) != 1 {
		t.Errorf("%+v", f)
	}
}

// TestReadIsSuspicious: nothing but the resource asked for is a success.
func TestReadIsSuspicious(t *testing.T) {
	t.Parallel()
	good := `{"resourceType":"Patient","id":"x","meta":{"versionId":"3","lastUpdated":"2026-11-21T08:00:00.123+02:00"}}`
	r, err := answering(t, 200, good).Read(t.Context(), "Patient", "x")
	if err != nil || r.VersionID != "3" || string(r.Raw) != good || !r.LastModified.Equal(time.Date(2026, 11, 21, 6, 0, 0, 123e6, time.UTC)) || r.LastModified.Location() != time.UTC {
		t.Fatalf("%+v: %v", r, err)
	}
	if r, err = answering(t, 200, `{"resourceType":"Patient","id":"x"}`, "ETag", `W/"7"`).Read(t.Context(), "Patient", "x"); err != nil || r.VersionID != "7" {
		t.Errorf("version of the header: %+v, %v", r, err)
	}
	for name, bad := range map[string]string{
		"other id":         `{"resourceType":"Patient","id":"y"}`,
		"no id":            `{"resourceType":"Patient"}`,
		"other type":       `{"resourceType":"Person","id":"x"}`,
		"no type":          `{"id":"x"}`,
		"type of number":   `{"resourceType":7,"id":"x"}`,
		"duplicate member": `{"resourceType":"Patient","id":"x","id":"x"}`,
		"deep duplicate":   `{"resourceType":"Patient","id":"x","name":[{"family":"A","family":"B"}]}`,
		"list":             `[{"resourceType":"Patient","id":"x"}]`,
		"null":             `null`,
		"two values":       `{"resourceType":"Patient","id":"x"}{}`,
		"truncated":        `{"resourceType":"Patient","id":"x"`,
		"not UTF-8":        "{\"resourceType\":\"Patient\",\"id\":\"x\",\"language\":\"\xff\"}",
		"empty":            ``,
		"outcome":          `{"resourceType":"OperationOutcome","id":"x","issue":[]}`,
		"outcome, errors":  refusal,
		"outcome, fatal":   `{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"x"}]}`,
		"outcome, broken":  `{"resourceType":"OperationOutcome","issue":{"severity":"error"}}`,
	} {
		_, err := answering(t, 200, bad).Read(t.Context(), "Patient", "x")
		if err == nil {
			t.Errorf("%s passes", name)
			continue
		}
		if f := check(t, err); f.Kind != fault.Upstream || client.MaybeDone(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, media := range []string{"", "text/html", "application/fhir+xml", "text/json", "application/xml; application/json"} {
		if _, err := answering(t, 200, good, "Content-Type", media).Read(t.Context(), "Patient", "x"); fault.KindOf(err) != fault.Upstream {
			t.Errorf("media type %q passes", media)
		}
	}
	if _, err := answering(t, 200, good).VRead(t.Context(), "Patient", "x", "4"); fault.KindOf(err) != fault.Upstream {
		t.Errorf("another version passes: %v", err)
	}
}

// TestWriteKnowsWhatWasWritten by the body, by Location, by the address of the request.
func TestWriteKnowsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body, location, etag string
		want                 string // id/version of a create; empty: refused
	}{
		"location":               {"", "https://inner.example:8080/other/Patient/7/_history/2", "", "7/2"},
		"relative":               {"", "Patient/7/_history/2", "", "7/2"},
		"no version":             {"", "Patient/7", "", "7/"},
		"version in ETag":        {"", "Patient/7", `W/"5"`, "7/5"},
		"body":                   {`{"resourceType":"Patient","id":"8","meta":{"versionId":"1"}}`, "", "", "8/1"},
		"outcome":                {`{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}`, "Patient/7/_history/2", "", "7/2"},
		"nothing":                {"", "", "", ""},
		"other type":             {"", "Person/7/_history/2", "", ""},
		"dots":                   {"", "Patient/..", "", ""},
		"not a location":         {"", "https://host/Patient", "", ""},
		"body of another type":   {`{"resourceType":"Person","id":"8"}`, "Patient/7", "", ""},
		"body without id":        {`{"resourceType":"Patient"}`, "Patient/7", "", ""},
		"quoted nonsense as tag": {"", "Patient/7", `W/"a b"`, "7/"},
	} {
		c := answering(t, 201, test.body, "Location", test.location, "ETag", test.etag)
		r, created, err := c.Create(t.Context(), "Patient", patient("x"), "")
		if test.want == "" {
			if f := check(t, err); f.Kind != fault.Upstream || !client.MaybeDone(err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || !created || r.ID+"/"+r.VersionID != test.want {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, created, err := answering(t, 200, "").Update(t.Context(), "Patient", "x", patient("x"), ""); err != nil || created || r.ID != "x" {
		t.Errorf("update without a word: %+v, %v", r, err)
	}
	if _, _, err := answering(t, 200, "", "Location", "Patient/y").Update(t.Context(), "Patient", "x", patient("x"), ""); fault.KindOf(err) != fault.Upstream {
		t.Errorf("update of another id: %v", err)
	}
	if _, _, err := answering(t, 202, "").Update(t.Context(), "Patient", "x", patient("x"), ""); fault.KindOf(err) != fault.Upstream {
		t.Errorf("accepted is not stored: %v", err)
	}
}

func TestBundleAnswers(t *testing.T) {
	t.Parallel()
	sent := []byte(`{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/1"}},{"request":{"method":"DELETE","url":"Patient/2"}}]}`)
	ok := `{"response":{"status":"204 No Content"}}`
	made := `{"response":{"status":"201","location":"https://x/fhir/Patient/7/_history/2","etag":"W/\"3\"","lastModified":"2026-11-21T08:00:00Z"}}`
	answer := func(kind string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	out, err := answering(t, 200, answer("transaction-response", ok, made)).Transaction(t.Context(), sent)
	if err != nil || len(out) != 2 || out[0].Status != 204 || out[0].ID != "" || out[1].ID != "7" || out[1].VersionID != "3" || out[1].LastModified.IsZero() {
		t.Errorf("%+v, %v", out, err)
	}
	for name, bad := range map[string]string{
		"too few":          answer("transaction-response", ok),
		"too many":         answer("transaction-response", ok, ok, ok),
		"other kind":       answer("batch-response", ok, ok),
		"failed entry":     answer("transaction-response", ok, `{"response":{"status":"422"}}`),
		"no status":        answer("transaction-response", ok, `{"response":{}}`),
		"strange status":   answer("transaction-response", ok, `{"response":{"status":"2000"}}`),
		"outcome in entry": answer("transaction-response", ok, `{"response":{"status":"200","outcome":`+refusal+`}}`),
		"no bundle":        `{"resourceType":"Patient","id":"x"}`,
		"nothing":          ``,
		"entry of text":    answer("transaction-response", `"a"`, `"b"`),
	} {
		_, err := answering(t, 200, bad).Transaction(t.Context(), sent)
		if f := check(t, err); f.Kind != fault.Upstream || !client.MaybeDone(err) || !client.IsTemporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{`{`, `{"resourceType":"Bundle","type":"batch"}`, `{"resourceType":"Patient"}`} {
		if _, err := answering(t, 200, "").Transaction(t.Context(), []byte(bad)); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s is sent: %v", bad, err)
		}
	}
}

func TestCapabilityRequiresR4(t *testing.T) {
	t.Parallel()
	for version, ok := range map[string]bool{"4.0.1": true, "4.0": true, "4.3.0": false, "5.0.0": false, "4.01": false, "": false} {
		_, err := answering(t, 200, `{"resourceType":"CapabilityStatement","fhirVersion":"`+version+`"}`).Capability(t.Context())
		if (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
	if _, err := answering(t, 200, `{"resourceType":"Patient","fhirVersion":"4.0.1"}`).Capability(t.Context()); fault.KindOf(err) != fault.Upstream {
		t.Errorf("%v", err)
	}
}
