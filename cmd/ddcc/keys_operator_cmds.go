package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	strictjson "github.com/go-json-experiment/json"
	"golang.org/x/term"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
)

type keysListCmd struct {
	operatorFlags `embed:""`
}

// listing is the JSON of `keys list`.
type listing struct {
	Stop signing.Stop        `json:"stop"`
	Keys []signing.KeyStatus `json:"keys"`
}

// Run shows the register.
func (c *keysListCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	var l listing
	if l.Stop, err = o.StopState(s.ctx); err != nil {
		return explain(s, err)
	}
	if l.Keys, err = o.Keys(s.ctx); err != nil {
		return explain(s, err)
	}
	if c.JSON {
		return printJSON(s, l)
	}
	if l.Stop.Stopped {
		fmt.Fprintf(s.stdout, "EMERGENCY STOP since %s by %s: %s. Nothing is signed.\n\n", moment(*l.Stop.Since), l.Stop.By, l.Stop.Reason)
	}
	if len(l.Keys) == 0 {
		fmt.Fprintln(s.stdout, "The register is empty. Put the keys of a ceremony on it with `ddcc keys register FILE`.")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USAGE\tKEY\tSTATE\tSIGNS FROM\tUNTIL\tCERTIFICATE ENDS\tKEY STORE")
	for _, k := range l.Keys {
		state := k.State
		if k.Signing {
			state += " (signing)"
		}
		fmt.Fprintf(w, "%s\t%x\t%s\t%s\t%s\t%s\t%s:%d\n", k.Usage, k.KID, state, moment(k.ActivateAt), moment(k.SignsUntil), moment(k.ExpiresAt), k.Label, k.Version)
	}
	return w.Flush()
}

type keysRegisterCmd struct {
	operatorFlags `embed:""`

	File string `arg:"" help:"JSON file of the ceremony: {\"kind\": \"register\", \"registrations\": [...]}; - for standard input." placeholder:"FILE"`
}

// Run proposes what the file says, as it stands.
func (c *keysRegisterCmd) Run(s streams) error {
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	var req signing.OperationRequest
	if err := strictjson.Unmarshal(raw, &req, strictjson.RejectUnknownMembers(true)); err != nil {
		return usage("%s is not a registration: %v", c.File, err)
	}
	if req.Kind != signing.OperationRegister {
		return usage("%s: kind is not %q", c.File, signing.OperationRegister)
	}
	return c.propose(s, req)
}

// keyArg is the key a command is about.
type keyArg struct {
	KID string `arg:"" name:"kid" help:"Key id: 16 hex digits as 'ddcc keys list' shows them, or base64 as trust lists do." placeholder:"KID"`
}

func (k keyArg) bytes() ([]byte, error) {
	const size = 8
	if raw, err := hex.DecodeString(k.KID); err == nil && len(raw) == size {
		return raw, nil
	}
	text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(k.KID, "="))
	if raw, err := base64.RawStdEncoding.DecodeString(text); err == nil && len(raw) == size {
		return raw, nil
	}
	return nil, usage("%q is not a key id of 8 bytes in hex or base64", k.KID)
}

// timing is when a key begins or stops.
type timing struct {
	At    time.Time `help:"When, e.g. 2027-03-01T00:00:00Z; left out: when approved." placeholder:"TIME"`
	Force bool      `help:"Even if then no key signs for the usage."`
}

func (t timing) request(kind string, k keyArg) (signing.OperationRequest, error) {
	kid, err := k.bytes()
	req := signing.OperationRequest{Kind: kind, KID: kid, Force: t.Force}
	if !t.At.IsZero() {
		req.At = &t.At
	}
	return req, err
}

type keysActivateCmd struct {
	operatorFlags `embed:""`
	keyArg        `embed:""`
	timing        `embed:""`
}

// Run proposes when a key begins.
func (c *keysActivateCmd) Run(s streams) error {
	req, err := c.request(signing.OperationActivate, c.keyArg)
	if err != nil {
		return err
	}
	return c.propose(s, req)
}

type keysRetireCmd struct {
	operatorFlags `embed:""`
	keyArg        `embed:""`
	timing        `embed:""`
}

// Run proposes when a key stops.
func (c *keysRetireCmd) Run(s streams) error {
	req, err := c.request(signing.OperationRetire, c.keyArg)
	if err != nil {
		return err
	}
	return c.propose(s, req)
}

type keysRevokeCmd struct {
	operatorFlags `embed:""`
	keyArg        `embed:""`

	Reason string `required:"" enum:"unspecified,keyCompromise,cACompromise,affiliationChanged,superseded,cessationOfOperation,privilegeWithdrawn,aACompromise" help:"Reason code of RFC 5280: ${enum}." placeholder:"CODE"`
}

// Run proposes to withdraw a key.
func (c *keysRevokeCmd) Run(s streams) error {
	kid, err := c.bytes()
	if err != nil {
		return err
	}
	return c.propose(s, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid, Reason: c.Reason})
}

type keysCRLCmd struct {
	operatorFlags `embed:""`

	File string `arg:"" help:"Revocation list in PEM or DER; - for standard input." placeholder:"FILE"`
}

// Run proposes to publish a list.
func (c *keysCRLCmd) Run(s streams) error {
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	return c.propose(s, signing.OperationRequest{Kind: signing.OperationCRL, CRL: raw})
}

type keysPendingCmd struct {
	operatorFlags `embed:""`
}

// Run lists open operations.
func (c *keysPendingCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	open, err := pendingOf(s, o)
	if err != nil {
		return explain(s, err)
	}
	if c.JSON {
		return printJSON(s, open)
	}
	if len(open) == 0 {
		fmt.Fprintln(s.stdout, "Nothing waits for an approval.")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tKIND\tSTATE\tPROPOSED BY\tAT\tUNTIL")
	for _, op := range open {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", op.ID, op.Request.Kind, op.State, op.Proposer, moment(op.ProposedAt), moment(op.ExpiresAt))
	}
	return w.Flush()
}

// pendingOf reads every page of the open operations.
func pendingOf(s streams, o *client.Operator) ([]signing.Operation, error) {
	all := []signing.Operation{}
	for after := ""; ; {
		page, err := o.Operations(s.ctx, true, after)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Operations...)
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

type keysApproveCmd struct {
	operatorFlags `embed:""`

	ID  string `arg:"" name:"id" help:"Id of the operation, as 'ddcc keys pending' shows it." placeholder:"ID"`
	Yes bool   `help:"Do not ask. Compare the fingerprints yourself before."`
}

// Run shows what will happen, asks, and approves.
func (c *keysApproveCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	op, err := o.Operation(s.ctx, c.ID)
	if err != nil {
		return explain(s, err)
	}
	if !c.Yes {
		if err := c.ask(s, o, op); err != nil {
			return err
		}
	}
	op, err = o.Approve(s.ctx, c.ID)
	if err != nil {
		return explain(s, err)
	}
	if c.JSON {
		if err := printJSON(s, op); err != nil {
			return err
		}
	}
	return c.conclude(s, op)
}

// ask shows the operation on the terminal and wants a yes.
func (c *keysApproveCmd) ask(s streams, o *client.Operator, op signing.Operation) error {
	file, ok := s.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return usage("approving asks on a terminal; there is none. Give --yes if you have compared the fingerprints")
	}
	keys, err := o.Keys(s.ctx)
	if err != nil {
		return explain(s, err)
	}
	describe(s.stderr, op, keys)
	fmt.Fprint(s.stderr, "\nCompare the fingerprints with the paper of the ceremony. Approve? Type yes: ")
	var answer string
	if _, err := fmt.Fscanln(s.stdin, &answer); err != nil || answer != "yes" {
		fmt.Fprintln(s.stderr, "Not approved.")
		return errNegative
	}
	return nil
}

func (c *keysApproveCmd) conclude(s streams, op signing.Operation) error {
	switch op.State {
	case signing.OperationDone:
		if !c.JSON {
			fmt.Fprintln(s.stdout, "Approved and carried out.")
		}
		return nil
	case signing.OperationExecuting:
		fmt.Fprintln(s.stderr, "Approved; the signer is carrying it out. See `ddcc keys pending`.")
		return nil
	default:
		fmt.Fprintf(s.stderr, "The operation is %s %s; nothing changed.\n", op.State, op.Failure)
		return errNegative
	}
}

type keysWithdrawCmd struct {
	operatorFlags `embed:""`

	ID string `arg:"" name:"id" help:"Id of the operation." placeholder:"ID"`
}

// Run takes a proposal back.
func (c *keysWithdrawCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	op, err := o.Withdraw(s.ctx, c.ID)
	if err != nil {
		return explain(s, err)
	}
	if c.JSON {
		return printJSON(s, op)
	}
	fmt.Fprintln(s.stdout, "Withdrawn.")
	return nil
}

type keysStopCmd struct {
	operatorFlags `embed:""`

	Reason string `required:"" enum:"key-compromise,fraud,defect,maintenance,drill" help:"Why: ${enum}." placeholder:"WORD"`
}

// Run stops all signing, without asking.
func (c *keysStopCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	stop, err := o.Stop(s.ctx, c.Reason)
	if err != nil {
		return explain(s, err)
	}
	if c.JSON {
		return printJSON(s, stop)
	}
	fmt.Fprintf(s.stdout, "STOPPED since %s by %s: %s. Nothing is signed. Two operators end it: `ddcc keys resume`, then `ddcc keys approve`.\n", moment(*stop.Since), stop.By, stop.Reason)
	return nil
}

type keysResumeCmd struct {
	operatorFlags `embed:""`
}

// Run proposes to end the stop.
func (c *keysResumeCmd) Run(s streams) error {
	return c.propose(s, signing.OperationRequest{Kind: signing.OperationResume})
}
