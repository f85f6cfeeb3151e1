package service

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// besideEvent is the specimen of a profile beside an event that change makes of the
// specimen's DDCC.
func besideEvent(t *testing.T, b *testBench, profile string, change func(*hcert.DDCC), claims ...func(*signing.Claims)) signing.Intent {
	t.Helper()
	return intentFor(t, b, profile, func(i *signing.Intent) {
		i.Event = intentIssued(t, b, signingtest.EventOf(profile), func(e *signing.Intent) {
			e.Claims = signingtest.Claims(signingtest.EventOf(profile), "")
			change(e.Claims.DDCC)
		})
		for _, c := range claims {
			c(&i.Claims)
		}
	})
}

func unchanged(*hcert.DDCC) {}

func positive(d *hcert.DDCC) { d.Test.Result.Code = "RA01.0" }

func antigen(d *hcert.DDCC) { d.Test.Type.Code = "2056159157" }

// refused expects a mismatch at the path, told without a value, and no signature.
func refused(t *testing.T, b *testBench, what, path string, in signing.Intent) {
	t.Helper()
	before := b.signatures()
	_, err := b.Issue(context.Background(), caller, in)
	f := fault.From(err)
	if !errors.Is(err, errEvent) || f.Kind != fault.Rule || !slices.ContainsFunc(f.Issues, func(i fault.Issue) bool { return i.Path == path && i.Rule == "event-mismatch" }) {
		t.Errorf("%s: %s: %v %+v", in.Profile, what, err, f.Issues)
	}
	if n := b.signatures() - before; n != 0 {
		t.Errorf("%s: %s: a key was used", in.Profile, what)
	}
}

func accepted(t *testing.T, b *testBench, what string, in signing.Intent) {
	t.Helper()
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Errorf("%s: %s: %v %+v", in.Profile, what, err, fault.From(err).Issues)
	}
}

// TestResultIsTheEvents: in the code or word of each format.
func TestResultIsTheEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	euResult := func(code string) func(*signing.Claims) {
		return func(c *signing.Claims) { c.DCC.Tests[0].Result = code }
	}
	cardResult := func(code string) func(*signing.Claims) {
		return func(c *signing.Claims) {
			c.SHC.Observations[0].Value = shc.Coding{System: "http://snomed.info/sct", Code: code}
		}
	}
	word := func(word string) func(*signing.Claims) {
		return func(c *signing.Claims) { c.VDSNC.Result.Value = word }
	}
	const eu, card, seal = "claims.dcc.t[0].tr", "claims.shc.observations[0].value", "claims.vdsnc.tr.r"
	refused(t, b, "recovery beside a negative test", "claims.dcc.r[0]", besideEvent(t, b, signing.ProfileDCCRecovery, unchanged))
	refused(t, b, "detected beside a negative test", eu, besideEvent(t, b, signing.ProfileDCCTest, unchanged, euResult("260373001")))
	refused(t, b, "detected beside a negative test", card, besideEvent(t, b, signing.ProfileSHCLaboratory, unchanged, cardResult("260373001")))
	refused(t, b, "positive beside a negative test", seal, besideEvent(t, b, signing.ProfileVDSTest, unchanged, word("positive")))
	refused(t, b, "not detected beside a positive test", eu, besideEvent(t, b, signing.ProfileDCCTest, positive))
	refused(t, b, "not detected beside a positive test", card, besideEvent(t, b, signing.ProfileSHCLaboratory, positive))
	refused(t, b, "negative beside a positive test", seal, besideEvent(t, b, signing.ProfileVDSTest, positive))
	refused(t, b, "a word without a table", seal, besideEvent(t, b, signing.ProfileVDSTest, unchanged, word("normal")))
	refused(t, b, "a result that no table has", card, besideEvent(t, b, signing.ProfileSHCLaboratory, func(d *hcert.DDCC) { d.Test.Result.Code = "QA99" }))

	accepted(t, b, "recovery", besideEvent(t, b, signing.ProfileDCCRecovery, positive))
	accepted(t, b, "detected", besideEvent(t, b, signing.ProfileDCCTest, positive, euResult("260373001")))
	accepted(t, b, "detected", besideEvent(t, b, signing.ProfileSHCLaboratory, positive, cardResult("260373001")))
	accepted(t, b, "positive, another code for it", besideEvent(t, b, signing.ProfileSHCLaboratory, positive, cardResult("10828004")))
	accepted(t, b, "positive", besideEvent(t, b, signing.ProfileVDSTest, positive, word("positive")))
	accepted(t, b, "the event has the EU's code", besideEvent(t, b, signing.ProfileDCCTest, func(d *hcert.DDCC) {
		d.Test.Result = hcert.Coding{System: "http://snomed.info/sct", Code: "260415000"}
	}))
}

// TestTypeOfTestIsTheEvents: a recovery rests on a nucleic acid test alone (Regulation (EU)
// 2021/953).
func TestTypeOfTestIsTheEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	found := func(d *hcert.DDCC) { positive(d); antigen(d) }
	rapid := func(c *signing.Claims) {
		c.DCC.Tests[0].Type, c.DCC.Tests[0].Name, c.DCC.Tests[0].Device = "LP217198-3", "", "1833"
	}
	loinc := func(code string) func(*signing.Claims) {
		return func(c *signing.Claims) { c.SHC.Observations[0].Code.Code = code }
	}
	word := func(word string) func(*signing.Claims) {
		return func(c *signing.Claims) { c.VDSNC.Result.Type = word }
	}
	inLOINC := func(d *hcert.DDCC) { d.Test.Type = hcert.Coding{System: "http://loinc.org", Code: "94500-6"} }
	influenza := func(d *hcert.DDCC) { d.Test.Pathogen.Code = "XN8SX" }
	device := func(d *hcert.DDCC) {
		antigen(d)
		d.Test.Manufacturer = &hcert.Coding{System: "https://covid-19-diagnostics.jrc.ec.europa.eu/devices", Code: "1232"}
	}
	const eu, card, seal = "claims.dcc.t[0].tt", "claims.shc.observations[0].code", "claims.vdsnc.tr.tc"
	refused(t, b, "recovery from an antigen test", "claims.dcc.r[0]", besideEvent(t, b, signing.ProfileDCCRecovery, found))
	refused(t, b, "NAAT beside an antigen test", eu, besideEvent(t, b, signing.ProfileDCCTest, antigen))
	refused(t, b, "antigen test beside a NAAT", eu, besideEvent(t, b, signing.ProfileDCCTest, unchanged, rapid))
	refused(t, b, "another device", "claims.dcc.t[0].ma", besideEvent(t, b, signing.ProfileDCCTest, device, rapid))
	refused(t, b, "antigen test beside a NAAT", card, besideEvent(t, b, signing.ProfileSHCLaboratory, unchanged, loinc("94558-4")))
	refused(t, b, "another test of the kind", card, besideEvent(t, b, signing.ProfileSHCLaboratory, inLOINC))
	refused(t, b, "a test of no table", card, besideEvent(t, b, signing.ProfileSHCLaboratory, unchanged, loinc("1-8")))
	refused(t, b, "a test for another virus", card, besideEvent(t, b, signing.ProfileSHCLaboratory, influenza))
	refused(t, b, "a test for another virus", "claims.dcc.t[0].tg", besideEvent(t, b, signing.ProfileDCCTest, influenza))
	refused(t, b, "a test for another virus", "claims.dcc.r[0].tg", besideEvent(t, b, signing.ProfileDCCRecovery, func(d *hcert.DDCC) { positive(d); influenza(d) }))
	refused(t, b, "a test for another virus", "claims.vdsnc", besideEvent(t, b, signing.ProfileVDSTest, influenza))
	refused(t, b, "antigen test beside a NAAT", seal, besideEvent(t, b, signing.ProfileVDSTest, unchanged, word("antigen")))
	refused(t, b, "more than the event says", seal, besideEvent(t, b, signing.ProfileVDSTest, unchanged, word("molecular(other)")))

	origin := func(code string) func(*hcert.DDCC) {
		return func(d *hcert.DDCC) { d.Test.Origin = &hcert.Coding{Code: code} }
	}
	from := func(word string) func(*signing.Claims) {
		return func(c *signing.Claims) { c.VDSNC.Result.Method = word }
	}
	refused(t, b, "another origin", "claims.vdsnc.tr.m", besideEvent(t, b, signing.ProfileVDSTest, origin("JAM.AH.XF"), from("blood")))
	accepted(t, b, "origin", besideEvent(t, b, signing.ProfileVDSTest, origin("JAM.AH.XF"), from("nasopharyngeal")))
	accepted(t, b, "an origin without a word", besideEvent(t, b, signing.ProfileVDSTest, origin("JAE.AH.XF"), from("other")))
	accepted(t, b, "antigen test", besideEvent(t, b, signing.ProfileDCCTest, antigen, rapid))
	accepted(t, b, "antigen test", besideEvent(t, b, signing.ProfileSHCLaboratory, antigen, loinc("94558-4")))
	accepted(t, b, "antigen test", besideEvent(t, b, signing.ProfileVDSTest, antigen, word("antigen")))
	accepted(t, b, "the event's own code", besideEvent(t, b, signing.ProfileSHCLaboratory, inLOINC, loinc("94500-6")))
}

// TestAnotherPerson: one event carries no certificate of somebody else.
func TestAnotherPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, profile := range besides() {
		in := intentFor(t, b, profile)
		var path string
		switch c := &in.Claims; {
		case c.DCC != nil:
			path = "claims.dcc.nam"
			c.DCC.Name = dcc.Name{Family: "Other", FamilyStandard: "OTHER", Given: "Bo", GivenStandard: "BO"}
		case c.ICVP != nil:
			path = "claims.icvp.name"
			c.ICVP.Name = "Bo Other"
		case c.SHC != nil:
			path = "claims.shc.patient"
			c.SHC.Patient.Family, c.SHC.Patient.Given = "Other", []string{"Bo"}
		case c.VDSNC != nil:
			path = "claims.vdsnc.pid.n"
			c.VDSNC.Person.Name = "OTHER  BO"
			if profile == signing.ProfileVDSVaccination {
				c.VDSNC.Person.BirthDate, c.VDSNC.Person.DocumentNumber = "", "X1234567"
			}
		}
		refused(t, b, "another person's name", path, in)
	}
}

// TestPartOfAnotherPerson: each writing of the name counts.
func TestPartOfAnotherPerson(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		profile, path string
		change        func(*signing.Claims)
	}{
		"zone of another family":  {signing.ProfileDCCVaccination, "claims.dcc.nam.fnt", func(c *signing.Claims) { c.DCC.Name.FamilyStandard = "OTHER" }},
		"zone of another given":   {signing.ProfileDCCTest, "claims.dcc.nam.gnt", func(c *signing.Claims) { c.DCC.Name.GivenStandard = "BO" }},
		"zone alone, of another":  {signing.ProfileDCCTest, "claims.dcc.nam", func(c *signing.Claims) { c.DCC.Name = dcc.Name{FamilyStandard: "OTHER", GivenStandard: "BO"} }},
		"half of the name":        {signing.ProfileDCCTest, "claims.dcc.nam", func(c *signing.Claims) { c.DCC.Name.Given, c.DCC.Name.GivenStandard = "", "" }},
		"a name more":             {signing.ProfileSHCImmunization, "claims.shc.patient", func(c *signing.Claims) { c.SHC.Patient.Given = []string{"Adaeze", "Bo"} }},
		"text beside other parts": {signing.ProfileSHCLaboratory, "claims.shc.patient.text", func(c *signing.Claims) { c.SHC.Patient.Text = "Bo Other" }},
		"other parts beside text": {signing.ProfileSHCLaboratory, "claims.shc.patient", func(c *signing.Claims) { c.SHC.Patient.Text, c.SHC.Patient.Family = "Adaeze Specimen", "Other" }},
		"no name at all":          {signing.ProfileSHCLaboratory, "claims.shc.patient", func(c *signing.Claims) { c.SHC.Patient.Given, c.SHC.Patient.Family = nil, "" }},
		"words apart":             {signing.ProfileVDSTest, "claims.vdsnc.pid.n", func(c *signing.Claims) { c.VDSNC.Person.Name = "SPECIM EN  ADAEZE" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			refused(t, b, name, tc.path, intentFor(t, b, tc.profile, func(i *signing.Intent) { tc.change(&i.Claims) }))
		})
	}
}

// TestSamePersonOtherwiseWritten: capitals, commas, spaces and the order of the parts.
func TestSamePersonOtherwiseWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"Adaeze Specimen", "SPECIMEN, Adaeze", "  specimen   ADAEZE ", "Specimen،Adaeze"} {
		for _, profile := range []string{signing.ProfileDCCVaccination, signing.ProfileSHCImmunization, signing.ProfileVDSVaccination} {
			accepted(t, b, name, besideEvent(t, b, profile, func(d *hcert.DDCC) { d.Name = name }))
		}
	}
	accepted(t, b, "transliterated", besideEvent(t, b, signing.ProfileVDSVaccination,
		func(d *hcert.DDCC) { d.Name = "Müller-Specimen, Zoë" }, func(c *signing.Claims) { c.VDSNC.Person.Name = "MUELLER SPECIMEN  ZOE" }))
	refused(t, b, "no transliteration", "claims.vdsnc.pid.n", besideEvent(t, b, signing.ProfileVDSVaccination, func(d *hcert.DDCC) { d.Name = "王 Specimen" }))
}

// TestBirthDateOfItsOwn: neither finer than the event's nor where it has none.
func TestBirthDateOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	paths := map[string]string{
		signing.ProfileSHCImmunization: "claims.shc.patient.birthDate", signing.ProfileDCCVaccination: "claims.dcc.dob",
		signing.ProfileVDSVaccination: "claims.vdsnc.pid.dob", signing.ProfileVDSTest: "claims.vdsnc.pid.dob",
	}
	for profile, path := range paths {
		for _, born := range []string{"", "1987", "1987-04"} {
			refused(t, b, "a birth date that the event has not", path, besideEvent(t, b, profile, func(d *hcert.DDCC) { d.BirthDate = born }))
		}
	}
	accepted(t, b, "a year", besideEvent(t, b, signing.ProfileSHCImmunization, unchanged, func(c *signing.Claims) { c.SHC.Patient.BirthDate = "1987" }))
}
