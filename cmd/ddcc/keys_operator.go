package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
)

// keysOperator are the commands of the operators of a signer. They hold no key and make
// none: the signer does what two operators agree on.
type keysOperator struct {
	List     keysListCmd     `cmd:"" help:"Show the register: every key with its state, and the emergency stop if one stands."`
	Register keysRegisterCmd `cmd:"" help:"Propose to put the keys of a ceremony on the register."`
	Activate keysActivateCmd `cmd:"" help:"Propose when a published key begins to sign; the key before it stops then."`
	Retire   keysRetireCmd   `cmd:"" help:"Propose when a key stops to sign. What it signed stays valid."`
	Revoke   keysRevokeCmd   `cmd:"" help:"Propose to withdraw a key for good: what it signed must not be believed any more."`
	CRL      keysCRLCmd      `cmd:"" name:"crl" help:"Propose to publish a revocation list of a CSCA."`
	Pending  keysPendingCmd  `cmd:"" help:"Show what waits for the approval of another operator."`
	Approve  keysApproveCmd  `cmd:"" help:"Approve what another operator proposed; it is carried out at once."`
	Withdraw keysWithdrawCmd `cmd:"" help:"Take a proposal back, whoever made it."`
	Stop     keysStopCmd     `cmd:"" help:"EMERGENCY: stop all signing at once. One operator is enough."`
	Resume   keysResumeCmd   `cmd:"" help:"Propose to end the emergency stop."`

	VaultPolicy keysVaultPolicyCmd `cmd:"" help:"Print the Vault policy that permits the signer its keys and nothing else."`
}

// operatorFlags say how to reach a signer as an operator. Variables may give them, so that
// an emergency stop is a short line.
type operatorFlags struct {
	Signer string `required:"" env:"DDCC_SIGNER" help:"Address of the signer." placeholder:"https://HOST:PORT"`
	Cert   string `required:"" env:"DDCC_OPERATOR_CERT" help:"PEM file with your operator certificate." placeholder:"FILE"`
	Key    string `required:"" env:"DDCC_OPERATOR_KEY" help:"PEM file with its private key." placeholder:"FILE"`
	CA     string `name:"ca" required:"" env:"DDCC_SIGNER_CA" help:"PEM file with the CA of the signer's certificate." placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Print the answer of the signer as JSON."`
}

// operatorTimeout bounds one call: an approval waits for key store and register.
const operatorTimeout = time.Minute

func (f operatorFlags) open() (*client.Operator, error) {
	tlsConfig, err := tlsconf.NewClient(tlsconf.ClientOptions{Files: tlsconf.ClientFiles{
		Identity: tlsconf.Identity{Cert: f.Cert, Key: config.SecretFile(f.Key)}, CA: f.CA,
	}})
	if err != nil {
		return nil, usage("%v", err)
	}
	o, err := client.NewOperator(f.Signer, client.Transport(tlsConfig), operatorTimeout)
	if err != nil {
		return nil, usage("%v", err)
	}
	return o, nil
}

// propose sends a proposal and says what is next.
func (f operatorFlags) propose(s streams, req signing.OperationRequest) error {
	o, err := f.open()
	if err != nil {
		return err
	}
	op, err := o.Propose(s.ctx, req)
	if err != nil {
		return explain(s, err)
	}
	if f.JSON {
		return printJSON(s, op)
	}
	fmt.Fprintf(s.stdout, "Proposed. Nothing has changed yet: another operator approves until %s with\n\n  ddcc keys approve %s\n", moment(op.ExpiresAt), op.ID)
	return nil
}

// explain prints what a signer refused, rule by rule.
func explain(s streams, err error) error {
	if errors.Is(err, errUsage) {
		return err
	}
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Upstream || f.Kind == fault.Unavailable && len(f.Issues) == 0 {
		return fmt.Errorf("%s (%w)", f.Detail, bareCause(err))
	}
	fmt.Fprintf(s.stderr, "ddcc: refused: %s (%s)\n", f.Detail, f.Code)
	for _, i := range f.Issues {
		fmt.Fprintf(s.stderr, "  %s: %s: %s %s\n", i.Path, i.Rule, i.Detail, i.Fix)
	}
	return errNegative
}

// bareCause is what stopped a call before the signer could answer.
func bareCause(err error) error {
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == "remote error" { // how crypto/tls hands on an alert of the peer
		return fmt.Errorf("the signer refused the TLS client certificate: %w; is it that of an operator?", alert)
	}
	return err
}

// moment writes an instant for people.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
