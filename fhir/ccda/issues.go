package ccda

import (
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Ids of the rules that an issue of a conversion names.
const (
	RuleNotKept   = fhir.RuleNotKept    // FHIR, or this converter, has no place for it
	RuleStatement = "ccda-statement"    // a clinical statement of a kind that is not converted
	RuleStatus    = "ccda-status"       // the status is missing or unknown, and it matters
	RuleNegation  = "ccda-negation"     // negated, and FHIR has no negation there
	RuleSubject   = "ccda-subject"      // about another person than the patient
	RuleMood      = "ccda-mood"         // planned, ordered or intended, where only events count
	RuleTime      = "ccda-time"         // HL7 V3 TS: not a time, or more precise than its zone allows
	RuleValue     = "ccda-value"        // not of the form of its data type
	RuleDuplicate = "ccda-duplicate-id" // two different things under one identifier
	RuleReference = "ccda-reference"    // the text that is pointed to is not in the document
	RuleNarrative = "ccda-narrative"    // narrative that FHIR's XHTML has no place for
	RuleRequired  = fhir.RuleRequired   // a required element is missing
	RuleMore      = "ccda-more"         // more issues than are listed
)

// maxIssues bounds the list; what is beyond is counted.
const maxIssues = 200

// issueLog collects issues, warnings before information when there are too many.
type issueLog struct {
	found []fault.Issue
	seen  map[fault.Issue]bool // a place is read several times, and reported once
	more  int
}

func (l *issueLog) add(severity fault.Severity, at *node, rule, detail, fix string) {
	if len(l.found) >= maxIssues && (severity != fault.SeverityWarning || !l.evict()) {
		l.more++ // without looking for its path: a flood of issues must not cost more than its document
		return
	}
	issue := fault.Issue{Severity: severity, Path: at.path(), Rule: rule, Detail: detail, Fix: fix}
	if l.seen[issue] {
		return
	}
	if l.seen == nil {
		l.seen = map[fault.Issue]bool{}
	}
	l.seen[issue] = true
	l.found = append(l.found, issue)
}

// evict makes room for a warning.
func (l *issueLog) evict() bool {
	for i, issue := range slices.Backward(l.found) {
		if issue.Severity == fault.SeverityInformation {
			l.found = slices.Delete(l.found, i, i+1)
			l.more++
			return true
		}
	}
	return false
}

func (l *issueLog) list() []fault.Issue {
	if l.more == 0 {
		return l.found
	}
	return append(l.found, fault.Issue{
		Severity: fault.SeverityWarning, Path: "/ClinicalDocument", Rule: RuleMore,
		Detail: strconv.Itoa(l.more) + " more issues are not listed.", Fix: "Mend those that are.",
	})
}

func (c *converter) warn(at *node, rule, detail, fix string) {
	c.issues.add(fault.SeverityWarning, at, rule, detail, fix)
}

func (c *converter) note(at *node, rule, detail, fix string) {
	c.issues.add(fault.SeverityInformation, at, rule, detail, fix)
}

// leave reports a statement that is not converted; nothing below it is reported again.
func (c *converter) leave(at *node, rule, detail, fix string) {
	at.spend()
	c.warn(at, rule, detail, fix)
}

// silent are elements that carry no content of their own, or whose content is kept
// elsewhere: an entry's text points into the narrative, which is kept whole.
var silent = map[string]bool{
	"templateId": true, "realmCode": true, "typeId": true, "text": true, "awarenessCode": true,
	"sequenceNumber": true, "seperatableInd": true, "delimiter": true,
}

// leftovers reports what nobody read: the topmost element of each such part.
func (c *converter) leftovers(n *node) {
	for _, kid := range n.kids {
		switch {
		case kid.isText():
		case kid.used:
			c.leftovers(kid)
		case !silent[kid.name] && kid.says():
			c.note(kid, RuleNotKept, "The element is not converted; where the narrative tells it, it is kept there.", "Nothing to do.")
		}
	}
}
