package maps

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// The profiles of QR payloads, as the signer knows them.
const (
	ProfileVS = "who-ddcc-vs"
	ProfileTR = "who-ddcc-tr"
)

// Claims reduces a core data set to what a QR code carries: no sex, no identifier, no
// practitioner, no next dose, no displays. Certificate.DDCCID goes in as it is, so set it
// to the certificate's id first where the payload is to name it. It expects a validated core data set; the
// error is about one without an event.
func Claims(core fhir.CoreDataSet) (profile string, claims hcert.DDCC, err error) {
	claims = hcert.DDCC{
		Name:      core.Name,
		BirthDate: core.BirthDate,
		Certificate: hcert.DDCCCertificate{
			Issuer:  hcert.Coding{Code: core.Certificate.Issuer.Value, System: core.Certificate.Issuer.System},
			HCID:    core.Certificate.HCID,
			DDCCID:  core.Certificate.DDCCID,
			Version: core.Certificate.Version,
		},
	}
	if p := core.Certificate.Period; p != (fhir.Period{}) {
		claims.Certificate.Period = &hcert.DDCCPeriod{Start: p.Start, End: p.End}
	}
	switch {
	case core.Vaccination != nil && core.Test == nil:
		claims.Vaccination = claimVaccination(*core.Vaccination)
		return ProfileVS, claims, nil
	case core.Test != nil && core.Vaccination == nil:
		claims.Test = claimTest(*core.Test)
		return ProfileTR, claims, nil
	default:
		return "", hcert.DDCC{}, fault.New(fault.Rule, "one-event", "The core data set does not hold exactly one event.")
	}
}

func claimVaccination(v fhir.Vaccination) *hcert.DDCCVaccination {
	return &hcert.DDCCVaccination{
		Vaccine: claim(v.Vaccine), Brand: claim(v.Brand),
		Manufacturer: optionalClaim(v.Manufacturer), MAHolder: optionalClaim(v.MAHolder),
		Lot: v.Lot, Date: v.Date, ValidFrom: v.ValidFrom, Dose: v.Dose, TotalDoses: v.TotalDoses,
		Country: claim(v.Country), Centre: v.Centre, Disease: optionalClaim(v.Disease),
	}
}

func claimTest(t fhir.Test) *hcert.DDCCTest {
	return &hcert.DDCCTest{
		Pathogen: claim(t.Pathogen), Type: claim(t.Type), Brand: optionalClaim(t.Brand),
		Manufacturer: optionalClaim(t.Manufacturer), Origin: optionalClaim(t.Origin),
		Date: t.Date, Result: claim(t.Result), Centre: optionalClaim(t.Centre), Country: claim(t.Country),
	}
}

// claim keeps code and system. Where only a text is known (a test centre, a
// manufacturer), the text stands for the code, without a system, as in WHO's maps.
func claim(c fhir.Coding) hcert.Coding {
	if c.Code == "" {
		return hcert.Coding{Code: c.Display}
	}
	return hcert.Coding{Code: c.Code, System: c.System}
}

func optionalClaim(c fhir.Coding) *hcert.Coding {
	if c.IsZero() {
		return nil
	}
	out := claim(c)
	return &out
}
