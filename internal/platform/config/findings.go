package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// findings collects problems while the configuration is read.
type findings struct {
	vars     *variables
	problems []*Problem
	named    map[string]bool // flags that already have a problem
}

// add takes problems and fills in the variables of the flags they name.
func (f *findings) add(problems ...*Problem) {
	if f.named == nil {
		f.named = map[string]bool{}
	}
	for _, p := range problems {
		if p.Flag != "" {
			f.named[p.Flag] = true
			p.Variable = f.vars.name(p.Flag)
		}
		f.problems = append(f.problems, p)
	}
}

// addUnnamed leaves out flags with a known problem: what Validate says about them is
// about a value nobody gave.
func (f *findings) addUnnamed(problems []*Problem) {
	known := make(map[string]bool, len(f.named))
	for name := range f.named {
		known[name] = true
	}
	for _, p := range problems {
		if p.Flag == "" || !known[p.Flag] {
			f.add(p)
		}
	}
}

// checkFlags does what kong does one at a time: required flags and enumerations.
func (f *findings) checkFlags(ctx *kong.Context) {
	for _, path := range ctx.Path {
		for _, flag := range path.Flags {
			switch {
			case f.named[flag.Name]:
			case flag.Required && !flag.Set:
				f.add(&Problem{Flag: flag.Name, Text: "is required; set it"})
			case flag.Set && flag.Enum != "" && !inEnum(flag, flag.Target):
				f.add(&Problem{Flag: flag.Name, Text: "must be one of " + strings.Join(flag.EnumSlice(), ", ")})
			}
		}
	}
}

// checkCommand reports a missing command and missing positional arguments.
func (f *findings) checkCommand(ctx *kong.Context) {
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
	}
	if len(node.Children) > 0 {
		names := make([]string, 0, len(node.Children))
		for _, child := range node.Children {
			names = append(names, child.Name)
		}
		f.add(&Problem{Text: "a command is missing; choose one of " + strings.Join(names, ", ")})
	}
	for _, arg := range node.Positional {
		if arg.Required && !arg.Set {
			f.add(&Problem{Text: "the argument " + arg.Summary() + " is missing"})
		}
	}
}

// validate asks the configuration and the chosen commands. kong's own walk is not used:
// it stops at the first error and calls embedded structs without their prefix.
func (f *findings) validate(ctx *kong.Context) {
	for _, path := range ctx.Path {
		node := path.Node()
		if node == nil || !node.Target.CanAddr() {
			continue
		}
		if v, ok := node.Target.Addr().Interface().(Validator); ok {
			f.addUnnamed(problemsOf(v.Validate()))
		}
	}
}

func inEnum(flag *kong.Flag, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if !inEnum(flag, v.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		return v.IsNil() || inEnum(flag, v.Elem())
	}
	return flag.EnumMap()[fmt.Sprint(v.Interface())]
}
