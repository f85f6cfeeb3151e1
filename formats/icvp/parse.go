package icvp

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var (
	errShape = fault.New(fault.Malformed, "icvp-shape", "The content is no ICVP: v must be a map, a list of one dose, or a model version beside the map vx.")
	errDoses = fault.New(fault.Rule, "icvp-doses", "An ICVP is about one dose; the content has several or none.")
)

// layout is where a generation keeps what a card says.
type layout struct {
	nationality, documentID, documentKey string
	date                                 []string // the first that is there counts
}

var layouts = map[Generation]layout{
	Gen0: {"ntl", "nid", "ndt", []string{"dt"}},
	Gen1: {"ntl", "nid", "ndt", []string{"dt"}},
	Gen2: {"nt", "id", "dt", []string{"dv", "dt"}}, // an earlier draft had dt in vx
}

// Parse reads the decoded value of sub-claim -6 in any generation, which the type of v and
// the presence of vx tell. It converts nothing but the sex, where M and F stand for the
// codes of FHIR. Members that a Card does not have (generation 0: disease, manufacturer)
// are passed over. Whether the content keeps the rules is for Check to say: here only its
// shape and the types of its members count.
func Parse(content map[string]any) (Card, Generation, error) {
	generation, dose, err := findDose(content)
	if err != nil {
		return Card{}, generation, err
	}
	names := layouts[generation]
	r := memberReader{}
	card := Card{
		Name: r.text(content, "n"), BirthDate: r.text(content, "dob"), Sex: administrativeGender(r.text(content, "s")),
		Nationality: r.text(content, names.nationality), DocumentID: r.text(content, names.documentID),
		DocumentKey: r.text(content, names.documentKey), Guardian: r.text(content, "gn"),
	}
	r.prefix = dosePath[generation]
	card.Vaccination = Vaccination{
		Product: r.text(dose, "vp"), Date: r.text(dose, names.date...), Batch: r.text(dose, "bo"),
		Clinician: r.text(dose, "cn"), Issuer: r.text(dose, "is"),
	}
	if generation != Gen2 {
		card.Vaccination.ValidFrom, card.Vaccination.ValidUntil = r.text(dose, "vls"), r.text(dose, "vle")
	}
	if len(r.issues) > 0 {
		return Card{}, generation, fault.New(fault.Malformed, "icvp-type", "Members of the ICVP have the wrong type.").With(r.issues...)
	}
	return card, generation, nil
}

// dosePath is the path of the dose.
var dosePath = map[Generation]string{Gen0: "v.", Gen1: "v[0].", Gen2: "vx."}

// findDose tells the generations apart.
func findDose(content map[string]any) (Generation, map[string]any, error) {
	if vx, present := content["vx"]; present && vx != nil {
		dose, ok := vx.(map[string]any)
		if !ok {
			return Gen2, nil, errShape
		}
		return Gen2, dose, nil
	}
	switch v := content["v"].(type) {
	case map[string]any:
		return Gen0, v, nil
	case []any:
		if len(v) != 1 {
			return Gen1, nil, errDoses
		}
		dose, ok := v[0].(map[string]any)
		if !ok {
			return Gen1, nil, errShape
		}
		return Gen1, dose, nil
	}
	return Gen0, nil, errShape
}

// administrativeGender is the code of FHIR for what cards in the field say.
func administrativeGender(sex string) string {
	switch strings.ToUpper(strings.TrimSpace(sex)) {
	case "M":
		return "male"
	case "F":
		return "female"
	}
	return sex
}

// memberReader collects the members that are no text.
type memberReader struct {
	prefix string
	issues []fault.Issue
}

// text gives the first of the members that is there; null is absent.
func (r *memberReader) text(object map[string]any, names ...string) string {
	for _, name := range names {
		switch value := object[name].(type) {
		case nil:
		case string:
			return value
		default:
			r.issues = append(r.issues, fault.Issue{Path: r.prefix + name, Rule: "icvp-type", Detail: "The member must be text.", Fix: "Write it as text."})
			return ""
		}
	}
	return ""
}
