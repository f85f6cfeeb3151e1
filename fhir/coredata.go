package fhir

// Model names one of WHO's concrete core data set models (DDCC IG, DDCCCoreDataSet and
// its children). TR has no concrete child in the guide, so the abstract one is used.
type Model string

// The models in use.
const (
	ModelVSPoV Model = "DDCCCoreDataSetVSPoV" // proof of vaccination
	ModelVSCoC Model = "DDCCCoreDataSetVSCoC" // continuity of care: adds sex, needs the centre
	ModelTR    Model = "DDCCCoreDataSetTR"    // test result
)

// CoreDataSetVersion is the version literal of the logical models.
const CoreDataSetVersion = "RC2"

// CoreDataSet is one health event in WHO's core data set: who, which event, under which
// certificate id. Exactly one of Vaccination and Test is set, as Model says. Texts are
// kept as they came, in Unicode NFC; dates are FHIR dates or dateTimes as text, with the
// precision they came with.
type CoreDataSet struct {
	Model       Model
	Name        string      // full name, any script
	BirthDate   string      // FHIR date, may be partial; empty when unknown
	Identifier  *Identifier // national, health or registry id
	Sex         string      // FHIR AdministrativeGender code; continuity of care only
	Certificate Certificate
	Vaccination *Vaccination
	Test        *Test
}

// Identifier is the part of a FHIR Identifier the core data set uses.
type Identifier struct {
	System string
	Value  string
}

// Coding is a FHIR Coding. The zero value means absent.
type Coding struct {
	System  string
	Version string
	Code    string
	Display string
}

// IsZero reports an absent coding.
func (c Coding) IsZero() bool { return c == Coding{} }

// Certificate is DDCCCoreDataSet.certificate.
type Certificate struct {
	Issuer  Identifier // of the public health authority (linkId pha)
	HCID    string     // Health Certificate ID
	DDCCID  string     // id of the DDCC document, when the source names one
	Version string     // of the model, CoreDataSetVersion
	Period  Period
}

// Period bounds the validity; both ends are FHIR dates or dateTimes and may be empty.
type Period struct {
	Start string
	End   string
}

// Vaccination is DDCCCoreDataSetVS.vaccination.
type Vaccination struct {
	Vaccine      Coding
	Brand        Coding
	Manufacturer Coding // one of Manufacturer and MAHolder is required (who-ddcc-data-1)
	MAHolder     Coding
	Lot          string
	Date         string // FHIR date or dateTime
	ValidFrom    string // FHIR date
	Dose         int
	TotalDoses   int // 0 when unknown
	Country      Coding
	Centre       string
	Practitioner Identifier
	Disease      Coding
	NextDose     string // FHIR date
}

// Test is DDCCCoreDataSetTR.test.
type Test struct {
	Pathogen     Coding
	Type         Coding
	Brand        Coding
	Manufacturer Coding
	Origin       Coding
	Date         string // FHIR dateTime of the sample
	Result       Coding
	Centre       Coding // a text centre becomes Coding{Display: text}
	Country      Coding
}
