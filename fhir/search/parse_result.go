package search

import (
	"slices"
	"strconv"
	"strings"
)

// result finds the reader of a parameter that says how the answer is to look. A reader
// reports whether the parameter was used.
func (p *parser) result(name string) (func(name, value string) bool, bool) {
	base, modifier, _ := strings.Cut(name, ":")
	switch {
	case base == "_include" || base == "_revinclude":
		return p.include, true
	case modifier != "":
		return nil, false
	}
	switch name {
	case "_count":
		return p.count, true
	case "_sort":
		return p.sort, true
	case "_total":
		return p.total, true
	case "_summary":
		return p.summary, true
	case "_elements":
		return p.elements, true
	case "_type":
		return p.typeList, p.query.Type == ""
	case CursorParameter:
		return p.cursor, true
	default:
		return nil, false
	}
}

func (p *parser) count(name, value string) bool {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		p.fail(name, RuleValue, "The value is no number of resources.", "Write a whole number from 0.")
		return false
	}
	p.query.CountOnly = p.query.CountOnly || n == 0
	if n > 0 {
		p.query.Count = min(int(n), p.orDefault(p.options.MaxCount, 500))
	}
	return true
}

func (p *parser) total(name, value string) bool {
	switch value {
	case "none", "estimate", "accurate":
		p.query.Total = value != "none"
		return true
	}
	p.fail(name, RuleValue, "The value is not one of the specification's.", "Write none, estimate or accurate.")
	return false
}

func (p *parser) summary(name, value string) bool {
	switch value {
	case "count":
		p.query.CountOnly = true
	case "true", "false", "text", "data":
		p.query.Summary = value
	default:
		p.fail(name, RuleValue, "The value is not one of the specification's.", "Write true, false, text, data or count.")
		return false
	}
	return true
}

func (p *parser) elements(name, value string) bool {
	for element := range strings.SplitSeq(value, ",") {
		element = strings.TrimSpace(element)
		if !nameShape.MatchString(element) || strings.ContainsAny(element, ":") {
			p.fail(name, RuleValue, "The value is no list of element names.", "Write names of elements of the resource, separated by commas.")
			return false
		}
		p.query.Elements = append(p.query.Elements, element)
	}
	return true
}

func (p *parser) typeList(name, value string) bool {
	for typ := range strings.SplitSeq(value, ",") {
		if !IsType(typ) {
			p.fail(name, RuleValue, "The value names what is no resource type of FHIR R4.", "Write resource types, separated by commas.")
			return false
		}
		if !slices.Contains(p.query.Types, typ) {
			p.query.Types = append(p.query.Types, typ)
		}
	}
	return true
}

// maxCursor is longer than any cursor a store gives.
const maxCursor = 256

func (p *parser) cursor(name, value string) bool {
	if len(value) > maxCursor {
		p.fail(name, RuleValue, "The value is no place of a page.", "Follow the links of the page before.")
		return false
	}
	p.query.Cursor = value
	return true
}

// sort notes the keys itself: a key that is ignored is not in the self link.
func (p *parser) sort(name, value string) bool {
	var used []string
	for key := range strings.SplitSeq(value, ",") {
		code, descending := strings.CutPrefix(strings.TrimSpace(key), "-")
		parameter := lookup(p.query.Type, code)
		if parameter == nil || parameter.Kind == KindComposite {
			p.ignore(name, RuleUnknown, "A key of the order is no search parameter that can be sorted by.", "Sort by a parameter of the resource type that is not composite.")
			continue
		}
		p.query.Sort = append(p.query.Sort, SortKey{Param: parameter.Code, Kind: parameter.Kind, Descending: descending})
		used = append(used, key)
	}
	if len(used) > 0 {
		p.query.used.Add(name, strings.Join(used, ","))
	}
	if len(p.query.Sort) > MaxSort {
		p.fail(name, RuleLimit, "The order has too many keys.", "Sort by at most "+strconv.Itoa(MaxSort)+" parameters.")
	}
	return false
}

// include reads Source:parameter[:Target], or * for everything.
func (p *parser) include(name, value string) bool {
	base, modifier, _ := strings.Cut(name, ":")
	include := Include{Iterate: modifier == "iterate" || modifier == "recurse"}
	if modifier != "" && !include.Iterate {
		p.fail(name, RuleModifier, "The parameter does not have this modifier.", "Use :iterate, or none.")
		return false
	}
	if len(p.query.Include)+len(p.query.RevInclude) >= MaxIncludes {
		p.fail(name, RuleLimit, "The search includes too much.", "Use at most "+strconv.Itoa(MaxIncludes)+" of _include and _revinclude.")
		return false
	}
	if !include.read(value) || value == "*" && base == "_revinclude" {
		p.fail(name, RuleValue, "The value names no reference.", "Write Type:parameter or Type:parameter:TargetType with a parameter of type reference.")
		return false
	}
	if base == "_include" {
		p.query.Include = append(p.query.Include, include)
	} else {
		p.query.RevInclude = append(p.query.RevInclude, include)
	}
	return true
}

func (i *Include) read(value string) bool {
	if value == "*" {
		return true
	}
	parts := strings.Split(value, ":")
	if len(parts) < 2 || len(parts) > 3 || !IsType(parts[0]) {
		return false
	}
	i.Source = parts[0]
	if parts[1] != "*" {
		parameter := lookup(parts[0], parts[1])
		if parameter == nil || parameter.Kind != KindReference {
			return false
		}
		i.Param = parameter.Code
	}
	if len(parts) == 3 {
		if !IsType(parts[2]) {
			return false
		}
		i.Target = parts[2]
	}
	return true
}
