package governance

import (
	"crypto/x509"
	"encoding/asn1"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Day is the unit of the governance table.
const Day = 24 * time.Hour

// Lengths of time in the governance table. A maximum counts the leap day.
const (
	oneYear    = 365 * Day
	oneYearMax = 366 * Day
	twoYears   = 2 * oneYear
	twoYearMax = twoYears + Day
	fourYears  = 4 * oneYear
	fourYrMax  = fourYears + Day
	tenYearMax = 10*oneYear + 3*Day
	halfYear   = 183 * Day
	barcodeUse = 96 * Day // common practice of VDS-NC issuers
)

// Profile is one row of the governance table: what a certificate must be.
type Profile struct {
	Usage keystore.Usage // empty for the CSCA

	KeyUsage         x509.KeyUsage         // exactly these bits, critical; 0: no such extension
	ExtendedKeyUsage asn1.ObjectIdentifier // exactly this one; nil: no such extension
	CA               bool                  // with path length 0
	Plain            bool                  // no SKI, no basic constraints (barcode signers)
	IssuerURL        bool                  // its alternative name is the issuer's URL
	DocumentTypes    bool                  // it names the document types it may sign
	MaySignItself    bool

	MinValidity, MaxValidity, DefaultValidity time.Duration

	// How long the private key may sign, counted from the begin of the certificate; 0: as
	// long as the certificate is valid.
	MaxPrivateUse, DefaultPrivateUse time.Duration
	// UnstatedPrivateUse: the certificate must not say so; the register holds the end.
	UnstatedPrivateUse bool
}

var csca = Profile{
	KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, CA: true,
	MinValidity: twoYears, MaxValidity: fourYrMax, DefaultValidity: fourYears,
	MaxPrivateUse: oneYearMax, DefaultPrivateUse: oneYear,
}

// ProfileOf gives the row of a usage.
func ProfileOf(usage keystore.Usage) (Profile, bool) {
	p := Profile{
		Usage: usage, KeyUsage: x509.KeyUsageDigitalSignature,
		MaxValidity: twoYearMax, DefaultValidity: twoYears,
		MaxPrivateUse: halfYear, DefaultPrivateUse: halfYear,
	}
	p.ExtendedKeyUsage, _ = usage.ExtendedKeyUsage()
	switch usage {
	case keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery,
		keystore.UsageDocument, keystore.UsageTrustList:
	case keystore.UsageSHC:
		p.IssuerURL = true
	case keystore.UsageVDSNC:
		p.KeyUsage, p.Plain, p.DocumentTypes = 0, true, true
		p.MaxValidity = tenYearMax
		p.DefaultPrivateUse, p.UnstatedPrivateUse = barcodeUse, true
	case keystore.UsageUpload:
		p.MaySignItself = true
		p.MinValidity = oneYear
		p.MaxPrivateUse, p.DefaultPrivateUse = 0, 0
	default:
		return Profile{}, false
	}
	return p, true
}

// CSCA gives the row of the country signing certificate authority.
func CSCA() Profile { return csca }

// statesPrivateUse reports whether the certificate carries a private key usage period.
func (p Profile) statesPrivateUse() bool { return p.MaxPrivateUse > 0 && !p.UnstatedPrivateUse }
