package service

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

const (
	icd11    = "http://id.who.int/icd11/mms"
	cvx      = "http://hl7.org/fhir/sid/cvx"
	iso3166  = "urn:iso:std:iso:3166"
	euHolder = "https://spor.ema.europa.eu/v1/organisations"
)

func yellowFever(d *hcert.DDCC) {
	d.Vaccination = signingtest.Event(signing.ProfileICVP).DDCC.Vaccination
}

func diseased(code string) func(*hcert.DDCC) {
	return func(d *hcert.DDCC) { d.Vaccination.Disease = &hcert.Coding{System: icd11, Code: code} }
}

// TestAnotherVaccination changes one thing that a format says in its own code.
func TestAnotherVaccination(t *testing.T) {
	t.Parallel()
	const eu, card, seal, icvp = "claims.dcc.v[0]", "claims.shc.immunizations[0]", "claims.vdsnc.ve[0]", "claims.icvp.vaccination"
	for name, tc := range map[string]struct {
		profile, path string
		event         func(*hcert.DDCC)
		change        func(*signing.Claims)
	}{
		"DCC beside yellow fever":       {signing.ProfileDCCVaccination, eu + ".mp", yellowFever, nil},
		"card beside yellow fever":      {signing.ProfileSHCImmunization, card + ".vaccine", yellowFever, nil},
		"seal beside yellow fever":      {signing.ProfileVDSVaccination, seal + ".des", yellowFever, nil},
		"yellow fever beside COVID-19":  {signing.ProfileICVP, icvp + ".product", unchanged, nil},
		"complete beside incomplete":    {signing.ProfileDCCVaccination, eu + ".sd", unchanged, func(c *signing.Claims) { c.DCC.Vaccinations[0].TotalDoses = 1 }},
		"series that the event has not": {signing.ProfileDCCVaccination, eu + ".sd", func(d *hcert.DDCC) { d.Vaccination.TotalDoses = 0 }, nil},
		"another product":               {signing.ProfileDCCVaccination, eu + ".mp", unchanged, func(c *signing.Claims) { product(c, "EU/1/20/1507", "1119349007", "ORG-100031184") }},
		"another kind":                  {signing.ProfileDCCVaccination, eu + ".vp", func(d *hcert.DDCC) { d.Vaccination.Vaccine.Code = "XM9QW8" }, nil},
		"another holder":                {signing.ProfileDCCVaccination, eu + ".ma", func(d *hcert.DDCC) { d.Vaccination.MAHolder = &hcert.Coding{System: euHolder, Code: "ORG-100001699"} }, nil},
		"another disease":               {signing.ProfileDCCVaccination, eu + ".tg", diseased("1D47"), nil},
		"another country":               {signing.ProfileDCCVaccination, eu + ".co", unchanged, func(c *signing.Claims) { c.DCC.Vaccinations[0].Country = "DE" }},
		"a country for a test country":  {signing.ProfileDCCVaccination, eu + ".co", func(d *hcert.DDCC) { d.Vaccination.Country.Code = "XXA" }, nil},
		"another product of the kind":   {signing.ProfileSHCImmunization, card + ".vaccine", unchanged, func(c *signing.Claims) { c.SHC.Immunizations[0].Vaccine = shc.Coding{System: icd11, Code: "XM3DT5"} }},
		"more than the event says":      {signing.ProfileSHCImmunization, card + ".vaccine", unchanged, func(c *signing.Claims) { c.SHC.Immunizations[0].Vaccine = shc.Coding{System: cvx, Code: "300"} }},
		"a code of no table": {signing.ProfileSHCImmunization, card + ".vaccine", unchanged, func(c *signing.Claims) {
			c.SHC.Immunizations[0].Vaccine = shc.Coding{System: "https://www.gs1.org/gtin", Code: "04260703260019"}
		}},
		"another manufacturer": {signing.ProfileSHCImmunization, card + ".manufacturer", unchanged, func(c *signing.Claims) {
			c.SHC.Immunizations[0].Manufacturer = &shc.Coding{System: "http://hl7.org/fhir/sid/mvx", Code: "MOD"}
		}},
		"another kind in ICD-11":          {signing.ProfileVDSVaccination, seal + ".des", unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Vaccine = "XM1NL1" }},
		"another brand of ICAO's list":    {signing.ProfileVDSVaccination, seal + ".nam", unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Brand = "Spikevax" }},
		"another disease in ICD-11":       {signing.ProfileVDSVaccination, seal + ".dis", diseased("1D47"), nil},
		"a disease of another vaccine":    {signing.ProfileVDSVaccination, seal + ".dis", unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Disease = "1D47" }},
		"narrower disease":                {signing.ProfileVDSVaccination, seal + ".dis", diseased("RA01"), nil},
		"another country in a seal":       {signing.ProfileVDSVaccination, seal + ".vd[0].ctr", unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Doses[0].Country = "DEU" }},
		"another country of a test":       {signing.ProfileVDSTest, "claims.vdsnc.sp.ctr", unchanged, func(c *signing.Claims) { c.VDSNC.Provider.Country = "DEU" }},
		"another country of a DCC test":   {signing.ProfileDCCTest, "claims.dcc.t[0].co", unchanged, func(c *signing.Claims) { c.DCC.Tests[0].Country = "DE" }},
		"another country of the recovery": {signing.ProfileDCCRecovery, "claims.dcc.r[0].co", positive, func(c *signing.Claims) { c.DCC.Recoveries[0].Country = "DE" }},
		"another product of yellow fever": {signing.ProfileICVP, icvp + ".product", yellowFever, func(c *signing.Claims) {
			c.ICVP.Vaccination.Product = "YellowFeverProduct771d1a5c0acaee3e2dc9d56af1aba49d"
		}},
		"another begin of validity": {signing.ProfileICVP, icvp + ".validFrom", func(d *hcert.DDCC) { yellowFever(d); d.Vaccination.ValidFrom = "2026-10-11" }, func(c *signing.Claims) { c.ICVP.Vaccination.ValidFrom = "2026-10-01" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			var changes []func(*signing.Claims)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			refused(t, b, name, tc.path, besideEvent(t, b, tc.profile, tc.event, changes...))
		})
	}
}

func product(c *signing.Claims, mp, vp, ma string) {
	v := &c.DCC.Vaccinations[0]
	v.Product, v.Prophylaxis, v.Holder = mp, vp, ma
}

// TestSameVaccinationInOtherCodes: the same by the tables, or something wider.
func TestSameVaccinationInOtherCodes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		profile string
		event   func(*hcert.DDCC)
		change  func(*signing.Claims)
	}{
		"the general prophylaxis": {signing.ProfileDCCVaccination, unchanged, func(c *signing.Claims) { c.DCC.Vaccinations[0].Prophylaxis = "28531000087107" }},
		"brand in the EU's code": {signing.ProfileDCCVaccination, func(d *hcert.DDCC) {
			d.Vaccination.Brand = hcert.Coding{System: "https://ec.europa.eu/health/documents/community-register/html/", Code: "EU/1/20/1528"}
		}, nil},
		"holder of the product": {signing.ProfileDCCVaccination, func(d *hcert.DDCC) { d.Vaccination.MAHolder = &hcert.Coding{System: euHolder, Code: "ORG-100030215"} }, nil},
		"disease":               {signing.ProfileDCCVaccination, diseased("RA01"), nil},
		"country in alpha-2":    {signing.ProfileVDSVaccination, func(d *hcert.DDCC) { d.Vaccination.Country = hcert.Coding{System: iso3166, Code: "FR"} }, nil},
		"the type": {signing.ProfileSHCImmunization, unchanged, func(c *signing.Claims) {
			c.SHC.Immunizations[0].Vaccine = shc.Coding{System: "http://snomed.info/sct", Code: "1119349007"}
		}},
		"unspecified in CVX": {signing.ProfileSHCImmunization, unchanged, func(c *signing.Claims) { c.SHC.Immunizations[0].Vaccine = shc.Coding{System: cvx, Code: "213"} }},
		"the event's CVX": {signing.ProfileSHCImmunization, func(d *hcert.DDCC) { d.Vaccination.Brand = hcert.Coding{System: cvx, Code: "300"} }, func(c *signing.Claims) {
			c.SHC.Immunizations[0].Vaccine = shc.Coding{System: cvx, Code: "300"}
		}},
		"any COVID-19 vaccine":     {signing.ProfileVDSVaccination, unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Vaccine = "XM68M6" }},
		"wider disease":            {signing.ProfileVDSVaccination, diseased("RA01.0"), func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Disease = "RA01" }},
		"a brand that is its name": {signing.ProfileVDSVaccination, func(d *hcert.DDCC) { d.Vaccination.Brand = hcert.Coding{Code: "Comirnaty"} }, nil},
		"a name beside a GTIN":     {signing.ProfileVDSVaccination, func(d *hcert.DDCC) { d.Vaccination.Brand = hcert.Coding{System: "https://www.gs1.org/gtin", Code: "1"} }, nil},
		"yellow fever, no COVID-19": {signing.ProfileSHCImmunization, yellowFever, func(c *signing.Claims) {
			c.SHC.COVID19, c.SHC.Immunizations[0].Vaccine = false, shc.Coding{System: icd11, Code: "XM0N24"}
		}},
		"a brand of no list": {signing.ProfileVDSVaccination, unchanged, func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Brand = "Vaccine Specimen" }},
		"single dose": {signing.ProfileDCCVaccination, func(d *hcert.DDCC) {
			v := d.Vaccination
			v.Vaccine.Code, v.Brand.Code, v.TotalDoses = "XM9QW8", "XM6QV1", 0
		}, func(c *signing.Claims) {
			product(c, "EU/1/20/1525", "29061000087103", "ORG-100001417")
			c.DCC.Vaccinations[0].TotalDoses = 1
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			var changes []func(*signing.Claims)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			accepted(t, b, name, besideEvent(t, b, tc.profile, tc.event, changes...))
		})
	}
}

func TestAlikeComparesTypes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true},
		{"<nil>", nil, false},
		{nil, "<nil>", false},
		{"", nil, false},
		{"1", int64(1), false},
		{"true", true, false},
		{true, true, true},
		{float64(1), uint64(1), true},
		{float64(1.5), int64(1), false},
		{2, float64(2), true},
		{"a", "a", true},
		{[]any{"1"}, []any{1}, false},
		{[]any{"a", float64(1)}, []any{"a", uint64(1)}, true},
		{map[string]any{"a": "b"}, map[string]any{"a": "b"}, true},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false},
		{map[string]any{}, nil, false},
		{"map[]", map[string]any{}, false},
	} {
		if alike(tc.a, tc.b) != tc.want || alike(tc.b, tc.a) != tc.want {
			t.Errorf("%#v and %#v: %v", tc.a, tc.b, !tc.want)
		}
	}
}

// TestTextNilIsNoAbsence: a document may not have the text that fmt prints for nothing.
func TestTextNilIsNoAbsence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := intent(func(i *signing.Intent) { i.Claims.DDCC.BirthDate = "" })
	cert, err := b.Issue(t.Context(), caller, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"birth date": func(d map[string]any) { resourceAt(d, 1)["birthDate"] = "<nil>" },
		"narrative": func(d map[string]any) {
			delete(resourceAt(d, 1), "birthDate")
			resourceAt(d, 0)["text"] = narrated("Date of birth: &lt;nil&gt;")
		},
	} {
		doc := documentOf(t, cert)
		change(doc)
		if _, err := b.SignDocument(t.Context(), caller, signing.DocumentIntent{ID: cert.ID, Document: marshal(t, doc)}); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}
