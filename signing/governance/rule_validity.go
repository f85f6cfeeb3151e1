package governance

import (
	"fmt"
	"time"
)

var validityForm = rule{"validity-form", "RFC 5280 §4.1.2.5: UTC, whole seconds", func(s subject) []string {
	return unless(wholeUTC(s.certificate.NotBefore) && wholeUTC(s.certificate.NotAfter), "the validity is not in UTC and whole seconds")
}}

func wholeUTC(t time.Time) bool {
	_, offset := t.Zone()
	return offset == 0 && t.Nanosecond() == 0
}

var validityLength = rule{"validity-length", "GDHCN certificate governance, validity; onboarding checks", func(s subject) []string {
	length := s.certificate.NotAfter.Sub(s.certificate.NotBefore)
	found := unless(length > 0 && length <= s.profile.MaxValidity, "valid for %s; at most %s", days(length), days(s.profile.MaxValidity))
	return append(found, unless(length <= 0 || length >= s.profile.MinValidity, "valid for %s; at least %s", days(length), days(s.profile.MinValidity))...)
}}

// days writes a length of time for people.
func days(d time.Duration) string { return fmt.Sprintf("%.4g days", d.Hours()/24) }

var validityWithinIssuer = rule{"validity-within-issuer", clauseShell, func(s subject) []string {
	c, ca := s.certificate, s.issuer
	return unless(!c.NotBefore.Before(ca.NotBefore) && !c.NotAfter.After(ca.NotAfter), "the certificate is not valid within the validity of its issuer")
}}

var privateUse = rule{"private-use", "GDHCN certificate governance, private key use; RFC 3280 §4.2.1.4", checkPrivateUse}

func checkPrivateUse(s subject) []string {
	from, until, there, err := PrivateUse(s.certificate)
	switch {
	case !s.profile.statesPrivateUse():
		return unless(!there, "this usage has no private key usage period in its certificate")
	case !there:
		return []string{"no private key usage period"}
	case err != nil:
		return []string{err.Error()}
	}
	c, most := s.certificate, s.profile.MaxPrivateUse
	found := unless(!from.Before(c.NotBefore) && !until.After(c.NotAfter), "the private key usage period is not within the validity")
	return append(found, unless(until.Sub(from) <= most, "the private key is used for %s; at most %s", days(until.Sub(from)), days(most))...)
}

var issuerPrivateUse = rule{"issuer-private-use", clauseShell + ", private key use of the CSCA", func(s subject) []string {
	if s.selfSigned() {
		return nil
	}
	from, until, there, err := PrivateUse(s.issuer)
	if !there {
		return nil // an issuer that is not ours may not say; LintCSCA demands it of ours
	}
	begin := s.certificate.NotBefore
	if begin.Before(s.issuer.NotBefore) {
		return nil // validity-within-issuer says so
	}
	return unless(err == nil && !begin.Before(from) && !begin.After(until), "issued outside the private key usage period of the issuer")
}}
