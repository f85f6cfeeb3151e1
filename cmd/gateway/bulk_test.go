package main

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/mediator"
)

// TestBulkSettings: each mistake names its flag, and none is taken for a default.
func TestBulkSettings(t *testing.T) {
	t.Parallel()
	good := bulkSettings{Concurrency: 8, OpenJobs: 4, Lines: 1_000_000, Retention: 168 * time.Hour}
	if err := good.validate(); err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*bulkSettings){
		"bulk-concurrency": func(s *bulkSettings) { s.Concurrency = 0 },
		"bulk-open-jobs":   func(s *bulkSettings) { s.OpenJobs = 5000 },
		"bulk-open-jobs ":  func(s *bulkSettings) { s.OpenJobs = -1 },
		"bulk-lines":       func(s *bulkSettings) { s.Lines = -1 },
		"bulk-retention":   func(s *bulkSettings) { s.Retention = time.Second },
	} {
		s := good
		change(&s)
		if err := s.validate(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(flag)) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestIntakeSettings: what leads nowhere is refused.
func TestIntakeSettings(t *testing.T) {
	t.Parallel()
	s := &settings{HL7v2: hl7v2Settings{Admissions: []string{"clinic"}}}
	if err := s.validateIntake(mediator.Policy{}); err == nil || !strings.Contains(err.Error(), "hl7v2-admissions") {
		t.Errorf("admissions without a FHIR server: %v", err)
	}
	if err := (&settings{BatchEntries: 1}).validateBatches(); err == nil || !strings.Contains(err.Error(), "batch-") {
		t.Errorf("no concurrency: %v", err)
	}
}
