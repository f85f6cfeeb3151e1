package config

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// variables knows the environment variable of each flag. kong's own lookup is not used:
// it reads the process environment and shows values in its errors.
type variables struct {
	prefix string
	known  map[string]bool
}

func newVariables(prefix string) *variables {
	return &variables{prefix: prefix, known: map[string]bool{}}
}

var toVariable = strings.NewReplacer("-", "_", ".", "_")

func (v *variables) name(flag string) string {
	return v.prefix + strings.ToUpper(toVariable.Replace(flag))
}

func (v *variables) collect(app *kong.Application) error {
	owner := map[string]bool{}
	for _, f := range app.Flags {
		if owner[f.Name] {
			return fmt.Errorf("the flag --%s exists twice", f.Name)
		}
		owner[f.Name] = true
	}
	for _, f := range allFlags(app.Node) {
		if len(f.Envs) > 0 {
			return fmt.Errorf("the flag --%s has an env tag; its variable is %s by rule", f.Name, v.name(f.Name))
		}
		if len(f.Xor)+len(f.And) > 0 {
			return fmt.Errorf("the flag --%s has an xor or and tag; say it in Validate", f.Name)
		}
		if f != app.HelpFlag {
			v.known[v.name(f.Name)] = true
		}
	}
	return nil
}

func allFlags(n *kong.Node) []*kong.Flag {
	all := append([]*kong.Flag(nil), n.Flags...)
	for _, child := range n.Children {
		all = append(all, allFlags(child)...)
	}
	return all
}

// help adds the variable to the text of a flag.
func (v *variables) help(value *kong.Value) string {
	if value.Flag == nil || !v.known[v.name(value.Name)] {
		return value.Help
	}
	note := "$" + v.name(value.Name)
	if value.Required {
		note = "required, " + note
	}
	return strings.TrimSpace(value.Help + " (" + note + ")")
}

// read picks the variables with the prefix; an unknown one is a problem.
func (v *variables) read(environ []string, found *findings) map[string]string {
	env := map[string]string{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, v.prefix) {
			continue
		}
		if !v.known[name] {
			found.add(&Problem{Variable: name, Text: unknownText(name, value)})
			continue
		}
		env[name] = value
	}
	return env
}

// unknownText recognises the variables that Kubernetes adds for a Service of the same
// name, which no operator has written.
func unknownText(name, value string) string {
	serviceLink := strings.HasPrefix(value, "tcp://") || strings.HasPrefix(value, "udp://") ||
		strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT_")
	if serviceLink {
		return "no such setting; it looks like a Kubernetes service link: set enableServiceLinks: false in the pod"
	}
	return "no such setting; remove it or correct its name (see --help)"
}
