package maps_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// names are specimen names in many scripts; each has to survive byte for byte.
var names = []string{
	"Aulus Agerius", "Jean-Luc O’Connor <&> \"Fry\"", "محمد بن سلمان", "می\u200cخواهم نام", "王小明", "山田 太郎", "አበበ ቢቂላ",
	"अमिताभ श्रीवास्तव", "ক্ষিতীশ", "Nguyễn Thị Ánh", "Q\u0307\u0323uo", "Ł̓ukasz", "👩\u200d⚕️ Specimen", "שָׁלוֹם", "Αλέξανδρος", "ი.ბ. ჭ", "Ana  María",
}

func TestDocumentsConform(t *testing.T) {
	t.Parallel()
	bare := vaccination()
	bare.Model, bare.Sex, bare.BirthDate, bare.Identifier, bare.Certificate.Period = fhir.ModelVSPoV, "", "", nil, fhir.Period{}
	bare.Vaccination = &fhir.Vaccination{Vaccine: icd("XM0GQ8"), Brand: icd("XM3DT5"), MAHolder: icd("TEST"), Lot: "1",
		Date: "2021-07-08", Dose: 3, Country: iso("CHE")}
	bareTest := testResult()
	bareTest.Test = &fhir.Test{Pathogen: icd("XN109"), Type: icd("1334426561"), Date: "2021-07-08", Result: icd("QA02"), Country: iso("CHE")}
	for name, core := range map[string]fhir.CoreDataSet{
		"vaccination": vaccination(), "test": testResult(), "bare vaccination": bare, "bare test": bareTest,
	} {
		for _, legacy := range []bool{false, true} {
			in := input(core)
			in.Legacy = legacy
			out, err := maps.Document(in)
			if err != nil {
				t.Fatalf("%s: %v %+v", name, err, fault.From(err).Issues)
			}
			for _, p := range check(out.JSON) {
				t.Errorf("%s, legacy %v: %s", name, legacy, p)
			}
		}
	}
}

// TestCheckerIsNotBlind breaks a good document in many ways.
func TestCheckerIsNotBlind(t *testing.T) {
	t.Parallel()
	for _, core := range []fhir.CoreDataSet{vaccination(), testResult()} {
		out, err := maps.Document(input(core))
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range [][2]string{
			{`"type":"document"`, `"type":"collection"`}, {`"status":"final"`, `"status":"preliminary"`}, {`"mode":"official"`, `"mode":"legal"`},
			{`"use":"official"`, `"use":"usual"`}, {`urn:HCID:`, `urn:x:`}, {`"title":"Digital`, `"title":"The`},
			{`"reference":"urn:uuid:`, `"reference":"urn:uuid:0`}, {`"authenticator"`, `"author"`}, {`DDCCCountryOfEvent`, `DDCCX`},
			{`</ul>`, ``}, {`"status":"completed"`, `"status":"not-done"`}, {`"timestamp"`, `"timestamq"`},
		} {
			if bad := strings.Replace(string(out.JSON), change[0], change[1], 1); len(check([]byte(bad))) == 0 {
				t.Errorf("the checker accepts %s", change[1])
			}
		}
	}
}

func TestDocumentRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		core := anyCore().Draw(t, "core")
		in := input(core)
		in.Legacy = rapid.Bool().Draw(t, "legacy")
		if rapid.Bool().Draw(t, "no QR") {
			in.QR = nil
		}
		out, err := maps.Document(in)
		if err != nil {
			t.Fatalf("%v %+v", err, fault.From(err).Issues)
		}
		if problems := check(out.JSON); len(problems) > 0 {
			t.Fatalf("%v", problems)
		}
		again, err := maps.Document(in)
		if err != nil || !bytes.Equal(out.JSON, again.JSON) {
			t.Fatal("the same input gave other bytes")
		}
		got, issues := maps.CoreDataSetFromResources(out.JSON)
		if len(issues) > 0 {
			t.Fatalf("reading back: %+v", issues)
		}
		core.Certificate.DDCCID = certificateID
		period := &core.Certificate.Period
		period.Start, period.End, _ = fhir.PeriodEnds(period.Start, period.End)
		if diff := cmp.Diff(core, got); diff != "" {
			t.Fatal(diff)
		}
		signed, err := fhir.AttachSignature(out.JSON, fhir.Signature{JWS: "a..b", When: now, WhoReference: out.WhoReference})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := maps.CoreDataSetFromResources(signed); !cmp.Equal(core, got) {
			t.Fatal("the signed document reads differently")
		}
	})
}

// TestResponseRoundTrip goes the whole way: answers, core data set, document, core data set.
func TestResponseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		core := anyCore().Draw(rt, "core")
		core.Certificate.Issuer.System = ""
		if core.Identifier != nil {
			core.Identifier.System = ""
		}
		questionnaire := questionnaireTR
		if v := core.Vaccination; v != nil {
			questionnaire = questionnaireVS
			core.Model, v.Practitioner.System, v.Date = fhir.ModelVSCoC, "", v.Date[:10]
			if v.Centre == "" {
				v.Centre = "Centre"
			}
		} else if core.BirthDate == "" {
			core.BirthDate = "1990"
		}
		if len(core.Certificate.Period.Start) > 10 {
			core.Certificate.Period.Start = ""
		}
		got, issues := maps.ReadResponse(parse(t, response(t, questionnaire, answers(core))), now)
		if errs := errorsOf(issues); len(errs) > 0 {
			rt.Fatalf("%+v", errs)
		}
		if diff := cmp.Diff(core, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestNamesSurvive(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		core := vaccination()
		core.Name, _ = fhir.CleanText(name)
		out, err := maps.Document(input(core))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		var doc object
		if err := json.Unmarshal(out.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		if got := dig(doc, "entry.1.resource.name.0.text"); got != core.Name {
			t.Errorf("%q became %q", core.Name, got)
		}
		if problems := check(out.JSON); len(problems) > 0 {
			t.Errorf("%q: %v", name, problems)
		}
	}
}
