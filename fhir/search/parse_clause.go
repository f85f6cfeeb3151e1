package search

import (
	"fmt"
	"slices"
	"strings"
)

// refusal says why a parameter gives no clause.
type refusal struct{ rule, detail, fix string }

func unknown() *refusal {
	return &refusal{RuleUnknown, "The resource type has no such search parameter here.", "See the CapabilityStatement (metadata) for what can be searched by."}
}

func refuseModifier(detail string) *refusal {
	return &refusal{RuleModifier, detail, "Leave the modifier out, or use one that the parameter's type has."}
}

func refuseValue(detail, fix string) *refusal { return &refusal{RuleValue, detail, fix} }

// clause reads one parameter with its modifier, chain or _has. The resource type is "" for a
// search over several; hops counts the references followed so far.
func (p *parser) clause(resourceType, name, value string, hops int) (*Clause, *refusal) {
	if refused := p.widen(1); refused != nil {
		return nil, refused
	}
	if rest, reverse := strings.CutPrefix(name, "_has:"); reverse {
		return p.has(resourceType, rest, value, hops)
	}
	head, rest, chained := strings.Cut(name, ".")
	code, modifier, _ := strings.Cut(head, ":")
	parameter := lookup(resourceType, code)
	if parameter == nil {
		return nil, unknown()
	}
	if chained {
		return p.chain(parameter, resourceType, modifier, rest, value, hops)
	}
	return p.plain(parameter, resourceType, modifier, value)
}

func (p *parser) plain(parameter *Parameter, resourceType, modifier, value string) (*Clause, *refusal) {
	c := &Clause{Type: resourceType, Param: parameter.Code, Kind: parameter.Kind}
	r := reading{kind: parameter.Kind, modifier: modifier, options: &p.options}
	if modifier == "missing" && parameter.Kind != KindComposite && !ofResource(parameter.Code) {
		return c, c.missing(value)
	}
	if refused := c.modify(&r, parameter); refused != nil {
		return nil, refused
	}
	for _, component := range parameter.Components {
		r.parts = append(r.parts, component.Kind)
	}
	c.Parts = r.parts
	if refused := c.alternatives(r, value); refused != nil {
		return nil, refused
	}
	return c, p.widen(len(c.Any))
}

// ofResource reports a parameter that the store answers, not the values.
func ofResource(code string) bool { return code == "_id" || code == "_lastUpdated" }

func (c *Clause) missing(value string) *refusal {
	if value != "true" && value != "false" {
		return refuseValue("The value of :missing is neither true nor false.", "Write true or false.")
	}
	missing := value == "true"
	c.Missing = &missing
	return nil
}

// modify applies a modifier, which may turn the clause to other values of the parameter.
func (c *Clause) modify(r *reading, parameter *Parameter) *refusal {
	if r.modifier == "" {
		return nil
	}
	if ofResource(parameter.Code) {
		return refuseModifier("The parameter has no modifiers.")
	}
	switch {
	case c.Kind == KindToken && r.modifier == "not":
		c.Not = true
	case c.Kind == KindToken && r.modifier == "text":
		c.Kind, r.kind = KindString, KindString
	case c.Kind == KindToken && r.modifier == "of-type":
		c.Param = OfTypeParam(c.Param)
	case c.Kind == KindToken && slices.Contains([]string{"in", "not-in", "above", "below"}, r.modifier):
		return refuseModifier("The modifier needs a terminology service, which is not here.")
	case c.Kind == KindString && (r.modifier == "exact" || r.modifier == "contains"):
	case c.Kind == KindURI && (r.modifier == "above" || r.modifier == "below"):
	case c.Kind == KindReference && r.modifier == "identifier":
		c.Kind, r.kind, c.Param = KindToken, KindToken, IdentifierParam(c.Param)
	case c.Kind == KindReference && IsType(r.modifier):
		if !slices.Contains(parameter.mayTarget(), r.modifier) {
			return refuseModifier("The parameter cannot refer to a resource of that type.")
		}
	default:
		return refuseModifier(fmt.Sprintf("A parameter of type %s does not have this modifier here.", c.Kind))
	}
	return nil
}

// alternatives reads the values between commas.
func (c *Clause) alternatives(r reading, value string) *refusal {
	parts := split(value, ',')
	if len(parts) > MaxAlternatives {
		return &refusal{RuleLimit, fmt.Sprintf("The parameter has more than %d values.", MaxAlternatives), "Ask for less in one search."}
	}
	for _, part := range parts {
		if strings.TrimSpace(part) == "" {
			continue
		}
		if len(part) > MaxTextLength {
			return &refusal{RuleLimit, fmt.Sprintf("A value is longer than %d bytes.", MaxTextLength), "Shorten it."}
		}
		m, problem := r.match(part)
		if problem != nil {
			return refuseValue("A value "+problem.detail+".", problem.fix)
		}
		c.Any = append(c.Any, m)
	}
	if len(c.Any) == 0 {
		return refuseValue("The list has no value.", "Give at least one value.")
	}
	return nil
}

// chain reads a condition on what a reference leads to: one clause for each type it may lead
// to that has the next parameter.
func (p *parser) chain(parameter *Parameter, resourceType, typ, rest, value string, hops int) (*Clause, *refusal) {
	if parameter.Kind != KindReference {
		return nil, refuseModifier("Only a parameter of type reference can be followed by a dot.")
	}
	if hops++; hops > MaxChain {
		return nil, &refusal{RuleLimit, fmt.Sprintf("The chain follows more than %d references.", MaxChain), "Search in two steps."}
	}
	types := parameter.mayTarget()
	if typ != "" {
		if !slices.Contains(types, typ) {
			return nil, refuseModifier("The parameter cannot refer to a resource of that type.")
		}
		types = []string{typ}
	}
	via, refused := &Via{Param: parameter.Code}, (*refusal)(nil)
	for _, t := range types {
		clause, why := p.clause(t, rest, value, hops)
		switch {
		case why == nil:
			via.Any = append(via.Any, *clause)
		case why.rule == RuleLimit:
			return nil, why
		case refused == nil || refused.rule == RuleUnknown:
			refused = why
		}
	}
	switch {
	case len(via.Any) > 0:
		return &Clause{Type: resourceType, Via: via}, nil
	case refused.rule == RuleUnknown:
		return nil, refuseValue("What the reference leads to has no such search parameter.", "Name the type, as in subject:Patient.name, and one of its parameters.")
	default:
		return nil, refused
	}
}

// has reads _has:Type:reference:parameter, a condition on a resource that refers to this.
func (p *parser) has(resourceType, rest, value string, hops int) (*Clause, *refusal) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) != 3 || !IsType(parts[0]) || strings.HasPrefix(parts[2], "_has:") {
		return nil, refuseModifier("The parameter is not _has:Type:reference:parameter, once.")
	}
	if hops++; hops > MaxChain {
		return nil, &refusal{RuleLimit, fmt.Sprintf("The chain follows more than %d references.", MaxChain), "Search in two steps."}
	}
	reference := lookup(parts[0], parts[1])
	if reference == nil || reference.Kind != KindReference {
		return nil, refuseModifier("The type has no such parameter of type reference.")
	}
	if resourceType != "" && !slices.Contains(reference.mayTarget(), resourceType) {
		return nil, refuseModifier("The parameter cannot refer to the resource type that is searched.")
	}
	clause, refused := p.clause(parts[0], parts[2], value, hops)
	if refused != nil {
		if refused.rule == RuleUnknown {
			refused.rule = RuleModifier
		}
		return nil, refused
	}
	return &Clause{Type: resourceType, Via: &Via{Reverse: true, Param: parts[1], Any: []Clause{*clause}}}, nil
}
