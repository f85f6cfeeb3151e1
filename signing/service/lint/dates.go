package lint

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var dates = Lint{
	ID:     "ddcc-dates",
	For:    ddccs,
	Source: "GDHCN issuance rules: birth date <= event <= issued at",
	Blame:  fault.Rule,
	Check:  checkDates,
}

// earliestZone is how far ahead of UTC a local calendar date can be (UTC+14).
const earliestZone = 14 * time.Hour

// clockSkew is how far the clock of whoever noted a time may be ahead of ours.
const clockSkew = 5 * time.Minute

func checkDates(in Input) []Finding {
	path, event := "vaccination.date", ""
	switch {
	case in.Claims.DDCC.Vaccination != nil:
		event = in.Claims.DDCC.Vaccination.Date
	case in.Claims.DDCC.Test != nil:
		path, event = "test.date", in.Claims.DDCC.Test.Date
	}
	when, exact, ok := instant(event)
	if !ok {
		return one(event == "", path, "Not a FHIR date or dateTime.", "Use YYYY-MM-DD or a dateTime with a time zone.")
	}
	latest := in.Now.Add(earliestZone)
	if exact {
		latest = in.Now.Add(clockSkew)
	}
	if when.After(latest) {
		return one(false, path, "The event is in the future.", "Certify an event after it happened.")
	}
	if p := in.Claims.DDCC.Certificate.Period; p != nil && p.Start != "" {
		start, _, ok := instant(p.Start)
		if !ok || !start.Before(in.HCERT.Claims.ExpiresAt) {
			return one(false, "certificate.period.start", "The stated validity begins after the certificate expires.", "Send an earlier start.")
		}
	}
	birth := in.Claims.DDCC.BirthDate
	if birth == "" {
		return nil
	}
	born, _, ok := instant(birth)
	if !ok {
		return one(false, "birthDate", "Not a FHIR date.", "Use YYYY, YYYY-MM or YYYY-MM-DD.")
	}
	return one(!born.After(when.Add(earliestZone)), path, "The event is before the birth date.", "Correct the event date or the birth date.")
}

// instant is the earliest instant in UTC that a FHIR date or dateTime can mean, and
// whether it says so exactly.
func instant(s string) (t time.Time, exact, ok bool) {
	for _, layout := range []string{"2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, false, true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), true, err == nil
}
