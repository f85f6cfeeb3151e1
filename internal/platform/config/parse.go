package config

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Program is what Parse needs to know about a binary and how it was called.
type Program struct {
	Name        string    // of the binary
	Description string    // first lines of --help
	Prefix      string    // of its environment variables, e.g. "GATEWAY_"
	Args        []string  // without the name of the binary
	Environ     []string  // "NAME=value", as os.Environ gives it
	Stdout      io.Writer // for --help
}

// Result is a configuration that passed all checks.
type Result[T any] struct {
	Config  T
	Command string // the chosen command, e.g. "run <module>"; empty without commands
	Exit    bool   // --help was printed: stop with ExitOK, Config is not set
}

// builtin are the flags that every binary has.
type builtin struct {
	Config string `name:"config" help:"JSON file with settings; its keys are the flag names." placeholder:"FILE"`
}

// Validator is implemented by T and by the structs of its commands. It checks
// everything and returns all problems joined. A T asks its embedded structs itself, as
// only it knows when they matter.
type Validator interface{ Validate() error }

// Parse fills a T. Every problem of the arguments, the variables, the file and
// T.Validate is in the returned *Error; another error type means that T itself cannot
// be used as a configuration.
func Parse[T any](p Program) (Result[T], error) {
	var res Result[T]
	k, vars, err := newKong(&res.Config, p)
	if err != nil {
		return res, err
	}
	ctx, err := kong.Trace(k, p.Args)
	if err != nil {
		return res, fmt.Errorf("read the command line: %w", err)
	}
	if helpAsked(ctx) {
		return Result[T]{Exit: true}, ctx.PrintUsage(false)
	}
	found := &findings{vars: vars}
	if ctx.Error != nil {
		found.add(&Problem{Text: ctx.Error.Error() + "; see --help"})
	}
	if res.Command, err = fill(ctx, p, found); err != nil {
		return res, err
	}
	found.checkFlags(ctx)
	if ctx.Error == nil {
		found.checkCommand(ctx)
	}
	found.validate(ctx)
	if len(found.problems) > 0 {
		return Result[T]{}, &Error{Problems: found.problems}
	}
	return res, nil
}

func newKong(target any, p Program) (*kong.Kong, *variables, error) {
	vars := newVariables(p.Prefix)
	k, err := kong.New(target,
		kong.Name(p.Name), kong.Description(p.Description),
		kong.Embed(&builtin{}),
		kong.Writers(p.Stdout, p.Stdout),
		kong.Exit(func(int) {}),
		kong.PostBuild(func(k *kong.Kong) error { return vars.collect(k.Model) }),
		kong.ValueFormatter(vars.help),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration struct: %w", err)
	}
	return k, vars, nil
}

func helpAsked(ctx *kong.Context) bool {
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag == ctx.Model.HelpFlag {
			return true
		}
	}
	return false
}

// fill writes defaults, file, variables and flags to the struct, in this order.
func fill(ctx *kong.Context, p Program, found *findings) (string, error) {
	env := found.vars.read(p.Environ, found)
	src := &source{env: env, found: found}
	if path := configPath(ctx, found.vars, env); path != "" {
		src.file = readFile(path, ctx.Model, found)
	}
	ctx.AddResolver(src)
	if err := ctx.Reset(); err != nil {
		return "", fmt.Errorf("configuration struct: %w", err)
	}
	if err := ctx.Resolve(); err != nil {
		return "", fmt.Errorf("configuration struct: %w", err)
	}
	return ctx.Apply()
}

func configPath(ctx *kong.Context, vars *variables, env map[string]string) string {
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag.Name == "config" {
			return ctx.Value(p).String()
		}
	}
	return env[vars.name("config")]
}
