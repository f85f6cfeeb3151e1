package hl7_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

func TestAVaccinationIsCertified(t *testing.T) {
	t.Parallel()
	s, f := newService(t, nil)
	a := s.Process(t.Context(), clinic, []byte(sample(t, "vxu_given.hl7")))
	code, id, errs := said(t, a)
	if code != "AA" || id != "SPEC-0001" || !slices.Equal(errs, []string{"RXA 0 I certificate"}) || !slices.Equal(a.Certificates, []string{"cert-1"}) || a.Event != "VXU^V04" {
		t.Errorf("%s %s %q %+v", code, id, errs, a)
	}
	again := s.Process(t.Context(), clinic, []byte(sample(t, "vxu_given.hl7")))
	if !bytes.Equal(a.Acknowledgement, again.Acknowledgement) || !bytes.Equal(f.bundles[0], f.bundles[1]) {
		t.Error("the same message has another answer")
	}
}

// TestWhatOfAHistoryIsCertified: given by the sender, and what the operator allows besides.
func TestWhatOfAHistoryIsCertified(t *testing.T) {
	t.Parallel()
	s, f := newService(t, nil)
	a := s.Process(t.Context(), clinic, []byte(sample(t, "vxu_many.hl7")))
	want := []string{
		"RXA 0 W hl7v2-historical", "RXA 0 I hl7v2-not-given", "RXA 0 W hl7v2-partly-given", "RXA 0 I hl7v2-not-given",
		"RXA 0 I certificate", "RXA-21 0 W hl7v2-update",
	}
	if code, _, errs := said(t, a); code != "AA" || !slices.Equal(errs, want) || len(a.Certificates) != 1 {
		t.Errorf("%s %q", code, errs)
	}
	a = s.Process(t.Context(), clinic, []byte(strings.Replace(sample(t, "vxu_many.hl7"), "SPEC-0002", "SPEC-0099", 1)))
	if _, _, errs := said(t, a); slices.Contains(errs, "RXA-21 0 W hl7v2-update") {
		t.Error("an update that changed nothing is no news")
	}
	s, f = newService(t, func(d *hl7.Deps) { d.Options.Historical = []string{"clinic"} })
	if a = s.Process(t.Context(), clinic, []byte(sample(t, "vxu_many.hl7"))); len(a.Certificates) != 2 || bytes.Count(f.bundles[0], []byte("Immunization\"")) != 2 {
		t.Errorf("%q", a.Certificates)
	}
	s, f = newService(t, nil)
	a = s.Process(t.Context(), clinic, []byte(strings.Replace(sample(t, "vxu_given.hl7"), "|CP|A|", "|RE|A|", 1)))
	if code, _, _ := said(t, a); code != "AA" || len(f.bundles) != 0 || f.admitted != 1 {
		t.Errorf("%s, %d Bundles, %d admitted", code, len(f.bundles), f.admitted)
	}
}

func TestADoseIsNotTakenBackByAMessage(t *testing.T) {
	t.Parallel()
	s, f := newService(t, nil)
	a := s.Process(t.Context(), clinic, []byte(strings.Replace(sample(t, "vxu_given.hl7"), "|CP|A|", "|CP|D|", 1)))
	if code, _, errs := said(t, a); code != "AE" || !slices.Equal(errs, []string{"RXA-21 199 E hl7v2-delete"}) || len(f.bundles) != 0 {
		t.Errorf("%s %q", code, errs)
	}
	if !bytes.Contains(a.Acknowledgement, []byte("$revokeHealthCertificate")) {
		t.Errorf("%s", a.Acknowledgement)
	}
}

// TestRefusals: what a sender hears of a message that leads to nothing, with the code that
// says whether to repeat it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	good, adt := sample(t, "vxu_given.hl7"), sample(t, "adt_a01.hl7")
	secret := errors.New("dial 10.0.0.7: Ada Specimen")
	rule := fault.New(fault.Rule, "invalid-content", "Rules.").With(
		fault.Issue{Path: "Bundle.entry[2].resource", Rule: fhir.RuleRequired, Detail: "The lot is missing.", Fix: "DDCCCoreDataSet.vaccination.lot: Send it."},
		fault.Issue{Path: "Bundle.entry[2].resource", Rule: fhir.RuleDate, Detail: "No date.", Fix: "DDCCCoreDataSet.birthDate: Send it."},
		fault.Issue{Path: "Bundle.entry[2].resource.vaccineCode", Rule: fhir.RuleValueSet, Detail: "Other code.", Severity: fault.SeverityWarning},
		fault.Issue{Path: "Bundle.entry[99].resource", Rule: "unheard-of", Detail: "x"},
		fault.Issue{Path: "Bundle", Rule: "unimportant", Detail: "x", Severity: fault.SeverityInformation},
	)
	for name, test := range map[string]struct {
		raw       string
		err, rate error
		want      string
		errs      []string
		temporary bool
	}{
		"unreadable":        {raw: "hello", want: "AE", errs: []string{" 100 E hl7v2-syntax"}},
		"bad value":         {raw: strings.Replace(good, "|19790308|", "|19791399|", 1), want: "AE", errs: []string{"PID-7 102 E hl7v2-time"}},
		"bad escape":        {raw: strings.Replace(good, "Maria", "Ma\\ria", 1), want: "AE", errs: []string{"PID-5 102 E hl7v2-escape"}},
		"other event":       {raw: strings.Replace(good, "VXU^V04", "QBP^Q11", 1), want: "AR", errs: []string{"MSH-9 200 E hl7v2-event"}},
		"training":          {raw: strings.Replace(good, "|P|2.5.1|", "|T|2.5.1|", 1), want: "AR", errs: []string{"MSH-11 202 E hl7v2-processing"}},
		"version":           {raw: strings.Replace(good, "|P|2.5.1|", "|P|1.0|", 1), want: "AR", errs: []string{"MSH-12 203 E hl7v2-version"}},
		"rules":             {raw: good, err: rule, want: "AE", errs: []string{"RXA-15 101 E required", "PID-7 102 E date", "RXA-5 103 W value-set", " 199 E unheard-of"}},
		"rule without word": {raw: good, err: fault.New(fault.Conflict, "certificate-revoked", "Revoked."), want: "AE", errs: []string{" 199 E certificate-revoked"}},
		"forbidden":         {raw: good, err: fault.New(fault.Forbidden, "profile-not-allowed", "No."), want: "AR", errs: []string{" 199 E profile-not-allowed"}},
		"signer away":       {raw: good, err: fault.New(fault.Unavailable, "signer", "Away.").Because(secret).Retry(2 * time.Second), want: "AR", errs: []string{" 207 E signer"}, temporary: true},
		"our own failure":   {raw: good, err: secret, want: "AR", errs: []string{" 207 E internal"}, temporary: true},
		"too often":         {raw: strings.Replace(good, "|CP|A|", "|RE|A|", 1), rate: fault.New(fault.TooMany, "rate-limit", "Often."), want: "AR", errs: []string{" 207 E rate-limit"}, temporary: true},
		"rubbish too often": {raw: "hello", rate: fault.New(fault.TooMany, "rate-limit", "Often."), want: "AR", errs: []string{" 207 E rate-limit"}, temporary: true},
		"FHIR server away":  {raw: adt, err: fault.New(fault.Unavailable, "fhir", "Away."), want: "AR", errs: []string{" 207 E fhir"}, temporary: true},
		"FHIR server's no":  {raw: adt, err: fault.New(fault.Rule, "fhir-refused", "No."), want: "AE", errs: []string{" 199 E fhir-refused"}},
		"not let in":        {raw: adt, err: fault.New(fault.Forbidden, "fhir-forbidden", "No."), want: "AR", errs: []string{" 207 E fhir-server"}, temporary: true},
		"FHIR conflict":     {raw: adt, err: fault.New(fault.Conflict, "fhir-conflict", "No."), want: "AR", errs: []string{" 207 E fhir-server"}, temporary: true},
		"two patients":      {raw: adt, err: fault.New(fault.PreconditionFailed, "fhir-several", "No."), want: "AE", errs: []string{" 199 E fhir-several"}},
		"admission's value": {raw: strings.Replace(adt, "PV1|1|I|", "PV1|1||", 1), want: "AE", errs: []string{"PV1-2 101 E required"}},
		"merge":             {raw: strings.Replace(adt, "ADT^A01", "ADT^A40", 1), want: "AR", errs: []string{"MSH-9 201 E hl7v2-event"}},
	} {
		s, f := newService(t, nil)
		f.err, f.rate = test.err, test.rate
		a := s.Process(t.Context(), clinic, []byte(test.raw))
		code, _, errs := said(t, a)
		if !slices.Equal(errs, test.errs) || a.Temporary != test.temporary {
			t.Errorf("%s: %s %q, temporary %v", name, code, errs, a.Temporary)
		}
		if code != test.want {
			t.Errorf("%s: code %s, want %s", name, code, test.want)
		}
		for _, leak := range []string{"10.0.0.7", "Ada", "1979"} {
			if bytes.Contains(a.Acknowledgement, []byte(leak)) {
				t.Errorf("%s: the answer holds a value: %s", name, a.Acknowledgement)
			}
		}
		if len(f.written)+len(f.issued) > 0 {
			t.Errorf("%s: something was done", name)
		}
	}
}

func TestAdmissions(t *testing.T) {
	t.Parallel()
	raw := []byte(sample(t, "adt_a01.hl7"))
	s, f := newService(t, nil)
	a := s.Process(t.Context(), clinic, raw)
	if code, id, errs := said(t, a); code != "AA" || id != "ADT-0001" || errs != nil || len(f.written) != 1 || f.admitted != 1 || a.Event != "ADT^A01" {
		t.Errorf("%s %s %q", code, id, errs)
	}
	for name, change := range map[string]func(*hl7.Deps){
		"hl7v2-admissions": func(d *hl7.Deps) { d.Options.Admissions = []string{"another"} },
		"hl7v2-records":    func(d *hl7.Deps) { d.Records = nil },
	} {
		s, f := newService(t, change)
		if code, _, errs := said(t, s.Process(t.Context(), clinic, raw)); code != "AR" || len(errs) != 1 || !strings.HasSuffix(errs[0], name) || len(f.written) != 0 {
			t.Errorf("%s: %s %q", name, code, errs)
		}
	}
}

// TestModes: which acknowledgement a sender hears, by MSH-15 and MSH-16.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ accept, application, good, bad string }{
		{"", "", "AA", "AE"},
		{"AL", "", "CA", "CE"},
		{"AL", "NE", "CA", "CE"},
		{"AL", "AL", "AA", "AE"},
		{"NE", "AL", "AA", "AE"},
		{"ER", "AL", "AA", "AE"},
		{"ER", "NE", "", "CE"},
		{"SU", "ER", "CA", "AE"},
		{"NE", "ER", "", "AE"},
		{"NE", "SU", "AA", ""},
		{"NE", "NE", "", ""},
		{"XX", "NE", "CA", "CE"},
	} {
		s, _ := newService(t, nil)
		message := strings.Replace(sample(t, "vxu_given.hl7"), "|ER|AL|", "|"+test.accept+"|"+test.application+"|", 1)
		good := s.Process(t.Context(), clinic, []byte(message))
		bad := s.Process(t.Context(), clinic, []byte(strings.Replace(message, "|19790308|", "|1|", 1)))
		if good.Code != test.good || bad.Code != test.bad || (good.Code == "") != (good.Acknowledgement == nil) {
			t.Errorf("%q %q: %q and %q", test.accept, test.application, good.Code, bad.Code)
		}
	}
}

func TestWiring(t *testing.T) {
	t.Parallel()
	if _, err := hl7.New(hl7.Deps{}); err == nil {
		t.Error("a service of nothing")
	}
}
