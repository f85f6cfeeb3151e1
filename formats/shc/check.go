package shc

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds far above what one QR code holds; they keep the work per card small.
const (
	maxEntries    = 32
	maxCharacters = 255 // of one string
	maxRID        = 24  // SMART Health Cards Framework, "Revocation"
	year9999      = 253402300799
)

func (c Credential) check() error {
	if rule := issuerRule(c.Issuer); rule != "" {
		return &Error{"issuer", rule}
	}
	switch {
	case !isNumericDate(c.NotBefore):
		return &Error{"notBefore", "must be set, in whole seconds; truncate it before"}
	case !c.ExpiresAt.IsZero() && !isNumericDate(c.ExpiresAt):
		return &Error{"expiresAt", "must be in whole seconds; truncate it before, or leave it out"}
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.NotBefore):
		return &Error{"expiresAt", "must be later than notBefore"}
	}
	return c.Card.check()
}

// issuerRule says what is wrong with an iss claim. A verifier appends the path of the key
// set to it, so a slash, a query or a fragment at the end would lead nowhere.
func issuerRule(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "":
		return "must be an https URL without user name"
	case strings.HasSuffix(issuer, "/"):
		return "must not end in a slash; remove it"
	case strings.ContainsAny(issuer, "?#"):
		return "must have neither query nor fragment; remove it"
	case len(issuer) > maxCharacters || !isPrintableASCII(issuer):
		return "must be at most 255 ASCII characters; write the host in its ASCII form"
	}
	return ""
}

func isNumericDate(t time.Time) bool {
	return t.Nanosecond() == 0 && t.Unix() > 0 && t.Unix() <= year9999
}

func (c Card) check() error {
	if err := c.Patient.check("card.patient"); err != nil {
		return err
	}
	switch n := len(c.Immunizations) + len(c.Observations); {
	case n == 0:
		return &Error{"card", "must hold vaccinations or laboratory results"}
	case len(c.Immunizations) > 0 && len(c.Observations) > 0:
		return &Error{"card", "must not hold both vaccinations and laboratory results; issue two cards"}
	case n > maxEntries:
		return &Error{"card", fmt.Sprintf("must hold at most %d vaccinations or results; issue several cards", maxEntries)}
	case len(c.RevocationID) > maxRID || !isBase64URL(c.RevocationID):
		return &Error{"card.revocationId", "must be at most 24 characters of base64url"}
	}
	for i := range c.Immunizations {
		if err := c.Immunizations[i].check(fmt.Sprintf("card.immunizations[%d]", i)); err != nil {
			return err
		}
	}
	for i := range c.Observations {
		if err := c.Observations[i].check(fmt.Sprintf("card.observations[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (p Patient) check(path string) error {
	hasParts := p.Family != "" || len(p.Given) > 0
	switch {
	case !hasParts && p.Text == "":
		return &Error{path, "must have a name: family and given names, or text"}
	case hasParts && p.Text != "":
		return &Error{path + ".text", "must be absent where the parts of the name are given"}
	case !isDate(p.BirthDate):
		return &Error{path + ".birthDate", "must be a date: YYYY, YYYY-MM or YYYY-MM-DD"}
	case len(p.Given) > maxEntries:
		return &Error{path + ".given", fmt.Sprintf("must have at most %d names", maxEntries)}
	}
	for i, given := range p.Given {
		if rule := textRule(given); rule != "" {
			return &Error{fmt.Sprintf("%s.given[%d]", path, i), rule}
		}
	}
	if err := optionalText(path+".family", p.Family); err != nil {
		return err
	}
	return optionalText(path+".text", p.Text)
}

func (i *Immunization) check(path string) error {
	if err := i.Vaccine.check(path + ".vaccine"); err != nil {
		return err
	}
	if !isDateTime(i.Date) {
		return &Error{path + ".date", dateTimeRule}
	}
	if i.Manufacturer != nil {
		if err := i.Manufacturer.check(path + ".manufacturer"); err != nil {
			return err
		}
	}
	if err := optionalText(path+".lot", i.Lot); err != nil {
		return err
	}
	return optionalText(path+".performer", i.Performer)
}

func (o *Observation) check(path string) error {
	if err := o.Code.check(path + ".code"); err != nil {
		return err
	}
	if err := o.Value.check(path + ".value"); err != nil {
		return err
	}
	if !isDateTime(o.Date) {
		return &Error{path + ".date", dateTimeRule}
	}
	return optionalText(path+".performer", o.Performer)
}

func (c Coding) check(path string) error {
	u, err := url.Parse(c.System)
	if err != nil || !u.IsAbs() || len(c.System) > maxCharacters || !isPrintableASCII(c.System) {
		return &Error{path + ".system", "must be the absolute URI of a code system"}
	}
	if c.Code == "" || len(c.Code) > maxCharacters || !isPrintableASCII(c.Code) {
		return &Error{path + ".code", "must be a code of 1 to 255 ASCII characters without spaces"}
	}
	return nil
}

func optionalText(path, text string) error {
	if text == "" {
		return nil
	}
	if rule := textRule(text); rule != "" {
		return &Error{path, rule}
	}
	return nil
}

// textRule says what keeps a text out of a card.
func textRule(text string) string {
	switch {
	case text == "":
		return "must not be empty; leave it out"
	case len(text) > utf8.UTFMax*maxCharacters || utf8.RuneCountInString(text) > maxCharacters:
		return "must have at most 255 characters"
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case !norm.NFC.IsNormalString(text):
		return "must be in Unicode normalization form C; normalise it before"
	case strings.TrimSpace(text) != text:
		return "must not begin or end with a space; trim it before"
	case strings.ContainsFunc(text, isUnprintable):
		return "must not contain control characters or line breaks"
	}
	return ""
}

// isUnprintable names control characters and the two separators that are line breaks.
func isUnprintable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

func isPrintableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
