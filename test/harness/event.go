package harness

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

// Items are the answers of a QuestionnaireResponse by linkId; values are value[x] members,
// e.g. {"valueString": "…"}.
type Items map[string]map[string]any

// Vaccination gives valid answers for a specimen person; changes overwrite or, with nil,
// remove answers.
func Vaccination(hcid string, changes ...Items) Items {
	icd11 := "http://id.who.int/icd11/mms"
	day := time.Now().UTC().AddDate(0, 0, -20).Format(time.DateOnly)
	items := Items{
		"name":         {"valueString": "Ngozi Specimen"},
		"birthDate":    {"valueDate": "1979-03-08"},
		"identifier":   {"valueString": "NID-SPECIMEN-55"},
		"sex":          {"valueCoding": map[string]any{"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}},
		"vaccine":      {"valueCoding": map[string]any{"system": icd11, "code": "XM0GQ8"}},
		"brand":        {"valueCoding": map[string]any{"system": icd11, "code": "XM8NQ0"}},
		"manufacturer": {"valueCoding": map[string]any{"system": "https://spor.ema.europa.eu/v1/organisations", "code": "ORG-100030215"}},
		"lot":          {"valueString": "SPECLOT7"},
		"date":         {"valueDate": day},
		"dose":         {"valueInteger": 1},
		"total_doses":  {"valueInteger": 2},
		"country":      {"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "XXA"}},
		"centre":       {"valueString": "Specimen Centre"},
		"hw":           {"valueString": "HW-SPECIMEN-9"},
		"disease":      {"valueCoding": map[string]any{"system": icd11, "code": "RA01"}},
		"pha":          {"valueString": devinstall.Authority.ID},
		"hcid":         {"valueString": hcid},
	}
	return items.with(changes)
}

// TestResult gives valid answers about a negative test of a specimen person.
func TestResult(hcid string, changes ...Items) Items {
	icd11 := "http://id.who.int/icd11/mms"
	items := Items{
		"name":      {"valueString": "Ngozi Specimen"},
		"birthDate": {"valueDate": "1979-03-08"},
		"pathogen":  {"valueCoding": map[string]any{"system": icd11, "code": "XN109"}},
		"type":      {"valueCoding": map[string]any{"system": icd11, "code": "1334426561"}},
		"origin":    {"valueCoding": map[string]any{"system": icd11, "code": "JAM.AH.XF"}},
		"brand":     {"valueCoding": map[string]any{"system": "urn:specimen:kits", "code": "KIT-1"}},
		"manufacturer": {"valueCoding": map[string]any{
			"system": "urn:specimen:makers", "code": "MAKER-1",
		}},
		"date":    {"valueDateTime": time.Now().UTC().Add(-30 * time.Hour).Format(time.RFC3339)},
		"result":  {"valueCoding": map[string]any{"system": icd11, "code": "QA02"}},
		"centre":  {"valueString": "Specimen Laboratory"},
		"country": {"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "XXA"}},
		"pha":     {"valueString": devinstall.Authority.ID},
		"hcid":    {"valueString": hcid},
	}
	return items.with(changes)
}

func (items Items) with(changes []Items) Items {
	for _, change := range changes {
		for link, value := range change {
			if value == nil {
				delete(items, link)
			} else {
				items[link] = value
			}
		}
	}
	return items
}

// Canonicals of the two questionnaires.
const (
	QuestionnaireVS = "http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire"
	QuestionnaireTR = "http://smart.who.int/ddcc/DDCCTRCoreDataSetQuestionnaire"
)

// Response is a QuestionnaireResponse with these answers.
func Response(questionnaire string, items Items) map[string]any {
	list := make([]any, 0, len(items))
	for link, answer := range items {
		list = append(list, map[string]any{"linkId": link, "answer": []any{answer}})
	}
	return map[string]any{"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire, "status": "completed", "item": list}
}

// Parameters wraps a resource as the parameter "response".
func Parameters(resource any) map[string]any {
	return map[string]any{"resourceType": "Parameters", "parameter": []any{map[string]any{"name": "response", "resource": resource}}}
}

// Batch is a Submit Health Event request with these resources.
func Batch(resources ...any) map[string]any {
	entries := make([]any, len(resources))
	for i, r := range resources {
		entries[i] = map[string]any{
			"fullUrl": fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), "resource": r,
			"request": map[string]any{"method": "POST", "url": "QuestionnaireResponse/$generateHealthCertificate"},
		}
	}
	return map[string]any{"resourceType": "Bundle", "type": "batch", "entry": entries}
}

// JSON marshals what always marshals.
func JSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// VS is the JSON of a vaccination QuestionnaireResponse.
func VS(t testing.TB, hcid string, changes ...Items) []byte {
	t.Helper()
	return JSON(t, Response(QuestionnaireVS, Vaccination(hcid, changes...)))
}

// TR is the JSON of a test result QuestionnaireResponse.
func TR(t testing.TB, hcid string, changes ...Items) []byte {
	t.Helper()
	return JSON(t, Response(QuestionnaireTR, TestResult(hcid, changes...)))
}
