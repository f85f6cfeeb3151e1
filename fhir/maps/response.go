package maps

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// CoreDataSetFromResponse maps a response to one of the DDCC questionnaires (map
// QRespToVSCoreDataSet and our own for test results). Issues are about the response:
// everything that is not an answer to a question of the questionnaire, once, in the type
// asked for, and every required question without one. The content of the answers is
// for CoreDataSet.Validate; ReadResponse does both.
func CoreDataSetFromResponse(qr fhir.QuestionnaireResponse) (fhir.CoreDataSet, []fault.Issue) {
	core, _, issues := mapResponse(qr, true)
	return core, issues
}

// ComplementFromResponse maps a response that says only what another source leaves out:
// required questions may be without an answer.
func ComplementFromResponse(qr fhir.QuestionnaireResponse) (fhir.CoreDataSet, []fault.Issue) {
	core, _, issues := mapResponse(qr, false)
	return core, issues
}

// ReadResponse maps and validates a response. All paths are of the response, and an
// element that the map complains about is not reported a second time.
func ReadResponse(qr fhir.QuestionnaireResponse, now time.Time) (fhir.CoreDataSet, []fault.Issue) {
	core, questionnaire, issues := mapResponse(qr, true)
	if questionnaire.Name == "" {
		return core, issues
	}
	reported := map[string]bool{}
	for _, i := range issues {
		reported[i.Path] = reported[i.Path] || i.IsError()
	}
	for _, i := range core.Validate(now) {
		i.Path = responsePath(questionnaire, i.Path)
		if !reported[strings.TrimSuffix(i.Path, ".answer[0]")] && !reported[i.Path] {
			issues = append(issues, i)
		}
	}
	return core, issues
}

func mapResponse(qr fhir.QuestionnaireResponse, whole bool) (fhir.CoreDataSet, fhir.Questionnaire, []fault.Issue) {
	r := responseMap{issues: slices.Clone(qr.Issues)}
	questionnaire, ok := fhir.QuestionnaireByCanonical(qr.Questionnaire)
	if !ok {
		r.fail("QuestionnaireResponse.questionnaire", fhir.RuleQuestionnaire,
			"The response names no DDCC questionnaire.", "Name "+fhir.QuestionnaireVS().Canonical().URL()+" or "+fhir.QuestionnaireTR().Canonical().URL()+".")
		return fhir.CoreDataSet{}, fhir.Questionnaire{}, r.issues
	}
	if qr.Status != "completed" && qr.Status != "amended" {
		r.fail("QuestionnaireResponse.status", fhir.RuleStatus, "The response is not finished.", "Send it with status completed or amended.")
	}
	r.questionnaire = questionnaire
	r.start()
	r.items(qr.Items)
	if whole {
		r.required()
	}
	r.finish()
	return r.core, questionnaire, r.issues
}

type responseMap struct {
	questionnaire fhir.Questionnaire
	core          fhir.CoreDataSet
	seen          map[string]bool // linkIds that occurred
	answered      map[string]bool // linkIds with an answer, good or bad
	issues        []fault.Issue
}

// maxIssues bounds what one answer to a caller lists; the questionnaires have 22 items.
const maxIssues = 200

func (r *responseMap) fail(path, rule, detail, fix string) {
	if len(r.issues) < maxIssues {
		r.issues = append(r.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
	}
}

func (r *responseMap) warn(path, rule, detail, fix string) {
	r.issues = append(r.issues, fault.Issue{Severity: fault.SeverityWarning, Path: path, Rule: rule, Detail: detail, Fix: fix})
}

func (r *responseMap) start() {
	r.seen, r.answered = make(map[string]bool, 24), make(map[string]bool, 24)
	r.core.Certificate.Version = fhir.CoreDataSetVersion
	if r.questionnaire.Test {
		r.core.Test = &fhir.Test{}
	} else {
		r.core.Vaccination = &fhir.Vaccination{}
	}
}

// finish settles what depends on all answers: the model and the normal form.
func (r *responseMap) finish() {
	r.core.Model = fhir.InferModel(r.core)
	normal, issues := r.core.Normalize()
	for _, i := range issues {
		i.Path = responsePath(r.questionnaire, i.Path)
		r.issues = append(r.issues, i)
	}
	r.core = normal
}

func (r *responseMap) items(items []fhir.ResponseItem) {
	for n, item := range items {
		question, ok := r.questionnaire.Item(item.LinkID)
		if !ok {
			if item.HasAnswer() {
				r.fail("QuestionnaireResponse.item["+strconv.Itoa(n)+"]", fhir.RuleNotAsked,
					"The item has an answer and is not in the questionnaire.", "Check the linkId, or leave the item out.")
			}
			continue
		}
		path := itemPath(item.LinkID)
		if r.seen[item.LinkID] {
			r.fail(path, fhir.RuleDuplicate, "The item occurs more than once.", "Send each item once.")
			continue
		}
		r.seen[item.LinkID] = true
		r.nested(path, item)
		r.answers(path, question, item.Answers)
	}
}

// nested refuses answers below a question: the questionnaires have none there.
func (r *responseMap) nested(path string, item fhir.ResponseItem) {
	found := false
	for _, i := range item.Items {
		found = found || i.HasAnswer()
	}
	for _, a := range item.Answers {
		for _, i := range a.Items {
			found = found || i.HasAnswer()
		}
	}
	if found {
		r.fail(path+".item", fhir.RuleNotAsked, "An answer stands below a question that has no questions below it.", "Send all items at the top level.")
	}
}

func (r *responseMap) answers(path string, question fhir.QuestionnaireItem, answers []fhir.Answer) {
	if len(answers) == 0 {
		return // required() speaks
	}
	r.answered[question.LinkID] = true
	if len(answers) > 1 {
		r.fail(path, fhir.RuleOneAnswer, "The item has more than one answer.", "Send one answer.")
		return
	}
	a := answers[0]
	path += ".answer[0]"
	switch {
	case a.Extended:
		r.fail(path, fhir.RuleExtension, "The answer carries an extension, which may change or replace its value.",
			"Send the value alone, or leave the item out when the answer is unknown.")
	case !question.Accepts(a.Type):
		r.fail(path, fhir.RuleAnswerType, "The answer has the wrong type; expected "+question.Expects()+".", "Send "+question.Expects()+".")
	case question.Target == "":
		r.warn(path, fhir.RuleNotKept, "The answer has no place in the core data set and is not kept.", "Leave the item out.")
	default:
		r.set(path, question, a)
	}
}

func (r *responseMap) required() {
	for _, q := range r.questionnaire.Items() {
		if q.Required && !r.answered[q.LinkID] {
			r.fail(itemPath(q.LinkID), fhir.RuleRequired, "The questionnaire requires an answer and there is none.", "Answer the question.")
		}
	}
}

func itemPath(linkID string) string {
	return "QuestionnaireResponse.item.where(linkId='" + linkID + "')"
}

// responsePath gives the place in the response that a path of the core data set came
// from: the answer whose target is the longest prefix of the path.
func responsePath(q fhir.Questionnaire, path string) string {
	best := fhir.QuestionnaireItem{}
	for _, i := range q.Items() {
		below := path == i.Target || strings.HasPrefix(path, i.Target+".")
		if i.Target != "" && below && len(i.Target) > len(best.Target) {
			best = i
		}
	}
	if best.LinkID == "" {
		return "QuestionnaireResponse"
	}
	return itemPath(best.LinkID) + ".answer[0]"
}
