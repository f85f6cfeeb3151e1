package icvp

// SubClaim is the key of an ICVP inside claim -260.
const SubClaim int64 = -6

// Card is one person and one dose. Its wire form differs between the generations of the
// guide; see Content.
type Card struct {
	Name        string      `json:"name"`
	BirthDate   string      `json:"birthDate"`              // YYYY-MM-DD
	Sex         string      `json:"sex,omitempty"`          // FHIR AdministrativeGender
	Nationality string      `json:"nationality,omitempty"`  // ISO 3166-1 alpha-3
	DocumentID  string      `json:"documentId,omitempty"`   // travel or national document
	DocumentKey string      `json:"documentType,omitempty"` // its type in HL7 table v2-0203
	Guardian    string      `json:"guardian,omitempty"`
	Vaccination Vaccination `json:"vaccination"`
}

// Vaccination is the dose. One of Clinician and Issuer is required (ICVPMin invariant
// must-have-issuer-or-clinician-name).
type Vaccination struct {
	Product    string `json:"product"` // WHO prequalified product id (PreQualProductIds)
	Date       string `json:"date"`    // YYYY-MM-DD
	Batch      string `json:"batch"`
	Clinician  string `json:"clinician,omitempty"`
	Issuer     string `json:"issuer,omitempty"`
	ValidFrom  string `json:"validFrom,omitempty"`  // YYYY-MM-DD
	ValidUntil string `json:"validUntil,omitempty"` // YYYY-MM-DD; empty: for life
}
