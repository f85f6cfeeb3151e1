package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
)

type keysCeremonyCmd struct {
	storeFlags `embed:""`

	File  string `arg:"" help:"Ceremony file: JSON, reviewed by two people." placeholder:"FILE"`
	Out   string `default:"." help:"Directory for certificates, requests, registrations and the transcript. Nothing in it is overwritten." placeholder:"DIR"`
	Check bool   `help:"Dry run: read, rehearse with throwaway keys, lint; touch no key and write nothing."`
	Yes   bool   `help:"Do not ask. For scripts whose ceremony file was reviewed."`
}

// Help teaches the command.
func (c *keysCeremonyCmd) Help() string {
	return `One reviewed file says everything that will happen; docs/ceremony.md explains it member by member.

  csca      make the key of a CSCA and its self-signed certificate
  request   make keys of document signers and requests to certify them
  certify   certify requests with the CSCA
  dsc       both at once, where keys and CSCA are in one place
  crl       sign a revocation list with the CSCA

Every certificate is rehearsed with throwaway keys and held against the rules of certificate governance before a key is touched, and again afterwards. No output is overwritten. The transcript goes into the archive; NAME.register.json goes to "ddcc keys register", NAME.crl.pem to "ddcc keys crl".

First on an offline machine, with a key store in sealed files:

  ddcc keys ceremony csca.json --check
  ddcc keys ceremony csca.json --out csca-2026 --software-keys keys --software-passphrase passphrase --new-store

Exit codes: 0 done or nothing to object, 1 the governance rules or the key store said no, 2 the file or the command line cannot be used.`
}

// Run holds the ceremony, or its dry run.
func (c *keysCeremonyCmd) Run(s streams) error {
	plan, err := c.plan()
	if err != nil {
		return explainCeremony(s, err)
	}
	for _, line := range plan.Describe() {
		fmt.Fprintln(s.stdout, line)
	}
	if c.Check {
		fmt.Fprintln(s.stdout, "\nChecked: nothing to object. No key was touched and nothing was written.")
		return nil
	}
	tools, err := c.tools(s.ctx, plan)
	if err != nil {
		return err
	}
	if err := c.confirm(s, plan); err != nil {
		return err
	}
	result, err := plan.Perform(s.ctx, tools)
	if err != nil {
		return explainCeremony(s, err)
	}
	printCeremony(s.stdout, result)
	return nil
}

func (c *keysCeremonyCmd) plan() (*ceremony.Plan, error) {
	source, err := ceremony.Read(c.File)
	if err != nil {
		return nil, err
	}
	return ceremony.Prepare(source, c.Out, time.Now())
}

// tools opens what the ceremony needs, and nothing else.
func (c *keysCeremonyCmd) tools(ctx context.Context, plan *ceremony.Plan) (ceremony.Tools, error) {
	tools := ceremony.Tools{Now: time.Now}
	keys, pki := plan.Needs()
	var err error
	if keys {
		if tools.Keys, err = openMaker(ctx, c.storeFlags); err != nil {
			return tools, err
		}
	}
	if pki {
		tools.PKI, err = openPKI(ctx, c.storeFlags)
	}
	return tools, err
}

// confirm has a person at a terminal type the country.
func (c *keysCeremonyCmd) confirm(s streams, plan *ceremony.Plan) error {
	if c.Yes {
		return nil
	}
	if in, ok := s.stdin.(*os.File); !ok || !term.IsTerminal(int(in.Fd())) {
		return usage("the ceremony asks for confirmation on a terminal; there is none. Give --yes if the file was reviewed")
	}
	return askForCountry(s, plan.Country())
}

func askForCountry(s streams, country string) error {
	fmt.Fprintf(s.stdout, "\nCompare this with the reviewed file. Type the country, %s, to hold the ceremony: ", country)
	answer, err := bufio.NewReader(io.LimitReader(s.stdin, 64)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != country {
		fmt.Fprintln(s.stdout, "Not confirmed. Nothing was done.")
		return errNegative
	}
	return nil
}

func printCeremony(w io.Writer, result *ceremony.Result) {
	fmt.Fprintln(w, "\nDone.")
	for _, certificate := range result.Certificates {
		fmt.Fprintf(w, "\n%s\n  SHA-256 to read aloud: %s\n", certificate.Subject, fingerprint(certificate.Raw))
	}
	fmt.Fprintln(w)
	for _, out := range result.Outputs {
		fmt.Fprintf(w, "%s  %s\n", out.SHA256, out.Path)
	}
	fmt.Fprintf(w, "\nTranscript for the archive: %s\n", result.Transcript)
}

// explainCeremony prints the issues of a refusal. What is wrong with the file is a matter
// of usage; what breaks the governance rules, or a key store's refusal, is a no.
func explainCeremony(s streams, err error) error {
	f := new(fault.Error)
	if !errors.As(err, &f) {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return usage("%v", err)
		}
		return err
	}
	for _, i := range f.Issues {
		fmt.Fprintf(s.stderr, "%s: %s: %s %s\n", i.Path, i.Rule, i.Detail, i.Fix)
	}
	if ceremony.IsGovernance(err) {
		return err
	}
	return usage("%s", f.Detail)
}
