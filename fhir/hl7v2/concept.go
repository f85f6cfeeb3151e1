package hl7v2

import (
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Code systems by the names of HL7 table 0396 that senders of immunizations use.
var codeSystems = map[string]string{
	"CVX":    terminology.SystemCVX,
	"MVX":    systemMVX,
	"NDC":    "http://hl7.org/fhir/sid/ndc",
	"LN":     terminology.SystemLOINC,
	"SCT":    terminology.SystemSNOMED,
	"I10":    terminology.SystemICD10,
	"I9C":    "http://hl7.org/fhir/sid/icd-9-cm",
	"C4":     "http://www.ama-assn.org/go/cpt",
	"RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
	"UCUM":   systemUCUM,
	"NCIT":   "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
	"ATC":    terminology.SystemATC,
	"WC":     terminology.SystemATC,
}

const (
	systemMVX  = "http://hl7.org/fhir/sid/mvx"
	systemUCUM = "http://unitsofmeasure.org"
)

// table is the URI of an HL7 table.
func table(number string) string { return "http://terminology.hl7.org/CodeSystem/v2-" + number }

var tableName = regexp.MustCompile(`^HL7[0-9]{4}$`)

// codeSystem gives the URI of a coding system by its name or, where the sender gives it, its
// OID (CWE.14, v2.7).
func (c *converter) codeSystem(name, id string) string {
	if isOID(id) {
		if uri, ok := terminology.CanonicalSystem("urn:oid:" + id); ok {
			return uri
		}
	}
	switch {
	case codeSystems[name] != "":
		return codeSystems[name]
	case c.Systems[name] != "":
		return c.Systems[name]
	case tableName.MatchString(name):
		return table(name[len("HL7"):])
	case strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "urn:"):
		return name
	case isOID(name):
		return first(canonical("urn:oid:"+name), "urn:oid:"+name)
	case isOID(id):
		return "urn:oid:" + id
	}
	return ""
}

func canonical(uri string) string {
	known, _ := terminology.CanonicalSystem(uri)
	return known
}

// coded reads a CE or CWE: the code, its alternates in other systems, and the sender's own
// text. A code of a system that nobody knows stays as text.
func (c *converter) coded(v Value) concept {
	var out concept
	for _, at := range [][4]int{{1, 2, 3, 14}, {4, 5, 6, 17}, {10, 11, 12, 20}} {
		code, display := c.text(v.Component(at[0])), c.spare(v.Component(at[1]))
		system := c.codeSystem(v.Component(at[2]).Text(), v.Component(at[3]).Text())
		if code != "" && system != "" && validCode(code) {
			out.Coding = append(out.Coding, coding{System: system, Code: code, Display: display})
		} else if out.Text == "" {
			out.Text = first(display, code)
		}
	}
	if own := c.spare(v.Component(9)); own != "" {
		out.Text = own
	}
	return out
}

// validCode reports what FHIR calls a code: no white space but single spaces inside.
func validCode(code string) bool {
	return code == strings.Join(strings.Fields(code), " ")
}

// tabled reads an ID, IS or CWE whose codes are of one HL7 table.
func (c *converter) tabled(v Value, number string) concept {
	code, display := v.Component(1).Text(), v.Component(2).Text()
	if code == "" {
		return concept{Text: display}
	}
	if system := v.Component(3).Text(); system != "" && system != "HL7"+number {
		return c.coded(v)
	}
	return concept{Coding: []coding{{System: table(number), Code: code, Display: display}}}
}

// plain is a concept of one coding.
func plain(system, code string) concept {
	return concept{Coding: []coding{{System: system, Code: code}}}
}
