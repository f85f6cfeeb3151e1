package hl7v2

// event says what a trigger event of patient administration does to the Encounter.
type event struct {
	status encounterStatus // empty: the event is about the person alone
	cancel bool            // of an end: PV1-45 is what is being cancelled
	person personAction
}

type encounterStatus string

const (
	planned        encounterStatus = "planned"
	inProgress     encounterStatus = "in-progress"
	onLeave        encounterStatus = "onleave"
	finished       encounterStatus = "finished"
	cancelled      encounterStatus = "cancelled"
	enteredInError encounterStatus = "entered-in-error"
	byContent      encounterStatus = "by content" // the fields of PV1 say it
)

type personAction uint8

const (
	personUpdate personAction = iota
	personDelete
)

// events are the trigger events of A01 to A31 that are about one person (v2.8 chapter 3;
// v2-to-FHIR, table of encounter states).
var events = map[string]event{
	"A01": {status: inProgress}, // admit
	"A02": {status: inProgress}, // transfer
	"A03": {status: finished},   // discharge
	"A04": {status: inProgress}, // register
	"A05": {status: planned},    // pre-admit
	"A06": {status: inProgress}, // outpatient becomes inpatient
	"A07": {status: inProgress}, // inpatient becomes outpatient
	"A08": {status: byContent},  // update
	"A09": {status: inProgress}, // departing, for tracking
	"A10": {status: inProgress}, // arriving, for tracking
	"A11": {status: cancelled},  // cancel admit
	"A12": {status: inProgress}, // cancel transfer
	"A13": {status: inProgress, cancel: true},
	"A14": {status: planned},    // pending admit
	"A15": {status: inProgress}, // pending transfer
	"A16": {status: inProgress}, // pending discharge
	"A21": {status: onLeave},    // leave of absence
	"A22": {status: inProgress}, // returns from leave
	"A23": {status: enteredInError},
	"A25": {status: inProgress, cancel: true}, // cancel pending discharge
	"A26": {status: inProgress},               // cancel pending transfer
	"A27": {status: cancelled},                // cancel pending admit
	"A28": {},                                 // add person
	"A29": {person: personDelete},
	"A31": {}, // update person
}

// refused are those of the range that are not, with the reason.
var refused = map[string]string{
	"A17": "The event swaps two patients; send a transfer (A02) for each.",
	"A18": "Records are not merged here; correct each with A31.",
	"A19": "Queries are not answered here; ask the FHIR server.",
	"A20": "The state of beds is not kept here.",
	"A24": "Records are not linked here.",
	"A30": "Records are not merged here; correct each with A31.",
}

// CheckEvent finds out whether a message is one that is converted here: VXU^V04, or ADT with
// an event of the table. Another one is rejected, with the reason.
func CheckEvent(h Header) []Finding {
	_, known := events[h.Event]
	reason, outside := refused[h.Event]
	switch {
	case h.Type == "VXU" && h.Event == "V04", h.Type == "ADT" && known:
		return nil
	case h.Type != "VXU" && h.Type != "ADT":
		return []Finding{NewFinding(header(9), CodeMessageType, RuleEvent, "The message type is missing or not one that is taken here.", "Send VXU^V04, or ADT with A01 to A31.")}
	case h.Type == "ADT" && outside:
		return []Finding{NewFinding(header(9), CodeEvent, RuleEvent, "The event is not taken here.", reason)}
	case h.Type == "ADT" && (h.Event == "A40" || h.Event == "A34" || h.Event == "A39"):
		return []Finding{NewFinding(header(9), CodeEvent, RuleEvent, "The event is not taken here.", refused["A18"])}
	}
	return []Finding{NewFinding(header(9), CodeEvent, RuleEvent, "The event is missing or not one that is taken here.", "Send VXU^V04, or ADT with A01 to A31.")}
}
