package fhiraudit

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// The code systems of the gateway: the actions of its log, and the hashes of its entries.
const (
	ActionSystem = "https://github.com/trustedparty/ddcc-gateway/CodeSystem/audit-action"
	EntrySystem  = "https://github.com/trustedparty/ddcc-gateway/NamingSystem/audit-entry"
)

const (
	dicom         = "http://dicom.nema.org/resources/ontology/DCM"
	eventType     = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	sourceType    = "http://terminology.hl7.org/CodeSystem/security-source-type"
	entityType    = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	objectRole    = "http://terminology.hl7.org/CodeSystem/object-role"

	attributeIssuer = "issuer"
)

var (
	typeREST      = Coding{eventType, "rest", "RESTful Operation"}
	typeAlert     = Coding{dicom, "110113", "Security Alert"}
	typeActivity  = Coding{dicom, "110100", "Application Activity"}
	typeExport    = Coding{dicom, "110106", "Export"}
	typeQuery     = Coding{dicom, "110112", "Query"}
	typeLogin     = Coding{dicom, "110114", "User Authentication"}
	subtypeNode   = Coding{dicom, "110126", "Node Authentication"}
	subtypeConfig = Coding{dicom, "110129", "Security Configuration"}

	agentApplication  = Coding{dicom, "110150", "Application"}
	agentAuthor       = Coding{participation, "AUT", "author (originator)"}
	sourceApplication = Coding{sourceType, "4", "Application Server"}
	entityObject      = Coding{entityType, "2", "System Object"}
	roleReport        = Coding{objectRole, "3", "Report"}
	roleSecurity      = Coding{objectRole, "13", "Security Resource"}
)

// kindOf is the family of an action: what is asked for over the signer's API is a RESTful
// operation, a key operation is a security alert about the configuration, whoever reads.
func kindOf(action string) (kind Coding, more []Coding) {
	if strings.HasSuffix(action, ".read") {
		return typeQuery, nil
	}
	switch family(action) {
	case "certificate", "document":
		return typeREST, nil
	case "key", "operation":
		return typeAlert, []Coding{subtypeConfig}
	case "refusals":
		return typeAlert, nil
	case "connection":
		return typeLogin, []Coding{subtypeNode}
	case "upload":
		return typeExport, nil
	}
	return typeActivity, nil
}

// actionOf is the code of audit-event-action. An intent and a refusal executed and left
// nothing.
func actionOf(action string) string {
	_, what, _ := strings.Cut(action, ".")
	switch what {
	case "signed", "created", "generated":
		return "C"
	case "read":
		return "R"
	case "cancelled", "executed", "stop", "rotated", "activated", "retired", "revoked":
		return "U"
	case "deleted", "destroyed":
		return "D"
	}
	return "E"
}

// serious are the refusals the signer is to blame for, not the caller.
var serious = []string{
	"internal", "signature-mismatch", "trial-signature", "lint-self", "document-compare",
	"signing-unavailable", "emergency-stop",
}

// outcomeOf is the code of audit-event-outcome: 0 success, 4 the caller was at fault, 8 the
// signer was, or nobody knows the outcome.
func outcomeOf(outcome, reason string) string {
	switch outcome {
	case "success", "done", "intended":
		return "0"
	case "failure", "refused":
		first, _, _ := strings.Cut(reason, " ")
		if !slices.Contains(serious, first) {
			return "4"
		}
	}
	return "8"
}

func roleOf(action string) Coding {
	if f := family(action); f == "certificate" || f == "document" {
		return roleReport
	}
	return roleSecurity
}

func family(action string) string {
	f, _, _ := strings.Cut(action, ".")
	return f
}

// text is s as an R4 string: no control characters, no space at its ends.
func text(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

// code is s as an R4 code: single spaces within.
func code(s string) string {
	c := strings.Join(strings.Fields(text(s)), " ")
	if c == "" {
		return "unnamed"
	}
	return c
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func hexOf(b []byte) string { return hex.EncodeToString(b) }
