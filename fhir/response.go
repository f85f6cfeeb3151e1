package fhir

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// QuestionnaireResponse is the part of the resource that the maps read. The model
// library is not used: it drops the "_value" siblings, which here would silently turn
// "the answer is unknown" into "there is no answer".
type QuestionnaireResponse struct {
	ID            string
	Questionnaire string // canonical, as sent
	Status        string
	Authored      string
	Items         []ResponseItem
	Issues        []fault.Issue // what a reader must not ignore: modifier extensions
	Raw           []byte        // the bytes as they came; not a copy
}

// ResponseItem is QuestionnaireResponse.item.
type ResponseItem struct {
	LinkID  string
	Answers []Answer
	Items   []ResponseItem // nested groups and questions
}

// HasAnswer reports an answer here or below.
func (i ResponseItem) HasAnswer() bool {
	if len(i.Answers) > 0 {
		return true
	}
	for _, nested := range i.Items {
		if nested.HasAnswer() {
			return true
		}
	}
	return false
}

// Answer is QuestionnaireResponse.item.answer with any value[x].
type Answer struct {
	Type     string // what follows "value": String, Date, Integer, Coding, …; empty when there is none
	Text     string // the primitive: a string, a number's literal, "true" or "false"
	Coding   Coding // of a valueCoding
	Raw      []byte // of a complex value
	Extended bool   // an extension stands beside or in place of the value
	Items    []ResponseItem
}

// Integer gives a valueInteger.
func (a Answer) Integer() (int, bool) {
	n, err := strconv.ParseInt(a.Text, 10, 32)
	return int(n), a.Type == "Integer" && err == nil
}

// ParseQuestionnaireResponse reads raw. The error is a fault.Malformed with every place
// where raw is not FHIR JSON; whether the answers make sense is for the maps.
func ParseQuestionnaireResponse(raw []byte) (QuestionnaireResponse, error) {
	var log element.Log
	e, err := open(raw, "QuestionnaireResponse", &log)
	if err != nil {
		return QuestionnaireResponse{}, err
	}
	r := responseReader{raw: raw}
	qr := QuestionnaireResponse{
		ID:            e.Child("id").Text(),
		Questionnaire: e.Child("questionnaire").Text(),
		Status:        e.Child("status").Text(),
		Authored:      e.Child("authored").Text(),
		Raw:           raw,
	}
	r.modifier(e)
	qr.Items = r.items(e)
	qr.Issues = r.log.Issues
	return qr, closeLog(&log, "QuestionnaireResponse")
}

type responseReader struct {
	raw []byte
	log element.Log // what is valid FHIR and must not be ignored
}

// modifier refuses what changes the meaning of an element and is not understood here
// (FHIR R4 extensibility, modifierExtension; Resource.implicitRules).
func (r *responseReader) modifier(e *element.Element) {
	for _, name := range []string{"modifierExtension", "implicitRules"} {
		if c := e.Child(name); c.Exists() {
			r.log.Add(fault.Issue{
				Path: c.Path(), Rule: RuleModifier,
				Detail: "An element that changes the meaning of the others is present and not understood.",
				Fix:    "Send the response without modifier extensions and implicit rules.",
			})
		}
	}
}

func (r *responseReader) items(e *element.Element) []ResponseItem {
	list := e.Child("item").List()
	if len(list) == 0 {
		return nil
	}
	out := make([]ResponseItem, 0, len(list))
	for _, i := range list {
		if !i.Object() {
			continue
		}
		r.modifier(i)
		known(i, "id", "extension", "modifierExtension", "linkId", "_linkId", "definition", "_definition", "text", "_text", "answer", "item")
		item := ResponseItem{LinkID: i.Child("linkId").Text(), Items: r.items(i)}
		if item.LinkID == "" {
			i.Child("linkId").Report(RuleRequired, "The item has no linkId.", "Name the question that the item answers.")
		}
		for _, a := range i.Child("answer").List() {
			if a.Object() {
				item.Answers = append(item.Answers, r.answer(a))
			}
		}
		out = append(out, item)
	}
	return out
}

func (r *responseReader) answer(e *element.Element) Answer {
	r.modifier(e)
	a := Answer{Items: r.items(e), Extended: e.Child("extension").Exists()}
	for i := range e.Value().Members {
		name := e.Value().Members[i].Name
		switch {
		case strings.HasPrefix(name, "_value") && valueKind(name[len("_value"):]) != 0:
			a.Extended = true
		case strings.HasPrefix(name, "value") && valueKind(name[len("value"):]) != 0:
			r.value(e, name, &a)
		case name != "id" && name != "extension" && name != "modifierExtension" && name != "item":
			reportUnknown(e, i)
		}
	}
	return a
}

func (r *responseReader) value(e *element.Element, name string, a *Answer) {
	v := e.Child(name)
	if a.Type != "" {
		v.Report(RuleOneAnswer, "The answer has more than one value.", "Send one value[x] in each answer.")
		return
	}
	a.Type = name[len("value"):]
	switch valueKind(a.Type) {
	case jsontree.String:
		a.Text = v.Text()
	case jsontree.True:
		a.Text = strconv.FormatBool(v.Bool())
	case jsontree.Number:
		if v.Exists() && v.Value().Kind == jsontree.Number {
			a.Text = v.Value().Text
		} else {
			v.Report(RuleType, "The element is not a JSON number.", "Send a JSON number.")
		}
	case jsontree.Object:
		if v.Object() {
			a.Raw = v.Value().Raw(r.raw)
		}
		if a.Type == "Coding" {
			a.Coding = readCoding(v)
		}
	}
}

// valueKind gives the JSON kind of an answer's value[x], 0 for types an answer has not.
func valueKind(name string) jsontree.Kind {
	switch name {
	case "String", "Date", "DateTime", "Time", "Uri":
		return jsontree.String
	case "Boolean":
		return jsontree.True
	case "Integer", "Decimal":
		return jsontree.Number
	case "Coding", "Attachment", "Quantity", "Reference":
		return jsontree.Object
	default:
		return 0
	}
}

func readCoding(e *element.Element) Coding {
	return Coding{
		System:  e.Child("system").Text(),
		Version: e.Child("version").Text(),
		Code:    e.Child("code").Text(),
		Display: e.Child("display").Text(),
	}
}

// known reports members the element does not have in FHIR R4, such as a name in another
// letter case. The member's name is the sender's text and stays out of the issue.
func known(e *element.Element, names ...string) {
	for i := range e.Value().Members {
		found := false
		for _, n := range names {
			found = found || n == e.Value().Members[i].Name
		}
		if !found {
			reportUnknown(e, i)
		}
	}
}

func reportUnknown(e *element.Element, member int) {
	e.Report(RuleUnknownElement,
		"Member number "+strconv.Itoa(member+1)+" of the object is no element of FHIR R4.",
		"Check the spelling and the letter case of the element's name.")
}
