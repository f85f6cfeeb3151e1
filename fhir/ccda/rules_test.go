package ccda_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// rules are the invariants of R4 that a table cannot say, and choices.
func (c *checker) rules(path, kind string, o map[string]any) {
	for _, choice := range []string{"value", "medication", "deceased", "multipleBirth", "effective", "performed", "onset", "asNeeded"} {
		n := 0
		for name := range o {
			if rest, ok := strings.CutPrefix(name, choice); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
				n++
			}
		}
		if n > 1 || n == 0 && choice == "medication" && slices.Contains([]string{"MedicationStatement", "MedicationRequest", "MedicationDispense"}, kind) {
			c.fail(path, "has %d of %s[x]", n, choice)
		}
	}
	code := func(name string) string {
		concept, _ := o[name].(map[string]any)
		list, _ := concept["coding"].([]any)
		if len(list) == 0 {
			return ""
		}
		text, _ := list[0].(map[string]any)["code"].(string)
		return text
	}
	switch kind {
	case "Bundle":
		if o["type"] == "document" && (o["identifier"] == nil || o["timestamp"] == nil) {
			c.fail(path, "bdl-9, bdl-10")
		}
	case "AllergyIntolerance", "Condition":
		if (o["clinicalStatus"] == nil) != (code("verificationStatus") == "entered-in-error") {
			c.fail(path, "ait-1, ait-2, con-3, con-5")
		}
		if o["abatementDateTime"] != nil && !slices.Contains([]string{"inactive", "resolved", "remission"}, code("clinicalStatus")) {
			c.fail(path, "con-4")
		}
	case "Observation":
		for name := range o {
			if strings.HasPrefix(name, "value") && o["dataAbsentReason"] != nil {
				c.fail(path, "obs-6")
			}
		}
	case "ReferenceRange":
		if o["low"] == nil && o["high"] == nil && o["text"] == nil {
			c.fail(path, "obs-3")
		}
	case "Section":
		if o["text"] == nil && o["entry"] == nil && o["section"] == nil {
			c.fail(path, "cmp-1")
		}
		if o["emptyReason"] != nil && o["entry"] != nil {
			c.fail(path, "cmp-2")
		}
	case "Organization":
		if o["identifier"] == nil && o["name"] == nil {
			c.fail(path, "org-1")
		}
		for _, name := range []string{"telecom", "address"} {
			list, _ := o[name].([]any)
			for _, one := range list {
				if one.(map[string]any)["use"] == "home" {
					c.fail(path, "org-2, org-3")
				}
			}
		}
	case "Quantity", "SimpleQuantity":
		if o["code"] != nil && o["system"] == nil {
			c.fail(path, "qty-3")
		}
	case "Period":
		start, _ := o["start"].(string)
		end, _ := o["end"].(string)
		if n := min(len(start), len(end), 10); start[:n] > end[:n] {
			c.fail(path, "per-1")
		}
	}
}

// allowed are the elements and attributes of the narrative that FHIR has (txt-1).
var (
	allowedTags  = strings.Fields("div p span b i a br sub sup ul ol li table caption colgroup col thead tbody tfoot tr th td")
	allowedAttrs = strings.Fields("id class href colspan rowspan align valign span border width cellpadding cellspacing abbr scope summary")
)

func xhtmlProblem(div string) string {
	decoder := xml.NewDecoder(strings.NewReader(div))
	ids := map[string]bool{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return "no XML: " + err.Error()
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Space != "http://www.w3.org/1999/xhtml" || !slices.Contains(allowedTags, start.Name.Local) {
			return "element " + start.Name.Local
		}
		for _, a := range start.Attr {
			switch {
			case a.Name.Local == "xmlns":
			case a.Name.Space != "" || !slices.Contains(allowedAttrs, a.Name.Local):
				return "attribute " + a.Name.Local
			case a.Name.Local == "href" && !regexp.MustCompile(`^(#|https?:|mailto:|tel:)`).MatchString(strings.ToLower(a.Value)):
				return "address " + a.Value
			case a.Name.Local == "id" && ids[a.Value]:
				return "id twice"
			case a.Name.Local == "id":
				ids[a.Value] = true
			}
		}
	}
}
