package governance

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"regexp"
	"strings"
)

var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
)

var alpha2 = regexp.MustCompile(`^[A-Z]{2}$`)

var subjectCountry = rule{"subject-country", clauseUpload, func(s subject) []string {
	_, ok := country(s.certificate)
	return unless(ok, "the subject does not have exactly one C of two capital letters")
}}

var subjectName = rule{"subject-name", clauseDSC, func(s subject) []string {
	found := unless(len(filled(s.certificate.Subject, oidCommonName)) == 1, "the subject does not have exactly one CN with a text")
	return append(found, unless(len(filled(s.certificate.Subject, oidOrganization)) > 0, "the subject has no O with a text")...)
}}

var issuerName = rule{"issuer-name", "RFC 5280 §4.1.2.4", func(s subject) []string {
	ok := len(s.certificate.RawIssuer) > 0 && bytes.Equal(s.certificate.RawIssuer, s.issuer.RawSubject)
	return unless(ok, "the issuer named is not the issuer given")
}}

var issuerCountry = rule{"issuer-country", clauseUpload, func(s subject) []string {
	own, ok := country(s.certificate)
	if !ok {
		return nil // subject-country says so
	}
	issuers, ok := country(s.issuer)
	return unless(ok && own == issuers, "the C of the subject is not the C of its issuer")
}}

// country is the subject's one country.
func country(c *x509.Certificate) (string, bool) {
	all := values(c.Subject, oidCountry)
	if len(all) != 1 || !alpha2.MatchString(all[0]) {
		return "", false
	}
	return all[0], true
}

// values lists every attribute of a kind; pkix.Name itself forgets repeated ones.
func values(name pkix.Name, kind asn1.ObjectIdentifier) []string {
	var all []string
	for _, attribute := range name.Names {
		if attribute.Type.Equal(kind) {
			text, _ := attribute.Value.(string)
			all = append(all, text)
		}
	}
	return all
}

// filled lists the attributes of a kind, or nothing when one of them is blank.
func filled(name pkix.Name, kind asn1.ObjectIdentifier) []string {
	all := values(name, kind)
	for _, v := range all {
		if strings.TrimSpace(v) == "" {
			return nil
		}
	}
	return all
}
