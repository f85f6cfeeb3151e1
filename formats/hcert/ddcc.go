package hcert

// Sub-claims of claim -260 as WHO's GDHCN assigns or proposes them
// (smart-trust hcert model; facts: signing-trust §1.3).
const (
	SubClaimDDCCVS int64 = 3
	SubClaimDDCCTR int64 = 4
)

// Coding is a coded value as a QR payload carries it: no display, which a verifier
// looks up in its own language.
type Coding struct {
	Code   string `cbor:"code" json:"code"`
	System string `cbor:"system,omitempty" json:"system,omitempty"`
}

// DDCC is the part of a WHO DDCC core data set that goes into a QR code: what a
// verifier needs and no more (DDCC IG, DDCCCoreDataSetVSPoV and DDCCCoreDataSetTR;
// sex, national identifier, practitioner and next dose stay in the document).
// Exactly one of Vaccination and Test is set.
type DDCC struct {
	Name        string           `cbor:"name" json:"name"`
	BirthDate   string           `cbor:"birthDate,omitempty" json:"birthDate,omitempty"`
	Certificate DDCCCertificate  `cbor:"certificate" json:"certificate"`
	Vaccination *DDCCVaccination `cbor:"vaccination,omitempty" json:"vaccination,omitempty"`
	Test        *DDCCTest        `cbor:"test,omitempty" json:"test,omitempty"`
}

// DDCCCertificate is the certificate part of the core data set.
type DDCCCertificate struct {
	Issuer  Coding      `cbor:"issuer" json:"issuer"` // the public health authority's identifier
	HCID    string      `cbor:"hcid" json:"hcid"`     // Health Certificate ID, the paper card's number
	DDCCID  string      `cbor:"ddccid,omitempty" json:"ddccid,omitempty"`
	Version string      `cbor:"version" json:"version"` // of the core data set model, "RC2"
	Period  *DDCCPeriod `cbor:"period,omitempty" json:"period,omitempty"`
}

// DDCCPeriod is the validity the authority states, FHIR dates or dateTimes.
type DDCCPeriod struct {
	Start string `cbor:"start,omitempty" json:"start,omitempty"`
	End   string `cbor:"end,omitempty" json:"end,omitempty"`
}

// DDCCVaccination is one vaccination event.
type DDCCVaccination struct {
	Vaccine      Coding  `cbor:"vaccine" json:"vaccine"`
	Brand        Coding  `cbor:"brand" json:"brand"`
	Manufacturer *Coding `cbor:"manufacturer,omitempty" json:"manufacturer,omitempty"`
	MAHolder     *Coding `cbor:"maholder,omitempty" json:"maholder,omitempty"`
	Lot          string  `cbor:"lot" json:"lot"`
	Date         string  `cbor:"date" json:"date"`
	ValidFrom    string  `cbor:"validFrom,omitempty" json:"validFrom,omitempty"`
	Dose         int     `cbor:"dose" json:"dose"`
	TotalDoses   int     `cbor:"totalDoses,omitempty" json:"totalDoses,omitempty"`
	Country      Coding  `cbor:"country" json:"country"`
	Centre       string  `cbor:"centre,omitempty" json:"centre,omitempty"`
	Disease      *Coding `cbor:"disease,omitempty" json:"disease,omitempty"`
}

// DDCCTest is one test event.
type DDCCTest struct {
	Pathogen     Coding  `cbor:"pathogen" json:"pathogen"`
	Type         Coding  `cbor:"type" json:"type"`
	Brand        *Coding `cbor:"brand,omitempty" json:"brand,omitempty"`
	Manufacturer *Coding `cbor:"manufacturer,omitempty" json:"manufacturer,omitempty"`
	Origin       *Coding `cbor:"origin,omitempty" json:"origin,omitempty"`
	Date         string  `cbor:"date" json:"date"` // RFC 3339, or a date where no time is known
	Result       Coding  `cbor:"result" json:"result"`
	Centre       *Coding `cbor:"centre,omitempty" json:"centre,omitempty"`
	Country      Coding  `cbor:"country" json:"country"`
}
