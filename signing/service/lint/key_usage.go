package lint

import (
	"crypto/x509"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var keyUsage = Lint{
	ID:     "key-usage",
	For:    every,
	Source: "HCERT specification: extended key usage restricts a DSC; RFC 5280 §4.2.1.3",
	Blame:  fault.Internal,
	Check:  checkKeyUsage,
}

func checkKeyUsage(in Input) []Finding {
	mayLack := in.VDSNC != nil && in.DSC.KeyUsage == 0 // a barcode signer has no key usage (ICAO 9303-12 §7.1.3)
	found := one(mayLack || in.DSC.KeyUsage&x509.KeyUsageDigitalSignature != 0, "dsc", "The DSC may not make signatures.", "")
	if in.Usage == nil {
		return found
	}
	for _, oid := range in.DSC.UnknownExtKeyUsage {
		if oid.Equal(in.Usage) {
			return found
		}
	}
	return append(found, Finding{Path: "dsc", Detail: "The DSC is not meant for this kind of certificate."})
}
