package config

import (
	"errors"
	"fmt"
	"strings"
)

// Exit codes of every binary.
const (
	ExitOK      = 0
	ExitRuntime = 1 // it started and failed
	ExitUsage   = 2 // the command line or the configuration is wrong
)

// ExitCode gives the exit code for what run returned.
func ExitCode(err error) int {
	var usage *Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		return ExitUsage
	}
	return ExitRuntime
}

// Problem is one thing wrong with one setting.
type Problem struct {
	Flag     string // without dashes; empty when the problem is not about a flag
	Variable string // environment variable; Parse fills it in
	Key      string // of the configuration file, when the problem is there
	Text     string // what is wrong and what to do
}

// Error names every way to set the thing.
func (p *Problem) Error() string {
	switch {
	case p.Key != "":
		return fmt.Sprintf("key %q of the configuration file: %s", p.Key, p.Text)
	case p.Flag != "" && p.Variable != "":
		return fmt.Sprintf("--%s (%s): %s", p.Flag, p.Variable, p.Text)
	case p.Flag != "":
		return fmt.Sprintf("--%s: %s", p.Flag, p.Text)
	case p.Variable != "":
		return fmt.Sprintf("%s: %s", p.Variable, p.Text)
	}
	return p.Text
}

// Error is a configuration that cannot be used: all problems found.
type Error struct{ Problems []*Problem }

func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("the configuration has %d problem(s):", len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// Invalid is what a Validate method returns for one flag, named without dashes; join
// several with errors.Join. The text says what is wrong and what to do.
func Invalid(flag, format string, args ...any) error {
	return &Problem{Flag: flag, Text: fmt.Sprintf(format, args...)}
}

// Under puts prefix in front of the flags that err names: for the Validate method of a
// struct that is embedded with a prefix.
func Under(prefix string, err error) error {
	problems := problemsOf(err)
	errs := make([]error, len(problems))
	for i, p := range problems {
		c := *p
		if c.Flag != "" {
			c.Flag = prefix + c.Flag
		}
		errs[i] = &c
	}
	return errors.Join(errs...)
}

// problemsOf flattens a tree of joined errors. Text around a Problem is dropped: the
// problem says it all.
func problemsOf(err error) []*Problem {
	switch e := err.(type) { //nolint:errorlint // walks the tree itself, one level at a time
	case nil:
		return nil
	case *Problem:
		return []*Problem{e}
	case *Error:
		return e.Problems
	case interface{ Unwrap() []error }:
		var all []*Problem
		for _, sub := range e.Unwrap() {
			all = append(all, problemsOf(sub)...)
		}
		return all
	}
	var p *Problem
	if errors.As(err, &p) {
		return problemsOf(errors.Unwrap(err))
	}
	return []*Problem{{Text: err.Error()}}
}
