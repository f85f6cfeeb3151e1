package governance

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

var keyUsage = rule{"key-usage", clauseDSC + "; RFC 5280 §4.2.1.3", func(s subject) []string {
	e, there := extension(s.certificate, oidKeyUsage)
	if s.profile.KeyUsage == 0 {
		return unless(!there, "a barcode signer must not have a key usage")
	}
	found := unless(s.certificate.KeyUsage == s.profile.KeyUsage, "the key usage is not exactly %s", keyUsageText(s.profile))
	return append(found, unless(!there || e.Critical, "the key usage is not critical")...)
}}

func keyUsageText(p Profile) string {
	if p.CA {
		return "keyCertSign and cRLSign"
	}
	return "digitalSignature"
}

var extendedKeyUsage = rule{"extended-key-usage", "HCERT specification, extended key usages; " + clauseICAO, func(s subject) []string {
	want := s.profile.ExtendedKeyUsage
	if want == nil {
		return unless(!has(s.certificate, oidExtendedKeyUsage), "this usage has no extended key usage")
	}
	ok := len(s.certificate.ExtKeyUsage) == 0 && len(s.certificate.UnknownExtKeyUsage) == 1 && s.certificate.UnknownExtKeyUsage[0].Equal(want)
	return unless(ok, "the extended key usage is not exactly %s", want)
}}

var basicConstraints = rule{"basic-constraints", clauseCSCA + "; " + clauseICAO, func(s subject) []string {
	c := s.certificate
	switch {
	case s.profile.Plain:
		return unless(!has(c, oidBasicConstraints), "a barcode signer must not have basic constraints")
	case !s.profile.CA:
		return unless(!c.IsCA, "a document signer must not be a CA")
	}
	e, _ := extension(c, oidBasicConstraints)
	return unless(c.IsCA && e.Critical && c.MaxPathLen == 0 && c.MaxPathLenZero, "not a CA with path length 0 in a critical extension")
}}

// known extensions and whether they may be critical. Key usage and basic constraints are
// checked by their own rules.
var knownExtensions = []asn1.ObjectIdentifier{
	oidSubjectKeyID, oidKeyUsage, oidPrivateUse, oidAlternativeName, oidBasicConstraints,
	oidRevocationPoint, oidAuthorityKeyID, oidExtendedKeyUsage, oidDocumentType,
}

var extensions = rule{"extensions", "GDHCN certificate governance, extensions; no OCSP", func(s subject) []string {
	var found []string
	for _, e := range s.certificate.Extensions {
		known := slices.ContainsFunc(knownExtensions, e.Id.Equal)
		found = append(found, unless(known, "extension %s is not in the profile", e.Id)...)
		found = append(found, unless(!known || !e.Critical || mayBeCritical(s.profile, e.Id), "extension %s is critical", e.Id)...)
	}
	return append(found, unless(s.certificate.Version == 3, "the certificate is not of version 3")...)
}}

func mayBeCritical(p Profile, id asn1.ObjectIdentifier) bool {
	return id.Equal(oidKeyUsage) || id.Equal(oidBasicConstraints) || p.Plain && id.Equal(oidExtendedKeyUsage)
}

var issuerIsCSCA = rule{"issuer-is-csca", clauseCSCA + "; exactly two levels", func(s subject) []string {
	if s.selfSigned() {
		return unless(s.profile.CA || s.profile.MaySignItself, "the certificate is self-signed")
	}
	mayCertify := s.issuer.BasicConstraintsValid && s.issuer.IsCA && s.issuer.KeyUsage&x509.KeyUsageCertSign != 0
	return unless(mayCertify, "the issuer is not a CA that may sign certificates")
}}

var signature = rule{"signature", "RFC 5280 §4.1.1.3", func(s subject) []string {
	c := s.certificate
	err := s.issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	return unless(err == nil, "the issuer's key did not sign this certificate")
}}
