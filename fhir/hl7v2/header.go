package hl7v2

import (
	"slices"
	"strings"
)

// Header is what MSH says, as far as it matters here.
type Header struct {
	Type, Event    string // MSH-9: VXU and V04
	ControlID      string // MSH-10
	Processing     string // MSH-11: P, T or D
	Version        string // MSH-12
	AcceptAck      string // MSH-15, table 0155: when an accept acknowledgement is wanted
	ApplicationAck string // MSH-16: the same of the application acknowledgement
	Facility       string // MSH-4.1
	country        string // MSH-17, ISO 3166-1 alpha-3 (table 0399)
	zone           string // of MSH-7, which counts for every time of the message that has none
	segment        Segment
}

func headerOf(msh Segment) Header {
	text := func(field, component int) string { return msh.Field(field).Component(component).Text() }
	h := Header{
		Type: text(9, 1), Event: text(9, 2), ControlID: text(10, 1), Processing: text(11, 1), Version: text(12, 1),
		AcceptAck: text(15, 1), ApplicationAck: text(16, 1), Facility: text(4, 1), country: text(17, 1), segment: msh,
	}
	if _, rest, ok := cutZone(text(7, 1)); ok {
		h.zone = rest
	}
	return h
}

// IsZero reports that there is no header that could be read.
func (h Header) IsZero() bool { return h.segment.Name == "" }

// Enhanced reports the enhanced acknowledgement mode: the sender says when it wants to hear
// what (v2.5.1 §2.9.3).
func (h Header) Enhanced() bool { return h.AcceptAck != "" || h.ApplicationAck != "" }

// versions that are read; what is read of them differs in nothing that matters here.
var versions = map[string]bool{
	"2.3": true, "2.3.1": true, "2.4": true, "2.5": true, "2.5.1": true, "2.6": true, "2.7": true, "2.7.1": true,
	"2.8": true, "2.8.1": true, "2.8.2": true, "2.9": true,
}

// Check finds what is wrong with the header itself (v2.5.1 §2.9.2.2, step 1): processing
// lists the ids of MSH-11 that are accepted. Its findings mean that the message is rejected
// without regard to its content.
func (h Header) Check(processing []string) []Finding {
	var findings []Finding
	if h.ControlID == "" {
		findings = append(findings, NewFinding(header(10), CodeRequired, RuleRequired, "The message has no control id.", "Send an id that is unique among your messages."))
	}
	if !versions[h.Version] {
		findings = append(findings, NewFinding(header(12), CodeVersion, RuleVersion, "The version is missing or not one that is read here.", "Send 2.3 to 2.9, best 2.5.1."))
	}
	if !slices.Contains(processing, h.Processing) {
		findings = append(findings, NewFinding(header(11), CodeProcessing, "hl7v2-processing", "This gateway does not process messages of this processing id.", "Send "+strings.Join(processing, " or ")+"."))
	}
	return findings
}
