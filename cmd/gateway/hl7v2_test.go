package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

func TestHL7v2Settings(t *testing.T) {
	t.Parallel()
	policy := mediator.Policy{Issuers: []mediator.IssuerPolicy{{ID: "clinic"}}}
	good := hl7v2Settings{
		Processing: []string{"P"}, Systems: []string{"SPECHOSP=urn:oid:1.2.3", "Registry=https://registry.example/ids?a=b"}, Historical: []string{"clinic"}, Admissions: []string{"clinic"},
	}
	if err := good.validate(true, policy); err != nil {
		t.Error(err)
	}
	if systems, err := good.systems(); err != nil || systems["Registry"] != "https://registry.example/ids?a=b" || len(systems) != 2 {
		t.Errorf("%v %v", systems, err)
	}
	for name, change := range map[string]func(*hl7v2Settings){
		"hl7v2-processing":  func(s *hl7v2Settings) { s.Processing = []string{"P", "T"} },
		"hl7v2-processing ": func(s *hl7v2Settings) { s.Processing = nil },
		"hl7v2-system":      func(s *hl7v2Settings) { s.Systems = []string{"SPECHOSP"} },
		"hl7v2-system ":     func(s *hl7v2Settings) { s.Systems = []string{"SPECHOSP=1.2.3"} },
		"hl7v2-system  ":    func(s *hl7v2Settings) { s.Systems = []string{"A=urn:a", "A=urn:b"} },
		"hl7v2-historical":  func(s *hl7v2Settings) { s.Historical = []string{"nobody"} },
		"mllp-listen":       func(s *hl7v2Settings) { s.Listen = "2575" },
		"hl7v2-admissions":  func(s *hl7v2Settings) { s.Admissions = []string{"nobody"} },
	} {
		s := good
		change(&s)
		if err := s.validate(true, policy); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	training := good
	training.Processing = []string{"P", "T", "D"}
	if err := training.validate(false, policy); err != nil {
		t.Error(err)
	}
}

func TestOutcomeOfAMessage(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]hl7.Answer{
		"done":            {Outcome: hl7.Accepted},
		"hl7v2-content":   {Outcome: hl7.Erred},
		"hl7v2-not-taken": {Outcome: hl7.Rejected},
		"rate-limit":      {Outcome: hl7.Rejected, Cause: fault.New(fault.TooMany, "rate-limit", "Often.")},
		"internal":        {Outcome: hl7.Rejected, Cause: errors.New("Ada Specimen")},
		"aborted":         {},
	} {
		if got := outcomeOf(a); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
