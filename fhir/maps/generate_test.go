package maps_test

import (
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

// anyCore draws valid core data sets of all models.
func anyCore() *rapid.Generator[fhir.CoreDataSet] {
	return rapid.Custom(func(t *rapid.T) fhir.CoreDataSet {
		c := fhir.CoreDataSet{
			Model:     rapid.SampledFrom([]fhir.Model{fhir.ModelVSPoV, fhir.ModelVSCoC, fhir.ModelTR}).Draw(t, "model"),
			Name:      anyText().Draw(t, "name"),
			BirthDate: rapid.SampledFrom([]string{"", "1988", "1988-02", "1988-02-29", "2021-01-01"}).Draw(t, "birth"),
			Certificate: fhir.Certificate{
				Issuer:  anyIdentifier().Draw(t, "issuer"),
				HCID:    rapid.StringMatching(`[A-Za-z0-9._/:-]{1,64}`).Draw(t, "hcid"),
				Version: fhir.CoreDataSetVersion,
				Period: fhir.Period{
					Start: rapid.SampledFrom([]string{"", "2021-07-08", "2021-07-08T23:59:59+14:00"}).Draw(t, "start"),
					End:   rapid.SampledFrom([]string{"", "2021-07-08", "2031-12-31"}).Draw(t, "end"),
				},
			},
		}
		c.Certificate.Issuer.System = rapid.SampledFrom([]string{"", "urn:oid:1.2.3"}).Draw(t, "issuer system")
		if rapid.Bool().Draw(t, "identified") {
			id := anyIdentifier().Draw(t, "identifier")
			c.Identifier = &id
		}
		if c.Model == fhir.ModelTR {
			c.Test = anyTest(t)
			return c
		}
		c.Vaccination = anyVaccination(t)
		if c.Model == fhir.ModelVSCoC {
			c.Sex = rapid.SampledFrom([]string{"", "male", "female", "other", "unknown"}).Draw(t, "sex")
			c.Vaccination.Centre = anyText().Draw(t, "centre")
		}
		return c
	})
}

func anyText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom(names).Draw(t, "name")
		if rapid.Bool().Draw(t, "random") {
			s = rapid.StringMatching(`[\p{L}\p{N}<>&"'/\\]{1,30}( [\p{L}\p{M}\p{Arabic}\p{Han}]{1,20})?`).Draw(t, "text")
		}
		clean, _ := fhir.CleanText(s)
		return clean
	})
}

func anyIdentifier() *rapid.Generator[fhir.Identifier] {
	return rapid.Custom(func(t *rapid.T) fhir.Identifier {
		return fhir.Identifier{
			System: rapid.SampledFrom([]string{"", "urn:oid:1.2.3", "http://example.org/ids"}).Draw(t, "system"),
			Value:  anyText().Draw(t, "value"),
		}
	})
}

func anyCoding(versioned bool) *rapid.Generator[fhir.Coding] {
	return rapid.Custom(func(t *rapid.T) fhir.Coding {
		c := fhir.Coding{
			System:  rapid.SampledFrom([]string{"", "http://id.who.int/icd11/mms", "http://snomed.info/sct"}).Draw(t, "system"),
			Code:    rapid.StringMatching(`[A-Za-z0-9./&<-]{1,20}( [A-Za-z]{1,5})?`).Draw(t, "code"),
			Display: rapid.OneOf(rapid.Just(""), anyText()).Draw(t, "display"),
		}
		if versioned {
			c.Version = rapid.SampledFrom([]string{"", "2022-02"}).Draw(t, "version")
		}
		return c
	})
}

func anyLabel(versioned bool) *rapid.Generator[fhir.Coding] {
	return rapid.OneOf(anyCoding(versioned), rapid.Map(anyText(), func(s string) fhir.Coding { return fhir.Coding{Display: s} }))
}

func maybe(g *rapid.Generator[fhir.Coding]) *rapid.Generator[fhir.Coding] {
	return rapid.OneOf(rapid.Just(fhir.Coding{}), g)
}

func anyVaccination(t *rapid.T) *fhir.Vaccination {
	v := &fhir.Vaccination{
		Vaccine:      anyCoding(true).Filter(func(c fhir.Coding) bool { return c.System != "" }).Draw(t, "vaccine"),
		Brand:        anyCoding(true).Draw(t, "brand"),
		Manufacturer: maybe(anyLabel(false)).Draw(t, "manufacturer"),
		MAHolder:     maybe(anyCoding(true)).Draw(t, "maholder"),
		Lot:          rapid.StringMatching(`[A-Z0-9<&-]{1,20}`).Draw(t, "lot"),
		Date:         rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T10:00:00Z"}).Draw(t, "date"),
		ValidFrom:    rapid.SampledFrom([]string{"", "2021-07-22"}).Draw(t, "validFrom"),
		Dose:         rapid.IntRange(1, 100).Draw(t, "dose"),
		TotalDoses:   rapid.IntRange(0, 100).Draw(t, "total"),
		Country:      iso(rapid.SampledFrom([]string{"CHE", "USA", "ETH", "XXA"}).Draw(t, "country")),
		Centre:       rapid.OneOf(rapid.Just(""), anyText()).Draw(t, "centre"),
		Disease:      maybe(anyCoding(true)).Draw(t, "disease"),
		NextDose:     rapid.SampledFrom([]string{"", "2021-07-29"}).Draw(t, "next"),
	}
	if v.Manufacturer.IsZero() && v.MAHolder.IsZero() {
		v.MAHolder = anyCoding(true).Draw(t, "holder")
	}
	if rapid.Bool().Draw(t, "practitioner") {
		v.Practitioner = anyIdentifier().Draw(t, "hw")
	}
	return v
}

func anyTest(t *rapid.T) *fhir.Test {
	return &fhir.Test{
		Pathogen:     anyCoding(true).Draw(t, "pathogen"),
		Type:         anyCoding(true).Draw(t, "type"),
		Brand:        maybe(anyCoding(true)).Draw(t, "brand"),
		Manufacturer: maybe(anyLabel(true)).Draw(t, "manufacturer"),
		Origin:       maybe(rapid.OneOf(anyCoding(true), rapid.Just(icd("JAM.AH.XF")))).Draw(t, "origin"),
		Date:         rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T10:00:00.123-03:30"}).Draw(t, "date"),
		Result:       anyCoding(true).Draw(t, "result"),
		Centre:       maybe(anyLabel(false)).Draw(t, "centre"),
		Country:      iso("CHE"),
	}
}
