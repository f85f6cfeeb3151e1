package fhir

import (
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Validate checks the core data set against its model (DDCC IG, DDCCCoreDataSet and
// children; the data dictionary where it is stricter) and gives every finding at once.
// Now is the time of issue. Preferred value sets lead to warnings, everything else that
// WHO's models or FHIR require to errors. An input without errors makes a valid document.
func (c CoreDataSet) Validate(now time.Time) []fault.Issue {
	k := checker{now: now}
	k.text(pathName, c.Name, LimitName, true)
	k.birth = k.date(pathBirthDate, c.BirthDate, false, Year)
	k.past(pathBirthDate, k.birth)
	if c.Identifier != nil {
		k.identifier(pathIdentifier, *c.Identifier, true)
	}
	k.certificate(c.Certificate)
	k.model(c)
	if c.Vaccination != nil {
		k.vaccination(*c.Vaccination, c.Model)
	}
	if c.Test != nil {
		k.test(*c.Test)
	}
	return k.issues
}

type checker struct {
	now    time.Time
	birth  *DateTime
	issues []fault.Issue
}

func (k *checker) fail(path, rule, detail, fix string) {
	k.issues = append(k.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

func (k *checker) warn(path, rule, detail, fix string) {
	k.issues = append(k.issues, fault.Issue{Severity: fault.SeverityWarning, Path: path, Rule: rule, Detail: detail, Fix: fix})
}

func (k *checker) missing(path string) {
	k.fail(path, RuleRequired, "The element is required and missing.", "Supply it.")
}

func (k *checker) model(c CoreDataSet) {
	vaccination := c.Model == ModelVSPoV || c.Model == ModelVSCoC
	if !vaccination && c.Model != ModelTR {
		k.fail(pathRoot, RuleModel, "The core data set names no known model.", "Use a DDCC core data set for vaccination status or test result.")
		return
	}
	if (c.Vaccination != nil) != vaccination || (c.Test != nil) != (c.Model == ModelTR) {
		k.fail(pathRoot, RuleOneEvent, "The core data set does not hold exactly the one event of its model.", "Send one vaccination or one test.")
	}
	switch {
	case c.Sex == "":
	case c.Model != ModelVSCoC:
		k.fail(pathSex, RuleModel, "Only the continuity of care model has the sex.", "Leave it out.")
	default:
		if member, _ := terminology.InValueSet(terminology.ValueSetGender, terminology.SystemGender, c.Sex); !member {
			k.fail(pathSex, RuleSex, "The code is not in FHIR's administrative-gender.", "Use male, female, other or unknown.")
		}
	}
}

func (k *checker) certificate(c Certificate) {
	k.identifier(pathIssuer+".identifier", c.Issuer, true)
	switch {
	case c.HCID == "":
		k.missing(pathHCID)
	case !IsHCID(c.HCID):
		k.fail(pathHCID, RuleHCID, "The Health Certificate ID has a character or a length that is not allowed.",
			"Use 1 to 64 ASCII letters, digits and - . _ / :")
	}
	k.text(pathDDCCID, c.DDCCID, LimitIdentifier, false)
	if c.Version != CoreDataSetVersion {
		k.fail(pathVersion, RuleVersion, "The model's version is not "+CoreDataSetVersion+".", "Send "+CoreDataSetVersion+".")
	}
	start := k.date(pathPeriod+".start", c.Period.Start, true, Day)
	end := k.date(pathPeriod+".end", c.Period.End, true, Day)
	k.order(pathPeriod+".end", start, end, "The certificate's period ends before it starts.")
}

func (k *checker) text(path, s string, limit int, required bool) {
	if s == "" {
		if required {
			k.missing(path)
		}
		return
	}
	if problem := textFault(s); problem != "" {
		k.fail(path, RuleText, problem, "Send the text as it should be read, in Unicode.")
		return
	}
	if clean, trimmed := CleanText(s); trimmed || clean != s {
		k.fail(path, RuleText, "The text is not in Unicode NFC or has white space at an end.", "Send it trimmed and in NFC.")
	}
	if utf8.RuneCountInString(s) > limit {
		k.fail(path, RuleLength, "The text is longer than a certificate can hold.", "Shorten it to "+itoa(limit)+" characters.")
	}
}

func (k *checker) identifier(path string, id Identifier, required bool) {
	if id == (Identifier{}) && !required {
		return
	}
	k.text(path+".value", id.Value, LimitIdentifier, true)
	k.uri(path+".system", id.System)
}

func (k *checker) uri(path, s string) {
	switch {
	case s == "":
	case !isURI(s):
		k.fail(path, RuleURI, "The system is not an absolute URI.", "Send an absolute URI without spaces; OIDs as urn:oid:, UUIDs as urn:uuid: in lower case.")
	case utf8.RuneCountInString(s) > LimitURI:
		k.fail(path, RuleLength, "The URI is longer than a certificate can hold.", "Shorten it to "+itoa(LimitURI)+" characters.")
	}
}

func (k *checker) date(path, s string, time bool, least Precision) *DateTime {
	if s == "" {
		return nil
	}
	parse, name := ParseDate, "date"
	if time {
		parse, name = ParseDateTime, "date or dateTime with time zone"
	}
	d, ok := parse(s)
	if !ok {
		k.fail(path, RuleDate, "The text is not a FHIR "+name+" of the calendar from 1850 on.", "Send YYYY-MM-DD.")
		return nil
	}
	if d.Precision < least {
		k.fail(path, RuleDate, "The date is not known to the day.", "Send YYYY-MM-DD.")
		return nil
	}
	return &d
}

func (k *checker) past(path string, d *DateTime) {
	if d != nil && !d.begunBy(k.now) {
		k.fail(path, RuleDateFuture, "The date is in the future.", "Correct the date; a certificate attests what has happened.")
	}
}

func (k *checker) order(path string, first, then *DateTime, detail string) {
	if first != nil && then != nil && !first.notAfter(*then) {
		k.fail(path, RuleDateOrder, detail, "Correct the earlier or the later date.")
	}
}
