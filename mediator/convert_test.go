package mediator_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

const icd11 = "http://id.who.int/icd11/mms"

// fakeVerifier knows certificates by name.
type fakeVerifier struct{}

func (fakeVerifier) Verify(text string) (mediator.Foreign, error) {
	reading := maps.Reading{Core: fhir.CoreDataSet{
		Name: "Ada Specimen", BirthDate: "1990-01-01",
		Certificate: fhir.Certificate{HCID: "FOREIGN-1", Issuer: fhir.Identifier{Value: "abroad"}},
		Vaccination: &fhir.Vaccination{
			Vaccine: fhir.Coding{System: icd11, Code: "XM0GQ8"}, Brand: fhir.Coding{System: icd11, Code: "XM8NQ0"},
			MAHolder: fhir.Coding{System: "urn:m", Code: "M"}, Date: "2026-10-01", Dose: 1, Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE"},
		},
	}}
	out := mediator.Foreign{Format: "hcert", Profile: "eu-dcc", Valid: true, Firm: true, Reason: "verified", Readings: []maps.Reading{reading}}
	switch text {
	case "forged":
		return mediator.Foreign{Format: "hcert", Reason: "bad_signature"}, nil
	case "not ready":
		return mediator.Foreign{}, fault.New(fault.Unavailable, "convert-not-ready", "not yet")
	case "ends":
		out.Readings[0].Core.Certificate.Period.End = "2027-03-01"
	case "exchangeable":
		out.Firm = false
	case "two events":
		out.Readings = append(out.Readings, reading)
	}
	return out, nil
}

const complement = `{"resourceType":"QuestionnaireResponse","questionnaire":"http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire","status":"completed","item":[
 {"linkId":"hcid","answer":[{"valueString":"H-1"}]},{"linkId":"pha","answer":[{"valueString":"moh"}]},{"linkId":"lot","answer":[{"valueString":"L"}]},{"linkId":"centre","answer":[{"valueString":"C"}]}EXTRA]}`

func parameters(parts ...string) []byte {
	return []byte(`{"resourceType":"Parameters","parameter":[` + strings.Join(parts, ",") + `]}`)
}

func certificate(text string) string { return `{"name":"certificate","valueString":"` + text + `"}` }

func complemented(extra string) string {
	return `{"name":"complement","resource":` + strings.Replace(complement, "EXTRA", extra, 1) + `}`
}

const reissue = `{"name":"reissue","valueBoolean":true}`

var converter = func() mediator.IssuerPolicy { c := clinic; c.Convert = true; return c }()

func TestConvertReads(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	m := newMediator(t, f)
	for text, valid := range map[string]bool{"genuine": true, "forged": false} {
		out, err := m.Convert(context.Background(), converter, parameters(certificate(text)), mediator.Options{})
		if err != nil || out.Valid != valid || len(out.Issued) != 0 {
			t.Errorf("%s: %+v, %v", text, out, err)
		}
	}
	if f.calls.Load() != 0 {
		t.Error("something was issued that nobody asked for")
	}
}

func TestConvertIssuesAnew(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	out, err := newMediator(t, f).Convert(context.Background(), converter,
		parameters(certificate("genuine"), reissue, complemented(""), `{"name":"format","valueCode":"shc"}`), mediator.Options{IdempotencyKey: "k"})
	if err != nil || len(out.Issued) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	in := f.last.Load()
	core := in.Core
	if core.Name != "Ada Specimen" || core.Certificate.HCID != "H-1" || core.Certificate.Issuer.Value != "moh" || core.Vaccination.Lot != "L" || core.Vaccination.Brand.Code != "XM8NQ0" {
		t.Errorf("issued %+v", core)
	}
	if in.IdempotencyKey != "k" || !slices.Equal(in.Formats, []issuance.Format{issuance.FormatWHO, issuance.FormatSHC}) {
		t.Errorf("asked for %q, %v", in.IdempotencyKey, in.Formats)
	}
	if issues := core.Validate(now); fault.HasErrors(issues) {
		t.Errorf("what was issued breaks rules: %+v", issues)
	}
}

func TestConvertRefuses(t *testing.T) {
	t.Parallel()
	another := `,{"linkId":"name","answer":[{"valueString":"Bo Specimen"}]}`
	for name, tc := range map[string]struct {
		by   mediator.IssuerPolicy
		body []byte
		kind fault.Kind
		rule string
	}{
		"an issuer without the right": {clinic, parameters(certificate("genuine")), fault.Forbidden, ""},
		"no certificate":              {converter, parameters(reissue), fault.Malformed, "operation-input"},
		"a forged one anew":           {converter, parameters(certificate("forged"), reissue, complemented("")), fault.Rule, "bad_signature"},
		"values may be exchanged":     {converter, parameters(certificate("exchangeable"), reissue, complemented("")), fault.Rule, "content_ambiguous"},
		"keys not known yet":          {converter, parameters(certificate("not ready")), fault.Unavailable, ""},
		"no complement":               {converter, parameters(certificate("genuine"), reissue), fault.Malformed, "operation-input"},
		"which event":                 {converter, parameters(certificate("two events"), reissue, complemented("")), fault.Rule, "convert-event"},
		"no such event":               {converter, parameters(certificate("genuine"), reissue, complemented(""), `{"name":"event","valueString":"7"}`), fault.Rule, "convert-event"},
		"another person":              {converter, parameters(certificate("genuine"), reissue, complemented(another)), fault.Rule, maps.RuleContradiction},
		"not FHIR":                    {converter, []byte(`{}`), fault.Malformed, ""},
	} {
		f := &fakeIssuance{}
		_, err := newMediator(t, f).Convert(context.Background(), tc.by, tc.body, mediator.Options{})
		failure := fault.From(err)
		if failure.Kind != tc.kind || f.calls.Load() != 0 {
			t.Errorf("%s: %v, %d issued", name, err, f.calls.Load())
		}
		if tc.rule != "" && !slices.ContainsFunc(failure.Issues, func(i fault.Issue) bool { return i.Rule == tc.rule }) {
			t.Errorf("%s: %+v, want rule %s", name, failure.Issues, tc.rule)
		}
	}
}

func TestLeftOutFormatsAreWarnings(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{left: []issuance.LeftOut{{Format: issuance.FormatDCC, Issues: []fault.Issue{{Path: "DDCCCoreDataSet.vaccination.brand", Rule: "dcc-untranslatable", Detail: "d", Fix: "f"}}}}}
	m := newMediator(t, f)
	out, err := m.Generate(context.Background(), clinic, []byte(event), mediator.Options{Formats: []issuance.Format{issuance.FormatWHO, issuance.FormatDCC}}, mediator.KindQuestionnaireResponse)
	if err != nil || !out.Named || !slices.ContainsFunc(out.Warnings, func(i fault.Issue) bool { return i.Rule == "dcc:dcc-untranslatable" && !i.IsError() }) {
		t.Errorf("%+v, %v", out.Warnings, err)
	}
	issues, err := m.Validate(context.Background(), clinic, []byte(event), mediator.Options{}, mediator.KindQuestionnaireResponse)
	if err != nil || fault.HasErrors(issues) || !slices.ContainsFunc(issues, func(i fault.Issue) bool { return i.Rule == "dcc:dcc-untranslatable" }) {
		t.Errorf("the dry run says %+v, %v", issues, err)
	}
	_, err = m.Generate(context.Background(), clinic, parameters(`{"name":"response","resource":`+event+`}`, `{"name":"format","valueCode":"passport"}`), mediator.Options{}, mediator.KindQuestionnaireResponse)
	if fault.KindOf(err) != fault.Malformed {
		t.Errorf("an unknown format: %v", err)
	}
}

// What is issued for a certificate does not outlive it.
func TestConvertEndsWithItsSource(t *testing.T) {
	t.Parallel()
	until := func(end string) string {
		return `,{"linkId":"valid_until","answer":[{"valueDate":"` + end + `"}]}`
	}
	for extra, want := range map[string]string{"": "2027-03-01", until("2027-01-01"): "2027-01-01", until("2028-01-01"): "2027-03-01"} {
		f := &fakeIssuance{}
		_, err := newMediator(t, f).Convert(context.Background(), converter, parameters(certificate("ends"), reissue, complemented(extra)), mediator.Options{})
		if err != nil || f.last.Load().Core.Certificate.Period.End != want {
			t.Errorf("%v, %+v; want the end %s", err, f.last.Load(), want)
		}
	}
}
