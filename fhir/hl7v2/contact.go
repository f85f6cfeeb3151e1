package hl7v2

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameUses translates name types (table 0200).
var nameUses = map[string]string{
	"L": "official", "R": "official", "D": "usual", "C": "usual", "M": "maiden", "N": "nickname", "S": "anonymous", "BAD": "old",
}

// name reads an XPN. The given names after the first are one text with spaces (XPN.3).
func (c *converter) name(v Value) (humanName, bool) {
	n := humanName{Use: nameUses[v.Component(7).Text()], Family: c.family(v.Component(1))}
	for _, i := range []int{2, 3} {
		n.Given = appendText(n.Given, c.text(v.Component(i)))
	}
	n.Prefix = appendText(nil, c.text(v.Component(5)))
	n.Suffix = appendText(appendText(nil, c.text(v.Component(4))), c.text(v.Component(6)))
	return n, n.Family != "" || n.Given != nil
}

// family reads an FN. Its first part is the whole surname; the others repeat portions of it,
// but for the prefix, which older senders keep apart ("Beethoven&van"). Anything else is an
// unescaped delimiter inside of a name.
func (c *converter) family(v Value) string {
	name, prefix := v.Sub(1).Text(), v.Sub(2).Text()
	broken := false
	for n := 3; n <= 5; n++ {
		broken = broken || !strings.Contains(name, v.Sub(n).Text())
	}
	if prefix != "" && !strings.Contains(name, prefix) {
		small, _ := utf8.DecodeRuneInString(prefix)
		broken = broken || !unicode.IsLower(small)
		name = prefix + " " + name
	}
	if broken {
		c.report(NewFinding(v.At(), CodeDataType, RuleDelimiter, "The family name has a delimiter in it.", `Send the whole family name as the first subcomponent; write & as \T\.`))
	}
	return name
}

func appendText(list []string, text string) []string {
	if text == "" {
		return list
	}
	return append(list, text)
}

func (c *converter) names(values []Value) []humanName {
	var out []humanName
	for _, v := range values {
		if n, ok := c.name(v); ok {
			out = append(out, n)
		}
	}
	return out
}

// addressUses translates address types (table 0190).
var addressUses = map[string]string{"H": "home", "P": "home", "B": "work", "O": "work", "C": "temp", "BA": "old"}

// addresses reads XADs.
func (c *converter) addresses(values []Value) []address {
	var out []address
	for _, v := range values {
		a := address{Use: addressUses[v.Component(7).Text()]}
		if v.Component(7).Text() == "M" {
			a.Type = "postal"
		}
		a.Line = appendText(c.street(v.Component(1)), c.spare(v.Component(2)))
		a.City, a.State, a.PostalCode = c.spare(v.Component(3)), c.spare(v.Component(4)), c.spare(v.Component(5))
		a.Country, a.District = c.spare(v.Component(6)), c.spare(v.Component(9))
		if a.Line != nil || a.City+a.State+a.PostalCode+a.Country+a.District != "" {
			out = append(out, a)
		}
	}
	return out
}

// street reads an SAD: the address, and the street and number where they are apart.
func (c *converter) street(v Value) []string {
	line := appendText(nil, v.Sub(1).Text())
	var apart []string
	for _, n := range []int{2, 3} {
		if part := v.Sub(n).Text(); !strings.Contains(v.Sub(1).Text(), part) {
			apart = append(apart, part)
		}
	}
	return appendText(line, strings.Join(apart, " "))
}

// telecomKinds translates equipment types (table 0202).
var telecomKinds = map[string]string{
	"PH": "phone", "CP": "phone", "TDD": "phone", "TTY": "phone", "FX": "fax", "BP": "pager", "Internet": "email", "X.400": "email",
}

var telecomUses = map[string]string{"PRN": "home", "ORN": "home", "VHN": "home", "WPN": "work", "NET": "", "PRS": "mobile"}

// telecoms reads XTNs, the structured number before the text that v2.3 had.
func (c *converter) telecoms(values []Value, use string) []contactPoint {
	var out []contactPoint
	for _, v := range values {
		p := contactPoint{System: telecomKinds[v.Component(3).Text()], Use: use}
		if u, known := telecomUses[v.Component(2).Text()]; known {
			p.Use = u
		}
		if v.Component(3).Text() == "CP" {
			p.Use = "mobile"
		}
		var parts []string
		for _, n := range []int{5, 6, 7} {
			parts = appendText(parts, c.spare(v.Component(n)))
		}
		p.Value = first(c.spare(v.Component(12)), strings.Join(parts, " "), c.spare(v.Component(1)))
		if mail := c.spare(v.Component(4)); mail != "" {
			p.System, p.Value = "email", mail
		}
		if p.System == "" {
			p.System = "phone"
		}
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}
