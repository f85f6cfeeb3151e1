package signing

import (
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

// The certificate profiles. A profile is one kind of event in one format; the kind decides
// which key signs.
const (
	ProfileDDCCVS          = "who-ddcc-vs"
	ProfileDDCCTR          = "who-ddcc-tr"
	ProfileDCCVaccination  = "eu-dcc-v"
	ProfileDCCTest         = "eu-dcc-t"
	ProfileDCCRecovery     = "eu-dcc-r"
	ProfileICVP            = "who-icvp"
	ProfileSHCImmunization = "shc-immunization"
	ProfileSHCLaboratory   = "shc-laboratory"
	ProfileVDSVaccination  = "icao-vacc"
	ProfileVDSTest         = "icao-test"
)

// Claims is the content of a certificate; exactly the member of the profile's format is
// set. What the service sets itself (issuer, times, key) has no place in any of them.
type Claims struct {
	DDCC  *hcert.DDCC      `json:"ddcc,omitempty"`
	DCC   *dcc.Certificate `json:"dcc,omitempty"`
	ICVP  *icvp.Card       `json:"icvp,omitempty"`
	SHC   *shc.Card        `json:"shc,omitempty"`
	VDSNC *vdsnc.Message   `json:"vdsnc,omitempty"`
}
