package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// eventOf is an event of which claims that anyClaims drew say what it was.
func eventOf(profile string, c signing.Claims) signing.Claims {
	event := signingtest.Event(profile)
	switch e := event.DDCC; {
	case c.DCC != nil:
		e.Name = strings.TrimSpace(c.DCC.Name.Given + " " + c.DCC.Name.Family)
		for _, v := range c.DCC.Vaccinations {
			e.Vaccination.TotalDoses = v.TotalDoses
		}
	case c.ICVP != nil:
		e.Name = c.ICVP.Name
	case c.SHC != nil:
		p := c.SHC.Patient
		e.Name = strings.TrimSpace(p.Text + strings.Join(append(p.Given, p.Family), " "))
		for _, i := range c.SHC.Immunizations {
			if i.Manufacturer != nil {
				e.Vaccination.Manufacturer = &hcert.Coding{System: i.Manufacturer.System, Code: i.Manufacturer.Code}
			}
		}
	case c.VDSNC != nil:
		e.Name = c.VDSNC.Person.Name
	}
	return event
}

// anyClaims draws claims of a profile for the specimen's event: whatever else they say.
func anyClaims(t *rapid.T, profile string) signing.Claims {
	c := signingtest.Claims(profile, "XX")
	identify(t, &c)
	text := func(label string) string {
		return anyOf(t, label, "Specimen", "Müller-Specimen", "O'Specimen & <Sons>", "Σπεσιμεν", "\u062d\u0633\u0646", "Ñandú")
	}
	may := func(label string) string { return anyOf(t, label+"?", "", text(label)) }
	switch {
	case c.DDCC != nil:
		c.DDCC.Name = text("name")
	case c.DCC != nil:
		anyDCC(t, c.DCC, text, may)
	case c.ICVP != nil:
		c.ICVP.Name, c.ICVP.Guardian, c.ICVP.DocumentID = text("name"), may("guardian"), may("document")
		c.ICVP.Sex = anyOf(t, "sex", "", "male", "female", "other", "unknown")
		c.ICVP.Vaccination.Issuer = may("issuer")
		c.ICVP.Vaccination.ValidUntil = anyOf(t, "until", "", "2026-12-31", "2036-10-01")
	case c.SHC != nil:
		anyCard(t, c.SHC, text, may)
	case c.VDSNC != nil:
		anySeal(t, c.VDSNC, text, may)
	}
	return c
}

func anyDCC(t *rapid.T, c *dcc.Certificate, text, may func(string) string) {
	c.BirthDate = anyOf(t, "birth", "", "1987", "1987-04", "1987-04-12")
	c.Name.Family = anyOf(t, "family", "Specimen", "Müller-Specimen", "O'Specimen", "Σπεσιμεν", "\u062d\u0633\u0646", "Ñandú")
	var err error
	if c.Name.FamilyStandard, err = icao9303.MRZMax(c.Name.Family, 80); err != nil {
		t.Fatal(err)
	}
	if anyOf(t, "given", true, false) {
		c.Name.Given, c.Name.GivenStandard = "", ""
	}
	for i := range c.Vaccinations {
		c.Vaccinations[i].TotalDoses, c.Vaccinations[i].Issuer = anyOf(t, "total", 1, 2, 3), text("issuer")
	}
	for i := range c.Tests {
		c.Tests[i].Name, c.Tests[i].Centre = may("test"), may("centre")
	}
}

func anyCard(t *rapid.T, c *shc.Card, text, may func(string) string) {
	c.Patient.BirthDate = anyOf(t, "birth", "1987", "1987-04", "1987-04-12")
	c.COVID19 = anyOf(t, "covid", true, false)
	if anyOf(t, "no rid", true, false) {
		c.RevocationID = ""
	}
	if anyOf(t, "parts", true, false) {
		c.Patient.Family, c.Patient.Given = text("family"), []string{text("first"), text("second")}
	} else {
		c.Patient.Family, c.Patient.Given, c.Patient.Text = "", nil, text("name")
	}
	for i := range c.Immunizations {
		c.Immunizations[i].Performer, c.Immunizations[i].Lot = may("performer"), anyOf(t, "lot", "", "LOT-9")
		if anyOf(t, "manufacturer", true, false) {
			c.Immunizations[i].Manufacturer = &shc.Coding{System: "http://hl7.org/fhir/sid/mvx", Code: "PFR"}
		}
	}
	for i := range c.Observations {
		c.Observations[i].Performer = may("performer")
	}
}

func anySeal(t *rapid.T, m *vdsnc.Message, text, may func(string) string) {
	m.Person.Name = anyOf(t, "name", "SPECIMEN", "SPECIMEN  ADAEZE", "MUELLER SPECIMEN  ADA MARIA")
	if m.Times == nil {
		m.Person.Sex, m.Person.AdditionalID = anyOf(t, "sex", "", "M", "F", "X"), may("id")
		m.Vaccinations[0].Brand, m.Vaccinations[0].Disease = text("brand"), anyOf(t, "disease", "", "RA01.0")
		m.Vaccinations[0].Doses[0].NextDose = anyOf(t, "next", "", "2026-11-01")
		return
	}
	m.Optional = may("option")
	if anyOf(t, "contact", true, false) {
		m.Provider.Contact = nil
	}
	m.Result.Method = may("method")
}

// TestGeneratedClaimsAreReadBack: whatever typed claims of a profile say, the certificate
// verifies and its independent reader finds exactly that.
func TestGeneratedClaimsAreReadBack(t *testing.T) {
	t.Parallel()
	for _, profile := range signingtest.Profiles() {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			key, err := b.keys.Active(t.Context(), kinds[profile].usage)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(rt *rapid.T) {
				in := signing.Intent{ID: uuid.NewString(), Profile: profile, Issuer: "clinic", Claims: anyClaims(rt, profile)}
				if of := signingtest.EventOf(profile); of != "" {
					in.Event = intentIssued(t, b, of, func(i *signing.Intent) { i.Claims = eventOf(profile, in.Claims) })
				}
				cert, err := b.Issue(context.Background(), caller, in)
				if err != nil {
					rt.Fatal(err, fault.From(err).Issues)
				}
				read := reading(t, profile, cert.Text)
				if err := read.Verify(key.Certificate.PublicKey); err != nil {
					rt.Fatal(err)
				}
				if got, want := claimsOf(rt, profile, read), in.Claims; !reflect.DeepEqual(got, want) {
					rt.Fatalf("read %s\nstated %s", asJSON(rt, got), asJSON(rt, want))
				}
			})
		})
	}
}

// claimsOf turns what a reader found back into typed claims.
func claimsOf(t *rapid.T, profile string, read lint.Reading) signing.Claims {
	switch {
	case read.SHC != nil:
		return signing.Claims{SHC: cardOf(read.SHC.Content)}
	case read.VDSNC != nil:
		m := &vdsnc.Message{}
		fromTree(t, read.VDSNC.Data["msg"], m)
		return signing.Claims{VDSNC: m}
	}
	content := read.HCERT.Claims.SubClaims[kinds[profile].subClaim]
	switch kinds[profile].picture {
	case "dcc":
		c := &dcc.Certificate{}
		fromTree(t, content, c)
		return signing.Claims{DCC: c}
	case "icvp":
		m, _ := content.(map[string]any)
		c, _, err := icvp.Parse(m)
		if err != nil {
			t.Fatal(err)
		}
		return signing.Claims{ICVP: &c}
	}
	c := &hcert.DDCC{}
	fromTree(t, content, c)
	return signing.Claims{DDCC: c}
}

// fromTree decodes strictly: a member without a place fails.
func fromTree(t *rapid.T, tree, into any) {
	d := json.NewDecoder(bytes.NewReader(asJSON(t, tree)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *rapid.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// cardOf reads a card's bundle by hand.
func cardOf(content map[string]any) *shc.Card {
	vc := dig(content, "vc")
	entries, _ := dig(vc, "credentialSubject", "fhirBundle", "entry").([]any)
	c := &shc.Card{RevocationID: textAt(vc, "rid")}
	c.COVID19 = size(dig(vc, "type")) == 3
	for _, e := range entries {
		r := dig(e, "resource")
		switch dig(r, "resourceType") {
		case "Patient":
			c.Patient = shc.Patient{Family: textAt(r, "name", 0, "family"), Text: textAt(r, "name", 0, "text"), BirthDate: textAt(r, "birthDate")}
			given, _ := dig(r, "name", 0, "given").([]any)
			for _, g := range given {
				c.Patient.Given = append(c.Patient.Given, fmt.Sprint(g))
			}
		case "Immunization":
			i := shc.Immunization{
				Vaccine: codingAt(r, "vaccineCode"), Date: textAt(r, "occurrenceDateTime"), Lot: textAt(r, "lotNumber"),
				Performer: textAt(r, "performer", 0, "actor", "display"),
			}
			if m := dig(r, "manufacturer", "identifier"); m != nil {
				i.Manufacturer = &shc.Coding{System: textAt(m, "system"), Code: textAt(m, "value")}
			}
			c.Immunizations = append(c.Immunizations, i)
		case "Observation":
			c.Observations = append(c.Observations, shc.Observation{
				Code: codingAt(r, "code"), Value: codingAt(r, "valueCodeableConcept"), Date: textAt(r, "effectiveDateTime"),
				Performer: textAt(r, "performer", 0, "display"),
			})
		}
	}
	return c
}

func textAt(v any, path ...any) string {
	s, _ := dig(v, path...).(string)
	return s
}

func codingAt(v any, name string) shc.Coding {
	return shc.Coding{System: textAt(v, name, "coding", 0, "system"), Code: textAt(v, name, "coding", 0, "code")}
}
