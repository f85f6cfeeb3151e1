package wallet

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"regexp"
	"slices"
	"time"
)

// The marks of a pass type certificate, as Apple's devices ask for them: an extension with
// the pass type, a purpose, and the subject's UID (RFC 4519 §2.39) and OU.
var (
	oidPassMarker  = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}
	oidPassPurpose = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 4, 14}
	oidUID         = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
)

var (
	passTypeForm = regexp.MustCompile(`^pass\.[A-Za-z0-9.-]{1,150}$`)
	teamForm     = regexp.MustCompile(`^[A-Z0-9]{10}$`)
)

// minRSA is the smallest RSA key that may sign, in bits.
const minRSA = 2048

// Check says all that keeps the account from making passes at the time given, in words for
// the operator. Whether the chain ends at Apple is for the phone to check: it knows the root.
func (a Apple) Check(now time.Time) error {
	var found []error
	must := func(ok bool, problem string) {
		if !ok {
			found = append(found, errors.New("wallet: Apple "+problem))
		}
	}
	must(passTypeForm.MatchString(a.PassType), "pass type: must be an identifier that begins with pass. as registered with Apple")
	must(teamForm.MatchString(a.Team), "team: must be the 10 capital letters and digits of the developer team")
	var organization findings
	organization.line("organization", a.Organization)
	must(len(organization) == 0, "organization: must be 1 to 200 characters on one line")
	if a.Certificate == nil || a.Issuer == nil || a.Key == nil {
		must(false, "certificate, its issuer and key: must all be given")
		return errors.Join(found...)
	}
	must(holds(a.Key, a.Certificate.PublicKey), "key: is not the key of the certificate, or not RSA of 2048 bits or more, or ECDSA on P-256 or P-384")
	must(isPassType(a.Certificate, a.PassType), "certificate: is not a pass type certificate for this pass type; a certificate for any other purpose may not sign passes")
	must(slices.Equal(a.Certificate.Subject.OrganizationalUnit, []string{a.Team}), "certificate: belongs to another team")
	must(valid(a.Certificate, now), "certificate: is expired or not yet valid; renew it with Apple")
	must(valid(a.Issuer, now), "issuer: is expired or not yet valid; take the current intermediate certificate from Apple")
	must(issued(a.Issuer, a.Certificate), "issuer: did not issue the certificate; take the WWDR generation that the certificate names")
	return errors.Join(found...)
}

// holds reports whether key is the private half of public, and of an allowed kind.
func holds(key crypto.Signer, public crypto.PublicKey) bool {
	switch held := key.Public().(type) {
	case *rsa.PublicKey:
		return held.N.BitLen() >= minRSA && held.Equal(public)
	case *ecdsa.PublicKey:
		return (held.Curve == elliptic.P256() || held.Curve == elliptic.P384()) && held.Equal(public)
	}
	return false
}

// isPassType asks for every mark at once: each alone is on certificates of other kinds.
func isPassType(certificate *x509.Certificate, passType string) bool {
	purpose := slices.ContainsFunc(certificate.UnknownExtKeyUsage, oidPassPurpose.Equal)
	signs := certificate.KeyUsage == 0 || certificate.KeyUsage&x509.KeyUsageDigitalSignature != 0
	return purpose && signs && !certificate.IsCA && marked(certificate, passType) && named(certificate, passType)
}

// marked reports whether the extension is there, for this pass type if it names one.
func marked(certificate *x509.Certificate, passType string) bool {
	i := slices.IndexFunc(certificate.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidPassMarker) })
	if i < 0 {
		return false
	}
	var named string
	rest, err := asn1.Unmarshal(certificate.Extensions[i].Value, &named)
	return err != nil || len(rest) == 0 && named == passType
}

// named reports whether the subject has one UID, the pass type.
func named(certificate *x509.Certificate, passType string) bool {
	count, same := 0, false
	for _, name := range certificate.Subject.Names {
		if name.Type.Equal(oidUID) {
			count++
			same = name.Value == passType
		}
	}
	return count == 1 && same
}

func valid(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && !now.After(certificate.NotAfter)
}

func issued(issuer, certificate *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, certificate.RawIssuer) && certificate.CheckSignatureFrom(issuer) == nil
}
