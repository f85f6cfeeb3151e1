package main

import (
	"bufio"
	"encoding/json"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit/fhiraudit"
)

type auditExportCmd struct {
	auditLog
	Since  string `help:"Only entries from then on: a date (UTC) or an RFC 3339 time." placeholder:"WHEN"`
	Until  string `help:"Only entries before then." placeholder:"WHEN"`
	Issuer string `help:"Only entries about this issuer." placeholder:"ID"`
}

// Run verifies the whole log first and prints nothing of one that is not whole. It reads
// and verifies it once more while it prints, so that what is printed was verified.
func (c *auditExportCmd) Run(s streams) error {
	check, err := c.check(s)
	if err != nil {
		return err
	}
	since, until, err := auditPeriod(c.Since, c.Until, time.UTC)
	if err != nil {
		return err
	}
	report, err := c.read(s, "verifying", check, nil)
	if err != nil {
		return err
	}
	if !report.OK() {
		return auditNotWhole(s, report)
	}
	out := bufio.NewWriter(s.stdout)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	again, err := c.read(s, "exporting", check, func(r audit.Record) error {
		if r.Time.Before(since) || !r.Time.Before(until) || c.Issuer != "" && r.Attributes["issuer"] != c.Issuer {
			return nil
		}
		return lines.Encode(fhiraudit.Event(report.Origin, r))
	})
	if err != nil {
		return err
	}
	if !again.OK() {
		return auditNotWhole(s, again)
	}
	return out.Flush()
}

// auditNotWhole says on standard error why a log is not used.
func auditNotWhole(s streams, r audit.Report) error {
	s.stdout = s.stderr
	printReport(s, r)
	return errNegative
}
