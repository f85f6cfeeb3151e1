package hl7v2_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var options = hl7v2.Options{Sender: "clinic-1", HCIDType: "HC", Systems: map[string]string{"Civil Registry": "urn:specimen:civil"}}

func every(hl7v2.Dose) bool { return true }

// TestVaccinations compares the resources of whole messages with files that were read
// against the mapping tables.
func TestVaccinations(t *testing.T) {
	t.Parallel()
	for name, findings := range map[string]string{
		"vxu_given": "",
		"vxu_many":  "OBX[1] 0 hl7v2-not-kept information",
		"vxu_v28":   "",
	} {
		m := parsed(t, sample(t, name+".hl7"))
		v, found := hl7v2.ReadVaccinations(m, options)
		if got := places(found); got != findings {
			t.Errorf("%s: findings %q", name, got)
		}
		raw, at := v.Bundle(every)
		golden(t, name+".json", indented(t, raw))
		again, _ := hl7v2.ReadVaccinations(parsed(t, sample(t, name+".hl7")), options)
		if second, _ := again.Bundle(every); !bytes.Equal(raw, second) {
			t.Errorf("%s: the same message gives another Bundle", name)
		}
		if b, err := fhir.ParseBundle(raw); err != nil || len(b.Entry) != len(at) {
			t.Errorf("%s: %v, %d places", name, err, len(at))
		}
		conforms(t, raw)
	}
}

func TestDosesOfAHistory(t *testing.T) {
	t.Parallel()
	v, _ := hl7v2.ReadVaccinations(parsed(t, sample(t, "vxu_many.hl7")), options)
	want := []hl7v2.Dose{
		{Outcome: hl7v2.Given, Action: hl7v2.Add, Historical: true},
		{Outcome: hl7v2.Given, Action: hl7v2.Update},
		{Outcome: hl7v2.NotGiven, Action: hl7v2.Add},
		{Outcome: hl7v2.PartlyGiven, Action: hl7v2.Add},
		{Outcome: hl7v2.NoVaccine, Action: hl7v2.Add},
	}
	if len(v.Doses) != len(want) {
		t.Fatalf("%d doses", len(v.Doses))
	}
	for i, d := range v.Doses {
		if d.Outcome != want[i].Outcome || d.Action != want[i].Action || d.Historical != want[i].Historical || d.At.Sequence != i+1 {
			t.Errorf("dose %d: %+v", i+1, d)
		}
	}
	raw, at := v.Bundle(func(d hl7v2.Dose) bool { return d.Action == hl7v2.Update })
	if len(at) != 2 || at[1] != v.Doses[1].At || bytes.Count(raw, []byte(`"resourceType":"Immunization"`)) != 1 {
		t.Errorf("%v", at)
	}
}

// TestUnits: what is no unit of UCUM has no code, whatever the sender calls it.
func TestUnits(t *testing.T) {
	t.Parallel()
	good := string(sample(t, "vxu_many.hl7"))
	for unit, want := range map[string]string{"ug": `"unit":"ug","system":"http://unitsofmeasure.org","code":"ug"`, "mcg": `"value":0.5,"unit":"mcg"}`} {
		v, _ := hl7v2.ReadVaccinations(parsed(t, []byte(strings.ReplaceAll(good, "mL^^UCUM", unit+"^^UCUM"))), options)
		if raw, _ := v.Bundle(every); !bytes.Contains(raw, []byte(want)) {
			t.Errorf("%s: %s", unit, raw)
		}
	}
}

// TestADoseCanBeCertified: the Bundle is what the maps of the gateway read.
func TestADoseCanBeCertified(t *testing.T) {
	t.Parallel()
	v, _ := hl7v2.ReadVaccinations(parsed(t, sample(t, "vxu_given.hl7")), options)
	raw, _ := v.Bundle(every)
	events, _ := maps.EventsFromResources(raw)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	for _, i := range e.Issues {
		if i.IsError() {
			t.Errorf("%+v", i)
		}
	}
	e.Core.Certificate.Issuer = fhir.Identifier{Value: "demo-ministry"} // the mediator completes it
	if issues := e.Core.Validate(instant); fault.HasErrors(issues) {
		t.Errorf("%+v", issues)
	}
	c := e.Core
	if c.Name != "Ada Maria Specimen" || c.BirthDate != "1979-03-08" || c.Certificate.HCID != "HC-SPEC-01" || c.Vaccination.Dose != 2 || c.Vaccination.TotalDoses != 2 ||
		c.Vaccination.Lot != "LOT-SPEC-7" || c.Vaccination.Country.Code != "XXA" || c.Vaccination.Centre != "Specimen Clinic" || c.Vaccination.Practitioner.Value != "7832" ||
		c.Vaccination.Date != "2026-11-01T09:15:00-05:00" || c.Vaccination.Manufacturer.Code != "PFR" || c.Vaccination.Brand.Code != "208" || c.Identifier.Value != "PS-77001" {
		t.Errorf("%+v\n%+v", c, c.Vaccination)
	}
}

// edit replaces a field of the first segment of a name; 0 removes the segment.
func edit(raw []byte, segment string, field int, value string) []byte {
	lines := strings.Split(string(raw), "\r")
	for i, line := range lines {
		if !strings.HasPrefix(line, segment+"|") {
			continue
		}
		if field == 0 {
			return []byte(strings.Join(append(lines[:i:i], lines[i+1:]...), "\r"))
		}
		fields := strings.Split(line, "|")
		if segment == "MSH" {
			field--
		}
		for len(fields) <= field {
			fields = append(fields, "")
		}
		fields[field] = value
		lines[i] = strings.Join(fields, "|")
		break
	}
	return []byte(strings.Join(lines, "\r"))
}

// TestFindings: what is wrong is said with its place, and only that.
func TestFindings(t *testing.T) {
	t.Parallel()
	good := sample(t, "vxu_given.hl7")
	for name, test := range map[string]struct {
		segment string
		field   int
		value   string
		want    string
	}{
		"no person":           {"PID", 0, "", "PID[1] 100 hl7v2-structure error"},
		"no name":             {"PID", 5, "", "PID[1]-5 101 required error"},
		"deleted name":        {"PID", 5, `""`, "PID[1]-5 101 required error"},
		"birth date":          {"PID", 7, "19791399", "PID[1]-7 102 hl7v2-time error"},
		"birth date in words": {"PID", 7, "8 March 1979", "PID[1]-7 102 hl7v2-time error"},
		"sex":                 {"PID", 8, "Q", "PID[1]-8 103 hl7v2-code error"},
		"no vaccine":          {"RXA", 5, "", "RXA[1]-5 101 required error"},
		"vaccine of nobody":   {"RXA", 5, "77^Ours^L", "RXA[1]-5.3 103 hl7v2-code error"},
		"vaccine by name":     {"RXA", 5, "^COVID-19", "RXA[1]-5.3 103 hl7v2-code error"},
		"no time":             {"RXA", 3, "", "RXA[1]-3 101 required error"},
		"spaces for a time":   {"RXA", 3, "  ", "RXA[1]-3 101 required error"},
		"half a time":         {"RXA", 3, "^20260101", "RXA[1]-3 101 required error"},
		"wrong time":          {"RXA", 3, "20260230", "RXA[1]-3 102 hl7v2-time error"},
		"wrong zone":          {"RXA", 3, "20260228+99", "RXA[1]-3 102 hl7v2-time error"},
		"hour alone":          {"RXA", 3, "2026022809", "RXA[1]-3 102 hl7v2-time information"},
		"amount":              {"RXA", 6, "half", "RXA[1]-6 102 hl7v2-number error"},
		"expiry":              {"RXA", 16, "soon", "RXA[1]-16 102 hl7v2-time error"},
		"completion":          {"RXA", 20, "XX", "RXA[1]-20 103 hl7v2-code error"},
		"action":              {"RXA", 21, "Z", "RXA[1]-21 103 hl7v2-code error"},
		"half a manufacturer": {"RXA", 17, "^Johnson & Johnson^MVX", "RXA[1]-17.2 102 hl7v2-delimiter warning"},
		"words beside a code": {"RXA", 17, "JSN^Johnson & Johnson^MVX", "RXA[1]-17.2 102 hl7v2-delimiter warning"},
		"half a code":         {"RXA", 17, "JSN&X^Janssen^MVX", "RXA[1]-17.1 102 hl7v2-delimiter error"},
		"half an address":     {"PID", 11, "1 A & B Street^^Up & Down", "PID[1]-11.3 102 hl7v2-delimiter warning"},
		"half a name":         {"PID", 5, "Specimen^Ada & Eva", "PID[1]-5.2 102 hl7v2-delimiter error"},
		"half a lot":          {"RXA", 15, "LOT^7", "RXA[1]-15 102 hl7v2-delimiter error"},
		"no administration":   {"RXA", 0, "", "ORC[1] 100 hl7v2-structure error"},
		"no order":            {"ORC", 0, "", ""},
		"no route":            {"RXR", 0, "", ""},
		"unknown amount":      {"RXA", 6, "999", ""},
		"other observation":   {"OBX", 3, "99999-9^Other^LN", "OBX[1] 0 hl7v2-not-kept information"},
	} {
		_, findings := hl7v2.ReadVaccinations(parsed(t, edit(good, test.segment, test.field, test.value)), options)
		if got := places(findings); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	dose := edit(edit(good, "OBX", 3, "30973-2^^LN"), "OBX", 5, "second")
	if v, findings := hl7v2.ReadVaccinations(parsed(t, dose), options); len(findings) > 0 || len(v.Doses) != 1 {
		t.Errorf("dose number in words: %s", places(findings))
	}
	statement := edit(edit(good, "OBX", 3, "29769-7^^LN"), "OBX", 5, "20261101")
	given, findings := hl7v2.ReadVaccinations(parsed(t, statement), options)
	if raw, _ := given.Bundle(every); places(findings) != "RXA[1] 0 hl7v2-not-kept information" {
		t.Errorf("a statement without its document: %s", places(findings))
	} else {
		conforms(t, raw)
	}
	series := edit(edit(good, "OBX", 3, "59782-3^^LN"), "OBX", 5, "some")
	if _, findings := hl7v2.ReadVaccinations(parsed(t, series), options); places(findings) != "OBX[1]-5 102 hl7v2-number error" {
		t.Errorf("series in words: %s", places(findings))
	}
}

// TestTimesWithoutAZone keep their date alone, unless the message has a zone.
func TestTimesWithoutAZone(t *testing.T) {
	t.Parallel()
	good := sample(t, "vxu_given.hl7")
	for _, test := range []struct{ message, given, want string }{
		{"20261110093015-0500", "20261101091500", "2026-11-01T09:15:00-05:00"},
		{"20261110093015", "20261101091500+0530", "2026-11-01T09:15:00+05:30"},
		{"20261110093015", "20261101091500", "2026-11-01"},
		{"20261110093015-0500", "202611010915", "2026-11-01T09:15:00-05:00"},
		{"20261110093015-0500", "20261101091500.1234", "2026-11-01T09:15:00-05:00"},
		{"20261110093015-0500", "20261101", "2026-11-01"},
		{"20261110093015-0500", "202611", "2026-11"},
		{"20261110093015-0500", "2026", "2026"},
	} {
		v, _ := hl7v2.ReadVaccinations(parsed(t, edit(edit(good, "MSH", 7, test.message), "RXA", 3, test.given)), options)
		raw, _ := v.Bundle(every)
		if !bytes.Contains(raw, []byte(`"occurrenceDateTime":"`+test.want+`"`)) {
			t.Errorf("%s in %s: no %s", test.given, test.message, test.want)
		}
	}
}

// TestIdentifiers: authorities become systems; a local name is one of the sender's.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for cx, want := range map[string]string{
		"1^^^A&1.2.3&ISO":           `"system":"urn:oid:1.2.3"`,
		"1^^^A&1.2.x&ISO":           `"system":"urn:ddcc-gateway:hl7v2:clinic-1:A"`,
		"1^^^A&E0A1&UUID":           `"system":"urn:ddcc-gateway:hl7v2:clinic-1:A"`,
		"1^^^&http://a.example&URI": `"system":"http://a.example"`,
		"1^^^Civil Registry":        `"system":"urn:specimen:civil"`,
		"1^^^Ward/7":                `"system":"urn:ddcc-gateway:hl7v2:clinic-1:Ward%2F7"`,
		"1":                         `"system":"urn:ddcc-gateway:hl7v2:clinic-1:Specimen%20Clinic"`,
		"1^^^HC":                    `"url":"urn:HCID:1"`,
		"1^^^A&1.2.3&ISO^HC":        `"url":"urn:HCID:1"`,
		"1^^^A^MR":                  `"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"`,
		"1^^^A&9f0a7a52-0000-4000-8000-0123456789AB&GUID": `"system":"urn:uuid:9f0a7a52-0000-4000-8000-0123456789ab"`,
	} {
		v, findings := hl7v2.ReadVaccinations(parsed(t, edit(sample(t, "vxu_given.hl7"), "PID", 3, cx)), options)
		if raw, _ := v.Bundle(every); !bytes.Contains(raw, []byte(want)) || len(findings) > 0 {
			t.Errorf("%s: %s in %.400s", cx, want, raw)
		}
	}
}

// TestNamesAndStreets: what has subcomponents by right, and what only seems to.
func TestNamesAndStreets(t *testing.T) {
	t.Parallel()
	good := sample(t, "vxu_given.hl7")
	for _, test := range []struct {
		field             int
		value, want, says string
	}{
		{5, "Beethoven&van^Ludwig", `"family":"van Beethoven"`, ""},
		{5, "van Beethoven&van&Beethoven^Ludwig", `"family":"van Beethoven"`, ""},
		{5, "Martinez-Mendoza&&Martinez&&Mendoza^Ana", `"family":"Martinez-Mendoza"`, ""},
		{5, "Speci & Men^Ada", "", "PID[1]-5.1 102 hl7v2-delimiter error"},
		{5, "Specimen&&Other^Ada", "", "PID[1]-5.1 102 hl7v2-delimiter error"},
		{11, "12 Specimen Street&Specimen Street&12^^Utopia", `"line":["12 Specimen Street"]`, ""},
		{11, "Rear building&Specimen Street&12^^Utopia", `"line":["Rear building","Specimen Street 12"]`, ""},
	} {
		v, findings := hl7v2.ReadVaccinations(parsed(t, edit(good, "PID", test.field, test.value)), options)
		if raw, _ := v.Bundle(every); places(findings) != test.says || !bytes.Contains(raw, []byte(test.want)) {
			t.Errorf("%s: %s", test.value, places(findings))
		}
	}
}

// TestTwoSendersOneNumber: what makes a person one person.
func TestTwoSendersOneNumber(t *testing.T) {
	t.Parallel()
	first, _, _ := hl7v2.ReadAdmission(parsed(t, edit(sample(t, "adt_a01.hl7"), "PID", 3, "55501^^^MR")), options)
	other := options
	other.Sender = "clinic-2"
	second, _, _ := hl7v2.ReadAdmission(parsed(t, edit(sample(t, "adt_a01.hl7"), "PID", 3, "55501^^^MR")), other)
	if bytes.Contains(second, []byte("clinic-1")) || requests(t, first)[0] == requests(t, second)[0] {
		t.Error("one hospital writes over the patient of another")
	}
}
