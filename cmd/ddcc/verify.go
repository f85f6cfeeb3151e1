package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/verification"
)

type verifyCmd struct {
	Certificate string   `arg:"" help:"A QR picture (PNG), a file with a QR text, a SMART Health Card file or a DDCC document, the text itself, or - for standard input." placeholder:"FILE|TEXT"`
	More        []string `arg:"" optional:"" help:"The other QR codes of a SMART Health Card that has several, each a picture, a file or the text." placeholder:"FILE|TEXT"`
	trustFlags
	Revocations string    `help:"Folder with a copy of the revocation lists, as published under /trust/revocation/. They are the ones of --trust." placeholder:"DIR"`
	At          time.Time `help:"Instant to verify at, RFC 3339; now when absent." placeholder:"TIME"`
	JSON        bool      `name:"json" help:"Print the whole result as JSON; a list if there are several cards."`
}

// Help shows what can be checked.
func (*verifyCmd) Help() string {
	return `Formats: EU DCC, WHO DDCC and ICVP (HC1:), SMART Health Cards (shc:/, also in several codes or in a
.smart-health-card file), ICAO VDS-NC, DIVOC, and DDCC documents.

  ddcc verify --trust trustlist.json dose.png
  ddcc verify --trust trustlist.json card.smart-health-card
  ddcc verify --trust trustlist.json code-1.png code-2.png code-3.png
  ddcc verify --trust trustlist.json --revocations revocation/ dose.png
  ddcc verify --foreign-sources sources.json --foreign-dir foreign/ dose.png

Exit codes: 0 valid (every card of a file), 1 not valid, 2 a file or the command line cannot be used.`
}

// Run checks the certificate. The exit code is 0 only when it is valid.
func (c *verifyCmd) Run(s streams) error {
	results, err := c.checkAll(s)
	if err != nil {
		return err
	}
	switch {
	case c.JSON && len(results) == 1:
		err = printJSON(s, results[0])
	case c.JSON:
		err = printJSON(s, results)
	default:
		for _, result := range results {
			err = errors.Join(err, printResult(s, result))
		}
	}
	if err == nil && slices.ContainsFunc(results, func(r verification.Result) bool { return !r.Valid }) {
		err = errNegative
	}
	return err
}

func printResult(s streams, r verification.Result) error {
	word := "NOT VALID"
	if r.Valid {
		word = "VALID"
	}
	fmt.Fprintf(s.stdout, "%s (%s) %s\n", word, r.Reason, verification.Explain(r.Reason))
	if r.Detail != "" {
		fmt.Fprintf(s.stdout, "  detail   %s\n", r.Detail)
	}
	if r.Signer == nil {
		return nil
	}
	fmt.Fprintf(s.stdout, "  kind     %s, %s\n  signer   %s\n  issued   %s\n  expires  %s\n",
		r.Format, r.Profile, signerName(r), instant(r.IssuedAt), instant(r.ExpiresAt))
	if r.Document != nil {
		fmt.Fprintf(s.stdout, "  document signed %s by %s\n", instant(r.Document.SignedAt), r.Document.Signer.Subject)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(s.stdout, "  warning  %s\n", w)
	}
	return printContent(s, r.Content)
}

// signerName is the subject of the certificate; of a key without one, who the certificate says
// issued it and the name of the key.
func signerName(r verification.Result) string {
	if r.Signer.Subject != "" {
		return r.Signer.Subject
	}
	return fmt.Sprintf("%q, key %q of a registry", r.Issuer, r.KID)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "not stated"
	}
	return t.UTC().Format(time.RFC3339)
}

// printContent shows the health data; the user asked for this one certificate.
func printContent(s streams, content map[string]any) error {
	raw, err := json.MarshalIndent(content, "  ", "  ")
	if err == nil {
		fmt.Fprintf(s.stdout, "  %s\n", raw)
	}
	return err
}
