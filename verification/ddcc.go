package verification

import (
	"math"
	"time"
)

// checkDDCC applies the cardinalities and types of WHO's core data set to the content of
// a QR code (DDCC IG, DDCCCoreDataSetVS and DDCCCoreDataSetTR): event is the member that
// must be there, other the one that must not.
func checkDDCC(content map[string]any, event, other string) *failure {
	var c checker
	c.text(content, "name")
	c.optionalDate(content, "birthDate")
	if content["certificate"] != nil {
		c.certificate(c.object(content, "certificate"))
	}
	if content[other] != nil {
		c.fail(other, "does not belong into content of this kind")
	}
	switch details := c.object(content, event); event {
	case "vaccination":
		c.vaccination(details)
	default:
		c.test(details)
	}
	return c.failure
}

// checker remembers the first thing that is wrong. Members are named by path.
type checker struct {
	path    string
	failure *failure
}

func (c *checker) fail(member, rule string) {
	if c.failure == nil {
		c.failure = fail(ReasonInvalidPayload, c.path+member+": "+rule)
	}
}

// object gives a member that must be a map; nil when it is not.
func (c *checker) object(parent map[string]any, member string) map[string]any {
	object, ok := parent[member].(map[string]any)
	if !ok {
		c.fail(member, "must be a map")
	}
	return object
}

func (c *checker) text(parent map[string]any, member string) {
	if text, ok := parent[member].(string); !ok || text == "" {
		c.fail(member, "must be text and not empty")
	}
}

func (c *checker) optionalText(parent map[string]any, member string) {
	if parent[member] != nil {
		c.text(parent, member)
	}
}

// date is a FHIR date, possibly partial, or a dateTime with a time zone.
func (c *checker) date(parent map[string]any, member string) {
	if text, ok := parent[member].(string); !ok || !isFHIRDate(text) {
		c.fail(member, "must be a FHIR date or dateTime")
	}
}

func (c *checker) optionalDate(parent map[string]any, member string) {
	if parent[member] != nil {
		c.date(parent, member)
	}
}

func isFHIRDate(text string) bool {
	for _, layout := range []string{"2006-01-02", time.RFC3339, "2006-01", "2006"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// positive is a whole number above zero; foreign encoders write it as a float.
func (c *checker) positive(parent map[string]any, member string) {
	switch number := parent[member].(type) {
	case uint64:
		if number > 0 && number <= math.MaxInt32 {
			return
		}
	case float64:
		if number >= 1 && number <= math.MaxInt32 && number == math.Trunc(number) {
			return
		}
	}
	c.fail(member, "must be a whole number above zero")
}

// coding is a coded value: a code, and possibly system and display.
func (c *checker) coding(parent map[string]any, member string) {
	coding := c.object(parent, member)
	outer := c.path
	c.path += member + "."
	c.text(coding, "code")
	c.optionalText(coding, "system")
	c.optionalText(coding, "display")
	c.path = outer
}

func (c *checker) optionalCoding(parent map[string]any, member string) {
	if parent[member] != nil {
		c.coding(parent, member)
	}
}

func (c *checker) certificate(certificate map[string]any) {
	c.path = "certificate."
	c.coding(certificate, "issuer")
	c.text(certificate, "hcid")
	c.optionalText(certificate, "ddccid")
	c.text(certificate, "version")
	if certificate["period"] != nil {
		period := c.object(certificate, "period")
		c.path = "certificate.period."
		c.optionalDate(period, "start")
		c.optionalDate(period, "end")
	}
	c.path = ""
}

func (c *checker) vaccination(v map[string]any) {
	c.path = "vaccination."
	c.coding(v, "vaccine")
	c.coding(v, "brand")
	c.optionalCoding(v, "manufacturer")
	c.optionalCoding(v, "maholder")
	if v["manufacturer"] == nil && v["maholder"] == nil {
		c.fail("manufacturer", "a manufacturer or a maholder must be there (who-ddcc-data-1)")
	}
	c.text(v, "lot")
	c.date(v, "date")
	c.optionalDate(v, "validFrom")
	c.positive(v, "dose")
	if v["totalDoses"] != nil {
		c.positive(v, "totalDoses")
	}
	c.coding(v, "country")
	c.optionalText(v, "centre")
	c.optionalCoding(v, "disease")
}

func (c *checker) test(t map[string]any) {
	c.path = "test."
	c.coding(t, "pathogen")
	c.coding(t, "type")
	c.optionalCoding(t, "brand")
	c.optionalCoding(t, "manufacturer")
	c.optionalCoding(t, "origin")
	c.date(t, "date")
	c.coding(t, "result")
	if _, isText := t["centre"].(string); isText { // a Coding by the model, text in the field
		c.text(t, "centre")
	} else {
		c.optionalCoding(t, "centre")
	}
	c.coding(t, "country")
}
