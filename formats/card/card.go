package card

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/pdf"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// Card is what a card says. Texts are for people: displays of codes, not codes. Dates are
// FHIR dates or dateTimes. An empty field is left out.
type Card struct {
	Language  string // BCP 47; the nearest of [Languages] is used
	Authority string // that issues the certificates
	HCID      string // Health Certificate Identifier: 1 to 64 ASCII characters
	Holder    Holder
	Events    []Event // in the order they are shown
}

// Holder is whom the card is about.
type Holder struct {
	Name       string
	BirthDate  string
	Sex        string // FHIR administrative gender: male, female, other or unknown
	Identifier string // national or other number of the person
}

// Event is a vaccination or a test with its certificate. Exactly one of Vaccination and
// Test is set.
type Event struct {
	Vaccination *Vaccination
	Test        *Test

	ID         string // of the certificate
	IssuedAt   string
	ValidFrom  string
	ValidUntil string
	Codes      []Code
}

// Vaccination is one dose.
type Vaccination struct {
	Disease      string
	Vaccine      string
	Brand        string
	Manufacturer string // or holder of the marketing authorization
	Lot          string
	Date         string
	Dose         int // counted from 1; 0 is not known
	TotalDoses   int // of the course; 0 is not known
	Country      string
	Centre       string
	Practitioner string
	NextDose     string
}

// Test is one test and its result.
type Test struct {
	Pathogen     string
	Type         string
	Brand        string
	Manufacturer string
	Origin       string // of the sample
	SampledAt    string
	Result       string
	Centre       string
	Country      string
}

// Code is the QR code of an event in one format.
type Code struct {
	Format string // who, dcc, dcc-recovery, shc, vdsnc or icvp; any other name is shown as it is
	Symbol *qr.Symbol
}

// Options are what the data do not say.
type Options struct {
	Now time.Time // time of creation in the metadata
}

// Warning says that characters were drawn as boxes because no font has them.
type Warning = pdf.Warning

// Bounds of a card, which keep the work it costs finite.
const (
	MaxEvents   = 100
	MaxCodes    = 8    // an event
	MaxText     = 1000 // characters of a text
	MaxSequence = 999  // highest dose
	MaxHCID     = 64   // characters, as DDCC documents have them
)
