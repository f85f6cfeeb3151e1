// Command signer is the isolated signing service: the only process that holds keys.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/hardening"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "signer:", err)
	}
	os.Exit(config.ExitCode(err))
}

// prefix of the environment variables.
const prefix = "SIGNER_"

const description = `The signing service of the certificate gateway. It takes intents over mutual TLS from the
callers on its list, builds, lints and signs certificates, and keeps an audit log of every
use of a key. Environment variables: SIGNER_ and the flag's name, e.g. SIGNER_DATA_DIR.
Exit codes: 0 ended as asked, 1 failed while running, 2 the configuration is wrong.`

func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := hardening.Environ(prefix, environ); err != nil {
		return err
	}
	parsed, err := config.Parse[settings](config.Program{
		Name: "signer", Description: description, Prefix: prefix,
		Args: args, Environ: environ, Stdout: stdout,
	})
	if err != nil || parsed.Exit {
		return err
	}
	if parsed.Command == "check-config" {
		if err := check(ctx, parsed.Config); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, "The configuration is usable.")
		return err
	}
	return serve(ctx, parsed.Config, stdin, stderr)
}
