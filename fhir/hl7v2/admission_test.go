package hl7v2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

func TestAdmission(t *testing.T) {
	t.Parallel()
	raw, at, findings := hl7v2.ReadAdmission(parsed(t, sample(t, "adt_a01.hl7")), options)
	if len(findings) > 0 || len(at) != 4 || at[3].Segment != "DG1" {
		t.Errorf("%s, %v", places(findings), at)
	}
	golden(t, "adt_a01.json", indented(t, raw))
	conforms(t, raw)
	again, _, _ := hl7v2.ReadAdmission(parsed(t, sample(t, "adt_a01.hl7")), options)
	if !bytes.Equal(raw, again) {
		t.Error("the same message gives another Bundle")
	}
}

// event makes an ADT message of the sample.
func adt(t testing.TB, event string) []byte {
	return edit(sample(t, "adt_a01.hl7"), "MSH", 9, "ADT^"+event)
}

// TestEvents: every event of A01 to A31 is taken as its table says, or refused with a reason.
func TestEvents(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"A01": "in-progress", "A02": "in-progress", "A03": "finished", "A04": "in-progress", "A05": "planned", "A06": "in-progress", "A07": "in-progress",
		"A08": "in-progress", "A09": "in-progress", "A10": "in-progress", "A11": "cancelled", "A12": "in-progress", "A13": "in-progress", "A14": "planned",
		"A15": "in-progress", "A16": "in-progress", "A17": "refused", "A18": "refused", "A19": "refused", "A20": "refused", "A21": "onleave", "A22": "in-progress",
		"A23": "entered-in-error", "A24": "refused", "A25": "in-progress", "A26": "in-progress", "A27": "cancelled", "A28": "person", "A29": "deleted",
		"A30": "refused", "A31": "person",
	}
	for n := 1; n <= 31; n++ {
		event := fmt.Sprintf("A%02d", n)
		m := parsed(t, adt(t, event))
		got := "refused"
		if hl7v2.CheckEvent(m.Header) == nil {
			raw, _, findings := hl7v2.ReadAdmission(m, options)
			if len(findings) > 0 {
				t.Errorf("%s: %s", event, places(findings))
			}
			conforms(t, raw)
			got = state(t, raw)
		}
		if got != want[event] {
			t.Errorf("%s: %s, want %s", event, got, want[event])
		}
	}
	for _, event := range []string{"A32", "A38", "A40", "A60", "A1", "a01", ""} {
		findings := hl7v2.CheckEvent(parsed(t, adt(t, event)).Header)
		if len(findings) != 1 || findings[0].Fix == "" {
			t.Errorf("%s: %+v", event, findings)
		}
	}
}

// state is the status of the Encounter, or what became of the person without one.
func state(t testing.TB, raw []byte) string {
	t.Helper()
	var b struct {
		Entry []struct {
			Resource struct {
				ResourceType, Status string
				Active               bool
			}
		}
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	out := "deleted"
	for _, e := range b.Entry {
		switch {
		case e.Resource.ResourceType == "Encounter":
			return e.Resource.Status
		case e.Resource.Active:
			out = "person"
		}
	}
	return out
}

// TestUpdateOfAVisit: A08 says nothing of the state, its fields do.
func TestUpdateOfAVisit(t *testing.T) {
	t.Parallel()
	update := adt(t, "A08")
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"discharged": {edit(update, "PV1", 45, "20261115"), "finished"},
		"planned":    {edit(edit(update, "PV1", 44, ""), "PV1", 2, "P"), "planned"},
		"unknown":    {edit(update, "PV1", 44, ""), "unknown"},
		"no visit":   {edit(update, "PV1", 2, "N"), "person"},
	} {
		raw, _, findings := hl7v2.ReadAdmission(parsed(t, test.raw), options)
		if got := state(t, raw); got != test.want || len(findings) > 0 {
			t.Errorf("%s: %s, %s", name, got, places(findings))
		}
	}
	cancelled, _, _ := hl7v2.ReadAdmission(parsed(t, edit(adt(t, "A13"), "PV1", 45, "20261115")), options)
	if bytes.Contains(cancelled, []byte("2026-11-15")) {
		t.Error("a cancelled discharge keeps its time")
	}
}

// TestAVisitIsFoundAgain: every event about a visit replaces the same resources.
func TestAVisitIsFoundAgain(t *testing.T) {
	t.Parallel()
	first, _, _ := hl7v2.ReadAdmission(parsed(t, adt(t, "A01")), options)
	last, _, _ := hl7v2.ReadAdmission(parsed(t, edit(adt(t, "A03"), "PV1", 45, "20261115")), options)
	want := strings.Join(requests(t, first), " ")
	if got := strings.Join(requests(t, last), " "); got != want || strings.Count(want, "PUT ") != 4 ||
		!strings.Contains(want, "Patient?identifier=urn%3Aoid%3A2.16.840.1.113883.19.6.1%7C55501") || !strings.Contains(want, "Encounter?identifier=urn%3Addcc-gateway%3Ahl7v2%3Aclinic-1%3ASPECHOSP%7CVN-1") {
		t.Errorf("%s\n%s", want, got)
	}
	if _, _, findings := hl7v2.ReadAdmission(parsed(t, edit(adt(t, "A28"), "PID", 3, "a&b^^^&1.2.3&ISO")), options); !hl7v2.HasErrors(findings) {
		t.Error("half a number finds a patient")
	}
	twice, _, findings := hl7v2.ReadAdmission(parsed(t, append(adt(t, "A01"), []byte("\rAL1|2|DA|70618^Penicillin^RXNORM\rDG1|2||I20.0^Unstable angina^I10")...)), options)
	if places(findings) != "AL1[2] 0 hl7v2-not-kept information\nDG1[2] 0 hl7v2-not-kept information" || len(requests(t, twice)) != 4 {
		t.Errorf("the same twice: %s", places(findings))
	}
	escaped, _, _ := hl7v2.ReadAdmission(parsed(t, edit(adt(t, "A28"), "PID", 3, `a\F\b,c$d\T\e\E\f g^^^&1.2.3&ISO`)), options)
	if got := requests(t, escaped)[0]; got != "PUT Patient?identifier=urn%3Aoid%3A1.2.3%7Ca%5C%7Cb%5C%2Cc%5C%24d%26e%5C%5Cf+g" {
		t.Errorf("special characters in a number: %s", got)
	}
}

func TestAdmissionFindings(t *testing.T) {
	t.Parallel()
	good := sample(t, "adt_a01.hl7")
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"no identifier": {edit(good, "PID", 3, ""), "PID[1] 101 required error"},
		"no person":     {edit(good, "PID", 0, ""), "PID[1] 100 hl7v2-structure error"},
		"no visit":      {edit(good, "PV1", 0, ""), "PV1[1] 100 hl7v2-structure error"},
		"no number":     {edit(edit(good, "PV1", 19, ""), "PID", 18, ""), "PV1[1]-19 101 required error"},
		"account":       {edit(good, "PV1", 19, ""), ""},
		"no class":      {edit(good, "PV1", 2, ""), "PV1[1]-2 101 required error"},
		"own class":     {edit(good, "PV1", 2, "B"), ""},
		"half a town":   {edit(good, "PID", 11, "^^Up & Down"), "PID[1]-11.3 102 hl7v2-delimiter error"},
		"wrong time":    {edit(good, "PV1", 44, "yesterday"), "PV1[1]-44 102 hl7v2-time error"},
		"wrong order":   {edit(good, "PV1", 45, "202611120819"), "PV1[1]-45 102 hl7v2-time error"},
		"a day's end":   {edit(good, "PV1", 45, "20261112"), "PV1[1]-45 102 hl7v2-time information"},
		"allergy":       {edit(good, "AL1", 3, ""), "AL1[1]-3 101 required error"},
		"diagnosis":     {edit(good, "DG1", 3, ""), "DG1[1]-3 101 required error"},
		"in words":      {edit(edit(good, "DG1", 3, ""), "DG1", 4, "Angina"), ""},
		"taken back":    {edit(good, "DG1", 21, "D"), ""},
	} {
		raw, _, findings := hl7v2.ReadAdmission(parsed(t, test.raw), options)
		if got := places(findings); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if !hl7v2.HasErrors(findings) {
			conforms(t, raw)
		}
	}
}
