// Package element walks a parsed FHIR resource with a FHIRPath expression at hand, and
// collects what is wrong with the JSON types on the way, without stopping.
//
// It is owned by package fhir. It never copies a value into an issue.
package element

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RuleType is the rule of a value that has the wrong JSON type.
const RuleType = "json-type"

// MaxIssues bounds what one answer to a caller lists.
const MaxIssues = 200

// Log collects issues, each once, and no more than MaxIssues of them. The first error is
// always among them: a flood of warnings must not make an input acceptable.
type Log struct {
	Issues []fault.Issue
	seen   map[fault.Issue]bool
	failed bool
}

// Add notes an issue.
func (l *Log) Add(i fault.Issue) {
	firstError := i.IsError() && !l.failed
	if l.seen[i] || len(l.Issues) >= MaxIssues && !firstError {
		return
	}
	l.failed = l.failed || i.IsError()
	if l.seen == nil {
		l.seen = map[fault.Issue]bool{}
	}
	l.seen[i] = true
	l.Issues = append(l.Issues, i)
}

// Element is one place in a resource. An element that is absent is still a place: it has
// a path, no value and no children.
type Element struct {
	parent *Element
	name   string
	index  int // in a list, or -1
	value  *jsontree.Value
	log    *Log
}

// Root makes the element of a whole resource called name.
func Root(name string, v *jsontree.Value, log *Log) *Element {
	return &Element{name: name, index: -1, value: v, log: log}
}

// Path is the FHIRPath expression of the place.
func (e *Element) Path() string {
	p := e.name
	if e.parent != nil {
		p = e.parent.Path() + "." + e.name
	}
	if e.index >= 0 {
		p += "[" + strconv.Itoa(e.index) + "]"
	}
	return p
}

// Resource gives the resource that the element is a part of, the container where it is in a
// contained one (FHIR R4 §2.3.0.2: contained resources are referred to from their container).
func (e *Element) Resource() *Element {
	for e.parent != nil && (e.name == "contained" || !e.Child("resourceType").Exists()) {
		e = e.parent
	}
	return e
}

// Exists reports that the element has a value other than null.
func (e *Element) Exists() bool { return e.value != nil && e.value.Kind != jsontree.Null }

// Value gives the parsed value, nil when absent.
func (e *Element) Value() *jsontree.Value { return e.value }

// Report adds an issue of severity error about this place.
func (e *Element) Report(rule, detail, fix string) {
	e.log.Add(fault.Issue{Path: e.Path(), Rule: rule, Detail: detail, Fix: fix})
}

// Note adds an issue of the given severity about this place.
func (e *Element) Note(severity fault.Severity, rule, detail, fix string) {
	e.log.Add(fault.Issue{Severity: severity, Path: e.Path(), Rule: rule, Detail: detail, Fix: fix})
}

func (e *Element) wrongType(want string) {
	e.Report(RuleType, "The element is not "+want+".", "Send "+want+" as the FHIR JSON format defines it.")
}

// Child gives the member called name of an object.
func (e *Element) Child(name string) *Element {
	c := &Element{parent: e, name: name, index: -1, log: e.log}
	if e.Exists() && e.value.Kind == jsontree.Object {
		c.value = e.value.Get(name)
	}
	return c
}

// Object reports whether the element is an object, and complains when it is something else.
func (e *Element) Object() bool {
	if !e.Exists() {
		return false
	}
	if e.value.Kind != jsontree.Object {
		e.wrongType("a JSON object")
		return false
	}
	return true
}

// Text gives a string, empty when absent.
func (e *Element) Text() string {
	if !e.Exists() {
		return ""
	}
	if e.value.Kind != jsontree.String {
		e.wrongType("a JSON string")
		return ""
	}
	return e.value.Text
}

// Bool gives a boolean, false when absent.
func (e *Element) Bool() bool {
	if !e.Exists() {
		return false
	}
	if e.value.Kind != jsontree.True && e.value.Kind != jsontree.False {
		e.wrongType("a JSON boolean")
		return false
	}
	return e.value.Kind == jsontree.True
}

// Int gives a 32 bit integer and whether there is one.
func (e *Element) Int() (int, bool) {
	if !e.Exists() {
		return 0, false
	}
	if e.value.Kind != jsontree.Number {
		e.wrongType("a JSON number")
		return 0, false
	}
	n, err := strconv.ParseInt(e.value.Text, 10, 32)
	if err != nil {
		e.wrongType("a whole number of 32 bits")
		return 0, false
	}
	return int(n), true
}

// List gives the elements of an array, none when absent.
func (e *Element) List() []*Element {
	if !e.Exists() {
		return nil
	}
	if e.value.Kind != jsontree.Array {
		e.wrongType("a JSON array")
		return nil
	}
	out := make([]*Element, len(e.value.Elems))
	for i := range e.value.Elems {
		out[i] = &Element{parent: e.parent, name: e.name, index: i, value: &e.value.Elems[i], log: e.log}
	}
	return out
}

// First gives the first element of the array called name, absent when there is none.
func (e *Element) First(name string) *Element {
	list := e.Child(name).List()
	if len(list) == 0 {
		return &Element{parent: e, name: name, index: 0, log: e.log}
	}
	return list[0]
}
