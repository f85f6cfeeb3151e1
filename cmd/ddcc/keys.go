package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

type keysCmd struct {
	Dev keysDevCmd `cmd:"" help:"Make a development installation: TLS certificates, CSCA and DSCs, secrets, issuers file."`
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
	printArgs(s, d.SignerArgs("127.0.0.1:9443"))
	fmt.Fprint(s.stdout, "\ngateway")
	printArgs(s, d.GatewayArgs("127.0.0.1:8443", "127.0.0.1:9443"))
	return nil
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
