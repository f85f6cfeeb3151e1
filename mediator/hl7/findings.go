package hl7

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// temporary reports failures after which the same message may be accepted.
func temporary(k fault.Kind) bool {
	switch k {
	case fault.TooMany, fault.Unavailable, fault.Timeout, fault.Upstream, fault.Internal:
		return true
	case fault.Malformed, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.NotAcceptable,
		fault.Conflict, fault.PreconditionFailed, fault.TooLarge, fault.UnsupportedMedia, fault.Rule:
	}
	return false
}

// failed is the result of a message whose processing failed. places are those of the Bundle
// that was processed.
func failed(err error, places []hl7v2.Location) result {
	f := fault.From(err)
	r := result{outcome: Erred, findings: fromIssues(f.Issues, places), cause: err}
	switch {
	case temporary(f.Kind):
		detail, fix := f.Detail, "Send the message again later."
		if f.RetryAfter > 0 {
			fix = "Send the message again in " + strconv.Itoa(int(f.RetryAfter.Seconds())+1) + " seconds."
		}
		r.outcome, r.findings = Rejected, []hl7v2.Finding{hl7v2.NewFinding(hl7v2.Location{}, hl7v2.CodeApplication, f.Code, detail, fix)}
	case f.Kind == fault.Forbidden || f.Kind == fault.Unauthenticated:
		r.outcome = Rejected
	}
	if len(r.findings) == 0 {
		r.findings = []hl7v2.Finding{hl7v2.NewFinding(hl7v2.Location{}, hl7v2.CodeOther, f.Code, f.Detail, "")}
	}
	return r
}

var errRecords = fault.New(fault.Upstream, "fhir-server", "The FHIR server does not take records at the moment; the operator of the gateway has to look.")

// ofServer says what a refusal of the FHIR server means to a sender. Only what the server
// says about the content is the sender's matter; that it does not let us in, is not there or
// is being written to by another at this moment is not, and nothing may be lost by it.
func ofServer(err error) error {
	switch k := fault.KindOf(err); {
	case k == fault.Rule, k == fault.Malformed, k == fault.TooLarge, k == fault.PreconditionFailed, temporary(k):
		return err
	}
	return errRecords.Because(err)
}

// fromIssues says of findings about the Bundle where in the message their cause is. What a
// sender need not act on is left out.
func fromIssues(issues []fault.Issue, places []hl7v2.Location) []hl7v2.Finding {
	var out []hl7v2.Finding
	for _, i := range issues {
		if i.Severity == fault.SeverityInformation || len(out) == maxFindings {
			continue
		}
		out = append(out, hl7v2.Finding{At: located(i, places), Code: condition(i.Rule), Issue: i})
	}
	return out
}

// maxFindings bounds an acknowledgement.
const maxFindings = 50

// condition gives the error condition (table 0357) of a rule.
func condition(rule string) hl7v2.Code {
	if c, ok := conditions[rule]; ok {
		return c
	}
	return hl7v2.CodeOther
}

var conditions = map[string]hl7v2.Code{
	fhir.RuleRequired: hl7v2.CodeRequired, fhir.RuleData1: hl7v2.CodeRequired, fhir.RuleHCID: hl7v2.CodeDataType,
	fhir.RuleDate: hl7v2.CodeDataType, fhir.RuleDateOrder: hl7v2.CodeDataType, fhir.RuleDateFuture: hl7v2.CodeDataType,
	fhir.RulePositiveInt: hl7v2.CodeDataType, fhir.RuleText: hl7v2.CodeDataType, fhir.RuleLength: hl7v2.CodeTooLong,
	fhir.RuleValueSet: hl7v2.CodeTable, fhir.RuleCountry: hl7v2.CodeTable, fhir.RuleCode: hl7v2.CodeTable, fhir.RuleURI: hl7v2.CodeTable,
}

// located finds the segment of the entry that an issue is about, and the field where that is
// known.
func located(i fault.Issue, places []hl7v2.Location) hl7v2.Location {
	at, element := hl7v2.Location{}, i.Path
	if rest, ok := strings.CutPrefix(i.Path, "Bundle.entry["); ok {
		number, rest, _ := strings.Cut(rest, "]")
		if n, err := strconv.Atoi(number); err == nil && n < len(places) {
			at = places[n]
		}
		element = strings.TrimPrefix(rest, ".resource")
	}
	if model, _, ok := strings.Cut(i.Fix, ": "); ok && strings.HasPrefix(model, "DDCCCoreDataSet.") {
		element = strings.TrimPrefix(model, "DDCCCoreDataSet")
	}
	for _, f := range fields {
		if element != f.element && !strings.HasPrefix(element, f.element+".") && !strings.HasPrefix(element, f.element+"[") {
			continue
		}
		if f.segment == "PID" {
			at = hl7v2.Location{Segment: "PID", Sequence: 1}
		}
		if at.Segment == f.segment {
			at.Field = f.number
		}
		break
	}
	return at
}

// fields says where elements of the Immunization and of WHO's core data set come from.
var fields = []struct {
	element string
	segment string
	number  int
}{
	{".vaccination.vaccine", "RXA", 5}, {".vaccination.brand", "RXA", 5}, {".vaccination.manufacturer", "RXA", 17}, {".vaccination.maholder", "RXA", 17},
	{".vaccination.lot", "RXA", 15}, {".vaccination.date", "RXA", 3}, {".vaccination.country", "RXA", 11}, {".vaccination.centre", "RXA", 11},
	{".vaccination.practitioner", "RXA", 10}, {".vaccineCode", "RXA", 5}, {".manufacturer", "RXA", 17}, {".lotNumber", "RXA", 15},
	{".occurrenceDateTime", "RXA", 3}, {".location", "RXA", 11}, {".performer", "RXA", 10}, {".status", "RXA", 20}, {".extension", "RXA", 11},
	{".certificate.hcid", "PID", 3}, {".identifier", "PID", 3}, {".name", "PID", 5}, {".birthDate", "PID", 7}, {".sex", "PID", 8}, {".gender", "PID", 8},
}
