package icvp

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// kind is what a member of a Card may hold.
type kind int

const (
	text kind = iota
	day
	gender
	nationality
)

// cardMember is one member of a Card with its value.
type cardMember struct {
	path     string
	value    string
	kind     kind
	required bool
}

func (c Card) members(generation Generation) []cardMember {
	d, strict := c.Vaccination, generation == Gen2
	return []cardMember{
		{"name", c.Name, text, true},
		{"birthDate", c.BirthDate, day, true},
		{"sex", c.Sex, gender, strict},
		{"nationality", c.Nationality, nationality, strict},
		{"documentId", c.DocumentID, text, false},
		{"documentType", c.DocumentKey, text, false},
		{"guardian", c.Guardian, text, false},
		{"vaccination.product", d.Product, text, true},
		{"vaccination.date", d.Date, day, true},
		{"vaccination.batch", d.Batch, text, true},
		{"vaccination.clinician", d.Clinician, text, false},
		{"vaccination.issuer", d.Issuer, text, false},
		{"vaccination.validFrom", d.ValidFrom, day, false},
		{"vaccination.validUntil", d.ValidUntil, day, false},
	}
}

// issues lists everything that keeps the card from being written.
func (c Card) issues(generation Generation) []fault.Issue {
	var all []fault.Issue
	for _, m := range c.members(generation) {
		switch {
		case m.value == "" && m.required:
			all = append(all, fault.Issue{Path: m.path, Rule: "icvp-required", Detail: "The member is required.", Fix: "Give it; an ICVP never leaves it out."})
		case m.value != "":
			if issue := m.kind.issue(m.value); issue.Rule != "" {
				issue.Path = m.path
				all = append(all, issue)
			}
		}
	}
	d := c.Vaccination
	if d.Clinician == "" && d.Issuer == "" {
		all = append(all, fault.Issue{
			Path: "vaccination.clinician", Rule: "must-have-issuer-or-clinician-name",
			Detail: "A dose needs its clinician or its issuer.", Fix: "Give the supervising clinician or the administering centre.",
		})
	}
	if len(all) > 0 {
		return all
	}
	// All dates are days by now, and text compares as they do.
	if c.BirthDate > d.Date {
		all = append(all, orderIssue("vaccination.date", "The vaccination must not be before the birth."))
	}
	if d.ValidFrom != "" && d.ValidFrom < d.Date {
		all = append(all, orderIssue("vaccination.validFrom", "The validity must not begin before the vaccination."))
	}
	if d.ValidUntil != "" && d.ValidUntil < max(d.ValidFrom, d.Date) {
		all = append(all, orderIssue("vaccination.validUntil", "The validity must not end before it begins."))
	}
	return all
}

func orderIssue(path, detail string) fault.Issue {
	return fault.Issue{Path: path, Rule: "icvp-order", Detail: detail, Fix: "Correct the date that is wrong."}
}

// issue gives what is wrong with a value; its Rule is empty if nothing is.
func (k kind) issue(value string) fault.Issue {
	switch k {
	case day:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return fault.Issue{Rule: "icvp-date", Detail: "The member must be a day of the calendar.", Fix: "Write it as YYYY-MM-DD."}
		}
	case gender:
		if value != "male" && value != "female" && value != "other" && value != "unknown" {
			return fault.Issue{Rule: "icvp-code", Detail: "The member must be a code of FHIR AdministrativeGender.", Fix: "Use male, female, other or unknown."}
		}
	case nationality:
		if len(value) != 3 || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return fault.Issue{Rule: "icvp-code", Detail: "The member must be an ISO 3166-1 alpha-3 code.", Fix: "Use three capital letters."}
		}
	case text:
		if value != strings.TrimSpace(value) || !utf8.ValidString(value) {
			return fault.Issue{Rule: "icvp-text", Detail: "The member must be text without space around it.", Fix: "Remove the space, or leave the member out."}
		}
	}
	return fault.Issue{}
}
