package fhir

import r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

// The resources below replace types of the model library that cannot write them
// validly: it has no "_field" siblings (Patient._birthDate, Device._manufacturer,
// Reference._display) and writes both sides of a required choice
// (Immunization.occurrence[x] and protocolApplied.doseNumber[x]). They hold what a DDCC
// document needs and no more; TestLibraryCannotWrite shows the reasons.

// Absent is the sibling of a primitive element that has no value, with the reason.
type Absent struct {
	Extension []r4.Extension `json:"extension"`
}

const extensionDataAbsent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// Unknown is the sibling for a value that nobody knows.
func Unknown() *Absent { return &Absent{Extension: []r4.Extension{UnknownExtension()}} }

// UnknownExtension is data-absent-reason "unknown" for elements that are no primitives.
func UnknownExtension() r4.Extension {
	reason := "unknown"
	return r4.Extension{Url: extensionDataAbsent, ValueCode: &reason}
}

// Patient is FHIR Patient as profile DDCCPatient uses it.
type Patient struct {
	ResourceType string          `json:"resourceType"` // Patient
	ID           string          `json:"id"`
	Meta         *r4.Meta        `json:"meta,omitempty"`
	Identifier   []r4.Identifier `json:"identifier,omitempty"`
	Name         []r4.HumanName  `json:"name"`
	Gender       string          `json:"gender,omitempty"`
	BirthDate    string          `json:"birthDate,omitempty"`
	NoBirthDate  *Absent         `json:"_birthDate,omitempty"` // the profile requires the element
}

// Immunization is FHIR Immunization as profile DDCCImmunization uses it.
type Immunization struct {
	ResourceType       string                  `json:"resourceType"` // Immunization
	ID                 string                  `json:"id"`
	Meta               *r4.Meta                `json:"meta,omitempty"`
	Extension          []r4.Extension          `json:"extension"`
	Status             string                  `json:"status"`
	VaccineCode        r4.CodeableConcept      `json:"vaccineCode"`
	Patient            r4.Reference            `json:"patient"`
	OccurrenceDateTime string                  `json:"occurrenceDateTime"`
	Location           *LabelledReference      `json:"location"`
	Manufacturer       *r4.Reference           `json:"manufacturer,omitempty"`
	LotNumber          string                  `json:"lotNumber,omitempty"`
	Performer          []ImmunizationPerformer `json:"performer,omitempty"`
	ProtocolApplied    []ProtocolApplied       `json:"protocolApplied"`
}

// LabelledReference is a Reference that may lack the display its profile requires.
type LabelledReference struct {
	Display   string  `json:"display,omitempty"`
	NoDisplay *Absent `json:"_display,omitempty"`
}

// ImmunizationPerformer is Immunization.performer.
type ImmunizationPerformer struct {
	Actor r4.Reference `json:"actor"`
}

// ProtocolApplied is Immunization.protocolApplied.
type ProtocolApplied struct {
	Authority              r4.Reference         `json:"authority"`
	TargetDisease          []r4.CodeableConcept `json:"targetDisease,omitempty"`
	DoseNumberPositiveInt  int                  `json:"doseNumberPositiveInt"`
	SeriesDosesPositiveInt int                  `json:"seriesDosesPositiveInt,omitempty"`
}

// Device is FHIR Device as profile DDCCTest uses it.
type Device struct {
	ResourceType   string              `json:"resourceType"` // Device
	ID             string              `json:"id"`
	Meta           *r4.Meta            `json:"meta,omitempty"`
	Manufacturer   string              `json:"manufacturer,omitempty"`
	NoManufacturer *Absent             `json:"_manufacturer,omitempty"` // the profile requires the element
	Type           r4.CodeableConcept  `json:"type"`
	Property       []r4.DeviceProperty `json:"property"`
	Patient        r4.Reference        `json:"patient"`
}
