package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

func TestBenchEvents(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	events, err := newBenchEvents(now)
	if err != nil {
		t.Fatal(err)
	}
	names, births := map[string]bool{}, map[string]bool{}
	hcids := map[string]bool{}
	for n := range int64(500) {
		response, hcid := events.event(n)
		if again, _ := events.event(n); !bytes.Equal(response, again) {
			t.Fatalf("event %d is not always the same", n)
		}
		core, _, err := mediator.Event(response, now, mediator.KindQuestionnaireResponse)
		if err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
		if _, claims, err := maps.Claims(core); err != nil || claims.Certificate.HCID != hcid {
			t.Fatalf("event %d: HCID %q, want %q, %v", n, claims.Certificate.HCID, hcid, err)
		}
		if hcids[hcid] {
			t.Fatalf("event %d repeats its HCID", n)
		}
		hcids[hcid], names[core.Name], births[core.BirthDate] = true, true, true
	}
	if len(names) < 50 || len(births) < 500 {
		t.Errorf("%d names and %d birth dates: too alike", len(names), len(births))
	}
}
