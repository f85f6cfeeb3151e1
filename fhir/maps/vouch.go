package maps

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RuleInvented marks a value of a core data set that its source does not have.
const RuleInvented = "map-invented"

// Vouch holds a core data set that a foreign map made against the resource it was made of. A
// map may translate codes and put names together; it may not invent a person, a date, a
// number or an id. The findings are errors and repeat no value.
func Vouch(source []byte, core fhir.CoreDataSet) []fault.Issue {
	root, err := jsontree.Parse(source, fhir.MaxDepth)
	if err != nil {
		return fault.From(fhir.Check(source)).Issues
	}
	w := witness{words: map[string]bool{}, texts: map[string]bool{}}
	w.read(root)
	var issues []fault.Issue
	check := func(path, value string, known func(string) bool) {
		if value != "" && !known(value) {
			issues = append(issues, fault.Issue{
				Path: "DDCCCoreDataSet." + path, Rule: RuleInvented, Detail: "The structure map gave a value that the resource does not have.", Fix: "Correct the structure map.",
			})
		}
	}
	check("name", core.Name, w.name)
	check("birthDate", core.BirthDate, w.date)
	check("sex", core.Sex, w.text)
	if core.Identifier != nil {
		check("identifier", core.Identifier.Value, w.text)
	}
	check("certificate.hcid", core.Certificate.HCID, w.ending)
	check("certificate.issuer", core.Certificate.Issuer.Value, w.text)
	check("certificate.period.start", core.Certificate.Period.Start, w.date)
	check("certificate.period.end", core.Certificate.Period.End, w.date)
	if v := core.Vaccination; v != nil {
		check("vaccination.lot", v.Lot, w.text)
		check("vaccination.date", v.Date, w.date)
		check("vaccination.validFrom", v.ValidFrom, w.date)
		check("vaccination.nextDose", v.NextDose, w.date)
		check("vaccination.centre", v.Centre, w.text)
		check("vaccination.practitioner", v.Practitioner.Value, w.text)
		check("vaccination.dose", number(v.Dose), w.text)
		check("vaccination.totalDoses", number(v.TotalDoses), w.text)
	}
	if t := core.Test; t != nil {
		check("test.date", t.Date, w.date)
	}
	return issues
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// witness knows what a resource says: its texts and numbers, and the words of the texts.
type witness struct{ texts, words map[string]bool }

func (w witness) read(v *jsontree.Value) {
	switch v.Kind {
	case jsontree.String, jsontree.Number:
		text, _ := fhir.CleanText(v.Text)
		w.texts[text] = true
		for word := range strings.FieldsSeq(text) {
			w.words[word] = true
		}
	case jsontree.Array:
		for i := range v.Elems {
			w.read(&v.Elems[i])
		}
	case jsontree.Object:
		for i := range v.Members {
			if v.Members[i].Name != "linkId" { // numbers questions, and answers none
				w.read(&v.Members[i].Value)
			}
		}
	case jsontree.Null, jsontree.True, jsontree.False:
	}
}

func (w witness) text(value string) bool { return w.texts[value] }

// name may be put together of several texts.
func (w witness) name(value string) bool {
	for word := range strings.FieldsSeq(value) {
		if !w.words[word] {
			return false
		}
	}
	return true
}

// date may be the day of an instant.
func (w witness) date(value string) bool {
	for text := range w.texts {
		if text == value || strings.HasPrefix(text, value+"T") {
			return true
		}
	}
	return false
}

// ending may stand behind urn:HCID: or the like.
func (w witness) ending(value string) bool {
	for text := range w.texts {
		if text == value || strings.HasSuffix(text, ":"+value) {
			return true
		}
	}
	return false
}
