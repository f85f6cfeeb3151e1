package icvp

import (
	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Generation is one of the incompatible sets of member names of the guide.
type Generation int

// The generations.
const (
	Gen0 Generation = iota // test cards of 2024: v is one map; read, never written
	Gen1                   // ICVPMin 0.2.0 and 0.3.0 (2025), as published: v is a list
	Gen2                   // requirements of the continuous build of 2026: vx is a map, v the model version
)

// DefaultGeneration is what WHO has published, until its next release.
const DefaultGeneration = Gen1

// ModelVersion is what a card of generation 2 states in v.
const ModelVersion = "0.3.0"

// wire1 is a card of generation 1.
type wire1 struct {
	Name         string  `cbor:"n" json:"n"`
	BirthDate    string  `cbor:"dob" json:"dob"`
	Sex          string  `cbor:"s,omitempty" json:"s,omitempty"`
	Nationality  string  `cbor:"ntl,omitempty" json:"ntl,omitempty"`
	DocumentID   string  `cbor:"nid,omitempty" json:"nid,omitempty"`
	DocumentType string  `cbor:"ndt,omitempty" json:"ndt,omitempty"`
	Guardian     string  `cbor:"gn,omitempty" json:"gn,omitempty"`
	Doses        []dose1 `cbor:"v" json:"v"`
}

type dose1 struct {
	Product    string `cbor:"vp" json:"vp"`
	Date       string `cbor:"dt" json:"dt"`
	Batch      string `cbor:"bo" json:"bo"`
	Clinician  string `cbor:"cn,omitempty" json:"cn,omitempty"`
	Issuer     string `cbor:"is,omitempty" json:"is,omitempty"`
	ValidFrom  string `cbor:"vls,omitempty" json:"vls,omitempty"`
	ValidUntil string `cbor:"vle,omitempty" json:"vle,omitempty"`
}

// wire2 is a card of generation 2.
type wire2 struct {
	Name         string `cbor:"n" json:"n"`
	BirthDate    string `cbor:"dob" json:"dob"`
	Sex          string `cbor:"s" json:"s"`
	Nationality  string `cbor:"nt" json:"nt"`
	DocumentID   string `cbor:"id,omitempty" json:"id,omitempty"`
	DocumentType string `cbor:"dt,omitempty" json:"dt,omitempty"`
	Guardian     string `cbor:"gn,omitempty" json:"gn,omitempty"`
	Dose         dose2  `cbor:"vx" json:"vx"`
	Version      string `cbor:"v" json:"v"`
}

type dose2 struct {
	Product   string `cbor:"vp" json:"vp"`
	Date      string `cbor:"dv" json:"dv"`
	Batch     string `cbor:"bo" json:"bo"`
	Clinician string `cbor:"cn,omitempty" json:"cn,omitempty"`
	Issuer    string `cbor:"is,omitempty" json:"is,omitempty"`
}

// Content gives the value of sub-claim -6 for a CBOR encoder, in the names of a generation
// that is written (Gen1, Gen2). Text is brought into NFC. A card that the guide would not
// allow is refused with everything that it lacks; the paths are members of Card.
//
// Generation 2 states no period of validity: its start follows from the product and the
// date, its end is claim exp of the HCERT. ValidFrom and ValidUntil are left out there.
func (c Card) Content(generation Generation) (any, error) {
	if generation != Gen1 && generation != Gen2 {
		return nil, fault.New(fault.Rule, "icvp-generation", "Only generations 1 and 2 of the ICVP are written.")
	}
	if issues := c.issues(generation); len(issues) > 0 {
		return nil, fault.New(fault.Rule, "icvp-card", "The card does not meet the rules of the ICVP.").With(issues...)
	}
	c = c.normalised()
	if generation == Gen2 {
		return c.wire2(), nil
	}
	return c.wire1(), nil
}

func (c Card) wire1() wire1 {
	d := c.Vaccination
	return wire1{
		Name: c.Name, BirthDate: c.BirthDate, Sex: c.Sex, Nationality: c.Nationality,
		DocumentID: c.DocumentID, DocumentType: c.DocumentKey, Guardian: c.Guardian,
		Doses: []dose1{{
			Product: d.Product, Date: d.Date, Batch: d.Batch, Clinician: d.Clinician, Issuer: d.Issuer,
			ValidFrom: d.ValidFrom, ValidUntil: d.ValidUntil,
		}},
	}
}

func (c Card) wire2() wire2 {
	d := c.Vaccination
	return wire2{
		Name: c.Name, BirthDate: c.BirthDate, Sex: c.Sex, Nationality: c.Nationality,
		DocumentID: c.DocumentID, DocumentType: c.DocumentKey, Guardian: c.Guardian,
		Dose:    dose2{Product: d.Product, Date: d.Date, Batch: d.Batch, Clinician: d.Clinician, Issuer: d.Issuer},
		Version: ModelVersion,
	}
}

// normalised is the card in NFC.
func (c Card) normalised() Card {
	d := &c.Vaccination
	for _, text := range []*string{
		&c.Name, &c.BirthDate, &c.Sex, &c.Nationality, &c.DocumentID, &c.DocumentKey, &c.Guardian,
		&d.Product, &d.Date, &d.Batch, &d.Clinician, &d.Issuer, &d.ValidFrom, &d.ValidUntil,
	} {
		*text = norm.NFC.String(*text)
	}
	return c
}
