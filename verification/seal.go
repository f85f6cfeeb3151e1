package verification

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// ProfileVDSNC names the content of a seal: its members hdr and msg.
const ProfileVDSNC = "icao-vds-nc"

// verifySeal checks a VDS-NC. The seal brings the certificate of its signer along, which
// anybody can make: it is believed only if the list has it, or if a listed CSCA issued it
// (ICAO TR VDS-NC; 9303-12 §7.1.3). A seal does not say when it was made; its key has to be
// valid now.
func (v *Verifier) verifySeal(text string, now time.Time) Result {
	result := Result{Format: FormatVDSNC}
	message, err := reader.Decode(text)
	if err != nil {
		return result.concluded(sealFailure(err))
	}
	result.KID, result.Algorithm = textKID(trust.KID(message.Certificate)), message.Algorithm
	entry, f := v.sealSigner(message.Certificate, now)
	if f != nil {
		return result.concluded(f)
	}
	if err := message.Verify(message.Certificate.PublicKey); err != nil {
		return result.concluded(sealFailure(err))
	}
	result.Profile, result.Content, result.Signer, result.Issuer = ProfileVDSNC, message.Data, newSigner(entry), message.State
	if f := v.checkChainNow(entry, now); f != nil {
		return result.concluded(f)
	}
	problems, f := checkSeal(message, entry)
	if f != nil {
		return result.concluded(f)
	}
	result.warn(WarningNoExpiry)
	result.warn(WarningNoIssueDate)
	if len(problems)+len(message.Warnings) > 0 {
		result.warn(WarningContent)
	}
	return v.concluded(result, sealIdentity(message), now)
}

// checkSeal holds the seal against its signer and the rules of its content, in this order,
// and gives what is only unusual.
func checkSeal(message *reader.Message, entry trust.Entry) ([]reader.Problem, *failure) {
	if !isStateOf(message.State, entry.DSC) {
		return nil, fail(ReasonIssuerMismatch, "data.hdr.is is not the country of the barcode signer")
	}
	if !entry.Allows(trust.UsageVDSNC) {
		return nil, fail(ReasonUsageMismatch, "the key may not sign seals")
	}
	problems := message.CheckSigner()
	for _, p := range problems {
		if !p.Warning {
			return nil, fail(ReasonUsageMismatch, p.Path+": "+p.Rule)
		}
	}
	content := message.Check()
	for _, p := range content {
		if !p.Warning {
			return nil, breach(p.Path, p.Rule, "")
		}
	}
	return append(problems, content...), nil
}

// sealReasons are our words for the reader's where they differ. None of them says that the
// signature is genuine: these failures come before it is checked.
var sealReasons = map[reader.Reason]Reason{
	reader.ReasonInvalidStructure:   ReasonNotVDSNC,
	reader.ReasonUnsupportedType:    ReasonUnsupportedContext,
	reader.ReasonUnsupportedVersion: ReasonUnsupportedContext,
	reader.ReasonUnsupportedCurve:   ReasonInvalidCertificate,
}

func sealFailure(err error) *failure {
	var decode *reader.Error
	if !errors.As(err, &decode) {
		return fail(ReasonNotVDSNC, "the text cannot be read")
	}
	if ours, ok := sealReasons[decode.Reason]; ok {
		return fail(ours, decode.Detail)
	}
	return fail(Reason(decode.Reason), decode.Detail)
}

// sealSigner believes a barcode signer that is listed. Else a listed CSCA has to have issued
// it, one of which the list does not know the signers: where it does, a signer that is not
// among them was withdrawn.
func (v *Verifier) sealSigner(certificate *x509.Certificate, now time.Time) (trust.Entry, *failure) {
	if v.isWithdrawn(certificate) {
		return trust.Entry{}, fail(ReasonUnknownKey, "the authority of the barcode signer has withdrawn it")
	}
	for _, entry := range v.List.Lookup(trust.KID(certificate)) {
		if bytes.Equal(entry.DSC.Raw, certificate.Raw) {
			entry.DSC = certificate // the reader knows explicit curve parameters
			return entry, nil
		}
	}
	csca := v.issuerOf(certificate, now)
	switch {
	case csca == nil:
		return trust.Entry{}, fail(ReasonUnknownKey, "neither the barcode signer nor its issuer is on the trust list")
	case v.listsSigners(csca):
		return trust.Entry{}, fail(ReasonUnknownKey, "the trust list knows the barcode signers of this issuer, and this is none of them")
	}
	return trust.Entry{KID: trust.KID(certificate), DSC: certificate, CSCA: csca, Usages: []trust.Usage{trust.UsageVDSNC}}, nil
}

// issuerOf finds the listed CSCA that issued a certificate, if possible one that is valid
// now: a renewed one may have the same key.
func (v *Verifier) issuerOf(certificate *x509.Certificate, now time.Time) *x509.Certificate {
	var found *x509.Certificate
	for _, csca := range v.List.Anchors() {
		if !issued(csca, certificate) {
			continue
		}
		if found == nil || v.checkChainNow(trust.Entry{DSC: found, CSCA: found}, now) != nil {
			found = csca
		}
	}
	return found
}

// oidDocumentType is the extension that CheckSigner reads (ICAO 9303-12 §7.1.5).
var oidDocumentType = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}

// issued holds a certificate against a CSCA as package trust does for what is listed (RFC
// 5280 §4.2.1 and §6.1.3; GDHCN certificate governance).
func issued(csca, certificate *x509.Certificate) bool {
	return len(certificate.AuthorityKeyId) > 0 && bytes.Equal(csca.SubjectKeyId, certificate.AuthorityKeyId) &&
		bytes.Equal(csca.RawSubject, certificate.RawIssuer) && sameCountry(csca, certificate) && !certificate.IsCA &&
		!slices.ContainsFunc(certificate.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool { return !id.Equal(oidDocumentType) }) &&
		certificate.CheckSignatureFrom(csca) == nil
}

func sameCountry(a, b *x509.Certificate) bool {
	return len(a.Subject.Country) == 1 && len(b.Subject.Country) == 1 && strings.EqualFold(a.Subject.Country[0], b.Subject.Country[0])
}

// listsSigners reports whether the list knows the barcode signers of a CSCA: it has one of
// them, or it comes from an authority that states all of its keys.
func (v *Verifier) listsSigners(csca *x509.Certificate) bool {
	return slices.ContainsFunc(v.List.Entries(), func(e trust.Entry) bool {
		return e.CSCA != nil && bytes.Equal(e.CSCA.RawSubject, csca.RawSubject) && (e.State != "" || e.Allows(trust.UsageVDSNC))
	})
}
