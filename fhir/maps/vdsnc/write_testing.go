package vdsnc

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func (w *writer) test(t fhir.Test) {
	w.message.UTCI = w.context.ID
	w.tested()
	if !isSARSCoV2(t.Pathogen) {
		w.fail("test.pathogen", RuleUntranslatable, "A VDS-NC seal does not name the pathogen; its readers take it for SARS-CoV-2.",
			"Leave the format out for tests of other pathogens.")
	}
	centre := t.Centre.Display
	if centre == "" {
		centre = t.Centre.Code
	}
	w.need("test.centre", w.centre(centre))
	w.message.Provider = &vdsnc.Provider{Name: w.centre(centre), Country: w.country("test.country", t.Country)}
	w.message.Times = w.times(t)
	w.message.Result = &vdsnc.Result{
		Type: w.word(typeWording, "test.type", t.Type), Value: w.word(resultWording, "test.result", t.Result),
		Method: w.origin(t.Origin),
	}
}

// times are whole seconds with their zone; nothing is made of a date without a time.
func (w *writer) times(t fhir.Test) *vdsnc.Times {
	sampled, ok := instant(t.Date)
	if !ok {
		w.fail("test.date", RuleTime, "A VDS-NC seal needs date and time of the sample, with the time zone.", "Send YYYY-MM-DDThh:mm:ss+zz:zz, or leave the format out.")
	}
	reported := w.context.Reported.UTC().Truncate(time.Second)
	if w.context.Reported.IsZero() {
		var known bool
		if reported, known = instant(w.core.Certificate.Period.Start); !known {
			w.fail("certificate.period.start", RuleTime, "A VDS-NC seal needs the time of the report, and the period does not begin with a time.",
				"Send YYYY-MM-DDThh:mm:ss+zz:zz, or leave the format out.")
			ok = false
		}
	}
	if ok && reported.Before(sampled) {
		w.fail("test.date", fhir.RuleDateOrder, "The sample was taken after the report.", "Correct the earlier or the later time.")
	}
	return &vdsnc.Times{Sampled: sampled.Format(time.RFC3339), Reported: reported.Format(time.RFC3339)}
}

func instant(text string) (time.Time, bool) {
	d, ok := fhir.ParseDateTime(text)
	return d.Earliest.Truncate(time.Second), ok && d.Precision == fhir.Instant
}

func (w *writer) word(in wording, element string, c fhir.Coding) string {
	word := in.word(c)
	if word == "" {
		w.fail(element, RuleUntranslatable, "No table translates the code to one of ICAO's words.",
			"Code the element as WHO's value set does, or leave the format out.")
	}
	return word
}

// origin is optional in a seal.
func (w *writer) origin(c fhir.Coding) string {
	if c.IsZero() {
		return ""
	}
	word := originWording.word(c)
	if word == "" && resolve(c, originWording.use).Code == originNasalSwab {
		word = "other"
	}
	if word == "" {
		w.note(fault.SeverityWarning, "test.origin", RuleUntranslatable,
			"No table translates the origin of the sample to one of ICAO's words; the seal does without it.", "Code it as WHO's value set does.")
	}
	return word
}
