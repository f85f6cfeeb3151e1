package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

const (
	systemISO3166      = "urn:iso:std:iso:3166"
	systemPrequalified = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"
	systemPassport     = "http://terminology.hl7.org/CodeSystem/v2-0203#PPN"
	yellowFeverProduct = "YellowFeverProductd2c75a15ed309658b3968519ddb31690"
)

func coding(system, code, display string) map[string]any {
	return map[string]any{"valueCoding": map[string]any{"system": system, "code": code, "display": display}}
}

// swiss makes an event of a country that every format knows.
var swiss = harness.Items{"country": coding(systemISO3166, "CHE", "Switzerland")}

// yellowFever makes a vaccination one that an ICVP is for.
var yellowFever = harness.Items{
	"vaccine": coding("http://id.who.int/icd11/mms", "XM0N24", "Yellow fever vaccine"),
	"brand":   coding(systemPrequalified, yellowFeverProduct, "Specimen yellow fever vaccine"),
	"disease": coding("http://id.who.int/icd11/mms", "1D47", "Yellow fever"),
	"dose":    {"valueInteger": 1}, "total_doses": {"valueInteger": 1},
	"manufacturer": coding("urn:specimen:makers", "MAKER-1", "Specimen Institute"),
}

// certificate is one of an answer that named formats.
type certificate struct{ format, profile, reference, text, expires string }

// issuedEvent is such an answer, read.
type issuedEvent struct {
	id       string
	document []byte
	all      []certificate
	rules    []string // of what was left out and of other findings
}

func (e issuedEvent) formats() []string {
	var names []string
	for _, c := range e.all {
		names = append(names, c.format)
	}
	return names
}

func (e issuedEvent) text(t *testing.T, format string) string {
	t.Helper()
	at := slices.Index(e.formats(), format)
	if at < 0 {
		t.Fatalf("no %s among %v; %v", format, e.formats(), e.rules)
	}
	return e.all[at].text
}

// issueFormats has an event certified in the formats named in the query.
func issueFormats(t *testing.T, s *harness.System, path, formats string, body []byte) issuedEvent {
	t.Helper()
	a, err := s.Post(path+"?format="+formats, body)
	if err != nil || a.Status != http.StatusCreated && a.Status != http.StatusOK {
		t.Fatalf("answer %d, %v:\n%s\n%s", a.Status, err, a.Body, s.Logs())
	}
	return readFormats(t, a.Body)
}

type answered struct {
	Name                   string
	ValueCode, ValueString string
	ValueInstant           string
	ValueReference         struct{ Reference string }
	ValueBoolean           bool
	ValueInteger           int
	Resource               json.RawMessage
	Part                   []answered
}

// readAnswer gives the parameters of an answer.
func readAnswer(t *testing.T, body []byte) []answered {
	t.Helper()
	var p struct {
		ResourceType string
		Parameter    []answered
	}
	if err := json.Unmarshal(body, &p); err != nil || p.ResourceType != "Parameters" {
		t.Fatalf("no Parameters (%v): %.400s", err, body)
	}
	return p.Parameter
}

func readFormats(t *testing.T, body []byte) issuedEvent {
	t.Helper()
	var e issuedEvent
	for _, p := range readAnswer(t, body) {
		switch p.Name {
		case "return":
			e.document = p.Resource
			e.id = harness.ReadCertificate(t, p.Resource).ID
		case "certificate":
			var c certificate
			for _, part := range p.Part {
				switch part.Name {
				case "format":
					c.format = part.ValueCode
				case "profile":
					c.profile = part.ValueCode
				case "reference":
					c.reference = strings.TrimPrefix(part.ValueReference.Reference, "DocumentReference/")
				case "text":
					c.text = part.ValueString
				case "expires":
					c.expires = part.ValueInstant
				}
			}
			e.all = append(e.all, c)
		case "outcome":
			e.rules, _ = harness.OutcomeRules(p.Resource)
		}
	}
	return e
}

// TestEveryFormat: what the gateway issues in each format verifies with what it publishes,
// as text, as the picture it serves, and in the document.
func TestEveryFormat(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	for name, tc := range map[string]struct {
		event issuedEvent
		want  map[string]string // format and what verification calls its content
	}{
		"COVID-19 vaccination": {
			issueFormats(t, s, generate, "dcc,shc,vdsnc", harness.VS(t, "FORMATS-1", swiss)),
			map[string]string{"who": "who-ddcc-vs", "dcc": "eu-dcc", "shc": "smart-health-card", "vdsnc": "icao-vds-nc"},
		},
		"yellow fever": {
			issueFormats(t, s, generate, "shc,vdsnc,icvp", harness.VS(t, "FORMATS-2", swiss, yellowFever)),
			map[string]string{"who": "who-ddcc-vs", "shc": "smart-health-card", "vdsnc": "icao-vds-nc", "icvp": "who-icvp"},
		},
		"positive NAAT": {
			issueFormats(t, s, "/ddcc/Bundle/$generateHealthCertificate", "dcc,dcc-recovery,shc,icao", positive(t, s, "FORMATS-3")),
			map[string]string{"who": "who-ddcc-tr", "dcc": "eu-dcc", "dcc-recovery": "eu-dcc", "shc": "smart-health-card", "vdsnc": "icao-vds-nc"},
		},
	} {
		checkFormats(t, s, name, tc.event, tc.want)
	}
	noPersonalData(t, s, "FORMATS-1", "FORMATS-2", "FORMATS-3")
}

// positive is a resources Bundle about a positive nucleic acid test of a person with a
// passport: a document of ours, which is one, with what no questionnaire can say.
func positive(t *testing.T, s *harness.System, hcid string) []byte {
	t.Helper()
	a, err := s.Post("/ddcc/generateHealthCertificate", harness.TR(t, hcid+"-Q", swiss, harness.Items{
		"result": coding("http://id.who.int/icd11/mms", "RA01.0", ""), "identifier": {"valueString": "X7654321"},
	}))
	if err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%v, status %d: %.600s", err, a.Status, a.Body)
	}
	var bundle map[string]any
	if err := json.Unmarshal(bytes.ReplaceAll(a.Body, []byte(hcid+"-Q"), []byte(hcid)), &bundle); err != nil {
		t.Fatal(err)
	}
	delete(bundle, "signature")
	for _, entry := range bundle["entry"].([]any) {
		resource := entry.(map[string]any)["resource"].(map[string]any)
		if resource["resourceType"] == "Patient" {
			resource["identifier"] = []any{map[string]any{"system": systemPassport, "value": "X7654321"}}
		}
	}
	return harness.JSON(t, bundle)
}

// checkFormats verifies everything an event was certified with.
func checkFormats(t *testing.T, s *harness.System, name string, e issuedEvent, want map[string]string) {
	t.Helper()
	verifier := verification.Verifier{List: s.TrustList()}
	if len(e.all) != len(want) {
		t.Errorf("%s: issued %v, want %v; %v", name, e.formats(), want, e.rules)
	}
	for _, c := range e.all {
		if r := verifier.VerifyText(c.text); !r.Valid || r.Profile != want[c.format] {
			t.Errorf("%s, %s: %s, %s %s; want %s", name, c.format, r.Profile, r.Reason, r.Detail, want[c.format])
		}
		if lifelong := c.format == "icvp"; (c.expires == "") != lifelong || strings.HasPrefix(c.expires, "0001") {
			t.Errorf("%s, %s: expires %q", name, c.format, c.expires)
		}
		a, err := s.Get("/ddcc/DocumentReference/"+c.reference+"/$getQRCode", "Accept", "image/png")
		if err != nil || a.Status != http.StatusOK {
			t.Errorf("%s, %s: $getQRCode: %v, status %d", name, c.format, err, a.Status)
		} else if got := harness.DecodeQR(t, a.Body); got != c.text {
			t.Errorf("%s, %s: the picture shows another text", name, c.format)
		}
		if !bytes.Contains(e.document, []byte(base64.StdEncoding.EncodeToString([]byte(c.text)))) {
			t.Errorf("%s, %s: the document does not hold the text", name, c.format)
		}
	}
	if r := verifier.VerifyDocument(e.document); !r.Valid {
		t.Errorf("%s: the document: %s %s", name, r.Reason, r.Detail)
	}
	card, err := s.Get("/ddcc/Bundle/" + e.id + "/$card?language=ar")
	if err != nil || card.Status != http.StatusOK || !bytes.HasPrefix(card.Body, []byte("%PDF-")) {
		t.Errorf("%s: $card: %v, status %d: %.200s", name, err, card.Status, card.Body)
	}
}

// noPersonalData looks for a person in what both processes logged. The names of formats
// and rules are no persons' data.
func noPersonalData(t *testing.T, s *harness.System, more ...string) {
	t.Helper()
	logs := s.Logs()
	for _, needle := range append(more, "Ngozi", "NGOZI", "1979-03-08", "NID-SPECIMEN", "X7654321", "SPECLOT7", "HC1:", "shc:/", "icao.") {
		if strings.Contains(logs, needle) {
			t.Errorf("the logs hold %q", needle)
		}
	}
}

// TestFormatsThatCannotSayAnEvent: a format without a word for an event, or without a
// certificate for its kind, is left out with the reason; the others are issued.
func TestFormatsThatCannotSayAnEvent(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	for name, tc := range map[string]struct {
		body   []byte
		issued []string
		rules  []string
	}{
		"yellow fever":     {harness.VS(t, "LEFT-1", swiss, yellowFever), []string{"who", "shc", "vdsnc", "icvp"}, []string{"dcc:dcc-untranslatable", "dcc-recovery:format-event"}},
		"COVID-19":         {harness.VS(t, "LEFT-2", swiss), []string{"who", "dcc", "shc", "vdsnc"}, []string{"icvp:icvp-product", "dcc-recovery:format-event"}},
		"a test country":   {harness.VS(t, "LEFT-3"), []string{"who", "shc", "vdsnc"}, []string{"dcc:dcc-country", "icvp:icvp-product"}},
		"a negative test":  {harness.TR(t, "LEFT-4", swiss), []string{"who", "dcc", "shc"}, []string{"dcc-recovery:dcc-recovery", "vdsnc:vdsnc-document", "icvp:format-event"}},
		"an unknown birth": {harness.VS(t, "LEFT-5", swiss, harness.Items{"birthDate": nil}), []string{"who", "dcc"}, []string{"vdsnc:vdsnc-document"}},
	} {
		e := issueFormats(t, s, generate, "dcc,dcc-recovery,shc,vdsnc,icvp", tc.body)
		if !slices.Equal(e.formats(), tc.issued) {
			t.Errorf("%s: issued %v, want %v", name, e.formats(), tc.issued)
		}
		for _, rule := range tc.rules {
			if !slices.Contains(e.rules, rule) {
				t.Errorf("%s: rule %s is not among %v", name, rule, e.rules)
			}
		}
		again := issueFormats(t, s, generate, "dcc,dcc-recovery,shc,vdsnc,icvp", tc.body)
		if !slices.Equal(again.all, e.all) || !slices.Equal(again.rules, e.rules) {
			t.Errorf("%s: another answer at the second time", name)
		}
	}
	if a, err := s.Post(generate+"?format=paper", harness.VS(t, "LEFT-6")); err != nil || a.Status != http.StatusBadRequest {
		t.Errorf("an unknown format: %v, status %d", err, a.Status)
	}
}

// TestKillBetweenFormats: whatever was signed when the gateway died is what the retry
// gives, and nothing is signed twice.
func TestKillBetweenFormats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"dcc", "shc", "vdsnc"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t)
			killAt(t, s, "gateway", "gateway-after-"+format+"-signature")
			body := harness.VS(t, "KILL-"+format, swiss)
			if a, err := s.Post(generate+"?format=dcc,shc,vdsnc", body); err == nil {
				t.Fatalf("answered %d although the gateway was killed", a.Status)
			}
			signed := signedIntents(t, s)
			revive(t, s, "gateway")
			first := issueFormats(t, s, generate, "dcc,shc,vdsnc", body)
			again := issueFormats(t, s, generate, "dcc,shc,vdsnc", body)
			if len(first.all) != 4 || !slices.Equal(first.all, again.all) || !bytes.Equal(first.document, again.document) {
				t.Errorf("issued %v, then %v", first.formats(), again.formats())
			}
			checkFormats(t, s, format, first, map[string]string{"who": "who-ddcc-vs", "dcc": "eu-dcc", "shc": "smart-health-card", "vdsnc": "icao-vds-nc"})
			s.Stop()
			all := signedIntents(t, s)
			slices.Sort(all)
			if len(all) != 4 || len(slices.Compact(slices.Clone(all))) != 4 {
				t.Errorf("signed %d times for 4 certificates", len(all))
			}
			for _, id := range signed {
				if !slices.Contains(all, id) {
					t.Error("a signature from before the kill is lost")
				}
			}
			checkAuditLog(t, s)
		})
	}
}
