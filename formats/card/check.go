package card

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// check lists what keeps data from being a card.
func (c *Card) check() error {
	var found findings
	found.text("language", c.Language)
	found.text("authority", c.Authority)
	found.hcid(c.HCID)
	found.texts("holder", c.Holder)
	if c.Holder.Name == "" {
		found.add("holder.name", "card-required", "is missing", "give the name of the holder")
	}
	switch c.Holder.Sex {
	case "", "male", "female", "other", "unknown":
	default:
		found.add("holder.sex", "card-sex", "is no code of FHIR's administrative gender", "use male, female, other or unknown")
	}
	if len(c.Events) == 0 || len(c.Events) > MaxEvents {
		found.add("events", "card-events", fmt.Sprintf("has not 1 to %d entries", MaxEvents), "make several cards")
		return found.fault()
	}
	for i := range c.Events {
		found.event(fmt.Sprintf("events[%d]", i), &c.Events[i])
	}
	return found.fault()
}

// findings collects issues, each with the path of a field and never its value.
type findings []fault.Issue

func (f *findings) add(path, rule, detail, fix string) {
	*f = append(*f, fault.Issue{Path: path, Rule: rule, Detail: path + " " + detail + ".", Fix: fix})
}

func (f findings) fault() error {
	if len(f) == 0 {
		return nil
	}
	return fault.New(fault.Rule, "card-invalid", "The data do not make a card.").With(f...)
}

func (f *findings) text(path, value string) {
	switch {
	case !utf8.ValidString(value):
		f.add(path, "card-utf8", "is not valid UTF-8", "send text in UTF-8")
	case utf8.RuneCountInString(value) > MaxText:
		f.add(path, "card-length", fmt.Sprintf("has more than %d characters", MaxText), "shorten it")
	}
}

// texts checks all fields of a struct that are strings.
func (f *findings) texts(path string, of any) {
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			f.text(path+"."+memberName(v.Type().Field(i).Name), v.Field(i).String())
		}
	}
}

// memberName writes the name of a field as JSON members are written.
func memberName(field string) string {
	if field == strings.ToUpper(field) {
		return strings.ToLower(field)
	}
	return strings.ToLower(field[:1]) + field[1:]
}

// hcid allows the characters an HCID has in DDCC documents; Code 128 has them all.
func (f *findings) hcid(id string) {
	const punctuation = "-._/:"
	ok := id != "" && len(id) <= MaxHCID
	for i := range len(id) {
		c := id[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		ok = ok && (letter || strings.IndexByte(punctuation, c) >= 0)
	}
	if !ok {
		f.add("hcid", "card-hcid", fmt.Sprintf("is not 1 to %d ASCII letters, digits and %s", MaxHCID, punctuation),
			"give the identifier as it stands in the certificate")
	}
}

func (f *findings) event(path string, e *Event) {
	f.texts(path, *e)
	switch {
	case (e.Vaccination == nil) == (e.Test == nil):
		f.add(path, "card-kind", "is not exactly one of a vaccination and a test", "set one of the two")
	case e.Test != nil:
		f.texts(path+".test", *e.Test)
	default:
		f.texts(path+".vaccination", *e.Vaccination)
		f.sequence(path+".vaccination.dose", e.Vaccination.Dose)
		f.sequence(path+".vaccination.totalDoses", e.Vaccination.TotalDoses)
	}
	if len(e.Codes) > MaxCodes {
		f.add(path+".codes", "card-codes", fmt.Sprintf("has more than %d entries", MaxCodes), "ask for fewer formats")
	}
	for i, c := range e.Codes {
		at := fmt.Sprintf("%s.codes[%d]", path, i)
		f.text(at+".format", c.Format)
		if c.Symbol == nil {
			f.add(at+".symbol", "card-required", "is missing", "encode the text of the certificate first")
		}
	}
}

func (f *findings) sequence(path string, n int) {
	if n < 0 || n > MaxSequence {
		f.add(path, "card-dose", fmt.Sprintf("is not 0 to %d", MaxSequence), "count doses from 1; 0 says that the number is not known")
	}
}
