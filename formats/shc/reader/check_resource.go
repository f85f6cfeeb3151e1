package reader

import (
	"fmt"
	"slices"
	"time"
)

func (b *bundleCheck) patient(path string, patient map[string]any) {
	names, _ := patient["name"].([]any)
	if len(names) == 0 {
		b.fail(RulePatient, path+".name", "must be a list of names")
	}
	for i, item := range names {
		name, _ := item.(map[string]any)
		if name["family"] == nil && name["given"] == nil && name["text"] == nil {
			b.fail(RulePatient, fmt.Sprintf("%s.name[%d]", path, i), "must have family, given or text")
		}
	}
	if birthDate, present := patient["birthDate"]; present {
		if text, _ := birthDate.(string); !isDate(text) {
			b.fail(RuleDate, path+".birthDate", "must be a FHIR date")
		}
	}
}

func (b *bundleCheck) immunization(path string, immunization map[string]any) {
	if immunization["status"] != "completed" {
		b.fail(RuleStatus, path+".status", "must be completed")
	}
	b.coding(path+".vaccineCode", immunization["vaccineCode"])
	b.person(path+".patient", immunization["patient"])
	date, hasDate := immunization["occurrenceDateTime"]
	_, hasText := immunization["occurrenceString"]
	switch {
	case !hasDate && !hasText:
		b.fail(RuleOccurrence, path, "must have occurrenceDateTime")
	case hasDate && hasText:
		b.fail(RuleOccurrence, path, "must have only one of occurrenceDateTime and occurrenceString")
	case hasDate:
		b.date(path+".occurrenceDateTime", date)
	}
	if isCOVID19(immunization["vaccineCode"]) {
		b.found.covid19 = true
	}
}

func (b *bundleCheck) observation(path string, observation map[string]any) {
	status, _ := observation["status"].(string)
	if !slices.Contains([]string{"final", "amended", "corrected"}, status) {
		b.fail(RuleStatus, path+".status", "must be final, amended or corrected")
	}
	b.coding(path+".code", observation["code"])
	if isCOVID19(observation["code"]) {
		b.found.covid19 = true
	}
	b.person(path+".subject", observation["subject"])
	if value, present := observation["valueCodeableConcept"]; present {
		b.coding(path+".valueCodeableConcept", value)
	}
	if date, present := observation["effectiveDateTime"]; present {
		b.date(path+".effectiveDateTime", date)
	}
}

// coding wants a CodeableConcept with at least one code in its system.
func (b *bundleCheck) coding(path string, value any) {
	codings := codingsOf(value)
	if len(codings) == 0 {
		b.fail(RuleCoding, path, "must have a coding")
	}
	for i, coding := range codings {
		system, _ := coding["system"].(string)
		code, _ := coding["code"].(string)
		if system == "" || code == "" {
			b.fail(RuleCoding, fmt.Sprintf("%s.coding[%d]", path, i), "must have system and code")
		}
	}
}

func codingsOf(concept any) []map[string]any {
	members, _ := concept.(map[string]any)
	list, _ := members["coding"].([]any)
	codings := make([]map[string]any, len(list))
	for i, item := range list {
		codings[i], _ = item.(map[string]any)
	}
	return codings
}

func (b *bundleCheck) person(path string, value any) {
	reference, _ := value.(map[string]any)
	if _, ok := reference["reference"].(string); !ok {
		b.fail(RuleReference, path, "must refer to the patient")
	}
}

// date wants a FHIR dateTime, and for a card no more than the day.
func (b *bundleCheck) date(path string, value any) {
	text, _ := value.(string)
	if isDate(text) {
		return
	}
	const longest = 35
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || len(text) > longest || t.Year() < 1 {
		b.fail(RuleDate, path, "must be a FHIR dateTime")
		return
	}
	b.warn(RuleDate, path, "should be a date without time")
}

// isDate knows a FHIR date: a year, a month or a day.
func isDate(text string) bool {
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if len(text) == len(layout) {
			t, err := time.Parse(layout, text)
			return err == nil && t.Year() >= 1
		}
	}
	return false
}
