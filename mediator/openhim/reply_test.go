package openhim

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

var update = flag.Bool("update", false, "write the golden files")

// wire is a reply as a core reads it.
type wire struct {
	URN            string `json:"x-mediator-urn"`
	Status         string
	Response       map[string]json.RawMessage
	Orchestrations []map[string]json.RawMessage
	Properties     map[string]any
	Error          *struct{ Message string }
	Others         map[string]json.RawMessage `json:"-"`
}

// digestible insists on everything that a core of 4.x or 8.x has been seen to fail over.
func digestible(t interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}, raw []byte,
) wire {
	t.Helper()
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		t.Fatalf("%v: %.300s", err, raw)
	}
	if err := json.Unmarshal(raw, &w.Others); err != nil {
		t.Fatalf("%v", err)
	}
	if _, there := w.Others["error"]; there && w.Error == nil {
		t.Errorf("error is there and null")
	}
	if !slices.Contains([]string{"Successful", "Completed", "Completed with error(s)", "Failed"}, w.Status) {
		t.Errorf("status word %q", w.Status)
	}
	response(t, w.Response, true)
	for _, o := range w.Orchestrations {
		var name string
		var request, answer map[string]json.RawMessage
		if json.Unmarshal(o["name"], &name) != nil || name == "" {
			t.Errorf("an orchestration without a name")
		}
		if json.Unmarshal(o["request"], &request) != nil || request == nil {
			t.Errorf("an orchestration without a request kills the core")
		}
		timed(t, request["timestamp"])
		headers(t, request["headers"])
		emptyText(t, request["body"])
		if o["response"] != nil {
			if json.Unmarshal(o["response"], &answer) != nil || answer == nil {
				t.Errorf("response of an orchestration %s", o["response"])
			}
			response(t, answer, false)
			emptyText(t, answer["body"])
		}
		for _, unwanted := range []string{"host", "port", "querystring", "digest"} {
			if strings.Contains(string(o["request"]), `"`+unwanted+`"`) {
				t.Errorf("an orchestration tells of %s", unwanted)
			}
		}
	}
	for key, value := range w.Properties {
		keyed(t, key)
		switch value.(type) {
		case string, []any:
		default:
			t.Errorf("property %s is a %T", key, value)
		}
	}
	return w
}

type tester = interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

func response(t tester, r map[string]json.RawMessage, whole bool) {
	t.Helper()
	var status int
	var body *string
	if json.Unmarshal(r["status"], &status) != nil || status < 100 || status > 599 {
		t.Errorf("status %s", r["status"])
	}
	if json.Unmarshal(r["body"], &body) != nil || body == nil || !utf8.ValidString(*body) {
		t.Errorf("body is no text: %.80s", r["body"])
	}
	timed(t, r["timestamp"])
	headers(t, r["headers"])
	if whole && r["headers"] == nil {
		t.Errorf("without headers the client gets no transaction id")
	}
}

func timed(t tester, raw json.RawMessage) {
	t.Helper()
	var at time.Time
	if json.Unmarshal(raw, &at) != nil || at.IsZero() || at.Year() < 2000 || at.Location() != time.UTC {
		t.Errorf("timestamp %s", raw)
	}
}

func emptyText(t tester, raw json.RawMessage) {
	t.Helper()
	if string(raw) != `""` {
		t.Errorf("the body of an orchestration: %.80s", raw)
	}
}

func headers(t tester, raw json.RawMessage) {
	t.Helper()
	var h map[string]string
	if json.Unmarshal(raw, &h) != nil {
		t.Errorf("headers %.80s", raw)
	}
	for name := range h {
		keyed(t, name)
	}
}

func keyed(t tester, key string) {
	t.Helper()
	if strings.ContainsAny(key, ".$") || key == "" {
		t.Errorf("key %q", key)
	}
}

func example() reply {
	return reply{
		urn: testURN, status: statusSuccessful, code: 201, header: map[string]string{"Content-Type": "application/fhir+json"}, body: []byte(`{"a":"<é>"}`), at: start,
		legs: []orchestration.Leg{
			{
				Name: "sign certificate", Group: "signer", Method: "POST", Host: "10.0.0.7:8443", Path: "/v1/certificates", Started: start, Took: 1500 * time.Millisecond, Status: 200,
				Request: orchestration.Body{Size: 7, Digest: "d1"}, Response: orchestration.Body{Size: 8, Digest: "d2"},
			},
			{Name: "store", Group: "fhir", Method: "PUT", Path: "/Bundle/{id}", Started: start.Add(2 * time.Second), Took: time.Second, Failure: "timeout"},
		},
		properties: map[string]any{propertyOutcome: "issued"},
	}
}

// TestGolden: the wire form, byte for byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	failed := example()
	failed.status, failed.code, failed.properties = statusFailed, 503, map[string]any{propertyOutcome: "signer-unavailable"}
	failed.retry = fault.New(fault.Unavailable, "signer-unavailable", "The signing service cannot be reached at the moment.")
	for name, r := range map[string]reply{"issued": example(), "retry": failed} {
		raw, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		w := digestible(t, raw)
		if (w.Error != nil) != (name == "retry") || strings.Contains(string(raw), "10.0.0.7") || strings.Contains(string(raw), "d1") {
			t.Errorf("%s: %s", name, raw)
		}
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != string(raw) {
			t.Errorf("%s: %v\n%s", name, err, raw)
		}
	}
}

// TestWhateverIsPutIn, what comes out is digestible.
func TestWhateverIsPutIn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.Just(""), rapid.Just("a.b$c\xff"), rapid.Just("\xff\xfe"))
		leg := rapid.Custom(func(t *rapid.T) orchestration.Leg {
			return orchestration.Leg{
				Name: word.Draw(t, "name"), Group: word.Draw(t, "group"), Method: word.Draw(t, "method"), Host: "h", Path: word.Draw(t, "path"),
				Started: rapid.SampledFrom([]time.Time{{}, start, start.In(time.FixedZone("x", 3600))}).Draw(t, "started"), Took: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "took")),
				Status: rapid.SampledFrom([]int{0, 200, 404, 503}).Draw(t, "status"), Failure: word.Draw(t, "failure"),
			}
		})
		r := example()
		r.legs = rapid.SliceOfN(leg, 0, 130).Draw(t, "legs")
		r.body = []byte(rapid.String().Draw(t, "body"))
		raw, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		w := digestible(t, raw)
		var body string
		if json.Unmarshal(w.Response["body"], &body) != nil || body != string(r.body) {
			t.Fatalf("the body changed")
		}
		if len(w.Orchestrations) > maxOrchestrations || w.Error != nil {
			t.Fatalf("%d orchestrations", len(w.Orchestrations))
		}
	})
}

func TestBodiesThatAreNoText(t *testing.T) {
	t.Parallel()
	for media, text := range map[string]bool{
		"application/fhir+json": true, "application/problem+json": true, "application/json": true, "text/plain": true, "application/jwt": true, "application/jose": true,
		"application/fhir+ndjson": true, "application/ndjson": true, "x-application/hl7-v2+er7": true, "application/hl7-v2": true, "text/csv": true,
		"image/png": false, "application/pdf": false, "application/vnd.apple.pkpass": false, "": false, "application/octet-stream": false,
	} {
		if textual(media, []byte("x")) != text || !textual(media, nil) {
			t.Errorf("%s", media)
		}
		if textual(media, []byte{0xff}) {
			t.Errorf("%s: bytes that are no UTF-8", media)
		}
	}
	bad := example()
	bad.body = []byte{0xff}
	if _, err := bad.encode(); err == nil {
		t.Error("bytes that are no UTF-8 went out")
	}
}

func BenchmarkReply(b *testing.B) {
	r := example()
	r.body = []byte(`{"resourceType":"Bundle","data":"` + strings.Repeat("a", 60_000) + `"}`)
	b.SetBytes(int64(len(r.body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.encode(); err != nil {
			b.Fatal(err)
		}
	}
}
