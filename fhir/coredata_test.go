package fhir_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestCoreDataSetJSON(t *testing.T) {
	t.Parallel()
	for _, want := range []fhir.CoreDataSet{vaccination(), testResult(), {}} {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fhir.ParseCoreDataSet(b)
		if err != nil {
			t.Fatal(err)
		}
		if want.Model == "" {
			want.Model = fhir.ModelVSPoV
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSerializedSample: our JSON of the sample says what the sample says.
func TestSerializedSample(t *testing.T) {
	t.Parallel()
	raw := vector(t, "mediator-extracted/existingDDCCDoc.who.serialized.json")
	core, err := fhir.ParseCoreDataSet(raw)
	if err != nil {
		t.Fatal(err)
	}
	if core.Model != fhir.ModelVSCoC || core.Certificate.HCID != "111000111" {
		t.Errorf("%+v", core)
	}
	var want, got any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(core.Canonical(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOldSampleWithArray(t *testing.T) {
	t.Parallel()
	core, err := fhir.ParseCoreDataSet(vector(t, "ig-fixtures/examples/DDCCCoreDataSetPoV-Example-English-From-ddcc-to-coredataset.json"))
	if err != nil || core.Vaccination == nil || core.Vaccination.Dose != 1 || core.Vaccination.Centre != "Government Hospital" {
		t.Errorf("%v %+v", err, core)
	}
}

func TestParseCoreDataSetRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"resourceType":"Patient"}`, `{"resourceType":"DDCCCoreDataSet","name":1}`, `{"resourceType":"DDCCCoreDataSet","Name":"x"}`,
		`{"resourceType":"DDCCCoreDataSet","vaccination":[]}`, `{"resourceType":"DDCCCoreDataSet","vaccination":[{},{}]}`,
		`{"resourceType":"DDCCCoreDataSet","vaccination":{"dose":0}}`, `{"resourceType":"DDCCCoreDataSet","vaccination":{"dose":"1"}}`,
		`{"resourceType":"DDCCCoreDataSet","vaccination":{"x":1}}`, `{"resourceType":"DDCCCoreDataSet","test":7}`,
	} {
		if c, err := fhir.ParseCoreDataSet([]byte(bad)); fault.KindOf(err) != fault.Malformed || err == nil {
			t.Errorf("%s: %v %+v", bad, err, c)
		}
	}
}

func TestCanonicalIsStable(t *testing.T) {
	t.Parallel()
	a, b := vaccination(), vaccination()
	if !bytes.Equal(a.Canonical(), b.Canonical()) {
		t.Error("equal content, other bytes")
	}
	b.Vaccination.Lot = "X"
	if bytes.Equal(a.Canonical(), b.Canonical()) {
		t.Error("other content, equal bytes")
	}
	const want = `{"birthDate":"2003-03-03","certificate":{"hcid":{"value":"111000111"},"issuer":{"identifier":{"value":"PHA-1"}},` +
		`"period":{"end":"2022-07-08","start":"2021-07-08"},"version":"RC2"},"identifier":{"value":"999123"},"name":"A <&> Ł","resourceType":"DDCCCoreDataSet"}`
	a.Vaccination, a.Sex, a.Name = nil, "", "A <&> Ł"
	if got := string(a.Canonical()); got != want {
		t.Errorf("%s", got)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want fhir.Coding
		rules    []string
	}{
		{country("CHE"), country("CHE"), nil},
		{country("CH"), country("CHE"), []string{fhir.RuleCountryAlpha3}},
		{country("756"), country("CHE"), []string{fhir.RuleCountryAlpha3}},
		{fhir.Coding{Code: "CHE"}, country("CHE"), []string{fhir.RuleCountryAlpha3}},
		{fhir.Coding{System: "http://hl7.org/fhir/ValueSet/iso3166-1-3", Code: "CHE"}, country("CHE"), []string{fhir.RuleCountryAlpha3}},
		{fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE", Display: "Switzerland"}, country("CHE"), []string{fhir.RuleNotKept}},
		{country("XXA"), country("XXA"), nil},
		{country("ZZ"), country("ZZ"), nil},
		{fhir.Coding{System: "urn:x", Code: "CH"}, fhir.Coding{System: "urn:x", Code: "CH"}, nil},
	} {
		c := vaccination()
		c.Vaccination.Country = tt.in
		got, issues := c.Normalize()
		if got.Vaccination.Country != tt.want || c.Vaccination.Country != tt.in {
			t.Errorf("%+v became %+v", tt.in, got.Vaccination.Country)
		}
		var rules []string
		for _, i := range issues {
			if i.IsError() {
				t.Errorf("%+v", i)
			}
			rules = append(rules, i.Rule)
		}
		if diff := cmp.Diff(tt.rules, rules); diff != "" {
			t.Errorf("%+v: %s", tt.in, diff)
		}
	}
	c := vaccination()
	c.Vaccination.Manufacturer.Version = "1"
	if got, issues := c.Normalize(); got.Vaccination.Manufacturer.Version != "" || len(issues) != 1 {
		t.Errorf("%+v %+v", got, issues)
	}
}

// FuzzParseCoreDataSet: what reads writes, and what it writes reads back to itself.
func FuzzParseCoreDataSet(f *testing.F) {
	fuzzSeeds(f)
	f.Add(vaccination().Canonical())
	f.Add(testResult().Canonical())
	f.Fuzz(func(t *testing.T, raw []byte) {
		core, err := fhir.ParseCoreDataSet(raw)
		malformedOnly(t, err)
		if err != nil {
			return
		}
		core.Validate(now)
		again, err := fhir.ParseCoreDataSet(core.Canonical())
		if err != nil || !bytes.Equal(again.Canonical(), core.Canonical()) {
			t.Fatalf("%v\n%s\n%s", err, core.Canonical(), again.Canonical())
		}
	})
}
