// Package ceremony makes keys and certificates: one reviewed file, one ceremony.
//
// The file says everything that will happen; whoever reviews it reviews the ceremony, not
// somebody's shell history. Read takes it apart and names all its mistakes at once.
// Prepare builds every certificate it asks for, signs it with throwaway keys and holds it
// against package governance, without touching a key; this is the dry run. Plan.Perform
// then makes the keys, signs, lints again, compares what was signed with what was linted,
// verifies the chain, and writes the outputs.
//
// Invariants. No output is ever overwritten, and all of them are checked before a key is
// made. An output has its name only when it is whole and on disk. A ceremony that stops
// in the middle leaves at most a key without certificate and a transcript without an end.
// A certificate whose lint was not clean is not written. No private key, token or
// passphrase comes near this package: keys stay behind keystore.Maker and
// CertificateAuthority.
package ceremony

import (
	"errors"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Refusals of a ceremony.
var (
	errFile = fault.New(fault.Rule, "ceremony-file", "The ceremony file, or a file it names, cannot be used.")
	errLint = fault.New(fault.Rule, "ceremony-lint", "A certificate breaks the rules of certificate governance.")
	// ErrOutputExists: an output of the ceremony is there already. Nothing was done.
	ErrOutputExists = fault.New(fault.Conflict, "ceremony-output-exists", "The ceremony would overwrite a file.")
)

// complaints collects what is wrong with a file, by the path of its members.
type complaints []fault.Issue

func (c *complaints) add(path, rule, detail, fix string) {
	*c = append(*c, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// unless complains when ok is false, and gives ok back.
func (c *complaints) unless(ok bool, path, rule, detail, fix string) bool {
	if !ok {
		c.add(path, rule, detail, fix)
	}
	return ok
}

func (c complaints) err() error {
	if len(c) == 0 {
		return nil
	}
	return errFile.With(c...)
}

// IsGovernance reports whether an error is a breach of certificate governance, as opposed
// to a mistake in a file.
func IsGovernance(err error) bool { return errors.Is(err, errLint) }
