package governance

import (
	"bytes"
	"net/url"
	"strings"
)

// minKeyID is the shortest key identifier that can be unique, in bytes (RFC 5280 §4.2.1.2
// takes 8 or 20).
const minKeyID = 8

var subjectKeyID = rule{"subject-key-id", clauseDSC + "; " + clauseICAO, func(s subject) []string {
	if s.profile.Plain {
		return unless(!has(s.certificate, oidSubjectKeyID), "a barcode signer must not have a subject key identifier")
	}
	return unless(len(s.certificate.SubjectKeyId) >= minKeyID, "no subject key identifier of %d bytes or more", minKeyID)
}}

var authorityKeyID = rule{"authority-key-id", clauseDSC, func(s subject) []string {
	id := s.certificate.AuthorityKeyId
	if s.selfSigned() {
		return unless(len(id) == 0 || bytes.Equal(id, s.certificate.SubjectKeyId), "the authority key identifier is not the certificate's own")
	}
	return unless(len(id) > 0 && bytes.Equal(id, s.issuer.SubjectKeyId), "the authority key identifier is not the subject key identifier of the issuer")
}}

var alternativeName = rule{"alternative-name", clauseSHC, func(s subject) []string {
	c := s.certificate
	if !s.profile.IssuerURL {
		return unless(!has(c, oidAlternativeName), "this usage has no alternative name")
	}
	alone := len(c.URIs) == 1 && len(c.DNSNames) == 0 && len(c.EmailAddresses) == 0 && len(c.IPAddresses) == 0
	return unless(alone && IssuerURL(c.URIs[0].String()), "the alternative name is not exactly the https URL of the issuer, without a slash at its end")
}}

// IssuerURL reports whether a text has the form of `iss` of a SMART Health Card: https,
// a host, no query, no fragment, no slash at the end.
func IssuerURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.RawQuery == "" && !u.ForceQuery &&
		!strings.Contains(text, "#") && !strings.HasSuffix(text, "/")
}

var documentType = rule{"document-type", clauseICAO, func(s subject) []string {
	_, there, err := DocumentTypes(s.certificate)
	if !s.profile.DocumentTypes {
		return unless(!there, "this usage has no document types")
	}
	return unless(there && err == nil, "the document types are missing or not NV and NT")
}}

var revocationPoint = rule{"crl-distribution-point", clauseDSC, func(s subject) []string {
	if !has(s.certificate, oidRevocationPoint) {
		return nil
	}
	for _, point := range s.certificate.CRLDistributionPoints {
		if !RevocationURL(point) {
			return []string{"a CRL distribution point is not an absolute http or https URL"}
		}
	}
	return unless(len(s.certificate.CRLDistributionPoints) > 0, "the CRL distribution point names no URL")
}}

// RevocationURL reports whether a revocation list can be fetched from a text.
func RevocationURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
