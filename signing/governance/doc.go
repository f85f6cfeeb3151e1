// Package governance holds what the certificates of a trusted party must look like: one
// profile a usage, the template made from it, and the lints that hold a certificate
// against it. The source is the GDHCN certificate governance table, with RFC 5280 below it
// and ICAO 9303-12 and the SMART Health Cards specification beside it for their signers.
//
// The ceremony builds certificates here and lints them before and after the signature;
// the register lints again what an operator hands in. Both use the same rules, and the
// rules share no code with the template, so that neither can be wrong alone.
//
// Invariants. Every finding is fatal: there are no warnings. An exception names a rule by
// its id, in a file somebody reviewed. Nothing here sees a private key.
package governance

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Finding is one breach of one rule by a certificate.
type Finding struct {
	Rule   string // id, e.g. "key-usage"; see Rules
	Detail string // what is wrong
	Clause string // where the rule comes from
}

// String is one line for people.
func (f Finding) String() string { return fmt.Sprintf("%s: %s (%s)", f.Rule, f.Detail, f.Clause) }

// rule is one lint. Its check answers what is wrong, in one sentence each.
type rule struct {
	id     string
	clause string
	check  func(subject) []string
}

// subject is what a rule may look at.
type subject struct {
	profile     Profile
	certificate *x509.Certificate
	issuer      *x509.Certificate // the certificate itself where it is self-signed
}

// selfSigned reports whether the certificate claims to have issued itself.
func (s subject) selfSigned() bool { return s.certificate.Equal(s.issuer) }

// rules in the order of their findings.
var rules = []rule{
	keyP256, signatureES256, serial, derSize,
	subjectCountry, subjectName, issuerName, issuerCountry,
	keyUsage, extendedKeyUsage, basicConstraints, subjectKeyID, authorityKeyID,
	alternativeName, documentType, revocationPoint, extensions,
	validityForm, validityLength, validityWithinIssuer, privateUse, issuerPrivateUse,
	issuerIsCSCA, signature,
}

// Rules lists the ids of all rules.
func Rules() []string {
	ids := make([]string, 0, len(rules))
	for _, r := range rules {
		ids = append(ids, r.id)
	}
	return ids
}

// Lint holds a document signer certificate of a usage, and its place under its issuer,
// against the profile of the usage. The issuer of a self-signed upload certificate is the
// certificate itself. No finding means that the certificate may be used.
func Lint(usage keystore.Usage, certificate, issuer *x509.Certificate) []Finding {
	profile, ok := ProfileOf(usage)
	if !ok {
		return []Finding{{Rule: "usage", Detail: fmt.Sprintf("%q is no usage of a key", string(usage)), Clause: clauseDSC}}
	}
	return lint(subject{profile, certificate, issuer})
}

// LintCSCA holds a self-signed CSCA certificate against its profile.
func LintCSCA(certificate *x509.Certificate) []Finding {
	return lint(subject{csca, certificate, certificate})
}

func lint(s subject) []Finding {
	if s.certificate == nil || s.issuer == nil {
		return []Finding{{Rule: issuerName.id, Detail: "the certificate or its issuer is missing", Clause: issuerName.clause}}
	}
	var found []Finding
	for _, r := range rules {
		for _, detail := range r.check(s) {
			found = append(found, Finding{Rule: r.id, Detail: detail, Clause: r.clause})
		}
	}
	return found
}

// Except removes the findings of rules that a reviewed file names as exceptions.
func Except(found []Finding, ignored []string) []Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return slices.Contains(ignored, f.Rule) })
}

// Sources of rules.
const (
	clauseCSCA   = "GDHCN certificate governance, SCA"
	clauseDSC    = "GDHCN certificate governance, DSC"
	clauseShell  = "GDHCN certificate governance, shell model"
	clauseUpload = "GDHCN gateway, upload checks and column limits"
	clauseICAO   = "ICAO 9303-12 §7.1.3"
	clauseSHC    = "SMART Health Cards, x5c"
)

// unless is what a check answers: nothing when ok, else the detail.
func unless(ok bool, format string, args ...any) []string {
	if ok {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}
