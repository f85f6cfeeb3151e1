package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

type trustShowCmd struct {
	List   string    `arg:"" help:"trustlist.json, or trustlist.jws with its signature; - for standard input." placeholder:"FILE"`
	Anchor []string  `help:"PEM file with the CSCA certificates that the signature must rest on." placeholder:"FILE"`
	At     time.Time `help:"Instant at which a signed list must hold, RFC 3339; now when absent." placeholder:"TIME"`
	JSON   bool      `name:"json" help:"Print it as JSON."`
}

// Help says which file to take.
func (c *trustShowCmd) Help() string {
	return `The gateway publishes both forms under /trust. The signed one says itself whether it is genuine:

  ddcc trust show trustlist.jws --anchor csca.pem

Get the CSCA from the authority, not from the list. trustlist.json is not signed: what it says is
worth as much as the way it came.

Exit codes: 0 shown, 1 the signature or the dates are wrong, 2 a file or the command line cannot be used.`
}

// shownList is the JSON form.
type shownList struct {
	Verified   bool         `json:"verified"` // signed, and checked with the anchors
	SignedBy   string       `json:"signedBy,omitempty"`
	SignerKID  string       `json:"signerKid,omitempty"`
	Country    string       `json:"country"`
	IssuedAt   time.Time    `json:"issuedAt"`
	NextUpdate time.Time    `json:"nextUpdate,omitzero"`
	Keys       []shownKey   `json:"keys"`
	Anchors    []shownCSCA  `json:"anchors"`
	Revoked    []shownKeyID `json:"revoked"`
}

type shownKeyID struct {
	KID        string        `json:"kid"`
	Thumbprint string        `json:"thumbprint"` // SHA-256 of the certificate
	Usages     []trust.Usage `json:"usages"`
}

type shownKey struct {
	shownKeyID
	State      trust.State `json:"state,omitempty"`
	ListedFrom time.Time   `json:"listedFrom,omitzero"`
	ActiveFrom time.Time   `json:"activeFrom,omitzero"`
	NotBefore  time.Time   `json:"notBefore"`
	NotAfter   time.Time   `json:"notAfter"`
	Subject    string      `json:"subject"`
}

type shownCSCA struct {
	Thumbprint string    `json:"thumbprint"`
	NotBefore  time.Time `json:"notBefore"`
	NotAfter   time.Time `json:"notAfter"`
	Subject    string    `json:"subject"`
}

// Run shows one list.
func (c *trustShowCmd) Run(s streams) error {
	raw, err := readFile(s, c.List)
	if err != nil {
		return err
	}
	var shown shownList
	if isJSON(raw) {
		shown, err = c.readJSON(raw)
	} else {
		shown, err = c.readSigned(s, raw)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, shown)
	}
	shown.write(s.stdout)
	return nil
}

func isJSON(raw []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) }

func (c *trustShowCmd) readJSON(raw []byte) (shownList, error) {
	if len(c.Anchor) > 0 {
		return shownList{}, usage("trustlist.json has no signature that --anchor could check; take trustlist.jws")
	}
	list, err := trust.ParseList(raw, trust.Limits{})
	if err != nil {
		return shownList{}, usage("trust list: %v%s", err, issuesOf(err))
	}
	return newShownList(list), nil
}

func (c *trustShowCmd) readSigned(s streams, raw []byte) (shownList, error) {
	if len(c.Anchor) == 0 {
		return shownList{}, usage("a signed list is shown after its signature was checked: give the CSCA of the authority with --anchor")
	}
	anchors, err := trust.ReadAnchors(c.Anchor)
	if err != nil {
		return shownList{}, usage("%v", err)
	}
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	statement, err := trust.VerifyStatement(bytes.TrimSpace(raw), anchors, at)
	if err != nil {
		f := fault.From(err)
		fmt.Fprintf(s.stderr, "ddcc: NOT GENUINE OR NOT VALID (%s) %s%s\n", f.Code, f.Detail, issuesOf(err))
		return shownList{}, errNegative
	}
	shown := newShownList(statement.TrustList)
	shown.Verified, shown.SignedBy = true, statement.Signer.DSC.Subject.String()
	shown.SignerKID = base64.StdEncoding.EncodeToString(statement.Signer.KID)
	return shown, nil
}

// issuesOf writes every rule that a list breaks, one a line.
func issuesOf(err error) string {
	var all strings.Builder
	for _, issue := range fault.From(err).Issues {
		fmt.Fprintf(&all, "\n  %s: %s: %s", issue.Path, issue.Rule, issue.Detail)
	}
	return all.String()
}

func newShownList(list trust.TrustList) shownList {
	shown := shownList{
		Country: list.Country, IssuedAt: list.IssuedAt, NextUpdate: list.NextUpdate,
		Keys: []shownKey{}, Anchors: []shownCSCA{}, Revoked: []shownKeyID{},
	}
	for _, entry := range list.List.Entries() {
		shown.Keys = append(shown.Keys, shownKey{
			shownKeyID: newShownKeyID(entry.KID, thumbprint(entry.DSC.Raw), entry.Usages),
			State:      entry.State, ListedFrom: entry.ListedFrom, ActiveFrom: entry.ActiveFrom,
			NotBefore: entry.DSC.NotBefore.UTC(), NotAfter: entry.DSC.NotAfter.UTC(), Subject: entry.DSC.Subject.String(),
		})
	}
	for _, csca := range list.List.Anchors() {
		shown.Anchors = append(shown.Anchors, shownCSCA{
			Thumbprint: thumbprint(csca.Raw), NotBefore: csca.NotBefore.UTC(), NotAfter: csca.NotAfter.UTC(), Subject: csca.Subject.String(),
		})
	}
	for _, key := range list.Revoked {
		shown.Revoked = append(shown.Revoked, newShownKeyID(key.KID, hex.EncodeToString(key.Thumbprint[:]), key.Usages))
	}
	return shown
}

func newShownKeyID(kid []byte, thumbprint string, usages []trust.Usage) shownKeyID {
	return shownKeyID{KID: base64.StdEncoding.EncodeToString(kid), Thumbprint: thumbprint, Usages: usages}
}

// write shows the list to people. Names are somebody's text and therefore quoted.
func (l shownList) write(w io.Writer) {
	if l.Verified {
		fmt.Fprintf(w, "GENUINE: signed by %q (%s)\n", l.SignedBy, l.SignerKID)
	} else {
		fmt.Fprintln(w, "NOT SIGNED: this form is worth as much as the way it came.")
	}
	fmt.Fprintf(w, "  country    %s\n  issued     %s\n", l.Country, moment(l.IssuedAt))
	if !l.NextUpdate.IsZero() {
		fmt.Fprintf(w, "  holds to   %s\n", moment(l.NextUpdate))
	}
	for _, key := range l.Keys {
		fmt.Fprintf(w, "\n%s key %s for %s\n  valid      %s to %s\n", stateText(key.State), key.KID, usagesText(key.Usages), moment(key.NotBefore), moment(key.NotAfter))
		if !key.ListedFrom.IsZero() {
			fmt.Fprintf(w, "  listed     %s\n", moment(key.ListedFrom))
		}
		if !key.ActiveFrom.IsZero() {
			fmt.Fprintf(w, "  signs from %s\n", moment(key.ActiveFrom))
		}
		fmt.Fprintf(w, "  subject    %q\n  SHA-256    %s\n", key.Subject, key.Thumbprint)
	}
	for _, csca := range l.Anchors {
		fmt.Fprintf(w, "\nCSCA %q\n  valid      %s to %s\n  SHA-256    %s\n", csca.Subject, moment(csca.NotBefore), moment(csca.NotAfter), csca.Thumbprint)
	}
	for _, key := range l.Revoked {
		fmt.Fprintf(w, "\nREVOKED key %s for %s\n  SHA-256    %s\n", key.KID, usagesText(key.Usages), key.Thumbprint)
	}
}

func stateText(state trust.State) string {
	if state == "" {
		return "listed"
	}
	return string(state)
}

func thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func usagesText(usages []trust.Usage) string {
	words := make([]string, len(usages))
	for i, usage := range usages {
		words[i] = string(usage)
	}
	return strings.Join(words, ", ")
}
