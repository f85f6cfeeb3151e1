package verification

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// Key is a key without certificate.
type Key = trust.Key

// Keys finds keys that registries list without certificate. Of a SMART Health Card
// (FormatSHC) issuer is its iss and kid the thumbprint of the key; of a DIVOC credential
// (FormatDIVOC) issuer is empty and kid the verification method of its proof.
// *foreign.Store does.
type Keys interface {
	Find(format, issuer, kid string) []Key
}

// lookup gives the listed keys with the id, without those that were withdrawn.
func (v *Verifier) lookup(kid []byte) []trust.Entry {
	return slices.DeleteFunc(v.List.Lookup(kid), func(e trust.Entry) bool { return v.isWithdrawn(e.DSC) })
}

// isWithdrawn reports whether the certificate is one of the authority of Own, which revokes
// it or does not have it.
func (v *Verifier) isWithdrawn(certificate *x509.Certificate) bool {
	if v.Own == nil {
		return false
	}
	thumbprint := sha256.Sum256(certificate.Raw)
	for _, key := range v.Own.Revoked {
		if key.Thumbprint == thumbprint {
			return true
		}
	}
	return v.isOwn(certificate) && !slices.ContainsFunc(v.Own.List.Lookup(trust.KID(certificate)), func(e trust.Entry) bool {
		return bytes.Equal(e.DSC.Raw, certificate.Raw)
	})
}

// isOwn reports whether a CSCA of Own is said to have issued the certificate.
func (v *Verifier) isOwn(certificate *x509.Certificate) bool {
	return slices.ContainsFunc(v.Own.List.Anchors(), func(csca *x509.Certificate) bool {
		return bytes.Equal(csca.RawSubject, certificate.RawIssuer) &&
			(len(certificate.AuthorityKeyId) == 0 || bytes.Equal(csca.SubjectKeyId, certificate.AuthorityKeyId))
	})
}

// ownsIssuer reports whether Own has the keys of an issuer of SMART Health Cards.
func (v *Verifier) ownsIssuer(address string) bool {
	if v.Own == nil {
		return false
	}
	_, named := v.Own.List.LookupCard(address, "")
	return named
}

func (v *Verifier) find(format, issuer, kid string) []Key {
	if v.Keys == nil {
		return nil
	}
	return v.Keys.Find(format, issuer, kid)
}

// signerKey is the key that verified a signature: one with a certificate, or a bare one.
type signerKey struct {
	entry trust.Entry // DSC is nil for a bare key
	bare  Key
}

func (k signerKey) describe() *Signer {
	if k.entry.DSC != nil {
		return newSigner(k.entry)
	}
	return &Signer{NotBefore: k.bare.NotBefore, NotAfter: k.bare.NotAfter}
}

// checkKey requires that the key was valid when it signed and is valid now, with its CSCA
// if it has one.
func (v *Verifier) checkKey(key signerKey, signedAt, now time.Time) *failure {
	begin, end := key.bare.NotBefore, key.bare.NotAfter
	if key.entry.DSC != nil {
		begin, end = key.entry.DSC.NotBefore, key.entry.DSC.NotAfter
	}
	switch {
	case signedAt.Before(begin):
		return fail(ReasonKeyNotYetValid, "the certificate was issued before the begin of its key")
	case !end.IsZero() && signedAt.After(end):
		return fail(ReasonKeyExpired, "the certificate was issued after the end of its key")
	case key.entry.DSC != nil:
		return v.checkChainNow(key.entry, now)
	case begin.After(now.Add(v.skew())):
		return fail(ReasonKeyNotYetValid, "the key is not valid yet")
	case !end.IsZero() && now.After(end):
		return fail(ReasonKeyExpired, "the key has ended")
	}
	return nil
}
