package fhir_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	got := string(fhir.Outcome([]fault.Issue{
		{Path: "DDCCCoreDataSet.name", Rule: fhir.RuleRequired, Detail: "Missing.", Fix: "Supply it."},
		{Severity: fault.SeverityWarning, Path: "/a/0", Rule: "other", Detail: "Odd."},
	}))
	const want = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","details":{"coding":[{"system":"urn:ddcc-gateway:rules","code":"required"}],"text":"Missing."},` +
		`"diagnostics":"DDCCCoreDataSet.name: Supply it."},{"severity":"warning","code":"business-rule",` +
		`"details":{"coding":[{"system":"urn:ddcc-gateway:rules","code":"other"}],"text":"Odd."}}]}`
	if got != want {
		t.Errorf("%s", got)
	}
	if _, err := r4.UnmarshalOperationOutcome(fhir.Outcome(nil)); err != nil {
		t.Error(err)
	}
}

// TestOutcomeCodes: every code we write is one of FHIR's issue types.
func TestOutcomeCodes(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{fhir.RuleJSON, fhir.RuleType, fhir.RuleResourceType, fhir.RuleUnknownElement, fhir.RuleModifier, fhir.RuleExtension,
		fhir.RuleQuestionnaire, fhir.RuleStatus, fhir.RuleNotAsked, fhir.RuleDuplicate, fhir.RuleOneAnswer, fhir.RuleAnswerType, fhir.RuleRequired,
		fhir.RuleData1, fhir.RuleModel, fhir.RulePositiveInt, fhir.RuleSeries, fhir.RuleDate, fhir.RuleDateOrder, fhir.RuleDateFuture, fhir.RuleLength,
		fhir.RuleText, fhir.RuleTrimmed, fhir.RuleCode, fhir.RuleURI, fhir.RuleSex, fhir.RuleValueSet, fhir.RuleCountry, fhir.RuleCountryAlpha3,
		fhir.RuleCountryTest, fhir.RuleHCID, fhir.RuleVersion, fhir.RuleNotKept, fhir.RuleOneEvent, fhir.RuleReference, fhir.RuleAmbiguous} {
		o, err := r4.UnmarshalOperationOutcome(fhir.Outcome([]fault.Issue{{Rule: rule, Detail: "x"}}))
		if err != nil || o.Issue[0].Code == r4.IssueTypeInvalid {
			t.Errorf("%s: %v %v", rule, err, o.Issue)
		}
	}
	for k := fault.Internal; k <= fault.Timeout; k++ {
		if _, err := r4.UnmarshalOperationOutcome(fhir.OutcomeOf(fault.New(k, "code", "Detail."))); err != nil {
			t.Errorf("kind %d: %v", k, err)
		}
	}
}

func TestOutcomeOfKeepsSecrets(t *testing.T) {
	t.Parallel()
	got := string(fhir.OutcomeOf(errors.New("dial tcp 10.0.0.1: secret")))
	if strings.Contains(got, "secret") || !strings.Contains(got, `"exception"`) {
		t.Errorf("%s", got)
	}
}

const document = `{"resourceType":"Bundle","id":"1","meta":{"profile":["x"]},"type":"document","b":1.0,"a":"<é>","n":null,"t":true,"entry":[{"z":1,"y":2}]}`

func TestAttachSignature(t *testing.T) {
	t.Parallel()
	sig := fhir.Signature{JWS: "h..s", When: time.Date(2022, 3, 1, 14, 0, 0, 9, time.FixedZone("", 7200)), WhoReference: "urn:uuid:1"}
	signed, err := fhir.AttachSignature([]byte(document), sig)
	if err != nil {
		t.Fatal(err)
	}
	prefix := strings.TrimSuffix(document, "}")
	if !strings.HasPrefix(string(signed), prefix) {
		t.Error("other bytes changed")
	}
	var got struct{ Signature r4.Signature }
	if err := json.Unmarshal(signed, &got); err != nil {
		t.Fatal(err)
	}
	s := got.Signature
	data, err := base64.StdEncoding.DecodeString(*s.Data)
	if err != nil || string(data) != "h..s" || s.When != "2022-03-01T12:00:00Z" || *s.Who.Reference != "urn:uuid:1" || *s.SigFormat != "application/jose" ||
		*s.Type[0].System+"#"+*s.Type[0].Code != "urn:iso-astm:E1762-95:2013#1.2.840.10065.1.12.1.5" ||
		*s.TargetFormat != "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#document" {
		t.Errorf("%s", signed[len(prefix):])
	}
	if _, err := fhir.AttachSignature(signed, sig); fault.KindOf(err) != fault.Conflict {
		t.Errorf("signed twice: %v", err)
	}
	before, err := docsig.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	after, err := docsig.Parse(signed)
	if err != nil || !bytes.Equal(before.Canonical, after.Canonical) {
		t.Errorf("the signature changed what is signed: %v", err)
	}
	for _, bad := range []fhir.Signature{{}, {JWS: "a.b", When: sig.When, WhoReference: "x"}, {JWS: "a..b", When: sig.When}, {JWS: "a..b", WhoReference: "x"}} {
		if _, err := fhir.AttachSignature([]byte(document), bad); err == nil {
			t.Errorf("attached %+v", bad)
		}
	}
	for _, bad := range []string{``, `{}`, `{"resourceType":"Patient"}`, `{"resourceType":"Bundle","type":"batch"}`} {
		if _, err := fhir.AttachSignature([]byte(bad), sig); err == nil {
			t.Errorf("signed %s", bad)
		}
	}
}

// TestLibraryCannotWrite shows why some resources have types of our own. When one of
// these fails after an update of the library, the own type can go.
func TestLibraryCannotWrite(t *testing.T) {
	t.Parallel()
	trip := func(in string, read func([]byte) (any, error)) string {
		v, err := read([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	immunization := trip(`{"resourceType":"Immunization","status":"completed","vaccineCode":{},"patient":{},"occurrenceDateTime":"2021-07-08",
		"location":{"_display":{"extension":[{"url":"x","valueCode":"unknown"}]}},"protocolApplied":[{"doseNumberPositiveInt":1}]}`,
		func(b []byte) (any, error) { return r4.UnmarshalImmunization(b) })
	if !strings.Contains(immunization, `"occurrenceString":""`) || !strings.Contains(immunization, `"doseNumberString":""`) || strings.Contains(immunization, "_display") {
		t.Errorf("Immunization is written validly now: %s", immunization)
	}
	patient := trip(`{"resourceType":"Patient","_birthDate":{"extension":[{"url":"x","valueCode":"unknown"}]}}`,
		func(b []byte) (any, error) { return r4.UnmarshalPatient(b) })
	if strings.Contains(patient, "_birthDate") {
		t.Errorf("Patient keeps siblings now: %s", patient)
	}
	device := trip(`{"resourceType":"Device","_manufacturer":{"extension":[{"url":"x","valueCode":"unknown"}]}}`,
		func(b []byte) (any, error) { return r4.UnmarshalDevice(b) })
	if strings.Contains(device, "_manufacturer") {
		t.Errorf("Device keeps siblings now: %s", device)
	}
	response := trip(`{"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"a","answer":[{"_valueString":{"extension":[{"url":"x"}]}}]}]}`,
		func(b []byte) (any, error) { return r4.UnmarshalQuestionnaireResponse(b) })
	if strings.Contains(response, "_valueString") {
		t.Errorf("QuestionnaireResponse keeps siblings now: %s", response)
	}
	outcome := trip(`{"resourceType":"Patient","name":[{"text":"<"}]}`, func(b []byte) (any, error) { return r4.UnmarshalPatient(b) })
	if !strings.Contains(outcome, `\u003c`) {
		t.Errorf("the library does not escape for HTML any more: %s", outcome)
	}
}

// TestOwnTypesWrite: the same elements survive in our types.
func TestOwnTypesWrite(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(fhir.Patient{ResourceType: "Patient", ID: "1", NoBirthDate: fhir.Unknown()})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"resourceType":"Patient","id":"1","name":null,"_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
}
