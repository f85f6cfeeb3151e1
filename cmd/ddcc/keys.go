package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

type keysCmd struct {
	Dev      keysDevCmd      `cmd:"" help:"Make a development installation: TLS certificates, CSCA and DSCs, secrets, policy and issuers files."`
	Ceremony keysCeremonyCmd `cmd:"" help:"Make keys and certificates as one reviewed file says."`
	keysOperator
}

type keysDevCmd struct {
	Dir string `arg:"" help:"New directory to fill." placeholder:"DIR"`
}

// Run makes the installation and says how to start it.
func (c *keysDevCmd) Run(s streams) error {
	d := devinstall.Installation(c.Dir)
	if err := d.Create(time.Now()); errors.Is(err, os.ErrExist) {
		return usage("%v", err)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "Development installation in %s. Never use its keys for anything else.\n\nsigner", c.Dir)
	printArgs(s, d.SignerArgs(devSigner))
	fmt.Fprint(s.stdout, "\nOnce it runs, two operators put the keys on its register:\n\nddcc")
	printArgs(s, append([]string{"keys", "register", d.Path("register.json")}, operatorArgs(d, "operator-1")...))
	fmt.Fprint(s.stdout, "\nddcc")
	printArgs(s, append([]string{"keys", "approve", "ID"}, operatorArgs(d, "operator-2")...))
	fmt.Fprint(s.stdout, "\ngateway")
	printArgs(s, d.GatewayArgs("127.0.0.1:8443", devSigner))
	return nil
}

// devSigner is where the signer of a development installation listens.
const devSigner = "127.0.0.1:9443"

func operatorArgs(d devinstall.Installation, name string) []string {
	return []string{
		"--signer=https://" + devSigner, "--ca=" + d.Path("tls", "ca.pem"),
		"--cert=" + d.Path("tls", name+".pem"), "--key=" + d.Path("tls", name+".key"),
	}
}

// printArgs shows a command line without the flag that ties a child to its parent.
func printArgs(s streams, args []string) {
	for _, a := range args {
		if a != "--exit-with-stdin" {
			fmt.Fprintf(s.stdout, " \\\n  %s", a)
		}
	}
	fmt.Fprintln(s.stdout)
}
