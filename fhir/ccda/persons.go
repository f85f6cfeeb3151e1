package ccda

import (
	"slices"
	"strings"
)

// nameUses is HL7's map of the uses of names (CF-NameUse).
var nameUses = map[string]string{"L": "usual", "C": "official", "OR": "official", "A": "nickname", "P": "anonymous", "ASGN": "temp"}

// names maps the names of a person (EN, PN). A given name the person is called by, and a
// family name from birth, are names of their own.
func (c *converter) names(list []*node) []*object {
	var out []*object
	for _, n := range list {
		if n.null() != "" {
			continue
		}
		out = append(out, c.name(n)...)
	}
	return out
}

func (c *converter) name(n *node) []*object {
	var family, given, called, birth []string
	for _, part := range n.all("family") {
		switch {
		case qualified(part, "BR"):
			birth = append(birth, part.plain())
		default:
			family = append(family, part.plain())
		}
	}
	for _, part := range n.all("given") {
		if qualified(part, "CL") {
			called = append(called, part.plain())
		} else {
			given = append(given, part.plain())
		}
	}
	if len(family) == 0 {
		family, birth = birth, nil
	}
	if len(given) == 0 {
		given, called = called, nil
	}
	main := newObject().put("use", nameUses[firstWord(n.attr("use"))])
	main.put("family", joined(family)).put("given", nonEmpty(given)).
		put("prefix", parts(n.all("prefix"))).put("suffix", parts(n.all("suffix")))
	if !main.has("family") && !main.has("given") {
		n.spend()
		main.put("text", n.plain())
	}
	main.put("period", c.period(n.child("validTime")))
	if len(main.members) == 1 && main.has("use") {
		return nil
	}
	return trim([]*object{main, newObject().put("use", ifAny("nickname", called)).put("given", nonEmpty(called)),
		newObject().put("use", ifAny("maiden", birth)).put("family", joined(birth))})
}

func trim(list []*object) []*object {
	return slices.DeleteFunc(list, func(o *object) bool { return empty(o) })
}

func ifAny(word string, list []string) string {
	if joined(list) == "" {
		return ""
	}
	return word
}

func qualified(n *node, code string) bool {
	return slices.Contains(strings.Fields(n.attr("qualifier")), code)
}

func joined(list []string) string { return strings.Join(nonEmpty(list), " ") }

func nonEmpty(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func parts(list []*node) []string {
	var out []string
	for _, n := range list {
		if text := n.plain(); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func firstWord(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// mapped gives the first word of a list of uses that the table has.
func mapped(uses string, table map[string]string) string {
	for use := range strings.FieldsSeq(uses) {
		if word := table[use]; word != "" {
			return word
		}
	}
	return ""
}

var (
	addressUses  = map[string]string{"H": "home", "HP": "home", "HV": "home", "WP": "work", "DIR": "work", "PUB": "work", "TMP": "temp", "BAD": "old"}
	addressTypes = map[string]string{"PHYS": "physical", "PST": "postal"}
	telecomUses  = map[string]string{"MC": "mobile", "H": "home", "HP": "home", "HV": "home", "WP": "work", "DIR": "work", "PUB": "work", "TMP": "temp", "BAD": "old"}
)

// addresses maps AD.
func (c *converter) addresses(list []*node) []*object {
	var out []*object
	for _, n := range list {
		if n.null() != "" {
			continue
		}
		one := newObject().put("use", mapped(n.attr("use"), addressUses)).put("type", mapped(n.attr("use"), addressTypes))
		head := len(one.members)
		one.put("line", streets(n)).put("city", joined(parts(n.all("city")))).put("district", joined(parts(n.all("county")))).
			put("state", joined(parts(n.all("state")))).put("postalCode", joined(parts(n.all("postalCode")))).
			put("country", joined(parts(n.all("country"))))
		if len(one.members) == head {
			n.spend()
			one.put("text", n.plain())
		}
		if len(one.members) == head {
			continue
		}
		out = append(out, one.put("period", c.period(n.child("useablePeriod"))))
	}
	return out
}

// streets are the lines, or a line of the parts in their order.
func streets(n *node) []string {
	lines := append(parts(n.all("streetAddressLine")), parts(n.all("deliveryAddressLine"))...)
	var line []string
	for _, kid := range n.kids {
		switch kid.name {
		case "houseNumber", "houseNumberNumeric", "streetName", "streetNameBase", "streetNameType", "direction", "unitID", "additionalLocator", "postBox", "precinct":
			kid.used = true
			line = append(line, kid.plain())
		}
	}
	if text := joined(line); text != "" {
		lines = append(lines, text)
	}
	return lines
}

// telecoms maps TEL; the scheme of the URL is FHIR's system.
func (c *converter) telecoms(list []*node) []*object {
	var out []*object
	for _, n := range list {
		value := n.attr("value")
		if n.null() != "" || value == "" {
			continue
		}
		system := "phone"
		switch scheme, rest, found := strings.Cut(value, ":"); {
		case !found && strings.Contains(value, "@"):
			system = "email"
		case !found:
		case strings.EqualFold(scheme, "tel"):
			value = rest
		case strings.EqualFold(scheme, "fax"), strings.EqualFold(scheme, "x-text-fax"):
			system, value = "fax", rest
		case strings.EqualFold(scheme, "mailto"):
			system, value = "email", rest
		case strings.EqualFold(scheme, "sms"):
			system, value = "sms", rest
		default:
			system = "url"
		}
		if value = strings.TrimSpace(value); value == "" {
			continue
		}
		one := newObject().put("system", system).put("value", value).put("use", mapped(n.attr("use"), telecomUses))
		out = append(out, one.put("period", c.period(n.child("useablePeriod"))))
	}
	return out
}
