package fhir

import "github.com/trustedparty/ddcc-gateway/fhir/terminology"

// ItemType is Questionnaire.item.type.
type ItemType string

// The item types of the two questionnaires, and dateTime, which one of them should have.
const (
	ItemString   ItemType = "string"
	ItemDate     ItemType = "date"
	ItemDateTime ItemType = "dateTime"
	ItemInteger  ItemType = "integer"
	ItemChoice   ItemType = "choice"
)

// QuestionnaireItem is one question. No item repeats and none is nested.
type QuestionnaireItem struct {
	LinkID   string
	Type     ItemType
	Required bool
	ValueSet string   // id as in fhir/terminology; empty when the guide binds none
	Target   string   // path in the core data set
	Also     ItemType // a second accepted type, where guide and model differ
}

// Accepts reports whether an answer of type value[x] suits the item.
func (i QuestionnaireItem) Accepts(valueType string) bool {
	return valueType == i.Type.valueType() || i.Also != "" && valueType == i.Also.valueType()
}

// Expects names the value[x] that suit the item, for people.
func (i QuestionnaireItem) Expects() string {
	if i.Also == "" {
		return "value" + i.Type.valueType()
	}
	return "value" + i.Type.valueType() + " or value" + i.Also.valueType()
}

func (t ItemType) valueType() string {
	switch t {
	case ItemDate:
		return "Date"
	case ItemDateTime:
		return "DateTime"
	case ItemInteger:
		return "Integer"
	case ItemChoice:
		return "Coding"
	default:
		return "String"
	}
}

// Questionnaire is one of WHO's two core data set questionnaires (DDCC IG,
// DDCCVSCoreDataSetQuestionnaire and DDCCTRCoreDataSetQuestionnaire, 0.1.0).
type Questionnaire struct {
	Name  string
	Test  bool // test result, not vaccination
	items []QuestionnaireItem
}

// Canonical is the questionnaire's canonical; it has no "Questionnaire/" segment.
func (q Questionnaire) Canonical() Canonical { return Canonical{Name: q.Name} }

// Items lists the questions in order. The slice is the caller's own.
func (q Questionnaire) Items() []QuestionnaireItem {
	return append([]QuestionnaireItem(nil), q.items...)
}

// Item finds a question.
func (q Questionnaire) Item(linkID string) (QuestionnaireItem, bool) {
	for _, i := range q.items {
		if i.LinkID == linkID {
			return i, true
		}
	}
	return QuestionnaireItem{}, false
}

// QuestionnaireVS asks for one vaccination.
func QuestionnaireVS() Questionnaire {
	return Questionnaire{Name: "DDCCVSCoreDataSetQuestionnaire", items: itemsVS[:]}
}

// QuestionnaireTR asks for one test result.
func QuestionnaireTR() Questionnaire {
	return Questionnaire{Name: "DDCCTRCoreDataSetQuestionnaire", Test: true, items: itemsTR[:]}
}

// QuestionnaireByCanonical finds the questionnaire that QuestionnaireResponse.questionnaire
// names, in any published form.
func QuestionnaireByCanonical(url string) (Questionnaire, bool) {
	c, ok := ParseCanonical(url)
	if !ok || c.Type != "" && c.Type != "Questionnaire" {
		return Questionnaire{}, false
	}
	for _, q := range []Questionnaire{QuestionnaireVS(), QuestionnaireTR()} {
		if c.Name == q.Name {
			return q, true
		}
	}
	return Questionnaire{}, false
}

// The disease question binds the agents in the guide while its model binds the diseases.
var itemsVS = [...]QuestionnaireItem{
	{LinkID: "name", Type: ItemString, Required: true, Target: pathName},
	{LinkID: "birthDate", Type: ItemDate, Target: pathBirthDate},
	{LinkID: "identifier", Type: ItemString, Target: pathIdentifier},
	{LinkID: "sex", Type: ItemChoice, ValueSet: terminology.ValueSetGender, Target: pathSex},
	{LinkID: "vaccine", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetVaccines, Target: pathVaccination + ".vaccine"},
	{LinkID: "brand", Type: ItemChoice, Required: true, Target: pathVaccination + ".brand"},
	{LinkID: "manufacturer", Type: ItemChoice, Target: pathVaccination + ".manufacturer"},
	{LinkID: "ma_holder", Type: ItemChoice, Target: pathVaccination + ".maholder"},
	{LinkID: "lot", Type: ItemString, Required: true, Target: pathVaccination + ".lot"},
	{LinkID: "date", Type: ItemDate, Required: true, Target: pathVaccination + ".date"},
	{LinkID: "vaccine_valid", Type: ItemDate, Target: pathVaccination + ".validFrom"},
	{LinkID: "dose", Type: ItemInteger, Required: true, Target: pathVaccination + ".dose"},
	{LinkID: "total_doses", Type: ItemInteger, Target: pathVaccination + ".totalDoses"},
	{LinkID: "country", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetCountryAlpha3, Target: pathVaccination + ".country"},
	{LinkID: "centre", Type: ItemString, Required: true, Target: pathVaccination + ".centre"},
	{LinkID: "hw", Type: ItemString, Target: pathVaccination + ".practitioner"},
	{LinkID: "disease", Type: ItemChoice, ValueSet: terminology.ValueSetAgent, Target: pathVaccination + ".disease"},
	{LinkID: "due_date", Type: ItemDate, Target: pathVaccination + ".nextDose"},
	{LinkID: "pha", Type: ItemString, Required: true, Target: pathIssuer},
	{LinkID: "hcid", Type: ItemString, Required: true, Target: pathHCID},
	{LinkID: "valid_from", Type: ItemDate, Target: pathPeriod + ".start"},
	{LinkID: "valid_until", Type: ItemDate, Target: pathPeriod + ".end"},
}

// The guide has a leftover question vaccine_valid here, for which a test result has no
// place; an answer to it is reported and not kept. Date is a date in the questionnaire
// and a dateTime in the model, centre a choice and a Coding that many places write as text.
var itemsTR = [...]QuestionnaireItem{
	{LinkID: "name", Type: ItemString, Required: true, Target: pathName},
	{LinkID: "birthDate", Type: ItemDate, Required: true, Target: pathBirthDate},
	{LinkID: "identifier", Type: ItemString, Target: pathIdentifier},
	{LinkID: "pathogen", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetAgent, Target: pathTest + ".pathogen"},
	{LinkID: "type", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetTestType, Target: pathTest + ".type"},
	{LinkID: "brand", Type: ItemChoice, Target: pathTest + ".brand"},
	{LinkID: "manufacturer", Type: ItemChoice, Target: pathTest + ".manufacturer"},
	{LinkID: "origin", Type: ItemChoice, ValueSet: terminology.ValueSetSampleOrigin, Target: pathTest + ".origin"},
	{LinkID: "date", Type: ItemDate, Also: ItemDateTime, Required: true, Target: pathTest + ".date"},
	{LinkID: "result", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetTestResult, Target: pathTest + ".result"},
	{LinkID: "vaccine_valid", Type: ItemDate},
	{LinkID: "centre", Type: ItemChoice, Also: ItemString, Target: pathTest + ".centre"},
	{LinkID: "country", Type: ItemChoice, Required: true, ValueSet: terminology.ValueSetCountryAlpha3, Target: pathTest + ".country"},
	{LinkID: "pha", Type: ItemString, Required: true, Target: pathIssuer},
	{LinkID: "hcid", Type: ItemString, Required: true, Target: pathHCID},
	{LinkID: "valid_from", Type: ItemDate, Target: pathPeriod + ".start"},
	{LinkID: "valid_until", Type: ItemDate, Target: pathPeriod + ".end"},
}
