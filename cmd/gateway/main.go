// Command gateway takes health events from issuers, has them certified, and publishes
// the keys that verify the certificates. It links no key code.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
	}
	os.Exit(config.ExitCode(err))
}

const description = `The trusted-party certificate gateway. Issuers post FHIR over mutual TLS under /ddcc;
verifiers fetch public keys under /trust. Certificates are signed by the signing service,
which this process reaches over mutual TLS. Environment variables: GATEWAY_ and the flag's
name, e.g. GATEWAY_DATA_DIR. Exit codes: 0 ended as asked, 1 failed while running, 2 the
configuration is wrong.`

func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	parsed, err := config.Parse[settings](config.Program{
		Name: "gateway", Description: description, Prefix: "GATEWAY_",
		Args: args, Environ: environ, Stdout: stdout,
	})
	if err != nil || parsed.Exit {
		return err
	}
	if parsed.Command == "check-config" {
		if err := check(parsed.Config); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, "The configuration is usable.")
		return err
	}
	return serve(ctx, parsed.Config, stdin, stderr)
}
