package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

type ccdaCmd struct {
	File         string `arg:"" help:"A C-CDA document (XML), or - for standard input." placeholder:"FILE"`
	Type         string `enum:"collection,document,transaction" default:"collection" help:"Kind of Bundle: collection, document or transaction."`
	Vaccinations bool   `help:"Keep the patient and the vaccinations that were given, nothing else: what can be certified."`
	JSON         bool   `name:"json" help:"Print one JSON object with the Bundle and the report of what was not kept."`
}

// Help is shown by --help.
func (*ccdaCmd) Help() string {
	return `Converts a Consolidated CDA document of any type, R1.1 or R2.1, into FHIR R4 without a server. The same
document gives the same Bundle, ids included. What was not kept is listed on standard error, by place and
rule and never with a value.

  ddcc ccda record.xml > bundle.json
  ddcc ccda record.xml --vaccinations > bundle.json && ddcc issue bundle.json …
  ddcc ccda record.xml --type transaction --json | jq .issues`
}

// ccdaReport is the form for scripts.
type ccdaReport struct {
	Bundle json.RawMessage `json:"bundle,omitempty"`
	Issues []ccdaIssue     `json:"issues"`
}

type ccdaIssue struct {
	Severity fault.Severity `json:"severity"`
	Path     string         `json:"path"`
	Rule     string         `json:"rule"`
	Detail   string         `json:"detail"`
	Fix      string         `json:"fix"`
}

// Run converts one document.
func (c *ccdaCmd) Run(s streams) error {
	if c.Vaccinations && c.Type != string(ccda.Collection) {
		return usage("--vaccinations gives a collection")
	}
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	result, err := ccda.Convert(raw, ccda.Options{Type: ccda.BundleType(c.Type), Vaccinations: c.Vaccinations})
	if err != nil {
		return c.refused(s, fault.From(err))
	}
	if c.JSON {
		return printJSON(s, ccdaReport{Bundle: result.Bundle, Issues: ccdaIssues(result.Issues)})
	}
	printIssues(s, result.Issues)
	_, err = fmt.Fprintf(s.stdout, "%s\n", result.Bundle)
	return err
}

// refused says why the document cannot be converted, in the caller's words.
func (c *ccdaCmd) refused(s streams, f *fault.Error) error {
	if c.JSON {
		if err := printJSON(s, ccdaReport{Issues: ccdaIssues(f.Issues)}); err != nil {
			return err
		}
		return errNegative
	}
	fmt.Fprintln(s.stderr, "ddcc:", f.Detail)
	printIssues(s, f.Issues)
	return errNegative
}

func ccdaIssues(list []fault.Issue) []ccdaIssue {
	out := make([]ccdaIssue, 0, len(list))
	for _, i := range list {
		out = append(out, ccdaIssue{severityOf(i), i.Path, i.Rule, i.Detail, i.Fix})
	}
	return out
}

func severityOf(i fault.Issue) fault.Severity {
	if i.Severity == "" {
		return fault.SeverityError
	}
	return i.Severity
}

// printIssues shows issues for people, one a line.
func printIssues(s streams, list []fault.Issue) {
	for _, i := range list {
		said := fmt.Sprintf("  %-11s %s: %s (%s) %s", severityOf(i), i.Rule, i.Detail, i.Path, i.Fix)
		fmt.Fprintln(s.stderr, strings.TrimSpace(said))
	}
}
