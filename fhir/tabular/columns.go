package tabular

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// column is one column: a question, or a part of the coding that answers it.
type column struct {
	item fhir.QuestionnaireItem
	part string // code, system or display; empty: the answer itself
}

// maxColumns bounds a header: the questionnaires have 22 questions of at most three parts.
const maxColumns = 100

// columns is a header.
type columns struct {
	questionnaire fhir.Questionnaire
	list          []column
}

// parseColumns finds the questionnaire that has the header's questions, and each column's
// question. A column that nobody would read is an error: it might hold an answer.
func parseColumns(names []string) (columns, error) {
	if len(names) > maxColumns {
		return columns{}, fault.New(fault.Malformed, "header", "The header of the file cannot be used.").With(headerIssue(maxColumns, "is one too many", "Send a column for each question, and for each part of a coding."))
	}
	q := fhir.QuestionnaireVS()
	if slices.ContainsFunc(names, func(n string) bool { n, _, _ = strings.Cut(n, "."); return n == "pathogen" || n == "result" }) {
		q = fhir.QuestionnaireTR()
	}
	out := columns{questionnaire: q}
	var issues []fault.Issue
	seen := map[string]bool{}
	for i, name := range names {
		linkID, part, _ := strings.Cut(name, ".")
		item, known := q.Item(linkID)
		coding := item.Type == fhir.ItemChoice
		if part == "code" {
			part = "" // the column itself may hold the code alone
		}
		switch {
		case !known, part != "" && !coding, part != "" && part != "system" && part != "display":
			issues = append(issues, headerIssue(i, "is none of the questionnaire "+q.Name, "Name it by the linkId of a question; of a coding linkId, linkId.system and linkId.display."))
		case seen[linkID+"."+part]:
			issues = append(issues, headerIssue(i, "is there twice", "Leave one out."))
		}
		seen[linkID+"."+part] = true
		out.list = append(out.list, column{item: item, part: part})
	}
	if len(issues) > 0 {
		return columns{}, fault.New(fault.Malformed, "header", "The header of the file cannot be used.").With(issues...)
	}
	return out, nil
}

// headerIssue names a column by its place: a file without a header has values there.
func headerIssue(i int, problem, fix string) fault.Issue {
	return fault.Issue{Path: "header[" + strconv.Itoa(i) + "]", Rule: RuleColumn, Detail: "Column " + strconv.Itoa(i+1) + " " + problem + ".", Fix: fix}
}

type jsonResponse struct {
	ResourceType  string     `json:"resourceType"`
	Questionnaire string     `json:"questionnaire"`
	Status        string     `json:"status"`
	Item          []jsonItem `json:"item"`
}

type jsonItem struct {
	LinkID string           `json:"linkId"`
	Answer []map[string]any `json:"answer"`
}

type jsonCoding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

// resource makes a QuestionnaireResponse of a row. An empty value is no answer.
func (c columns) resource(row []string) ([]byte, []fault.Issue) {
	r := jsonResponse{ResourceType: "QuestionnaireResponse", Questionnaire: c.questionnaire.Canonical().URL(), Status: "completed"}
	var issues []fault.Issue
	for _, item := range c.questionnaire.Items() {
		value, ok := c.answer(item, row)
		if !ok {
			issues = append(issues, fault.Issue{Path: "column(" + item.LinkID + ")", Rule: "answer-type", Detail: "The value is no whole number.", Fix: "Send digits alone."})
		}
		if value != nil {
			r.Item = append(r.Item, jsonItem{LinkID: item.LinkID, Answer: []map[string]any{value}})
		}
	}
	if len(issues) > 0 {
		return nil, issues
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, []fault.Issue{{Path: "line", Rule: RuleLine, Detail: "The row cannot be written as JSON.", Fix: "Send text in UTF-8."}}
	}
	return raw, nil
}

// answer gives value[x] of a question, nil for none, and whether the value can be one.
func (c columns) answer(item fhir.QuestionnaireItem, row []string) (map[string]any, bool) {
	parts := map[string]string{}
	for i, x := range c.list {
		if value := strings.TrimSpace(row[i]); x.item.LinkID == item.LinkID && value != "" {
			parts[x.part] = value
		}
	}
	value := parts[""]
	switch {
	case len(parts) == 0:
		return nil, true
	case item.Type == fhir.ItemChoice && (item.Also != fhir.ItemString || len(parts) > 1 || strings.Contains(value, "|")):
		return map[string]any{"valueCoding": coding(item, parts)}, true
	case item.Type == fhir.ItemInteger:
		n, err := strconv.ParseInt(value, 10, 32)
		return map[string]any{"valueInteger": n}, err == nil
	case item.Also == fhir.ItemDateTime && strings.Contains(value, "T"):
		return map[string]any{"valueDateTime": value}, true
	case item.Type == fhir.ItemDate:
		return map[string]any{"valueDate": value}, true
	}
	return map[string]any{"valueString": value}, true
}

// coding puts the parts together. Where the questionnaire leaves one code system alone, the
// file need not name it.
func coding(item fhir.QuestionnaireItem, parts map[string]string) jsonCoding {
	out := jsonCoding{System: parts["system"], Code: parts[""], Display: parts["display"]}
	if system, code, both := strings.Cut(out.Code, "|"); both && out.System == "" {
		out.System, out.Code = system, code
	}
	if out.System != "" || out.Code == "" {
		return out
	}
	switch item.LinkID {
	case "country":
		out.System = terminology.SystemISO3166
	case "sex":
		out.System = terminology.SystemGender
	}
	return out
}
