package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

type convertCmd struct {
	gatewayFlags `embed:""`

	Certificate string   `arg:"" help:"A certificate of anybody: a QR picture (PNG), a file with its text, the text itself, or - for standard input." placeholder:"FILE|TEXT"`
	Reissue     bool     `help:"Issue the event anew as a certificate of our own."`
	Complement  string   `help:"With --reissue: a QuestionnaireResponse with pha, hcid and what the certificate does not carry." placeholder:"FILE"`
	Event       *int     `help:"With --reissue: which event of several, from 0 on." placeholder:"N"`
	Format      []string `enum:"${formats}" help:"With --reissue: a format beside WHO's own: ${formats}. Repeat it." placeholder:"NAME"`
	Out         string   `default:"." help:"With --reissue: directory for what comes back." placeholder:"DIR"`
	JSON        bool     `name:"json" help:"Print the gateway's answer as it is."`
}

// Help is shown by --help.
func (*convertCmd) Help() string {
	return `The gateway reads a certificate in any format it knows (WHO DDCC and ICVP, EU DCC, SMART Health
Card, VDS-NC, DIVOC), checks it against its own keys and the trust lists it imported, and says what
it states as WHO's core data set. The issuer needs the right convert.

  ddcc convert foreign.png …
  ddcc convert foreign.txt --reissue --complement mine.json --format shc …

A complement adds and never overrules: what the certificate says stands.
Exit code 1: the certificate is not valid, or it cannot be issued anew.`
}

// Run has the certificate read, and issued anew where that is asked for.
func (c *convertCmd) Run(s streams) error {
	body, err := c.request(s)
	if err != nil {
		return err
	}
	if c.Reissue {
		if err := os.MkdirAll(c.Out, 0o755); err != nil { //nolint:gosec // a folder of the user's choice
			return usage("%v", err)
		}
	}
	i, err := c.open()
	if err != nil {
		return err
	}
	a, p, err := i.operation(s.ctx, "/ddcc/$convert", body)
	if err != nil {
		return err
	}
	if a.status >= http.StatusMultipleChoices {
		if c.JSON {
			fmt.Fprintf(s.stdout, "%s\n", a.body)
			return errNegative
		}
		fmt.Fprintf(s.stdout, "REFUSED (%d)\n", a.status)
		printOutcome(s.stdout, a.body)
		return errNegative
	}
	return c.show(s, a, p)
}

// request is the body of $convert.
func (c *convertCmd) request(s streams) (map[string]any, error) {
	if !c.Reissue && (c.Complement != "" || c.Event != nil || len(c.Format) > 0) {
		return nil, usage("--complement, --event and --format belong to --reissue")
	}
	if c.Reissue && c.Complement == "" {
		return nil, usage("--reissue needs --complement")
	}
	text, err := c.text(s)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{{"name": "certificate", "valueString": text}}
	if !c.Reissue {
		return map[string]any{"resourceType": "Parameters", "parameter": list}, nil
	}
	complement, err := readFile(s, c.Complement)
	if err != nil {
		return nil, err
	}
	if !json.Valid(complement) {
		return nil, usage("%s is not JSON", c.Complement)
	}
	list = append(list, map[string]any{"name": "reissue", "valueBoolean": true},
		map[string]any{"name": "complement", "resource": json.RawMessage(complement)})
	if c.Event != nil {
		list = append(list, map[string]any{"name": "event", "valueString": strconv.Itoa(*c.Event)})
	}
	for _, format := range c.Format {
		list = append(list, map[string]any{"name": "format", "valueCode": format})
	}
	return map[string]any{"resourceType": "Parameters", "parameter": list}, nil
}

// text is that of the certificate; the codes of a SMART Health Card are put together.
func (c *convertCmd) text(s streams) (string, error) {
	input, err := readCertificate(s, c.Certificate)
	switch {
	case err != nil:
		return "", err
	case input.unreadable:
		return "", usage("no QR code could be read from the picture")
	case input.document != nil:
		return "", usage("a document holds several certificates; name the text or the picture of one")
	case len(input.cards) > 0:
		return "", usage("the file holds several cards; name the text of one")
	case len(input.chunks) == 0:
		return input.text, nil
	}
	jws, err := shc.Join(input.chunks)
	if err != nil {
		return "", usage("%v", err)
	}
	return jws, nil
}

// show prints what the certificate says; the user asked for this one.
func (c *convertCmd) show(s streams, a answer, p parameters) error {
	var negative error
	verdict := find(p.Parameter, "verification").Part
	if !find(verdict, "valid").ValueBoolean {
		negative = errNegative
	}
	if c.JSON {
		fmt.Fprintf(s.stdout, "%s\n", a.body)
	} else if err := printConversion(s, verdict, p.Parameter); err != nil {
		return err
	}
	issued := find(p.Parameter, "return").Resource
	if issued == nil {
		return negative
	}
	k := keeper{streams: s, dir: c.Out}
	if c.JSON {
		k.stdout = s.stderr // standard output is the answer alone
	}
	status := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	return errors.Join(negative, k.store(1, status, issued, find(p.Parameter, "outcome").Resource))
}

func printConversion(s streams, verdict, all []parameter) error {
	word := "NOT VALID"
	if find(verdict, "valid").ValueBoolean {
		word = "VALID"
	}
	fmt.Fprintf(s.stdout, "%s (%s) %s\n", word, find(verdict, "reason").words(), find(verdict, "detail").words())
	for _, name := range []string{"format", "profile", "signer"} {
		if said := find(verdict, name).words(); said != "" {
			fmt.Fprintf(s.stdout, "  %-8s %s\n", name, said)
		}
	}
	for _, part := range verdict {
		if part.Name == "warning" {
			fmt.Fprintf(s.stdout, "  warning  %s\n", part.words())
		}
	}
	for _, event := range all {
		if event.Name != "event" {
			continue
		}
		var core bytes.Buffer
		if err := json.Indent(&core, []byte(find(event.Part, "coreDataSet").words()), "  ", "  "); err != nil {
			return fmt.Errorf("the gateway's core data set: %w", err)
		}
		fmt.Fprintf(s.stdout, "  %s\n", core.Bytes())
		if outcome := find(event.Part, "outcome").Resource; outcome != nil {
			printOutcome(s.stdout, outcome)
		}
	}
	return nil
}
