package fhiraudit

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// namespace is the UUID that ids are made in (RFC 9562 section 5.5).
var namespace = uuid.MustParse("6d2f6a52-0c5e-5b0e-9c39-3b1f3a5b7c11")

// AuditEvent is the R4 resource, as far as the log fills it.
type AuditEvent struct {
	ResourceType string   `json:"resourceType"`
	ID           string   `json:"id"`
	Type         Coding   `json:"type"`
	Subtype      []Coding `json:"subtype,omitempty"`
	Action       string   `json:"action"`   // audit-event-action: C R U D E
	Recorded     string   `json:"recorded"` // instant
	Outcome      string   `json:"outcome"`  // audit-event-outcome: 0 4 8
	OutcomeDesc  string   `json:"outcomeDesc,omitempty"`
	Agent        []Agent  `json:"agent"`
	Source       Source   `json:"source"`
	Entity       []Entity `json:"entity"`
}

// Coding is a code of a code system.
type Coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

// Concept is a CodeableConcept.
type Concept struct {
	Coding []Coding `json:"coding"`
}

// Identifier names something that is no FHIR resource.
type Identifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value"`
}

// Reference points by identifier, never by address.
type Reference struct {
	Identifier *Identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

// Agent is who took part.
type Agent struct {
	Type      Concept   `json:"type"`
	Who       Reference `json:"who"`
	Requestor bool      `json:"requestor"`
}

// Source is who recorded the event.
type Source struct {
	Observer Reference `json:"observer"`
	Type     []Coding  `json:"type"`
}

// Entity is what the event was about.
type Entity struct {
	What   *Reference `json:"what,omitempty"`
	Type   Coding     `json:"type"`
	Role   Coding     `json:"role"`
	Detail []Detail   `json:"detail,omitempty"`
}

// Detail is a further fact about an entity.
type Detail struct {
	Type  string `json:"type"`
	Value string `json:"valueString"`
}

// Event is the AuditEvent of an entry in the log that origin names.
func Event(origin string, r audit.Record) AuditEvent {
	kind, more := kindOf(r.Action)
	e := AuditEvent{
		ResourceType: "AuditEvent",
		ID:           id(origin, r),
		Type:         kind,
		Subtype:      append(more, Coding{System: ActionSystem, Code: code(r.Action)}),
		Action:       actionOf(r.Action),
		Recorded:     r.Time.UTC().Format(time.RFC3339),
		Outcome:      outcomeOf(r.Outcome, r.Reason),
		OutcomeDesc:  text(r.Reason),
		Source:       Source{Observer: named(origin), Type: []Coding{sourceApplication}},
	}
	if r.Actor != "" {
		e.Agent = append(e.Agent, Agent{Type: Concept{[]Coding{agentApplication}}, Who: named(r.Actor), Requestor: true})
	}
	if issuer := r.Attributes[attributeIssuer]; issuer != "" {
		e.Agent = append(e.Agent, Agent{Type: Concept{[]Coding{agentAuthor}}, Who: named(issuer)})
	}
	if len(e.Agent) == 0 { // R4 wants one: the process that wrote the entry
		e.Agent = []Agent{{Type: Concept{[]Coding{agentApplication}}, Who: named(origin)}}
	}
	e.Entity = []Entity{subject(r.Entry), place(r)}
	return e
}

// id depends on the content of the entry and of all before it, through the hash.
func id(origin string, r audit.Record) string {
	return uuid.NewSHA1(namespace, append([]byte(origin+"\n"), r.Hash...)).String()
}

// subject is the certificate, document or key that the entry is about.
func subject(e audit.Entry) Entity {
	out := Entity{Type: entityObject, Role: roleOf(e.Action)}
	switch s := text(e.Subject); {
	case s == "":
	case uuid.Validate(s) == nil && len(s) == 36:
		out.What = &Reference{Identifier: &Identifier{System: "urn:ietf:rfc:3986", Value: "urn:uuid:" + s}}
	default:
		out.What = &Reference{Identifier: &Identifier{Value: s}}
	}
	if d := text(e.Digest); d != "" {
		out.Detail = append(out.Detail, Detail{"digest", d})
	}
	for _, name := range sortedNames(e.Attributes) {
		if name == attributeIssuer {
			continue
		}
		if n, v := text(name), text(e.Attributes[name]); n != "" && v != "" {
			out.Detail = append(out.Detail, Detail{n, v})
		}
	}
	return out
}

// place says where the entry stands, to be found again in the log and proved there.
func place(r audit.Record) Entity {
	return Entity{
		What: &Reference{Identifier: &Identifier{System: EntrySystem, Value: hexOf(r.Hash)}},
		Type: entityObject, Role: roleSecurity,
		Detail: []Detail{{"sequence", strconv.FormatUint(r.Seq, 10)}},
	}
}

// named gives something that has a name and no address. A name without any printable
// character leaves one that says so: R4 has no empty strings.
func named(name string) Reference {
	name = text(name)
	if name == "" {
		name = "unnamed"
	}
	return Reference{Identifier: &Identifier{Value: name}, Display: name}
}
