package lint

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var dates = Lint{
	ID:     "ddcc-dates",
	Source: "GDHCN issuance rules: birth date <= event <= issued at",
	Blame:  fault.Rule,
	Check:  checkDates,
}

// earliestZone is how far ahead of UTC a local calendar date can be (UTC+14).
const earliestZone = 14 * time.Hour

func checkDates(in Input) []Finding {
	path, event := "vaccination.date", ""
	switch {
	case in.Claims.Vaccination != nil:
		event = in.Claims.Vaccination.Date
	case in.Claims.Test != nil:
		path, event = "test.date", in.Claims.Test.Date
	}
	when, ok := instant(event)
	if !ok {
		return one(event == "", path, "Not a FHIR date or dateTime.", "Use YYYY-MM-DD or a dateTime with a time zone.")
	}
	if when.After(in.Now.Add(earliestZone)) {
		return one(false, path, "The event is in the future.", "Certify an event after it happened.")
	}
	birth := in.Claims.BirthDate
	if birth == "" {
		return nil
	}
	born, ok := instant(birth)
	if !ok {
		return one(false, "birthDate", "Not a FHIR date.", "Use YYYY, YYYY-MM or YYYY-MM-DD.")
	}
	return one(!born.After(when.Add(earliestZone)), path, "The event is before the birth date.", "Correct the event date or the birth date.")
}

// instant is the earliest instant a FHIR date or dateTime can mean, in UTC.
func instant(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "2006-01", "2006", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
