package registration

import "encoding/json"

// The types hold only what is written here: the library's types write more than is valid (see
// fhir.Patient), and take a resource inside a Bundle apart.

type identifier struct {
	Use    string `json:"use,omitempty"`
	System string `json:"system,omitempty"`
	Value  string `json:"value"`
}

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type concept struct {
	Coding []coding `json:"coding"`
}

type reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

type extension struct {
	URL        string      `json:"url"`
	Concept    *concept    `json:"valueCodeableConcept,omitempty"`
	Identifier *identifier `json:"valueIdentifier,omitempty"`
}

type meta struct {
	Profile []string `json:"profile"`
}

// organization is the authority, contained in what it answers for: one that all registrations
// share would have all of them wait for each other.
type organization struct {
	ResourceType string          `json:"resourceType"` // Organization
	ID           string          `json:"id"`
	Identifier   json.RawMessage `json:"identifier,omitempty"`
	Name         string          `json:"name"`
}

type documentReference struct {
	ResourceType     string         `json:"resourceType"` // DocumentReference
	ID               string         `json:"id"`
	Meta             meta           `json:"meta"`
	Contained        []organization `json:"contained"`
	MasterIdentifier identifier     `json:"masterIdentifier"`
	Identifier       []identifier   `json:"identifier"`
	Status           string         `json:"status"`
	Type             concept        `json:"type"`
	Category         []concept      `json:"category,omitempty"`
	Subject          reference      `json:"subject"`
	Date             string         `json:"date"`
	Author           []reference    `json:"author"`
	Authenticator    reference      `json:"authenticator"`
	Custodian        reference      `json:"custodian"`
	RelatesTo        []relation     `json:"relatesTo,omitempty"`
	Description      string         `json:"description"`
	SecurityLabel    []concept      `json:"securityLabel"`
	Content          []content      `json:"content"`
}

type relation struct {
	Code   string    `json:"code"`
	Target reference `json:"target"`
}

type content struct {
	Attachment attachment `json:"attachment"`
	Format     coding     `json:"format"`
}

type attachment struct {
	ContentType string `json:"contentType"`
	URL         string `json:"url"`
	Size        int    `json:"size"` // bytes
	Hash        []byte `json:"hash"` // SHA-1, as FHIR R4 has it; the signature is what protects
	Title       string `json:"title"`
	Creation    string `json:"creation"`
}

type binary struct {
	ResourceType string `json:"resourceType"` // Binary
	ID           string `json:"id"`
	ContentType  string `json:"contentType"`
	Data         []byte `json:"data"`
}

// reserved keeps the place of a document.
type reserved struct {
	ResourceType string     `json:"resourceType"` // Bundle
	ID           string     `json:"id"`
	Identifier   identifier `json:"identifier"` // that of the document
	Type         string     `json:"type"`
}

// list is a submission set or a new folder.
type list struct {
	ResourceType string       `json:"resourceType"` // List
	ID           string       `json:"id,omitempty"`
	Meta         meta         `json:"meta"`
	Extension    []extension  `json:"extension"`
	Identifier   []identifier `json:"identifier"`
	Status       string       `json:"status"`
	Mode         string       `json:"mode"`
	Title        string       `json:"title"`
	Code         concept      `json:"code"`
	Subject      reference    `json:"subject"`
	Date         string       `json:"date"`
	Entry        []listEntry  `json:"entry,omitempty"`
}

type listEntry struct {
	Item reference `json:"item"`
}

type provenance struct {
	ResourceType string          `json:"resourceType"` // Provenance
	ID           string          `json:"id"`
	Contained    []organization  `json:"contained"`
	Target       []reference     `json:"target"`
	Occurred     string          `json:"occurredDateTime"`
	Recorded     string          `json:"recorded"`
	Activity     concept         `json:"activity"`
	Agent        []provenancedBy `json:"agent"`
	Signature    []signature     `json:"signature"`
}

type provenancedBy struct {
	Type concept   `json:"type"`
	Who  reference `json:"who"`
}

// signature is Bundle.signature as the document has it, and Provenance.signature.
type signature struct {
	Type         json.RawMessage `json:"type"`
	When         string          `json:"when"`
	Who          reference       `json:"who"`
	TargetFormat string          `json:"targetFormat,omitempty"`
	SigFormat    string          `json:"sigFormat"`
	Data         string          `json:"data"`
}

type auditEvent struct {
	ResourceType string        `json:"resourceType"` // AuditEvent
	ID           string        `json:"id"`
	Meta         *meta         `json:"meta,omitempty"`
	Type         coding        `json:"type"`
	Subtype      []coding      `json:"subtype"`
	Action       string        `json:"action"`
	Recorded     string        `json:"recorded"`
	Outcome      string        `json:"outcome"`
	Agent        []auditAgent  `json:"agent"`
	Source       auditSource   `json:"source"`
	Entity       []auditEntity `json:"entity"`
}

type auditAgent struct {
	Type      concept   `json:"type"`
	Who       reference `json:"who"`
	Requestor bool      `json:"requestor"`
	Network   network   `json:"network"`
}

type network struct {
	Address string `json:"address"`
	Type    string `json:"type"`
}

type auditSource struct {
	Observer reference `json:"observer"`
	Type     []coding  `json:"type"`
}

type auditEntity struct {
	What reference `json:"what"`
	Type coding    `json:"type"`
	Role coding    `json:"role"`
}
