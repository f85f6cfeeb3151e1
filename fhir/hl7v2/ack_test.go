package hl7v2_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func acknowledged(raw []byte, code string, findings ...hl7v2.Finding) []byte {
	m, _ := hl7v2.Parse(raw)
	return hl7v2.Acknowledge(m, raw, hl7v2.Acknowledgement{Code: code, At: instant, Findings: findings})
}

var lot = hl7v2.NewFinding(hl7v2.Location{Segment: "RXA", Sequence: 2, Field: 15}, hl7v2.CodeRequired, "required", "The lot is missing | unknown.", "Send ^it^.")

// TestAcknowledgements compares whole answers with files.
func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	given, v28 := sample(t, "vxu_given.hl7"), sample(t, "vxu_v28.hl7")
	warning := hl7v2.NewFinding(hl7v2.Location{Segment: "PID", Sequence: 1, Field: 3, Repetition: 2, Component: 4, Subcomponent: 2}, hl7v2.CodeTable, "value-set", "Other.", "Mend.").As(fault.SeverityWarning)
	for name, raw := range map[string][]byte{
		"ack_aa.hl7":     acknowledged(given, "AA"),
		"ack_ae.hl7":     acknowledged(given, "AE", lot, warning),
		"ack_v28.hl7":    acknowledged(v28, "CE", lot),
		"ack_v23.hl7":    acknowledged(edit(given, "MSH", 12, "2.3"), "AE", lot),
		"ack_nobody.hl7": acknowledged([]byte("GET / HTTP/1.1\r\n"), "AR", hl7v2.NewFinding(hl7v2.Location{}, hl7v2.CodeSequence, "x", "y", "z")),
	} {
		golden(t, name, bytes.ReplaceAll(raw, []byte("\r"), []byte("\n")))
		m := parsed(t, raw)
		if m.Header.Type != "ACK" || len(m.Header.ControlID) != 20 || m.Segments[1].Name != "MSA" || !bytes.HasSuffix(raw, []byte("\r")) {
			t.Errorf("%s: %+v", name, m.Header)
		}
	}
}

func TestAnAnswerIsToItsMessage(t *testing.T) {
	t.Parallel()
	raw := sample(t, "vxu_given.hl7")
	m, again := parsed(t, acknowledged(raw, "AA")), parsed(t, acknowledged(raw, "AA"))
	msh, msa := m.Segments[0], m.Segments[1]
	if msa.Field(2).Text() != "SPEC-0001" || msh.Field(3).Text() != "IIS" || msh.Field(4).Text() != "Registry" || msh.Field(5).Text() != "SpecimenEHR" || msh.Field(6).Component(2).Text() != "2.16.840.1.113883.19.5" {
		t.Errorf("%+v", m.Segments)
	}
	if m.Header.ControlID != again.Header.ControlID || m.Header.ControlID == parsed(t, acknowledged(raw, "AE")).Header.ControlID {
		t.Error("control ids of answers")
	}
	erred := parsed(t, acknowledged(sample(t, "vxu_v28.hl7"), "CE", lot)).Segments[2]
	if erred.Field(2).Component(3).Text() != "15" || erred.Field(8).Text() != lot.Detail || erred.Field(7).Text() != lot.Fix || erred.Field(3).Component(1).Text() != "101" {
		t.Errorf("%+v", erred)
	}
}

// TestAnswersInTheSendersCharacters: what is echoed comes back as it was.
func TestAnswersInTheSendersCharacters(t *testing.T) {
	t.Parallel()
	for charset, name := range map[string]string{"8859/1": "\xdcbung", "UNICODE UTF-8": "Übung", "ASCII": "Ubung", "": "Übung"} {
		raw := []byte(strings.Replace(head, "|App|", "|"+name+"|", 1))
		raw = edit(raw, "MSH", 18, charset)
		if got := acknowledged(raw, "AA"); !bytes.Contains(got, []byte("|"+name+"|")) {
			t.Errorf("%s: %q", charset, got)
		}
	}
}
