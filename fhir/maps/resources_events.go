package maps

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Event is one event of a Bundle of resources.
type Event struct {
	Reading

	Entry       int               // of the Bundle; negative: the reading is about the Bundle as a whole
	Identifiers []fhir.Identifier // of the holder, in the order of the Patient
	Summary     bool              // the Bundle is a patient summary: its author is not the authority that certifies
}

// MaxEvents bounds the events of one Bundle.
const MaxEvents = 100

// EventsFromResources reads a Bundle with any number of events of one person, up to
// MaxEvents: an Event for each Immunization and each Observation, in the order of the
// Bundle. A bundle that has none, or more, has one event that says so.
//
// Of a patient summary (IPS, or a C-CDA that was converted) only vaccinations that took
// place count, of a transaction only observations that are tests DDCC knows; leftOut says
// what else there was.
func EventsFromResources(raw []byte) (events []Event, leftOut []fault.Issue) {
	root, err := jsontree.Parse(raw, fhir.MaxDepth)
	if err != nil || root.Get("resourceType") == nil {
		return []Event{unread(fault.From(fhir.Check(raw)).Issues)}, nil
	}
	var log element.Log
	bundle := element.Root("Bundle", root, &log)
	choice := selection{summary: isSummary(bundle), transaction: bundle.Child("type").Text() == "transaction"}
	for i, entry := range bundle.Child("entry").List() {
		switch e := entry.Child("resource"); {
		case !isEvent(e.Child("resourceType").Text()) || !choice.takes(e):
		case len(events) == MaxEvents:
			return []Event{unread([]fault.Issue{tooManyEvents})}, nil
		default:
			events = append(events, mapResources(root, i))
		}
	}
	if len(events) == 0 {
		none := mapResources(root, noEvent)
		none.Entry = anyEvent
		events = []Event{none}
	}
	return events, log.Issues
}

// noEvent is no entry of any Bundle.
const noEvent = -2

// unread is what a Bundle that cannot be read has instead of events.
func unread(issues []fault.Issue) Event {
	return Event{Reading: Reading{Issues: issues}, Entry: anyEvent}
}

var tooManyEvents = fault.Issue{
	Path: "Bundle.entry", Rule: fhir.RuleOneEvent, Detail: "The bundle holds more than 100 events.", Fix: "Send several bundles.",
}

func isEvent(kind string) bool { return kind == "Immunization" || kind == "Observation" }

// isSummary tells a patient summary from a DDCC document: both are led by a Composition,
// but only one is of the type that the guide fixes (DDCCDocument; HL7 IPS, Composition (IPS)).
func isSummary(bundle *element.Element) bool {
	for _, entry := range bundle.Child("entry").List() {
		e := entry.Child("resource")
		if e.Child("resourceType").Text() != "Composition" {
			continue
		}
		for _, c := range e.Child("type").Child("coding").List() {
			if c.Child("system").Text() == terminology.SystemLOINC && c.Child("code").Text() == codeDocumentType {
				return false
			}
		}
		return e.Child("type").Exists()
	}
	return false
}

// selection says which resources of a Bundle are events to be certified.
type selection struct{ summary, transaction bool }

// takes reports whether e is one, and notes why it is not.
func (s selection) takes(e *element.Element) bool {
	vaccination := e.Child("resourceType").Text() == "Immunization"
	switch {
	case s.summary && !vaccination:
		return leave(e, "Results of a patient summary are not certified.", "Send a test result by itself if it is to be certified.")
	case s.summary && e.Child("status").Text() != "completed":
		return leave(e.Child("status"), "The vaccination of the summary did not take place.", "Nothing to do.")
	case s.summary && saysNothing(e.Child("vaccineCode")):
		return leave(e.Child("vaccineCode"), "The summary says that no vaccination is known.", "Nothing to do.")
	case s.transaction && !vaccination && !isTest(e.Child("code")):
		return leave(e.Child("code"), "The observation is no test that DDCC knows.", "Nothing to do, unless it is to be certified: then send the code of the test.")
	}
	return true
}

func leave(e *element.Element, detail, fix string) bool {
	e.Note(fault.SeverityInformation, fhir.RuleNotKept, detail, fix)
	return false
}

// systemAbsentUnknown has codes such as no-immunization-info (HL7 IPS).
const systemAbsentUnknown = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"

func saysNothing(concept *element.Element) bool {
	for _, c := range concept.Child("coding").List() {
		if c.Child("system").Text() == systemAbsentUnknown {
			return true
		}
	}
	return false
}

// isTest reports that one of the codes is a type of test in WHO's set, or becomes one.
func isTest(concept *element.Element) bool {
	for _, c := range concept.Child("coding").List() {
		system, code := c.Child("system").Text(), c.Child("code").Text()
		if member, _ := terminology.InValueSet(terminology.ValueSetTestType, system, code); member {
			return true
		}
		from := terminology.Concept{System: system, Code: code}
		if _, err := terminology.Resolve(from, terminology.SystemICD11, terminology.Context{Use: terminology.TestType}); err == nil {
			return true
		}
	}
	return false
}
