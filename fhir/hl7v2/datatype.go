package hl7v2

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Options of a conversion.
type Options struct {
	// Sender is the id of whoever sent the message. Identifiers whose authority has a local
	// name alone get a system of that sender, so that equal numbers of two hospitals are not
	// taken for one person.
	Sender string
	// Systems gives the URIs of assigning authorities and coding systems by the names that
	// senders use.
	Systems map[string]string
	// HCIDType is the identifier type (CX.5) or assigning authority (CX.4.1) in PID-3 that
	// marks a Health Certificate ID; empty: none does.
	HCIDType string
}

// converter turns one message into resources and collects what it finds.
type converter struct {
	Options
	message  Message
	zone     string
	record   bool // the resources are kept as the record of the patient
	findings []Finding
	named    map[string]int // resources by id
}

func newConverter(m Message, o Options) *converter {
	return &converter{Options: o, message: m, zone: m.Header.zone, named: map[string]int{}}
}

func (c *converter) report(f Finding) {
	if len(c.findings) < maxFindings || f.IsError() && len(c.findings) < 2*maxFindings {
		c.findings = append(c.findings, f)
	}
}

func (c *converter) missing(at Location, detail, fix string) {
	c.report(NewFinding(at, CodeRequired, RuleRequired, detail, fix))
}

// all gives the segments of a name.
func (c *converter) all(name string) []Segment {
	var out []Segment
	for _, s := range c.message.Segments {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// text reads a value that has to be one text. More parts mean a delimiter that the sender
// did not escape, and half of the text would be lost.
func (c *converter) text(v Value) string {
	if !v.Single() {
		c.report(NewFinding(v.At(), CodeDataType, RuleDelimiter, "The text has a delimiter in it.", `Escape delimiters in texts: \S\ for the component, \T\ for the subcomponent separator.`))
	}
	return v.Text()
}

// spare is text for what no certificate says, such as an address or the words beside a code.
// Where the message is only certified, a text that would be halved is left out with a warning;
// where it is a record, that would lose something.
func (c *converter) spare(v Value) string {
	if c.record || v.Single() {
		return c.text(v)
	}
	c.report(NewFinding(v.At(), CodeDataType, RuleDelimiter, "The text has a delimiter in it and is not kept.", `Escape delimiters in texts: \S\ for the component, \T\ for the subcomponent separator.`).As(fault.SeverityWarning))
	return ""
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

var oidSyntax = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*))+$`)

// localPrefix begins the systems of identifiers whose authority has no URI.
const localPrefix = "urn:ddcc-gateway:hl7v2:"

// authority gives the URI of an assigning authority (data type HD) by its parts.
func (c *converter) authority(namespace, universal, kind string) string {
	switch kind {
	case "ISO":
		if isOID(universal) {
			return "urn:oid:" + universal
		}
	case "UUID", "GUID":
		if uuid.MatchString(strings.ToLower(universal)) {
			return "urn:uuid:" + strings.ToLower(universal)
		}
	case "URI":
		if u, err := url.Parse(universal); err == nil && u.IsAbs() {
			return universal
		}
	}
	name := namespace
	if name == "" {
		name = universal
	}
	if uri, ok := c.Systems[name]; ok {
		return uri
	}
	if name == "" {
		name = c.message.Header.Facility
	}
	return localPrefix + url.PathEscape(c.Sender) + ":" + url.PathEscape(name)
}

// hierarchic reads an HD in a component, its parts being subcomponents.
func (c *converter) hierarchic(v Value) string {
	return c.authority(v.Sub(1).Text(), v.Sub(2).Text(), v.Sub(3).Text())
}

// identifierOf reads a CX: a patient's, an account's or a visit's number.
func (c *converter) identifierOf(v Value) (identifier, bool) {
	id := identifier{Value: c.text(v.Component(1))}
	if id.Value == "" {
		return id, false
	}
	authority := v.Component(4)
	id.System = c.hierarchic(authority)
	if name := authority.Sub(1).Text(); name != "" {
		id.Assigner = &reference{Display: name}
	}
	if kind := v.Component(5).Text(); kind != "" {
		id.Type = &concept{Coding: []coding{{System: table("0203"), Code: kind}}}
	}
	return id, true
}

// entityIdentifier reads an EI: an order's number.
func (c *converter) entityIdentifier(v Value) (identifier, bool) {
	id := identifier{Value: c.text(v.Component(1))}
	id.System = c.authority(v.Component(2).Text(), v.Component(3).Text(), v.Component(4).Text())
	return id, id.Value != ""
}

// practitioner reads an XCN as a reference that says who by id and name.
func (c *converter) practitioner(v Value) (reference, bool) {
	r := reference{Type: "Practitioner"}
	if number := c.text(v.Component(1)); number != "" {
		r.Identifier = &identifier{System: c.hierarchic(v.Component(9)), Value: number}
	}
	var parts []string
	for _, n := range []int{6, 3, 4, 2} { // prefix, given, further, family
		if part := v.Component(n).Text(); part != "" {
			parts = append(parts, part)
		}
	}
	r.Display = strings.Join(parts, " ")
	return r, r.Identifier != nil || r.Display != ""
}

// first gives the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// notKept says that something of the message has no place.
func (c *converter) notKept(at Location, detail string) {
	c.report(NewFinding(at, CodeAccepted, RuleNotKept, detail, "Nothing to do.").As(fault.SeverityInformation))
}

// isOID bounds what the syntax does not.
func isOID(s string) bool { return len(s) <= 128 && oidSyntax.MatchString(s) }
