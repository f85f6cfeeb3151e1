package hl7v2

// The FHIR R4 types that are written here, with the elements that have a source in v2. The
// model library writes both sides of required choices (see fhir.Immunization), so these are
// thin ones of our own.

type coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

type concept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

func (c concept) isZero() bool { return len(c.Coding) == 0 && c.Text == "" }

// orNil leaves an element out that says nothing.
func (c concept) orNil() *concept {
	if c.isZero() {
		return nil
	}
	return &c
}

type identifier struct {
	Use      string     `json:"use,omitempty"`
	Type     *concept   `json:"type,omitempty"`
	System   string     `json:"system,omitempty"`
	Value    string     `json:"value,omitempty"`
	Assigner *reference `json:"assigner,omitempty"`
}

type reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

type humanName struct {
	Use    string   `json:"use,omitempty"`
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
	Prefix []string `json:"prefix,omitempty"`
	Suffix []string `json:"suffix,omitempty"`
}

type address struct {
	Use        string   `json:"use,omitempty"`
	Type       string   `json:"type,omitempty"`
	Line       []string `json:"line,omitempty"`
	City       string   `json:"city,omitempty"`
	District   string   `json:"district,omitempty"`
	State      string   `json:"state,omitempty"`
	PostalCode string   `json:"postalCode,omitempty"`
	Country    string   `json:"country,omitempty"`
}

type contactPoint struct {
	System string `json:"system"`
	Value  string `json:"value"`
	Use    string `json:"use,omitempty"`
}

type period struct {
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

func (p period) orNil() *period {
	if p == (period{}) {
		return nil
	}
	return &p
}

type quantity struct {
	Value  number `json:"value"`
	Unit   string `json:"unit,omitempty"`
	System string `json:"system,omitempty"`
	Code   string `json:"code,omitempty"`
}

// number is a decimal as it was written, which JSON allows.
type number string

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

type extension struct {
	URL       string `json:"url"`
	ValueCode string `json:"valueCode,omitempty"`
}

type communication struct {
	Language  concept `json:"language"`
	Preferred bool    `json:"preferred,omitempty"`
}

type patient struct {
	ResourceType         string          `json:"resourceType"`
	ID                   string          `json:"id,omitempty"`
	Identifier           []identifier    `json:"identifier,omitempty"`
	Active               *bool           `json:"active,omitempty"`
	Name                 []humanName     `json:"name,omitempty"`
	Telecom              []contactPoint  `json:"telecom,omitempty"`
	Gender               string          `json:"gender,omitempty"`
	BirthDate            string          `json:"birthDate,omitempty"`
	DeceasedBoolean      *bool           `json:"deceasedBoolean,omitempty"`
	DeceasedDateTime     string          `json:"deceasedDateTime,omitempty"`
	Address              []address       `json:"address,omitempty"`
	MaritalStatus        *concept        `json:"maritalStatus,omitempty"`
	MultipleBirthBoolean *bool           `json:"multipleBirthBoolean,omitempty"`
	MultipleBirthInteger number          `json:"multipleBirthInteger,omitzero"`
	Communication        []communication `json:"communication,omitempty"`
}

type relatedPerson struct {
	ResourceType string         `json:"resourceType"`
	ID           string         `json:"id"`
	Patient      reference      `json:"patient"`
	Relationship []concept      `json:"relationship,omitempty"`
	Name         []humanName    `json:"name,omitempty"`
	Telecom      []contactPoint `json:"telecom,omitempty"`
	Address      []address      `json:"address,omitempty"`
}

type performer struct {
	Function *concept  `json:"function,omitempty"`
	Actor    reference `json:"actor"`
}

type annotation struct {
	Text string `json:"text"`
}

type education struct {
	DocumentType     string `json:"documentType,omitempty"`
	PublicationDate  string `json:"publicationDate,omitempty"`
	PresentationDate string `json:"presentationDate,omitempty"`
}

type protocol struct {
	Series                 string `json:"series,omitempty"`
	DoseNumberPositiveInt  number `json:"doseNumberPositiveInt,omitzero"`
	DoseNumberString       string `json:"doseNumberString,omitempty"`
	SeriesDosesPositiveInt number `json:"seriesDosesPositiveInt,omitzero"`
}

type immunization struct {
	ResourceType       string       `json:"resourceType"`
	ID                 string       `json:"id"`
	Extension          []extension  `json:"extension,omitempty"`
	Identifier         []identifier `json:"identifier,omitempty"`
	Status             string       `json:"status"`
	StatusReason       *concept     `json:"statusReason,omitempty"`
	VaccineCode        concept      `json:"vaccineCode"`
	Patient            reference    `json:"patient"`
	OccurrenceDateTime string       `json:"occurrenceDateTime"`
	Recorded           string       `json:"recorded,omitempty"`
	PrimarySource      *bool        `json:"primarySource,omitempty"`
	ReportOrigin       *concept     `json:"reportOrigin,omitempty"`
	Location           *reference   `json:"location,omitempty"`
	Manufacturer       *reference   `json:"manufacturer,omitempty"`
	LotNumber          string       `json:"lotNumber,omitempty"`
	ExpirationDate     string       `json:"expirationDate,omitempty"`
	Site               *concept     `json:"site,omitempty"`
	Route              *concept     `json:"route,omitempty"`
	DoseQuantity       *quantity    `json:"doseQuantity,omitempty"`
	Performer          []performer  `json:"performer,omitempty"`
	Note               []annotation `json:"note,omitempty"`
	IsSubpotent        *bool        `json:"isSubpotent,omitempty"`
	Education          []education  `json:"education,omitempty"`
	ProgramEligibility []concept    `json:"programEligibility,omitempty"`
	FundingSource      *concept     `json:"fundingSource,omitempty"`
	ProtocolApplied    []protocol   `json:"protocolApplied,omitempty"`
}

type participant struct {
	Type       []concept `json:"type,omitempty"`
	Individual reference `json:"individual"`
}

type place struct {
	Location reference `json:"location"`
	Status   string    `json:"status,omitempty"`
}

type encounter struct {
	ResourceType    string        `json:"resourceType"`
	Identifier      []identifier  `json:"identifier"`
	Status          string        `json:"status"`
	Class           coding        `json:"class"`
	Type            []concept     `json:"type,omitempty"`
	ServiceType     *concept      `json:"serviceType,omitempty"`
	Subject         reference     `json:"subject"`
	Participant     []participant `json:"participant,omitempty"`
	Period          *period       `json:"period,omitempty"`
	ReasonCode      []concept     `json:"reasonCode,omitempty"`
	Hospitalization *stay         `json:"hospitalization,omitempty"`
	Location        []place       `json:"location,omitempty"`
}

type stay struct {
	AdmitSource          *concept `json:"admitSource,omitempty"`
	DischargeDisposition *concept `json:"dischargeDisposition,omitempty"`
}

type reaction struct {
	Manifestation []concept `json:"manifestation"`
}

type allergy struct {
	ResourceType   string       `json:"resourceType"`
	Identifier     []identifier `json:"identifier"`
	ClinicalStatus concept      `json:"clinicalStatus"`
	Category       []string     `json:"category,omitempty"`
	Criticality    string       `json:"criticality,omitempty"`
	Code           concept      `json:"code"`
	Patient        reference    `json:"patient"`
	OnsetDateTime  string       `json:"onsetDateTime,omitempty"`
	Reaction       []reaction   `json:"reaction,omitempty"`
}

type condition struct {
	ResourceType       string       `json:"resourceType"`
	Identifier         []identifier `json:"identifier"`
	ClinicalStatus     *concept     `json:"clinicalStatus,omitempty"`
	VerificationStatus *concept     `json:"verificationStatus,omitempty"`
	Category           []concept    `json:"category"`
	Code               concept      `json:"code"`
	Subject            reference    `json:"subject"`
	Encounter          *reference   `json:"encounter,omitempty"`
	RecordedDate       string       `json:"recordedDate,omitempty"`
}
