package shc

// The wire form. Members stand in the order of the framework's examples; encoding/json
// keeps it. There is no member a minimised card may not have.

type wireClaims struct {
	Issuer    string `json:"iss"`
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp,omitempty"`
	VC        wireVC `json:"vc"`
}

type wireVC struct {
	Type    []string    `json:"type"`
	Subject wireSubject `json:"credentialSubject"`
	RID     string      `json:"rid,omitempty"`
}

type wireSubject struct {
	FHIRVersion string     `json:"fhirVersion"`
	Bundle      wireBundle `json:"fhirBundle"`
}

type wireBundle struct {
	ResourceType string      `json:"resourceType"`
	Type         string      `json:"type"`
	Entry        []wireEntry `json:"entry"`
}

type wireEntry struct {
	FullURL  string `json:"fullUrl"`
	Resource any    `json:"resource"`
}

type wirePatient struct {
	ResourceType string     `json:"resourceType"`
	Name         []wireName `json:"name"`
	BirthDate    string     `json:"birthDate"`
}

type wireName struct {
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type wireImmunization struct {
	ResourceType string          `json:"resourceType"`
	Status       string          `json:"status"`
	VaccineCode  wireConcept     `json:"vaccineCode"`
	Patient      wireReference   `json:"patient"`
	Occurrence   string          `json:"occurrenceDateTime"`
	Performer    []wirePerformer `json:"performer,omitempty"`
	Manufacturer *wireReference  `json:"manufacturer,omitempty"`
	LotNumber    string          `json:"lotNumber,omitempty"`
}

type wireObservation struct {
	ResourceType string          `json:"resourceType"`
	Status       string          `json:"status"`
	Code         wireConcept     `json:"code"`
	Subject      wireReference   `json:"subject"`
	Effective    string          `json:"effectiveDateTime"`
	Performer    []wireReference `json:"performer,omitempty"`
	Value        wireConcept     `json:"valueCodeableConcept"`
}

type wireConcept struct {
	Coding []Coding `json:"coding"`
}

type wirePerformer struct {
	Actor wireReference `json:"actor"`
}

type wireReference struct {
	Reference  string          `json:"reference,omitempty"`
	Identifier *wireIdentifier `json:"identifier,omitempty"`
	Display    string          `json:"display,omitempty"`
}

type wireIdentifier struct {
	System string `json:"system"`
	Value  string `json:"value"`
}
