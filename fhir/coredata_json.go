package fhir

import (
	"encoding/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// resourceCoreDataSet is the resourceType of every core data set, whatever its model:
// all models of the guide have the type of the base one.
const resourceCoreDataSet = "DDCCCoreDataSet"

type jsonCore struct {
	ResourceType string           `json:"resourceType"`
	Name         string           `json:"name,omitempty"`
	BirthDate    string           `json:"birthDate,omitempty"`
	Identifier   *jsonIdentifier  `json:"identifier,omitempty"`
	Sex          string           `json:"sex,omitempty"`
	Certificate  jsonCertificate  `json:"certificate"`
	Vaccination  *jsonVaccination `json:"vaccination,omitempty"`
	Test         *jsonTest        `json:"test,omitempty"`
}

type jsonIdentifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value,omitempty"`
}

type jsonIssuer struct {
	Identifier jsonIdentifier `json:"identifier"`
}

type jsonCertificate struct {
	Issuer  jsonIssuer      `json:"issuer"`
	HCID    jsonIdentifier  `json:"hcid"`
	DDCCID  *jsonIdentifier `json:"ddccid,omitempty"`
	Version string          `json:"version,omitempty"`
	Period  *jsonPeriod     `json:"period,omitempty"`
}

type jsonPeriod struct {
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

type jsonCoding struct {
	System  string `json:"system,omitempty"`
	Version string `json:"version,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

type jsonVaccination struct {
	Vaccine      *jsonCoding     `json:"vaccine,omitempty"`
	Brand        *jsonCoding     `json:"brand,omitempty"`
	Manufacturer *jsonCoding     `json:"manufacturer,omitempty"`
	MAHolder     *jsonCoding     `json:"maholder,omitempty"`
	Lot          string          `json:"lot,omitempty"`
	Date         string          `json:"date,omitempty"`
	ValidFrom    string          `json:"validFrom,omitempty"`
	Dose         int             `json:"dose,omitempty"`
	TotalDoses   int             `json:"totalDoses,omitempty"`
	Country      *jsonCoding     `json:"country,omitempty"`
	Centre       string          `json:"centre,omitempty"`
	Practitioner *jsonIdentifier `json:"practitioner,omitempty"`
	Disease      *jsonCoding     `json:"disease,omitempty"`
	NextDose     string          `json:"nextDose,omitempty"`
}

type jsonTest struct {
	Pathogen     *jsonCoding `json:"pathogen,omitempty"`
	Type         *jsonCoding `json:"type,omitempty"`
	Brand        *jsonCoding `json:"brand,omitempty"`
	Manufacturer *jsonCoding `json:"manufacturer,omitempty"`
	Origin       *jsonCoding `json:"origin,omitempty"`
	Date         string      `json:"date,omitempty"`
	Result       *jsonCoding `json:"result,omitempty"`
	Centre       *jsonCoding `json:"centre,omitempty"`
	Country      *jsonCoding `json:"country,omitempty"`
}

// MarshalJSON writes the shape of the guide's logical model, with resourceType
// DDCCCoreDataSet. The model's name has no place in it, see ParseCoreDataSet.
func (c CoreDataSet) MarshalJSON() ([]byte, error) { return json.Marshal(c.json()) }

// Canonical is the RFC 8785 form of the JSON: equal content gives equal bytes.
func (c CoreDataSet) Canonical() []byte {
	plain, err := json.Marshal(c.json())
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	canonical, err := strictjson.Canonical(plain)
	if err != nil {
		panic(err) // the bytes come from encoding/json
	}
	return canonical
}

func (c CoreDataSet) json() jsonCore {
	out := jsonCore{
		ResourceType: resourceCoreDataSet, Name: c.Name, BirthDate: c.BirthDate, Sex: c.Sex,
		Certificate: jsonCertificate{
			Issuer:  jsonIssuer{Identifier: jsonIdentifier(c.Certificate.Issuer)},
			HCID:    jsonIdentifier{Value: c.Certificate.HCID},
			DDCCID:  optional(jsonIdentifier{Value: c.Certificate.DDCCID}),
			Version: c.Certificate.Version,
			Period:  optional(jsonPeriod(c.Certificate.Period)),
		},
	}
	if c.Identifier != nil {
		out.Identifier = optional(jsonIdentifier(*c.Identifier))
	}
	if v := c.Vaccination; v != nil {
		out.Vaccination = &jsonVaccination{
			Vaccine: coding(v.Vaccine), Brand: coding(v.Brand), Manufacturer: coding(v.Manufacturer),
			MAHolder: coding(v.MAHolder), Lot: v.Lot, Date: v.Date, ValidFrom: v.ValidFrom,
			Dose: v.Dose, TotalDoses: v.TotalDoses, Country: coding(v.Country), Centre: v.Centre,
			Practitioner: optional(jsonIdentifier(v.Practitioner)), Disease: coding(v.Disease), NextDose: v.NextDose,
		}
	}
	if t := c.Test; t != nil {
		out.Test = &jsonTest{
			Pathogen: coding(t.Pathogen), Type: coding(t.Type), Brand: coding(t.Brand),
			Manufacturer: coding(t.Manufacturer), Origin: coding(t.Origin), Date: t.Date,
			Result: coding(t.Result), Centre: coding(t.Centre), Country: coding(t.Country),
		}
	}
	return out
}

func coding(c Coding) *jsonCoding { return optional(jsonCoding(c)) }

// optional gives nil for the zero value, so that the member is left out.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
