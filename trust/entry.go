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
}

// Allows reports whether the key may sign this kind of content.
func (e Entry) Allows(usage Usage) bool { return slices.Contains(e.Usages, usage) }

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
	Rule   string // stable word: kid, certificate, key, issuer, chain, country, usage, duplicate
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
	return Entry{KID: slices.Clone(e.KID), Usages: usages, DSC: e.DSC, CSCA: e.CSCA}, nil
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
	case dsc.KeyUsage&x509.KeyUsageDigitalSignature == 0:
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
