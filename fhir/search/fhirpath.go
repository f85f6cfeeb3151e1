package search

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The subset of FHIRPath that the official search parameters are written in:
//
//	union  = term *( "|" term )
//	term   = path / "(" path "as" Type ")" [ "." steps ] / path ".exists() and" path "!= false"
//	path   = ( Type / "%resource" / name ) *( "." step / "[" n "]" )
//	step   = name / as(Type) / ofType(Type) / extension('url') / first() / exists()
//	       / where(resolve() is Type) / where(name='text') / where(hasExtension('url'))
type opcode uint8

const (
	opMember        opcode = iota // the children called name
	opIndex                       // the n-th of all
	opAs                          // those of type name
	opResolvesTo                  // references whose target has type name
	opWhereEquals                 // those whose child name is the text
	opExtension                   // extensions whose url is name
	opWithExtension               // those that have an extension whose url is name
)

type step struct {
	op    opcode
	name  string
	text  string
	index int
}

// path is one way through a resource. With truth its result is whether it leads to
// anything but the boolean false, as one boolean.
type path struct {
	fromRoot bool
	truth    bool
	steps    []step
}

// union is a compiled expression.
type union struct {
	paths []path
	types []string // of what it leads to
}

// resolvedTypes are the target types if every path says which.
func (u *union) resolvedTypes() []string {
	var types []string
	for _, p := range u.paths {
		n := len(p.steps)
		if n == 0 || p.steps[n-1].op != opResolvesTo {
			return nil
		}
		types = append(types, p.steps[n-1].name)
	}
	return types
}

// compile reads the expression of a parameter of a resource type and checks each name of it
// against the schema.
func compile(s schema, resourceType, expression string) (*union, error) {
	return parseUnion(expression, func(p *parsed) ([]string, error) {
		if p.head != resourceType {
			return nil, fmt.Errorf("starts with %q, not with %q", p.head, resourceType)
		}
		return follow(s, []string{resourceType}, p.steps)
	})
}

// compileRelative reads the expression of a component, from the elements of the base.
func compileRelative(s schema, resourceType string, base *union, expression string) (*union, error) {
	return parseUnion(expression, func(p *parsed) ([]string, error) {
		if p.head == "%resource" {
			p.fromRoot = true
			return follow(s, []string{resourceType}, p.steps)
		}
		if p.head != "" {
			p.steps = append([]step{{op: opMember, name: p.head}}, p.steps...)
		}
		return follow(s, base.types, p.steps)
	})
}

// parsed is a path with the name it starts with.
type parsed struct {
	path
	head string
}

func parseUnion(expression string, check func(*parsed) ([]string, error)) (*union, error) {
	var u union
	for term := range strings.SplitSeq(expression, "|") {
		p, err := parseTerm(strings.TrimSpace(term))
		if err != nil {
			return nil, err
		}
		types, err := check(&p)
		if err != nil {
			return nil, err
		}
		u.paths = append(u.paths, p.path)
		u.types = append(u.types, types...)
	}
	return &u, nil
}

var errSyntax = errors.New("outside the subset of FHIRPath")

func parseTerm(term string) (parsed, error) {
	if inner, ok := strings.CutPrefix(term, "("); ok {
		inner, rest, found := strings.Cut(inner, ")")
		from, typ, as := strings.Cut(inner, " as ")
		if !found || !as {
			return parsed{}, errSyntax
		}
		return parsePath(from + ".as(" + strings.TrimSpace(typ) + ")" + rest)
	}
	first, second, and := strings.Cut(term, ".exists() and ")
	if !and {
		return parsePath(term)
	}
	if second != first+" != false" {
		return parsed{}, errSyntax
	}
	p, err := parsePath(first)
	p.truth = true
	return p, err
}

// parsePath reads names and functions between dots; a dot within brackets or quotes does not count.
func parsePath(text string) (parsed, error) {
	var p parsed
	for i, part := range splitDots(text) {
		name, argument, call := strings.Cut(part, "(")
		switch {
		case call:
			st, err := parseCall(name, argument)
			if err != nil {
				return parsed{}, err
			}
			p.steps = append(p.steps, st)
		case i == 0:
			p.head = part
		default:
			steps, err := parseMember(part)
			if err != nil {
				return parsed{}, err
			}
			p.steps = append(p.steps, steps...)
		}
	}
	return p, nil
}

func parseMember(part string) ([]step, error) {
	name, index, indexed := strings.Cut(part, "[")
	if name == "" {
		return nil, errSyntax
	}
	steps := []step{{op: opMember, name: name}}
	if indexed {
		n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		if err != nil {
			return nil, errSyntax
		}
		steps = append(steps, step{op: opIndex, index: n})
	}
	return steps, nil
}

func parseCall(name, argument string) (step, error) {
	argument, closed := strings.CutSuffix(argument, ")")
	if !closed {
		return step{}, errSyntax
	}
	switch name {
	case "as", "ofType":
		return step{op: opAs, name: argument}, nil
	case "first":
		return step{op: opIndex}, nil
	case "extension":
		return step{op: opExtension, name: strings.Trim(argument, "'")}, nil
	case "where":
		return parseWhere(argument)
	default:
		return step{}, errSyntax
	}
}

func parseWhere(condition string) (step, error) {
	if typ, ok := strings.CutPrefix(condition, "resolve() is "); ok {
		return step{op: opResolvesTo, name: typ}, nil
	}
	if url, ok := strings.CutPrefix(condition, "hasExtension('"); ok {
		return step{op: opWithExtension, name: strings.TrimSuffix(url, "')")}, nil
	}
	name, text, ok := strings.Cut(condition, "='")
	if !ok || !strings.HasSuffix(text, "'") {
		return step{}, errSyntax
	}
	return step{op: opWhereEquals, name: name, text: strings.TrimSuffix(text, "'")}, nil
}

func splitDots(text string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '.' && depth == 0:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

// follow gives the types that steps lead to from types, or which name no element has.
func follow(s schema, types []string, steps []step) ([]string, error) {
	for _, st := range steps {
		var next []string
		for _, t := range types {
			next = append(next, st.typesFrom(s, t)...)
		}
		if len(next) == 0 {
			return nil, fmt.Errorf("no %q in %v", st.name, types)
		}
		types = next
	}
	return types, nil
}

func (st step) typesFrom(s schema, typ string) []string {
	switch st.op {
	case opMember:
		var types []string
		for _, m := range s.members(typ, st.name) {
			types = append(types, m.typ)
		}
		return types
	case opAs:
		if strings.EqualFold(st.name, typ) {
			return []string{typ}
		}
		return nil
	case opExtension:
		return []string{"Extension"}
	case opWhereEquals:
		if s.members(typ, st.name) == nil {
			return nil
		}
	}
	return []string{typ}
}
