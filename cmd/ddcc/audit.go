package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Prove that a log is whole: nothing changed, removed, reordered or cut off before the last checkpoint."`
}

type auditVerifyCmd struct {
	Dir string `arg:"" help:"Directory of the log." placeholder:"DIR"`
	Key string `required:"" help:"PEM file with the public key of the checkpoints." placeholder:"FILE"`
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
