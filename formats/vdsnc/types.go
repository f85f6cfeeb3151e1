package vdsnc

// The types of a seal, data.hdr.t (ICAO TR VDS-NC §2.2).
const (
	TypeVaccination = "icao.vacc"
	TypeTest        = "icao.test"
)

// Version is data.hdr.v.
const Version = 1

// Data is what a seal signs.
type Data struct {
	Header  Header  `json:"hdr"`
	Message Message `json:"msg"`
}

// Header says what the seal is and which state issued it.
type Header struct {
	Type    string `json:"t"`
	Version int    `json:"v"`
	State   string `json:"is"` // alpha-3 of ICAO 9303-3 §5, e.g. "UTO"
}

// Message is a proof of vaccination (UVCI, Person, Vaccinations) or of testing (UTCI,
// Person, Provider, Times, Result).
type Message struct {
	UVCI         string    `json:"uvci,omitempty"`
	UTCI         string    `json:"utci,omitempty"`
	Person       Person    `json:"pid"`
	Vaccinations []Event   `json:"ve,omitempty"`
	Provider     *Provider `json:"sp,omitempty"`
	Times        *Times    `json:"dat,omitempty"`
	Result       *Result   `json:"tr,omitempty"`
	Optional     string    `json:"opt,omitempty"`
}

// Person identifies the holder. A vaccination needs a name and one of document number and
// birth date; a test needs name, birth date, document type and number.
type Person struct {
	Name           string `json:"n"` // as in the travel document, primary and secondary identifier two spaces apart
	BirthDate      string `json:"dob,omitempty"`
	Sex            string `json:"sex,omitempty"` // M, F or X
	DocumentNumber string `json:"i,omitempty"`   // of a vaccination
	AdditionalID   string `json:"ai,omitempty"`
	DocumentType   string `json:"dt,omitempty"` // of a test: P, A, C, I, AC, V or D
	TestDocument   string `json:"dn,omitempty"` // of a test
}

// Event is one vaccine or prophylaxis with its doses.
type Event struct {
	Vaccine string `json:"des"`           // ICD-11 code
	Brand   string `json:"nam"`           // free text
	Disease string `json:"dis,omitempty"` // ICD-11 code
	Doses   []Dose `json:"vd"`
}

// Dose is one administration.
type Dose struct {
	Date     string `json:"dvc"` // YYYY-MM-DD
	Number   int    `json:"seq"` // 1 to 99
	Country  string `json:"ctr"` // alpha-3
	Centre   string `json:"adm"`
	Lot      string `json:"lot"`
	NextDose string `json:"dvn,omitempty"` // YYYY-MM-DD
}

// Provider is who tested.
type Provider struct {
	Name    string   `json:"spn"`
	Country string   `json:"ctr"` // alpha-3
	Contact *Contact `json:"cd,omitempty"`
}

// Contact of a provider.
type Contact struct {
	Phone   string `json:"p,omitempty"`
	Mail    string `json:"e,omitempty"`
	Address string `json:"a,omitempty"`
}

// Times are RFC 3339 with a time zone.
type Times struct {
	Sampled  string `json:"sc"`
	Reported string `json:"ri"`
}

// Result of a test.
type Result struct {
	Type   string `json:"tc"` // molecular(PCR), molecular(other), antigen, antibody
	Value  string `json:"r"`  // positive, negative, normal, abnormal
	Method string `json:"m,omitempty"`
}
