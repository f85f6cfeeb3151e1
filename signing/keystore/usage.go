package keystore

import (
	"encoding/asn1"
	"slices"
)

// Usage says what a key may sign. One key serves one usage, ever.
type Usage string

// The usages.
const (
	UsageVaccination Usage = "vaccination" // HCERT vaccination certificates (EU DCC v, WHO DDCC VS)
	UsageTest        Usage = "test"        // HCERT test certificates (EU DCC t, WHO DDCC TR)
	UsageRecovery    Usage = "recovery"    // HCERT recovery certificates (EU DCC r)
	UsageDocument    Usage = "document"    // FHIR documents (detached JWS)
	UsageSHC         Usage = "shc"         // SMART Health Cards
	UsageVDSNC       Usage = "vdsnc"       // ICAO VDS-NC: barcode signer
	UsageTrustList   Usage = "trustlist"   // what the service states about its keys
	UsageUpload      Usage = "upload"      // uploads to a national or WHO gateway (CMS)
)

// Usages lists them in a fixed order.
func Usages() []Usage {
	return []Usage{
		UsageVaccination, UsageTest, UsageRecovery, UsageDocument,
		UsageSHC, UsageVDSNC, UsageTrustList, UsageUpload,
	}
}

// Known reports whether u is one of Usages.
func (u Usage) Known() bool { return slices.Contains(Usages(), u) }

// Extended key usages that restrict a DSC: the kinds of HCERT content (HCERT
// specification, arc 1.3.6.1.4.1.1847.2021.1) and the barcode signer (ICAO 9303-12 §7.1.3).
var extendedKeyUsages = map[Usage]asn1.ObjectIdentifier{
	UsageTest:        {1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1},
	UsageVaccination: {1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2},
	UsageRecovery:    {1, 3, 6, 1, 4, 1, 1847, 2021, 1, 3},
	UsageVDSNC:       {2, 23, 136, 1, 1, 14, 2},
}

// ExtendedKeyUsage gives the OID a certificate of this usage carries; ok is false where
// the governance table asks for none.
func (u Usage) ExtendedKeyUsage() (oid asn1.ObjectIdentifier, ok bool) {
	oid, ok = extendedKeyUsages[u]
	return slices.Clone(oid), ok
}
