package dcc

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Context is what the certificate states beside the event.
type Context struct {
	UVCI   string // ci, with its check character
	Issuer string // is: the name shown as the issuer, at most 80 characters
}

// Rules of the issues.
const (
	RuleUntranslatable = "dcc-untranslatable" // no code of the EU's value set means this
	RuleContradiction  = "dcc-contradiction"  // two elements cannot both be true by the EU's lists
	RuleName           = "dcc-name"
	RuleCountry        = "dcc-country"
	RulePrecision      = "dcc-precision" // a date or time that the format needs in full
	RuleLength         = "dcc-length"
	RuleDoses          = "dcc-doses"
	RuleDevice         = "dcc-device" // a rapid test outside the JRC database
	RuleEvent          = "dcc-event"  // not the kind of event asked for
	RuleRecovery       = "dcc-recovery"
	RuleRequired       = "dcc-required"
)

const (
	maxText  = 80 // characters of nam.fn, nam.gn, nm, tc, is and ci (schema 1.3, maxLength)
	maxDoses = 99

	pathRoot        = "DDCCCoreDataSet"
	pathName        = pathRoot + ".name"
	pathBirthDate   = pathRoot + ".birthDate"
	pathCertificate = pathRoot + ".certificate"
	pathVaccination = pathRoot + ".vaccination"
	pathTest        = pathRoot + ".test"
)

// writer builds one certificate and collects everything that keeps it from being one.
type writer struct {
	c      Context
	issues []fault.Issue
}

func (w *writer) fail(path, rule, detail, fix string) {
	w.issues = append(w.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// finish fills in what every certificate has; with errors there is none.
func (w *writer) finish(core fhir.CoreDataSet, out dcc.Certificate) (dcc.Certificate, []fault.Issue) {
	out.Version = dcc.SchemaVersion
	out.Name = w.name(core.Name)
	out.BirthDate = w.birthDate(core.BirthDate)
	if w.text(pathCertificate+".issuer", w.c.Issuer) == "" {
		w.fail(pathCertificate+".issuer", RuleRequired, "The issuer has no name to show.", "Give the authority a name in the gateway's settings.")
	}
	if w.text(pathCertificate, w.c.UVCI) == "" {
		w.fail(pathCertificate, RuleRequired, "The certificate has no UVCI.", "Make one for each certificate.")
	}
	if fault.HasErrors(w.issues) {
		return dcc.Certificate{}, w.issues
	}
	return out, w.issues
}

func (w *writer) noEvent(what string) (dcc.Certificate, []fault.Issue) {
	w.fail(pathRoot, RuleEvent, "The event is no "+what+".", "Ask for the kind of certificate that goes with the event.")
	return dcc.Certificate{}, w.issues
}

// name writes the name in two parts, each as given and in the machine readable zone.
func (w *writer) name(full string) dcc.Name {
	given, family := icao9303.Split(full)
	if given == "" && family == "" {
		w.fail(pathName, RuleName, "The name is missing.", "Supply it.")
		return dcc.Name{}
	}
	if utf8.RuneCountInString(given) > maxText || utf8.RuneCountInString(family) > maxText {
		w.fail(pathName, RuleLength, "The given names or the family name are longer than the format can hold.",
			"Shorten each to "+strconv.Itoa(maxText)+" characters.")
		return dcc.Name{}
	}
	givenZone, err1 := icao9303.MRZMax(given, maxText)
	familyZone, err2 := icao9303.MRZMax(family, maxText)
	switch err := errors.Join(err1, err2); {
	case err == nil:
	case errors.Is(err, icao9303.ErrDigit):
		w.fail(pathName, RuleName, "The name has a digit, which the machine readable zone has not.", "Write the number in letters.")
	default:
		w.fail(pathName, RuleName, "A character of the name has no transliteration into the machine readable zone (ICAO Doc 9303-3).",
			"Send the name in Latin letters, as the travel document spells it.")
	}
	return dcc.Name{Family: family, FamilyStandard: familyZone, Given: given, GivenStandard: givenZone}
}

// birthDate may be partial or unknown. The schema knows the years from 1900 to 2099.
func (w *writer) birthDate(s string) string {
	if s == "" {
		return ""
	}
	if _, ok := fhir.ParseDate(s); !ok || !strings.HasPrefix(s, "19") && !strings.HasPrefix(s, "20") {
		w.fail(pathBirthDate, RulePrecision, "The birth date is no date from 1900 on.", "Send YYYY-MM-DD, YYYY-MM or YYYY.")
	}
	return s
}

// text passes a text on if the format can hold it.
func (w *writer) text(path, s string) string {
	if utf8.RuneCountInString(s) > maxText {
		w.fail(path, RuleLength, "The text is longer than the format can hold.", "Shorten it to "+strconv.Itoa(maxText)+" characters.")
	}
	return s
}

// day gives the calendar day of the event as it is written.
func (w *writer) day(path, s string) string {
	d, ok := fhir.ParseDateTime(s)
	if !ok || d.Precision < fhir.Day {
		w.fail(path, RulePrecision, "The date of the event is not known to the day.", "Send YYYY-MM-DD.")
		return ""
	}
	return s[:len(time.DateOnly)]
}

// instant gives the time of the event in UTC and whole seconds.
func (w *writer) instant(path, s string) string {
	d, ok := fhir.ParseDateTime(s)
	if !ok || d.Precision != fhir.Instant {
		w.fail(path, RulePrecision, "The format needs the time of day of the sample.", "Send a dateTime with its time zone.")
		return ""
	}
	return d.Earliest.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// country gives ISO 3166-1 alpha-2. The user-assigned countries of test deployments (XAA to
// XZZ) have none, and the EU's value set has no code for them.
func (w *writer) country(path string, c fhir.Coding) string {
	system, _ := terminology.CanonicalSystem(c.System)
	if system == terminology.SystemISO3166 {
		if found, ok := terminology.CountryByCode(c.Code); ok {
			return found.Alpha2
		}
	}
	w.fail(path, RuleCountry, "The country has no alpha-2 code in ISO 3166-1.",
		"Send the country of the event; a test country has no such certificate.")
	return ""
}
