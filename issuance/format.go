package issuance

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Format is an envelope that a health event is certified in.
type Format string

// The formats. Every event has a WHO DDCC; the others stand beside it (docs/adr/0016).
const (
	FormatWHO         Format = "who"          // WHO DDCC in an HCERT
	FormatDCC         Format = "dcc"          // EU DCC: group v or t
	FormatDCCRecovery Format = "dcc-recovery" // EU DCC: group r, from a positive NAAT
	FormatSHC         Format = "shc"          // SMART Health Card
	FormatVDSNC       Format = "vdsnc"        // ICAO VDS-NC
	FormatICVP        Format = "icvp"         // WHO ICVP in an HCERT
)

// Formats lists them in the order of a document.
func Formats() []Format {
	return []Format{FormatWHO, FormatDCC, FormatDCCRecovery, FormatSHC, FormatVDSNC, FormatICVP}
}

// formatICAO is the name of VDS-NC in DDCCQRTypeCodeSystem.
const formatICAO = "icao"

// ParseFormats reads the formats a request names: each once, in the order of Formats, WHO's
// own always among them. No name at all gives nil.
func ParseFormats(names []string) ([]Format, error) {
	if len(names) == 0 {
		return nil, nil
	}
	asked := map[Format]bool{FormatWHO: true}
	for _, name := range names {
		f := Format(name)
		if name == formatICAO {
			f = FormatVDSNC
		}
		if !slices.Contains(Formats(), f) {
			return nil, errFormat
		}
		asked[f] = true
	}
	return slices.DeleteFunc(Formats(), func(f Format) bool { return !asked[f] }), nil
}

var errFormat = fault.New(fault.Malformed, "format", "The request names a format that is not known.").With(fault.Issue{
	Path: "format", Rule: "format-known", Detail: "A name is not one of the formats.",
	Fix: "Use who, dcc, dcc-recovery, shc, vdsnc (or icao) and icvp.",
})

// qrType is the code of the format's QR code in DDCCQRTypeCodeSystem, or our own.
func (f Format) qrType() string {
	switch f {
	case FormatDCCRecovery:
		return string(FormatDCC)
	case FormatVDSNC:
		return formatICAO
	default:
		return string(f)
	}
}

// profile is the certificate profile of an event in the format; empty when the format has
// none for this kind of event.
func (f Format) profile(core fhir.CoreDataSet) string {
	if core.Vaccination != nil {
		return vaccinationProfiles[f]
	}
	return testProfiles[f]
}

var (
	vaccinationProfiles = map[Format]string{
		FormatWHO: signing.ProfileDDCCVS, FormatDCC: signing.ProfileDCCVaccination, FormatSHC: signing.ProfileSHCImmunization,
		FormatVDSNC: signing.ProfileVDSVaccination, FormatICVP: signing.ProfileICVP,
	}
	testProfiles = map[Format]string{
		FormatWHO: signing.ProfileDDCCTR, FormatDCC: signing.ProfileDCCTest, FormatDCCRecovery: signing.ProfileDCCRecovery,
		FormatSHC: signing.ProfileSHCLaboratory, FormatVDSNC: signing.ProfileVDSTest,
	}
)
