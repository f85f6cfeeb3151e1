package hl7v2

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Code is an error condition of HL7 table 0357.
type Code string

// The conditions in use.
const (
	CodeAccepted    Code = "0"
	CodeSequence    Code = "100"
	CodeRequired    Code = "101"
	CodeDataType    Code = "102"
	CodeTable       Code = "103"
	CodeTooLong     Code = "104"
	CodeOther       Code = "199"
	CodeMessageType Code = "200"
	CodeEvent       Code = "201"
	CodeProcessing  Code = "202"
	CodeVersion     Code = "203"
	CodeApplication Code = "207" // failed for reasons of our own: send it again
)

// codeTexts are the table's own words.
var codeTexts = map[Code]string{
	CodeAccepted: "Message accepted", CodeSequence: "Segment sequence error", CodeRequired: "Required field missing",
	CodeDataType: "Data type error", CodeTable: "Table value not found", CodeTooLong: "Value too long",
	CodeOther: "Other HL7 error", CodeMessageType: "Unsupported message type", CodeEvent: "Unsupported event code",
	CodeProcessing: "Unsupported processing id", CodeVersion: "Unsupported version id",
	CodeApplication: "Application error",
}

// Location is a place in a message (data type ERL). Numbers count from 1; 0 means the whole
// of what is above.
type Location struct {
	Segment      string
	Sequence     int // among the segments of that name
	Field        int
	Repetition   int
	Component    int
	Subcomponent int
}

// String writes the place as people do: RXA[2]-5.1, PID[1]-3(2).4.
func (l Location) String() string {
	var b strings.Builder
	b.WriteString(l.Segment)
	if l.Sequence > 0 {
		b.WriteString("[" + strconv.Itoa(l.Sequence) + "]")
	}
	if l.Field > 0 {
		b.WriteString("-" + strconv.Itoa(l.Field))
	}
	if l.Repetition > 1 {
		b.WriteString("(" + strconv.Itoa(l.Repetition) + ")")
	}
	if l.Component > 0 {
		b.WriteString("." + strconv.Itoa(l.Component))
	}
	if l.Subcomponent > 0 {
		b.WriteString("." + strconv.Itoa(l.Subcomponent))
	}
	return b.String()
}

// Finding is one finding about one place of a message. Its issue's Path is the place.
type Finding struct {
	At   Location
	Code Code
	fault.Issue
}

// NewFinding makes a finding of severity error.
func NewFinding(at Location, code Code, rule, detail, fix string) Finding {
	return Finding{At: at, Code: code, Issue: fault.Issue{Path: at.String(), Rule: rule, Detail: detail, Fix: fix}}
}

// As gives the finding another severity.
func (f Finding) As(s fault.Severity) Finding {
	f.Severity = s
	return f
}

// HasErrors reports whether a finding makes the message unacceptable.
func HasErrors(findings []Finding) bool {
	for _, f := range findings {
		if f.IsError() {
			return true
		}
	}
	return false
}

// Ids of the rules that this package finds broken.
const (
	RuleSyntax    = "hl7v2-syntax"    // the encoding rules of chapter 2
	RuleEscape    = "hl7v2-escape"    // escape sequences
	RuleCharset   = "hl7v2-charset"   // MSH-18
	RuleCharacter = "hl7v2-character" // bytes and characters that no text has
	RuleLimit     = "hl7v2-limit"     // our limits
	RuleStructure = "hl7v2-structure" // which segments, in which order
	RuleRequired  = "required"        // a field that has to be there
	RuleTime      = "hl7v2-time"      // DT, DTM and TS
	RuleCodes     = "hl7v2-code"      // coded values
	RuleDelimiter = "hl7v2-delimiter" // a delimiter in a text
	RuleNumber    = "hl7v2-number"    // NM
	RuleVersion   = "hl7v2-version"   // MSH-12
	RuleEvent     = "hl7v2-event"     // MSH-9
	RuleNotKept   = "hl7v2-not-kept"  // FHIR has no place for it here
)

// maxFindings bounds what is said about one message.
const maxFindings = 50
