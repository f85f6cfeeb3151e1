package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// Usage says what a DSC may sign.
type Usage string

// The usages. The first three are kinds of HCERT content, which the extended key usage
// of a DSC may restrict; a certificate cannot say the others, so they are always stated
// by whoever lists the key.
const (
	UsageVaccination Usage = "vaccination"
	UsageTest        Usage = "test"
	UsageRecovery    Usage = "recovery"
	UsageDocument    Usage = "document"  // DDCC documents (FHIR Bundle.signature)
	UsageSHC         Usage = "shc"       // SMART Health Cards
	UsageVDSNC       Usage = "vdsnc"     // ICAO VDS-NC
	UsageTrustList   Usage = "trustlist" // trust lists, and nothing else
)

// Usages lists them in the order in which lists are written.
func Usages() []Usage {
	return []Usage{
		UsageVaccination, UsageTest, UsageRecovery, UsageDocument, UsageSHC, UsageVDSNC, UsageTrustList,
	}
}

// isHCERT reports whether it is a kind of HCERT content.
func (u Usage) isHCERT() bool {
	return u == UsageVaccination || u == UsageTest || u == UsageRecovery
}

// contentUsages are those of HCERT content, by the last arc of their object identifier.
var contentUsages = map[int]Usage{1: UsageTest, 2: UsageVaccination, 3: UsageRecovery}

// The arcs of the extended key usages (HCERT specification, "DSC extended key usage").
// The second is an error of early 2021 that many certificates in use still carry.
var usageArcs = []asn1.ObjectIdentifier{
	{1, 3, 6, 1, 4, 1, 1847, 2021, 1},
	{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1},
}

// certifiedUsages gives the kinds of content the certificate restricts itself to, in the
// order of Usages; none means that it is not restricted.
func certifiedUsages(dsc *x509.Certificate) []Usage {
	var found []Usage
	for _, oid := range dsc.UnknownExtKeyUsage {
		for _, arc := range usageArcs {
			if len(oid) != len(arc)+1 || !slices.Equal(oid[:len(arc)], arc) {
				continue
			}
			if usage, ok := contentUsages[oid[len(arc)]]; ok {
				found = append(found, usage)
			}
		}
	}
	return ordered(found)
}

// oidBarcodeSigner is the extended key usage of a VDS-NC barcode signer, which has no key
// usage and must sign nothing else (ICAO 9303-12 §7.1.3).
var oidBarcodeSigner = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 14, 2}

func isBarcodeSigner(dsc *x509.Certificate) bool {
	return slices.ContainsFunc(dsc.UnknownExtKeyUsage, oidBarcodeSigner.Equal)
}

// oidExtendedKeyUsage is RFC 5280 §4.2.1.12.
var oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

func hasCriticalUsage(dsc *x509.Certificate) bool {
	return slices.ContainsFunc(dsc.Extensions, func(e pkix.Extension) bool {
		return e.Critical && e.Id.Equal(oidExtendedKeyUsage)
	})
}

// ordered sorts usages as Usages does and drops repetitions and unknown words.
func ordered(usages []Usage) []Usage {
	var out []Usage
	for _, usage := range Usages() {
		if slices.Contains(usages, usage) {
			out = append(out, usage)
		}
	}
	return out
}

// settle decides what an entry may be used for. Nothing stated means the kinds of
// content the certificate allows; otherwise the statement must agree with it. Other
// purposes alone do not restrict a DSC (several states have them), unless the extension
// is critical (RFC 5280 §4.2.1.12).
func settle(stated []Usage, dsc *x509.Certificate) ([]Usage, *Refusal) {
	certified := certifiedUsages(dsc)
	if isBarcodeSigner(dsc) {
		certified = append(certified, UsageVDSNC)
	}
	if len(stated) == 0 {
		switch {
		case len(certified) > 0:
			return certified, nil
		case hasCriticalUsage(dsc):
			return nil, refuse("usage", "the critical extended key usage is for other purposes than health certificates")
		}
		return []Usage{UsageVaccination, UsageTest, UsageRecovery}, nil
	}
	usages := ordered(stated)
	if len(usages) != len(stated) {
		return nil, refuse("usage", "a usage is unknown or stated twice")
	}
	for _, usage := range usages {
		if len(certified) > 0 && !slices.Contains(certified, usage) {
			return nil, refuse("usage", "the extended key usage of the certificate does not allow the stated usage")
		}
	}
	if len(usages) > 1 && slices.Contains(usages, UsageTrustList) {
		return nil, refuse("usage", "a key that signs trust lists must sign nothing else")
	}
	return usages, nil
}
