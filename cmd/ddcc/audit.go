package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

type auditCmd struct {
	Verify     auditVerifyCmd     `cmd:"" help:"Prove that a log is whole: nothing changed, removed, reordered or cut off before the last checkpoint."`
	Checkpoint auditCheckpointCmd `cmd:"" help:"Print the latest signed checkpoint, to be kept where the signer's machine cannot reach it."`
	Report     auditReportCmd     `cmd:"" help:"Show per issuer what was issued and refused, and flag what stands out."`
	Export     auditExportCmd     `cmd:"" help:"Print the entries as FHIR R4 AuditEvents, one a line."`
}

// auditLog names a log and what it is verified with.
type auditLog struct {
	Dir      string   `arg:"" help:"Directory of the log, or of archived segments." placeholder:"DIR"`
	Key      []string `required:"" sep:"none" help:"PEM file with the public key of the checkpoints. Again for a key it replaced." placeholder:"FILE"`
	Archived string   `help:"Older segments are elsewhere: file with the checkpoint that covers them, e.g. the last checkpoints-*.jsonl of the archive." placeholder:"FILE"`
}

// check reads the files that are named.
func (c auditLog) check(s streams) (audit.Check, error) {
	keys, err := c.keys(s)
	if err != nil {
		return audit.Check{}, err
	}
	out := audit.Check{Keys: keys}
	if c.Archived != "" {
		out.Archived, err = readCheckpoint(s, c.Archived)
	}
	return out, err
}

func (c auditLog) keys(s streams) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for _, name := range c.Key {
		raw, err := readFile(s, name)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			return nil, usage("%s holds no PEM block", name)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, usage("%s: %v", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func readCheckpoint(s streams, name string) (*audit.Checkpoint, error) {
	raw, err := readFile(s, name)
	if err != nil {
		return nil, err
	}
	c, err := audit.ParseCheckpoint(raw)
	if err != nil {
		return nil, usage("%s: %v", name, err)
	}
	return &c, nil
}

// read verifies the log, shows on a terminal how far it is, and hands visit every entry. It
// ends early when the user interrupts it.
func (c auditLog) read(s streams, doing string, check audit.Check, visit func(audit.Record) error) (audit.Report, error) {
	size, err := audit.Size(c.Dir)
	if err != nil {
		return audit.Report{}, usage("%v", err)
	}
	bar := newAuditProgress(s.stderr, doing, size)
	defer bar.end()
	check.Read = bar.step
	var failed error
	check.Visit = func(r audit.Record) error {
		if failed = s.ctx.Err(); failed == nil && visit != nil {
			failed = visit(r)
		}
		return failed
	}
	report, err := check.Verify(c.Dir)
	if err != nil && failed == nil {
		err = usage("%v", err)
	}
	return report, err
}

type auditVerifyCmd struct {
	auditLog
	Checkpoint string `help:"File with a checkpoint kept elsewhere: prove that the log still holds what it covered." placeholder:"FILE"`
	JSON       bool   `name:"json" help:"Print the report as JSON."`
}

// Run verifies a log. A running signer may append meanwhile.
func (c *auditVerifyCmd) Run(s streams) error {
	check, err := c.check(s)
	if err != nil {
		return err
	}
	if c.Checkpoint != "" {
		if check.Witness, err = readCheckpoint(s, c.Checkpoint); err != nil {
			return err
		}
	}
	report, err := c.read(s, "verifying", check, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s, reportOf(report))
	} else {
		printReport(s, report)
	}
	if err == nil && !report.OK() {
		err = errNegative
	}
	return err
}

// printReport says what was found, for people.
func printReport(s streams, r audit.Report) {
	for _, f := range r.Findings {
		if f.File != "" {
			fmt.Fprintf(s.stdout, "%s, line %d: ", f.File, f.Line)
		}
		fmt.Fprintf(s.stdout, "%s: %s\n", f.Kind, f.Detail)
	}
	if r.First > 1 {
		fmt.Fprintf(s.stdout, "entries 1 to %d are not here\n", r.First-1)
	}
	fmt.Fprintf(s.stdout, "%d entries in %d segments, all up to number %d under a signed checkpoint, %d checkpoints\n", r.Entries, r.Segments, r.Covered, r.Checkpoints)
	if r.OK() {
		fmt.Fprintln(s.stdout, "WHOLE")
	} else {
		fmt.Fprintln(s.stdout, "NOT WHOLE")
	}
}

// auditReport is the JSON form of a report.
type auditReport struct {
	Whole       bool           `json:"whole"`
	Origin      string         `json:"origin"`
	Segments    int            `json:"segments"`
	First       uint64         `json:"first"` // number of the first entry that is here
	Entries     uint64         `json:"entries"`
	Checkpoints int            `json:"checkpoints"`
	Covered     uint64         `json:"covered"` // number of the last entry under a checkpoint
	Torn        int            `json:"torn"`    // bytes of an incomplete last line
	Findings    []auditFinding `json:"findings"`
}

type auditFinding struct {
	File   string     `json:"file,omitempty"`
	Line   uint64     `json:"line"`
	Kind   audit.Kind `json:"kind"`
	Detail string     `json:"detail"`
}

func reportOf(r audit.Report) auditReport {
	out := auditReport{
		Whole: r.OK(), Origin: r.Origin, Segments: r.Segments, First: r.First, Entries: r.Entries,
		Checkpoints: r.Checkpoints, Covered: r.Covered, Torn: r.Torn, Findings: []auditFinding{},
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, auditFinding(f))
	}
	return out
}

type auditCheckpointCmd struct {
	Dir string   `arg:"" help:"Directory of the log." placeholder:"DIR"`
	Key []string `required:"" sep:"none" help:"PEM file with the public key of the checkpoints. Again for a key it replaced." placeholder:"FILE"`
}

// Run prints one line.
func (c *auditCheckpointCmd) Run(s streams) error {
	keys, err := auditLog{Key: c.Key}.keys(s)
	if err != nil {
		return err
	}
	last, err := audit.LastCheckpoint(c.Dir, keys...)
	if err != nil {
		return usage("%v", err)
	}
	text, err := last.Line()
	if err == nil {
		_, err = fmt.Fprintf(s.stdout, "%s\n", text)
	}
	return err
}
