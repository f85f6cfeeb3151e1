package maps_test

import (
	"encoding/json"
	"fmt"
	stdmaps "maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// collection is a Bundle of resources about one person.
type collection struct {
	ResourceType string           `json:"resourceType"`
	Type         string           `json:"type"`
	Link         []any            `json:"link"`
	Entry        []map[string]any `json:"entry"`
}

func (c *collection) add(resource map[string]any) {
	c.Entry = append(c.Entry, map[string]any{"fullUrl": fmt.Sprintf("urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-%012d", len(c.Entry)), "resource": resource})
}

func (c *collection) raw(t interface{ Fatal(...any) }) []byte {
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// newCollection begins with the person; the reference to it is urn:uuid:…-000000000000.
func newCollection() *collection {
	c := &collection{ResourceType: "Bundle", Type: "collection", Link: []any{map[string]any{"relation": "publication", "url": "urn:HCID:H-1"}}}
	c.add(map[string]any{"resourceType": "Patient", "name": []any{map[string]any{"text": "Dara Specimen"}}, "birthDate": "1972-02-29"})
	return c
}

const thePatient = "urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-000000000000"

func shot(lot string) map[string]any {
	return map[string]any{
		"resourceType": "Immunization", "status": "completed", "lotNumber": lot, "occurrenceDateTime": "2021-03-02",
		"patient":         map[string]any{"reference": thePatient},
		"vaccineCode":     map[string]any{"coding": []any{map[string]any{"system": "http://id.who.int/icd11/mms", "code": "XM0GQ8"}}},
		"protocolApplied": []any{map[string]any{"doseNumberPositiveInt": 1, "authority": map[string]any{"identifier": map[string]any{"value": "PHA-1"}}}},
	}
}

func swab(code string) map[string]any {
	return map[string]any{
		"resourceType": "Observation", "status": "final", "effectiveDateTime": "2021-03-05T08:00:00Z", "subject": map[string]any{"reference": thePatient},
		"valueCodeableConcept": map[string]any{"coding": []any{map[string]any{"system": "http://id.who.int/icd11/mms", "code": code}}},
	}
}

// TestEventsInTheirOrder: a reading for each event, of the same person, each with nothing
// of the others.
func TestEventsInTheirOrder(t *testing.T) {
	t.Parallel()
	c := newCollection()
	for n := range 5 {
		c.add(shot(fmt.Sprintf("LOT-%d", n)))
		c.add(swab("QA02"))
		c.add(map[string]any{"resourceType": "Condition"}) // stays behind
	}
	readings, _ := maps.EventsFromResources(c.raw(t))
	if len(readings) != 10 {
		t.Fatalf("%d readings, want 10", len(readings))
	}
	for i, r := range readings {
		core := r.Core
		if core.Name != "Dara Specimen" || core.BirthDate != "1972-02-29" || core.Certificate.HCID != "H-1" {
			t.Errorf("event %d is about somebody else, or not of the folder", i)
		}
		if i%2 == 0 && (core.Vaccination == nil || core.Vaccination.Lot != fmt.Sprintf("LOT-%d", i/2) || core.Test != nil) {
			t.Errorf("event %d: %+v", i, core.Vaccination)
		}
		if i%2 == 1 && (core.Test == nil || core.Test.Result.Code != "QA02" || core.Vaccination != nil || core.Model != fhir.ModelTR) {
			t.Errorf("event %d: %+v", i, core.Test)
		}
	}
}

// TestEventOfAnotherPerson: an event names its own patient, and one that is not there is
// refused by itself.
func TestEventOfAnotherPerson(t *testing.T) {
	t.Parallel()
	c := newCollection()
	mine, theirs, nobodys := shot("MINE"), shot("THEIRS"), shot("NOBODYS")
	theirs["patient"] = map[string]any{"reference": "urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-000000000004"}
	nobodys["patient"] = map[string]any{"reference": "Patient/unknown"}
	for _, s := range []map[string]any{mine, theirs, nobodys} {
		c.add(s)
	}
	c.add(map[string]any{"resourceType": "Patient", "name": []any{map[string]any{"text": "Eli Specimen"}}, "birthDate": "1990-01-01"})
	readings, _ := maps.EventsFromResources(c.raw(t))
	if len(readings) != 3 {
		t.Fatalf("%d readings", len(readings))
	}
	if readings[0].Core.Name != "Dara Specimen" || readings[1].Core.Name != "Eli Specimen" || readings[1].Core.BirthDate != "1990-01-01" {
		t.Error("an event is about the wrong person")
	}
	if len(errorsOf(readings[0].Issues)) > 0 || readings[2].Core.Name != "" ||
		!slices.ContainsFunc(readings[2].Issues, func(i fault.Issue) bool {
			return i.Rule == fhir.RuleReference && i.IsError() && strings.HasPrefix(i.Path, "Bundle.entry[3]")
		}) {
		t.Errorf("the event of nobody: %+v", readings[2].Issues)
	}
}

// TestFaultOfOneEvent is a finding of that event, at its place in the Bundle.
func TestFaultOfOneEvent(t *testing.T) {
	t.Parallel()
	c := newCollection()
	bad := shot("BAD")
	bad["status"] = "entered-in-error"
	c.add(shot("GOOD"))
	c.add(bad)
	readings, _ := maps.EventsFromResources(c.raw(t))
	if len(readings) != 2 || len(errorsOf(readings[0].Issues)) > 0 || len(errorsOf(readings[1].Issues)) == 0 || !strings.HasPrefix(errorsOf(readings[1].Issues)[0].Path, "Bundle.entry[2]") {
		t.Errorf("%+v", readings)
	}
}

// TestNoEventsAndTooMany have one reading that says so.
func TestNoEventsAndTooMany(t *testing.T) {
	t.Parallel()
	many := newCollection()
	for range maps.MaxEvents + 1 {
		many.add(shot("L"))
	}
	for name, raw := range map[string][]byte{
		"none": newCollection().raw(t), "no entries": []byte(`{"resourceType":"Bundle"}`), "101": many.raw(t), "another resource": []byte(`{"resourceType":"Patient"}`),
		"not JSON": []byte(`{`), "empty": nil, "an array": []byte(`[]`), "entry of another type": []byte(`{"resourceType":"Bundle","entry":{"resource":{"resourceType":"Immunization"}}}`),
		"deep": []byte(strings.Repeat(`{"entry":[`, 1000)),
	} {
		readings, _ := maps.EventsFromResources(raw)
		if len(readings) != 1 || len(errorsOf(readings[0].Issues)) == 0 {
			t.Errorf("%s: %d readings, %+v", name, len(readings), readings[0].Issues)
		}
	}
	many.Entry = many.Entry[:maps.MaxEvents+1] // the person and 100 events
	if readings, _ := maps.EventsFromResources(many.raw(t)); len(readings) != maps.MaxEvents || len(errorsOf(readings[0].Issues)) > 0 {
		t.Errorf("%d readings of 100 events", len(readings))
	}
}

// TestPatientSummary reads the guide's example, which has a vaccination and lacks what a
// certificate needs: that is for the rules, not the map.
func TestPatientSummary(t *testing.T) {
	t.Parallel()
	readings, _ := maps.EventsFromResources(vector(t, "ig-fixtures/examples/Bundle-IPS-Immunization-Example-Bundle-01.json"))
	if len(readings) != 1 || len(errorsOf(readings[0].Issues)) > 0 {
		t.Fatalf("%+v", readings)
	}
	core := readings[0].Core
	want := fhir.Vaccination{Vaccine: icd("XM6AT1"), Lot: "AXK23RWERS", Date: core.Vaccination.Date}
	want.Vaccine.Display = core.Vaccination.Vaccine.Display
	if diff := cmp.Diff(want, *core.Vaccination); diff != "" || !strings.HasPrefix(core.Vaccination.Date, "2021-04-21") {
		t.Error(diff)
	}
	if core.Name != "Marie Lux-Brennard" || core.BirthDate != "1998-04-17" || core.Identifier.Value != "1998041799999" || core.Certificate.HCID != "" {
		t.Errorf("the holder is %q, born %s", core.Name, core.BirthDate)
	}
	missing := map[string]bool{}
	for _, i := range errorsOf(core.Validate(now)) {
		missing[i.Path] = true
	}
	for _, path := range []string{"certificate.hcid", "certificate.issuer", "vaccination.brand", "vaccination.dose", "vaccination.country"} {
		if !slices.ContainsFunc(slices.Collect(stdmaps.Keys(missing)), func(p string) bool { return strings.HasPrefix(p, "DDCCCoreDataSet."+path) }) {
			t.Errorf("%s is not missed: %v", path, missing)
		}
	}
}

// TestEventsAloneAndTogether: an event reads the same whether or not there are others.
func TestEventsAloneAndTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		together := newCollection()
		var events []map[string]any
		for n := range rapid.IntRange(1, 6).Draw(t, "events") {
			event := shot(fmt.Sprintf("LOT-%d", n))
			if rapid.Bool().Draw(t, "test") {
				event = swab(rapid.SampledFrom([]string{"QA02", "QA01"}).Draw(t, "result"))
			}
			events = append(events, event)
			together.add(event)
		}
		all, _ := maps.EventsFromResources(together.raw(t))
		if len(all) != len(events) {
			t.Fatalf("%d readings of %d events", len(all), len(events))
		}
		for i, event := range events {
			alone := newCollection()
			alone.add(event)
			one, _ := maps.CoreDataSetFromResources(alone.raw(t))
			if diff := cmp.Diff(one, all[i].Core); diff != "" {
				t.Fatalf("event %d: %s", i, diff)
			}
		}
	})
}

// FuzzEvents ends with at least one reading, whose errors are findings.
func FuzzEvents(f *testing.F) {
	c := newCollection()
	c.add(shot("L"))
	c.add(swab("QA02"))
	raw, err := json.Marshal(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Immunization"}},{"resource":{"resourceType":"Observation"}}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[null,1,{"resource":[]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		readings, _ := maps.EventsFromResources(raw)
		if len(readings) == 0 || len(readings) > maps.MaxEvents {
			t.Fatalf("%d readings", len(readings))
		}
		for _, r := range readings {
			if r.Core.Vaccination == nil && r.Core.Test == nil && len(errorsOf(r.Issues)) == 0 {
				t.Error("no event, and nothing is said about it")
			}
		}
	})
}
