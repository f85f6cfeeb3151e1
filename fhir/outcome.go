package fhir

import (
	"encoding/json"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

type outcome struct {
	ResourceType string         `json:"resourceType"`
	Issue        []outcomeIssue `json:"issue"`
}

// outcomeIssue is OperationOutcome.issue, reduced to what the gateway says. The model
// library's code enumerations would only be a second list of the codes below.
type outcomeIssue struct {
	Severity    fault.Severity `json:"severity"`
	Code        string         `json:"code"`
	Details     outcomeDetails `json:"details"`
	Diagnostics string         `json:"diagnostics,omitempty"`
	Location    []string       `json:"location,omitempty"`   // of a header
	Expression  []string       `json:"expression,omitempty"` // of an element of the request
}

type outcomeDetails struct {
	Coding []outcomeCoding `json:"coding,omitempty"`
	Text   string          `json:"text"`
}

type outcomeCoding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// RuleValid is the rule of the one finding about an input without findings.
const RuleValid = "valid"

// RuleSystem is the namespace of the rule ids in OperationOutcome.issue.details.
const RuleSystem = "urn:ddcc-gateway:rules"

func details(rule, text string) outcomeDetails {
	return outcomeDetails{Coding: []outcomeCoding{{System: RuleSystem, Code: rule}}, Text: text}
}

// modelRoot begins paths in WHO's logical model.
const modelRoot = "DDCCCoreDataSet."

// httpHeaders are the request headers that issues are about; OperationOutcome names them
// "http.Name" (FHIR R4 OperationOutcome.issue.location).
var httpHeaders = map[string]bool{
	"Idempotency-Key": true, "If-Match": true, "If-None-Match": true, "If-None-Exist": true, "Accept": true, "Content-Type": true,
}

// Outcome writes an OperationOutcome: what is wrong in details.text, the rule in
// details.coding, the repair in diagnostics, the place in expression. No issues give one that says so, because the
// resource needs at least one. Equal issues give equal bytes.
func Outcome(issues []fault.Issue) []byte { return outcomeAs(issues, "business-rule") }

// outcomeAs gives issues of rules that this package does not know the code otherwise.
func outcomeAs(issues []fault.Issue, otherwise string) []byte {
	out := outcome{ResourceType: "OperationOutcome"}
	for _, i := range issues {
		out.Issue = append(out.Issue, toOutcome(i, issueType(i.Rule, otherwise)))
	}
	if len(out.Issue) == 0 {
		out.Issue = []outcomeIssue{{Severity: fault.SeverityInformation, Code: "informational", Details: outcomeDetails{Text: "No issues."}}}
	}
	return encode(out)
}

// OutcomeOf writes the OperationOutcome of an error: its issues, or its detail when it
// has none. What a fault keeps private stays private.
func OutcomeOf(err error) []byte {
	f := fault.From(err)
	if len(f.Issues) > 0 {
		return outcomeAs(f.Issues, kindType(f.Kind))
	}
	return encode(outcome{ResourceType: "OperationOutcome", Issue: []outcomeIssue{{
		Severity: fault.SeverityError, Code: kindType(f.Kind), Details: details(f.Code, f.Detail),
	}}})
}

func toOutcome(i fault.Issue, code string) outcomeIssue {
	severity := i.Severity
	if severity == "" {
		severity = fault.SeverityError
	}
	o := outcomeIssue{Severity: severity, Code: code, Details: details(i.Rule, i.Detail), Diagnostics: i.Fix}
	switch {
	case i.Path == "" || i.Path == "resourceType" || strings.HasPrefix(i.Path, "/"): // no element, or no FHIRPath
	case httpHeaders[i.Path]:
		o.Location = []string{"http." + i.Path}
	case strings.HasPrefix(i.Path, modelRoot):
		// The element of the logical model, which the request need not have.
		o.Diagnostics = strings.TrimSpace(i.Path + ": " + i.Fix)
	default:
		o.Expression = []string{i.Path}
	}
	return o
}

// kindType gives the FHIR IssueType of a kind of fault.
func kindType(k fault.Kind) string {
	switch k {
	case fault.Malformed:
		return "structure"
	case fault.Unauthenticated:
		return "login"
	case fault.Forbidden:
		return "forbidden"
	case fault.NotFound:
		return "not-found"
	case fault.MethodNotAllowed, fault.NotAcceptable, fault.UnsupportedMedia:
		return "not-supported"
	case fault.Conflict, fault.PreconditionFailed:
		return "conflict"
	case fault.TooLarge:
		return "too-long"
	case fault.Rule:
		return "business-rule"
	case fault.TooMany:
		return "throttled"
	case fault.Upstream, fault.Unavailable:
		return "transient"
	case fault.Timeout:
		return "timeout"
	default:
		return "exception"
	}
}

// encode marshals what always marshals: structs of strings.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
