package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Prove that a log is whole: nothing changed, removed, reordered or cut off before the last checkpoint."`
}

type auditVerifyCmd struct {
	Dir  string `arg:"" help:"Directory of the log." placeholder:"DIR"`
	Key  string `required:"" help:"PEM file with the public key of the checkpoints." placeholder:"FILE"`
	JSON bool   `name:"json" help:"Print the report as JSON."`
}

// Run verifies a log that no process may be writing to.
func (c *auditVerifyCmd) Run(s streams) error {
	raw, err := readFile(s, c.Key)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return usage("%s holds no PEM block", c.Key)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return usage("%s: %v", c.Key, err)
	}
	report, err := audit.Verify(c.Dir, key)
	if err != nil {
		return usage("%v", err)
	}
	if c.JSON {
		return printReport(s, report)
	}
	for _, f := range report.Findings {
		fmt.Fprintf(s.stdout, "line %d: %s: %s\n", f.Line, f.Kind, f.Detail)
	}
	fmt.Fprintf(s.stdout, "%d entries, %d of them under a signed checkpoint, %d checkpoints\n", report.Entries, report.Covered, report.Checkpoints)
	if !report.OK() {
		fmt.Fprintln(s.stdout, "NOT WHOLE")
		return errNegative
	}
	fmt.Fprintln(s.stdout, "WHOLE")
	return nil
}

// auditReport is the JSON form of a report.
type auditReport struct {
	Whole       bool           `json:"whole"`
	Origin      string         `json:"origin"`
	Entries     uint64         `json:"entries"`
	Checkpoints int            `json:"checkpoints"`
	Covered     uint64         `json:"covered"` // entries under the last checkpoint
	Torn        int            `json:"torn"`    // bytes of an incomplete last line
	Findings    []auditFinding `json:"findings"`
}

type auditFinding struct {
	Line   uint64     `json:"line"`
	Kind   audit.Kind `json:"kind"`
	Detail string     `json:"detail"`
}

func printReport(s streams, r audit.Report) error {
	out := auditReport{
		Whole: r.OK(), Origin: r.Origin, Entries: r.Entries, Checkpoints: r.Checkpoints,
		Covered: r.Covered, Torn: r.Torn, Findings: []auditFinding{},
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, auditFinding(f))
	}
	encoder := json.NewEncoder(s.stdout)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(out)
	if err == nil && !out.Whole {
		err = errNegative
	}
	return err
}
