package shc

import "time"

// Credential is what a SMART Health Card's JWS carries (SMART Health Cards Framework,
// "Health Cards are encoded as Compact Serialization JWS").
type Credential struct {
	Issuer    string    // https URL without trailing slash; its keys are at /.well-known/jwks.json
	NotBefore time.Time // nbf, whole seconds
	ExpiresAt time.Time // exp, whole seconds; zero: the card does not say
	Card      Card
}

// Card is the health content of a credential: one person with vaccinations or with
// laboratory results, never both.
type Card struct {
	Patient       Patient        `json:"patient"`
	Immunizations []Immunization `json:"immunizations,omitempty"`
	Observations  []Observation  `json:"observations,omitempty"`
	COVID19       bool           `json:"covid19,omitempty"`      // adds the credential type #covid19
	RevocationID  string         `json:"revocationId,omitempty"` // vc.rid: base64url, at most 24 characters
}

// Patient is the minimal Patient (SMART Health Cards: Vaccination & Testing IG, data minimised profile). Text
// stands where the parts of the name are not known.
type Patient struct {
	Family    string   `json:"family,omitempty"`
	Given     []string `json:"given,omitempty"`
	Text      string   `json:"text,omitempty"`
	BirthDate string   `json:"birthDate"`
}

// Coding is a code in its system; displays have no place in a card.
type Coding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// Immunization is one completed dose.
type Immunization struct {
	Vaccine      Coding  `json:"vaccine"` // CVX, or another system where CVX has no code
	Date         string  `json:"date"`    // FHIR dateTime
	Lot          string  `json:"lot,omitempty"`
	Manufacturer *Coding `json:"manufacturer,omitempty"` // written as Reference.identifier
	Performer    string  `json:"performer,omitempty"`    // display of the organisation
}

// Observation is one final laboratory result.
type Observation struct {
	Code      Coding `json:"code"`  // LOINC
	Value     Coding `json:"value"` // SNOMED CT
	Date      string `json:"date"`  // FHIR dateTime
	Performer string `json:"performer,omitempty"`
}
