package vdsnc_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// drawn draws core data sets that a seal can say, the name as the seal has it.
func drawn(t *rapid.T) fhir.CoreDataSet {
	core := vaccinationCore()
	core.Name = rapid.SampledFrom([]string{"SPECIMEN  ANA MARIA", "SPECIMEN", "ANA SPECIMEN"}).Draw(t, "name")
	core.Identifier.System = table0203 + rapid.SampledFrom([]string{"PPN", "CZ", "DL"}).Draw(t, "kind")
	if rapid.Bool().Draw(t, "test") {
		core.Model, core.Sex, core.Vaccination, core.Test = fhir.ModelTR, "", nil, testCore().Test
		core.Test.Type = rapid.SampledFrom([]fhir.Coding{icd("1334426561"), icd("2056159157"), coding(terminology.SystemICAOType, "antibody")}).Draw(t, "type")
		core.Test.Result = rapid.SampledFrom([]fhir.Coding{icd("RA01.0"), icd("QA02"), coding(terminology.SystemICAOResult, "normal")}).Draw(t, "result")
		core.Test.Origin = rapid.SampledFrom([]fhir.Coding{{}, icd("JAM.AH.XF"), icd("KAR.AH.XF"), icd("KAZ.AH.XD"), icd("DIA.AH.XA")}).Draw(t, "origin")
		core.Test.Date = rapid.SampledFrom([]string{"2021-07-08T10:00:00Z", "2021-07-08T10:00:00+05:30"}).Draw(t, "date")
		core.Test.Country = iso(rapid.SampledFrom([]string{"CHE", "DEU", "XXA"}).Draw(t, "country"))
		return core
	}
	core.Sex = rapid.SampledFrom([]string{"", "male", "female", "other", "unknown"}).Draw(t, "sex")
	v := core.Vaccination
	v.Vaccine = icd(rapid.SampledFrom([]string{"XM0GQ8", "XM8NQ0", "XM0N24"}).Draw(t, "vaccine"))
	v.Brand = rapid.SampledFrom([]fhir.Coding{
		{System: terminology.SystemICD11, Code: "XM8NQ0", Display: "Comirnaty"},
		{System: terminology.SystemICD11, Code: "XM3DT5", Display: "SPIKEVAX"},
		coding("", "Stamaril"),
	}).Draw(t, "brand")
	v.Dose = rapid.IntRange(1, 99).Draw(t, "dose")
	v.NextDose = rapid.SampledFrom([]string{"", "2021-07-29"}).Draw(t, "next")
	v.Disease = rapid.SampledFrom([]fhir.Coding{{}, icd("RA01"), icd("1D47")}).Draw(t, "disease")
	return core
}

// carried is what a seal keeps of a core data set.
func carried(core fhir.CoreDataSet) fhir.CoreDataSet {
	out := core
	out.Certificate = fhir.Certificate{Issuer: fhir.Identifier{Value: "UTO"}, HCID: "U1", Version: "1"}
	if core.Test != nil {
		t := *core.Test
		out.Test = &t
		return out
	}
	v := *core.Vaccination
	v.Date, v.Manufacturer, v.TotalDoses = v.Date[:10], fhir.Coding{}, 0
	out.Vaccination = &v
	switch core.Sex {
	case "":
		out.Model = fhir.ModelVSPoV
	case "other": // a seal's X is unspecified
		out.Sex = "unknown"
	}
	switch core.Identifier.System { // a seal's i does not say which travel document
	case table0203 + "DL":
		out.Identifier = nil
	default:
		out.Identifier = &fhir.Identifier{Value: core.Identifier.Value}
	}
	return out
}

// TestRoundTrip: what the format carries comes back, and a seal made of it is the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	in := vdsncmap.Context{ID: "U1", Reported: reported}
	rapid.Check(t, func(r *rapid.T) {
		core := drawn(r)
		message, issues := vdsncmap.FromCore(core, in)
		if len(issues) > 0 {
			r.Fatalf("%+v", issues)
		}
		reading := vdsncmap.Read(source(t, message))[0]
		if len(errorsOf(reading.Issues)) > 0 {
			r.Fatalf("%+v", reading.Issues)
		}
		if diff := cmp.Diff(carried(core), reading.Core); diff != "" {
			r.Fatal(diff)
		}
		if core.Vaccination != nil {
			message.Person.DocumentNumber = "" // of no known kind when read
		}
		if again, issues := vdsncmap.FromCore(reading.Core, in); len(issues) > 0 || !cmp.Equal(again, message) {
			r.Fatalf("another seal: %s %+v", cmp.Diff(message, again), issues)
		}
	})
}

// FuzzRead: whatever the data, there are readings, no more than there may be, the same
// each time, and none of them crashes what comes after.
func FuzzRead(f *testing.F) {
	f.Add([]byte(vaccinationJSON))
	f.Add([]byte(testJSON))
	f.Add([]byte(`{"hdr":{"t":"icao.vacc","v":"x"},"msg":{"pid":[],"ve":[null,1,{"vd":[null,"x",{"seq":1e9,"ctr":"d"}]}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var content map[string]any
		if json.Unmarshal(raw, &content) != nil {
			return
		}
		s := maps.Source{Issuer: "UTO", Content: content}
		readings, again := vdsncmap.Read(s), vdsncmap.Read(s)
		if len(readings) == 0 || len(readings) > 100 || len(again) != len(readings) {
			t.Fatalf("%d readings", len(readings))
		}
		for i, r := range readings {
			if (r.Core.Vaccination == nil) == (r.Core.Test == nil) && !fault.HasErrors(r.Issues) {
				t.Fatalf("no event and no error: %+v", r)
			}
			if !bytes.Equal(r.Core.Canonical(), again[i].Core.Canonical()) {
				t.Fatal("two readings of one seal differ")
			}
			vdsncmap.FromCore(r.Core, vdsncmap.Context{ID: "U1"})
			r.Core.Validate(reported)
		}
	})
}
