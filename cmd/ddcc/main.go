// Command ddcc is the operator's and newcomer's tool: it shows the whole job on one
// machine, issues, revokes, converts, verifies and inspects certificates, makes development
// keys, and checks the audit log. Only its subcommands `keys` and `bench` touch key code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes that scripts can trust.
const (
	exitOK       = 0
	exitNegative = 1 // it worked, and the answer is no: not valid, tampered, refused
	exitUsage    = 2 // the command line or a file named on it is wrong
)

// errNegative is a definite no; its text is printed by the command itself.
var errNegative = errors.New("negative result")

type cli struct {
	Demo    demoCmd    `cmd:"" help:"Start signer and gateway on loopback, issue a two-dose batch in four formats with the printed card, verify the result."`
	Issue   issueCmd   `cmd:"" help:"Post a FHIR health event or batch to a gateway and keep what comes back."`
	Revoke  revokeCmd  `cmd:"" help:"Take back a certificate, or everything a key signed."`
	CCDA    ccdaCmd    `cmd:"" name:"ccda" help:"Convert a C-CDA document into a FHIR Bundle, and say what was not kept."`
	Convert convertCmd `cmd:"" help:"Have a certificate of anybody read, and issued anew where policy allows."`
	Card    cardCmd    `cmd:"" help:"Fetch the holder's printed card as a PDF."`
	Verify  verifyCmd  `cmd:"" help:"Check a certificate offline: a QR picture, an HC1 text or a DDCC document."`
	Inspect inspectCmd `cmd:"" help:"Show what a certificate says, without trusting it."`
	Keys    keysCmd    `cmd:"" help:"Make keys and certificates, and operate those of a signer."`
	Trust   trustCmd   `cmd:"" help:"Import the trust lists of others, and look at lists."`
	Audit   auditCmd   `cmd:"" help:"Check, summarise and export a signing audit log offline."`
	Bench   benchCmd   `cmd:"" help:"Measure the numbers of the design beside their references."`

	Transactions transactionsCmd `cmd:"" help:"Search what a gateway was asked and what became of it, and repeat deliveries."`
}

// streams are where a command reads and writes.
type streams struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// printJSON writes the machine-readable form of a result.
func printJSON(s streams, what any) error {
	encoder := json.NewEncoder(s.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(what)
}

const description = `Tool of the trusted-party certificate gateway.

Exit codes: 0 yes or done, 1 no (a certificate is not valid, a log was tampered with, a
gateway refused), 2 the command line or a file on it cannot be used.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(streams{ctx, os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(s streams, args []string) int {
	exited := -1
	parser, err := kong.New(&cli{}, kong.Name("ddcc"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(s.stdout, s.stderr), kong.Exit(func(code int) { exited = code }), kong.Bind(s), words())
	if err != nil {
		fmt.Fprintln(s.stderr, "ddcc:", err)
		return exitUsage
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(s.stderr, "ddcc:", err)
		return exitUsage
	}
	switch err := command.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errNegative):
		return exitNegative
	case errors.Is(err, errUsage):
		fmt.Fprintln(s.stderr, "ddcc:", err)
		return exitUsage
	default:
		fmt.Fprintln(s.stderr, "ddcc:", err)
		return exitNegative
	}
}

// words are the names that the gateway knows, for help and checks of flags.
func words() kong.Vars {
	return kong.Vars{"formats": strings.Join(allFormats, ","), "reasons": strings.Join(reasons, ",")}
}

// errUsage marks errors about what the user named.
var errUsage = errors.New("cannot be used")

func usage(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, errUsage)...)
}
