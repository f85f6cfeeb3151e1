package service

import (
	"html"
	"strconv"
	"strings"
)

// The frame of a narrative that the gateway writes: one list, each line "label: value".
const (
	narrativeBegin = `<div xmlns="http://www.w3.org/1999/xhtml"><ul>`
	narrativeEnd   = "</ul></div>"
	lineBegin      = "<li>"
	lineEnd        = "</li>"
)

// lines are the labels of a narrative with what must follow them.
type lines map[string]any

// unsaid is a value that no certificate has: a name of an organisation, the display of a
// code, a date to come.
type unsaid struct{}

// documentLines are those of the composition.
func (c *comparison) documentLines() lines {
	certificate := dig(c.content, "certificate")
	return lines{
		"Certificate": documentTitle, "Name": c.content["name"], "Date of birth": c.content["birthDate"],
		"Health Certificate ID": dig(certificate, "hcid"), "Issued by": unsaid{},
		"Valid from": dig(certificate, "period", "start"), "Valid until": dig(certificate, "period", "end"),
	}
}

// eventLines are those of its section.
func (c *comparison) eventLines() lines {
	if test, ok := c.content["test"]; ok {
		return lines{
			"Pathogen": unsaid{}, "Type of test": unsaid{}, "Brand": unsaid{}, "Manufacturer": unsaid{},
			"Origin of the sample": unsaid{}, "Date": dig(test, "date"), "Result": unsaid{}, "Centre": unsaid{}, "Country": unsaid{},
		}
	}
	shot := c.content["vaccination"]
	return lines{
		"Vaccine": unsaid{}, "Brand": unsaid{}, "Manufacturer": unsaid{}, "Market authorisation holder": unsaid{},
		"Lot": dig(shot, "lot"), "Date": dig(shot, "date"), "Valid from": dig(shot, "validFrom"), "Dose": dig(shot, "dose"),
		"Doses in the series": dig(shot, "totalDoses"), "Country": unsaid{}, "Centre": dig(shot, "centre"),
		"Disease": unsaid{}, "Next dose due": unsaid{},
	}
}

// narrative checks a text for people: labels of the gateway, each once, values without
// markup, and those of the certificate where it has them. A missing text says nothing.
func (c *comparison) narrative(path string, v any, known lines) {
	if v == nil {
		return
	}
	text, _ := v.(string)
	text, begins := strings.CutPrefix(text, narrativeBegin)
	text, ends := strings.CutSuffix(text, narrativeEnd)
	if !begins || !ends {
		c.refuse(path)
		return
	}
	seen := map[string]bool{}
	for text != "" {
		line, rest, ended := strings.Cut(text, lineEnd)
		line, begun := strings.CutPrefix(line, lineBegin)
		label, value, _ := strings.Cut(line, ": ")
		want, ok := known[label]
		if !begun || !ended || !ok || seen[label] || strings.ContainsAny(value, "<>") {
			c.refuse(path)
			return
		}
		if want != (unsaid{}) {
			c.same(path+"("+label+")", html.UnescapeString(value), written(want))
		}
		seen[label], text = true, rest
	}
}

// written is what the narrative writes for a member of the certificate; nothing for none.
func written(v any) any {
	if n, ok := numberOf(v); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return v
}
