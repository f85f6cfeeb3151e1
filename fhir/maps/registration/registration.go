package registration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Input is what a registration depends on.
type Input struct {
	Document  []byte    // the signed document, as it was issued
	FolderID  string    // UUID, one a HCID
	Recipient string    // name of the FHIR server, for the AuditEvent; no address
	At        time.Time // of the registration; whole seconds
}

// Registration is what is to be registered of one certificate.
type Registration struct {
	doc       document
	folderID  string
	recipient string
	at        string
}

// New reads the document. An error is fault.Internal: documents are this gateway's own.
func New(in Input) (*Registration, error) {
	doc, err := readDocument(in.Document)
	if err != nil {
		return nil, err
	}
	if !isUUID(in.FolderID) || in.Recipient == "" || in.At.IsZero() {
		return nil, fault.New(fault.Internal, "registration-input", "The registration lacks its folder, recipient or time.")
	}
	return &Registration{doc: doc, folderID: in.FolderID, recipient: in.Recipient, at: instant(in.At)}, nil
}

func instant(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// References are the ids of the DocumentReferences, that of the document first.
func (r *Registration) References() []string {
	ids := []string{documentReferenceID(r.doc.id)}
	for _, code := range r.doc.codes {
		ids = append(ids, code.id)
	}
	return ids
}

// FolderQuery finds a folder on a server: search parameters for type List.
func FolderQuery(folderID string) url.Values {
	return url.Values{"identifier": {rfc3986 + "|urn:uuid:" + folderID}}
}

// CreateFolder is the transaction that makes the folder, without entries, unless the server
// has it: the patient first, whom it refers to.
func (r *Registration) CreateFolder() ([]byte, error) {
	folder := list{
		ResourceType: "List", Meta: profile("DDCCFolder"), Extension: []extension{designation()},
		Identifier: []identifier{
			{Use: "usual", System: systemFolder, Value: r.doc.hcid},
			{Use: "official", System: rfc3986, Value: "urn:uuid:" + r.folderID},
		},
		Status: "current", Mode: "working", Title: "DDCC folder", Code: listType("folder"), Subject: r.patient(), Date: r.at,
	}
	return bundle("", []entry{
		r.put("Patient", r.doc.patientID, r.doc.patient),
		{
			FullURL: fullURL("List", r.folderID), Resource: folder,
			Request: request{Method: http.MethodPost, URL: "List", IfNoneExist: FolderQuery(r.folderID).Encode()},
		},
	})
}

// Provide is the transaction that registers the certificate in a folder as it was read
// (profile DDCCProvideDocumentBundle): ahead of what belongs to the certificates in later,
// behind everything else. Nothing of it happens if the folder changed since.
//
// The document is in it as a Binary, whose bytes no server touches. As a Bundle it is stored
// next, over the empty one that is made here, in that version and no other: its parts refer to
// each other by urn:uuid, which HAPI takes for references to entries of the transaction.
func (r *Registration) Provide(folder Folder, later []string) ([]byte, error) {
	changed, err := folder.with(r.References(), later, r.at)
	if err != nil {
		return nil, err
	}
	entries := []entry{r.put("List", submissionSetID(r.doc.id), r.submissionSet(folder))}
	for i, id := range r.References() {
		entries = append(entries, r.put("DocumentReference", id, r.reference(i)))
	}
	document := binaryID(documentReferenceID(r.doc.id))
	entries = append(entries, r.put("Binary", document, binary{"Binary", document, fhirJSON, r.doc.raw}))
	for _, code := range r.doc.codes {
		id := binaryID(code.id)
		entries = append(entries, r.put("Binary", id, binary{"Binary", id, plainText, code.text}))
	}
	entries = append(entries,
		r.put("Bundle", r.doc.id, reserved{"Bundle", r.doc.id, identifier{System: rfc3986, Value: "urn:uuid:" + r.doc.id}, "collection"}),
		changed,
		r.put("Patient", r.doc.patientID, r.doc.patient),
		r.put("Provenance", provenanceID(r.doc.id), r.provenance()),
		r.put("AuditEvent", idOf("AuditEvent", r.doc.id), audit(idOf("AuditEvent", r.doc.id), auditInput{
			action: "C", at: r.at, source: r.source(), recipient: r.recipient,
			patient: r.patient().Reference, submission: fullURL("List", submissionSetID(r.doc.id)),
		})),
	)
	return bundle("DDCCProvideDocumentBundle", entries)
}

// Document is the document and its id. It is stored over what Provide reserved, see Stored.
func (r *Registration) Document() (id string, raw []byte) { return r.doc.id, r.doc.raw }

// Stored reports whether a Bundle that a server has is a document, not the reserved place of
// one.
func Stored(raw []byte) bool {
	var in reserved
	return json.Unmarshal(raw, &in) == nil && in.ResourceType == "Bundle" && in.Type == "document"
}

// put is an entry that writes a resource under its own id.
func (*Registration) put(typ, id string, resource any) entry {
	return entry{FullURL: fullURL(typ, id), Resource: resource, Request: request{Method: http.MethodPut, URL: typ + "/" + id}}
}

func (r *Registration) patient() reference {
	return reference{Reference: fullURL("Patient", r.doc.patientID)}
}

// source identifies the authority as the source of submissions: an object identifier, which
// is what XDS knows.
func (r *Registration) source() string {
	return oid(idOf("source", r.doc.authority.System+"|"+r.doc.authority.Value))
}

// bundle writes a transaction.
func bundle(name string, entries []entry) ([]byte, error) {
	out := transaction{ResourceType: "Bundle", Type: "transaction", Entry: entries}
	if name != "" {
		m := profile(name)
		out.Meta = &m
	}
	return encode(out)
}

// encode writes JSON without escapes that only HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.New(fault.Internal, "registration-encoding", "The registration could not be written.").Because(err)
	}
	return b.Bytes(), nil
}

type transaction struct {
	ResourceType string  `json:"resourceType"`
	Meta         *meta   `json:"meta,omitempty"`
	Type         string  `json:"type"`
	Entry        []entry `json:"entry"`
}

type entry struct {
	FullURL  string  `json:"fullUrl,omitempty"`
	Resource any     `json:"resource,omitempty"`
	Request  request `json:"request"`
}

type request struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	IfMatch     string `json:"ifMatch,omitempty"`
	IfNoneExist string `json:"ifNoneExist,omitempty"`
}

func profile(name string) meta {
	return meta{Profile: []string{fhir.Canonical{Type: "StructureDefinition", Name: name}.URL()}}
}
