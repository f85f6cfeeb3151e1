package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// kidLength is the length of a key id, in bytes (HCERT specification §3.3.2).
const kidLength = 8

// Sizes of RSA keys that are accepted, in bits.
const (
	minRSA = 2048
	maxRSA = 4096
)

// Entry is one trusted key: a document signer certificate, who vouches for it, and what
// it may sign.
type Entry struct {
	KID    []byte            // first 8 bytes of SHA-256 of DSC.Raw
	Usages []Usage           // in the order of Usages; empty before NewList: as the DSC says
	DSC    *x509.Certificate // document signer certificate
	CSCA   *x509.Certificate // its issuer; nil only in a list of directly trusted DSCs

	State      State     // never revoked; empty in lists that do not say
	ActiveFrom time.Time // when it signs or signed first, UTC in whole seconds; zero: not stated
	ListedFrom time.Time // when its owner listed it first, likewise; zero only without State
}

// Allows reports whether the key may sign this kind of content.
func (e Entry) Allows(usage Usage) bool { return slices.Contains(e.Usages, usage) }

// isHCERT reports whether the key signs HCERT content.
func (e Entry) isHCERT() bool { return slices.ContainsFunc(e.Usages, Usage.isHCERT) }

// validAt reports whether both certificates are valid at that time (shell model, GDHCN
// certificate governance).
func (e Entry) validAt(now time.Time) bool {
	return isValidAt(e.DSC, now) && (e.CSCA == nil || isValidAt(e.CSCA, now))
}

// expiredAt reports whether one of the certificates has ended.
func (e Entry) expiredAt(now time.Time) bool { return !now.Before(e.end()) }

// end is when the first of the certificates ends; the last second of its validity is
// counted in (RFC 5280 §4.1.2.5).
func (e Entry) end() time.Time {
	end := e.DSC.NotAfter
	if e.CSCA != nil && e.CSCA.NotAfter.Before(end) {
		end = e.CSCA.NotAfter
	}
	return end.Add(time.Second)
}

func isValidAt(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && now.Before(certificate.NotAfter.Add(time.Second))
}

// KID computes the key id of a certificate (HCERT specification §3.3.2).
func KID(certificate *x509.Certificate) []byte {
	digest := sha256.Sum256(certificate.Raw)
	return digest[:kidLength:kidLength]
}

// Refusal says why an entry is not in the list. It names no person: certificates of
// signers are public.
type Refusal struct {
	Index  int    // of the entry among those given; anchors count from 0 on their own
	Anchor bool   // the index counts anchors
	Rule   string // stable word: kid, certificate, key, issuer, chain, country, usage, state, duplicate
	Detail string // one sentence
}

func (r Refusal) Error() string {
	kind := "entry"
	if r.Anchor {
		kind = "anchor"
	}
	return fmt.Sprintf("trust: %s %d: %s: %s", kind, r.Index, r.Rule, r.Detail)
}

func refuse(rule, detail string) *Refusal { return &Refusal{Rule: rule, Detail: detail} }

// checkEntry gives the entry as the list keeps it.
func checkEntry(e Entry, direct bool) (Entry, *Refusal) {
	if e.DSC == nil || len(e.DSC.Raw) == 0 {
		return Entry{}, refuse("certificate", "there is no document signer certificate")
	}
	if kid := KID(e.DSC); !bytes.Equal(e.KID, kid) {
		return Entry{}, refuse("kid", "the key id is not the one of the certificate")
	}
	if r := checkSignerKey(e.DSC); r != nil {
		return Entry{}, r
	}
	if e.CSCA != nil || !direct {
		if r := checkChain(e.DSC, e.CSCA); r != nil {
			return Entry{}, r
		}
	}
	usages, r := settle(e.Usages, e.DSC)
	if r != nil {
		return Entry{}, r
	}
	if slices.Contains(usages, UsageSHC) || slices.Contains(usages, UsageTrustList) {
		if _, err := p256(e.DSC); err != nil {
			return Entry{}, refuse("key", "a key for SMART Health Cards or trust lists must be on P-256")
		}
	}
	if e.State != "" && !e.State.isTrusted() {
		return Entry{}, refuse("state", "the state is not one of a trusted key")
	}
	e.KID, e.Usages = slices.Clone(e.KID), usages
	return e, nil
}

// checkSignerKey pins the keys that ES256 and PS256 can mean.
func checkSignerKey(dsc *x509.Certificate) *Refusal {
	switch key := dsc.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= minRSA && bits <= maxRSA {
			return nil
		}
	}
	return refuse("key", "the key must be on P-256 or RSA of 2048 to 4096 bits")
}

// checkChain holds a DSC against its CSCA (GDHCN certificate governance table; RFC 5280
// §4.2.1 and §6.1.3 without dates and revocation).
func checkChain(dsc, csca *x509.Certificate) *Refusal {
	if csca == nil {
		return refuse("issuer", "there is no certificate of the issuer")
	}
	if r := checkAnchor(csca); r != nil {
		return r
	}
	switch {
	case dsc.IsCA:
		return refuse("certificate", "a document signer certificate must not be one of an authority")
	case dsc.KeyUsage&x509.KeyUsageDigitalSignature == 0 && (dsc.KeyUsage != 0 || !isBarcodeSigner(dsc)):
		return refuse("certificate", "the key usage of the certificate does not allow signatures")
	case len(dsc.UnhandledCriticalExtensions) > 0:
		return refuse("certificate", "the certificate has a critical extension that is not supported")
	case !bytes.Equal(dsc.RawIssuer, csca.RawSubject):
		return refuse("chain", "the issuer of the certificate is not the subject of the CSCA")
	case len(dsc.AuthorityKeyId) == 0 || !bytes.Equal(dsc.AuthorityKeyId, csca.SubjectKeyId):
		return refuse("chain", "the authority key identifier is not the subject key identifier of the CSCA")
	case dsc.CheckSignatureFrom(csca) != nil:
		return refuse("chain", "the signature of the certificate does not verify with the CSCA")
	}
	return checkCountry(dsc)
}

// checkAnchor examines a CSCA on its own.
func checkAnchor(csca *x509.Certificate) *Refusal {
	switch {
	case csca == nil || len(csca.Raw) == 0:
		return refuse("certificate", "there is no certificate")
	case !csca.IsCA || !csca.BasicConstraintsValid:
		return refuse("issuer", "the CSCA is not a certificate of an authority")
	case csca.KeyUsage&x509.KeyUsageCertSign == 0:
		return refuse("issuer", "the key usage of the CSCA does not allow it to sign certificates")
	case len(csca.SubjectKeyId) == 0:
		return refuse("issuer", "the CSCA has no subject key identifier")
	case len(csca.UnhandledCriticalExtensions) > 0:
		return refuse("issuer", "the CSCA has a critical extension that is not supported")
	}
	return checkCountry(csca)
}

func checkCountry(certificate *x509.Certificate) *Refusal {
	if names := certificate.Subject.Country; len(names) != 1 || !isCountry(names[0]) {
		return refuse("country", "the subject must have exactly one country of two capital letters")
	}
	return nil
}

func isCountry(code string) bool {
	return len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z'
}
