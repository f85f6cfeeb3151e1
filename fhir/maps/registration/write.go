package registration

import (
	"crypto/sha1" //nolint:gosec // FHIR R4 wants it, see attachment

	"github.com/trustedparty/ddcc-gateway/fhir"
)

// Systems and codes (IHE MHD 4.2, DDCC IG, FHIR R4, DICOM).
const (
	rfc3986      = "urn:ietf:rfc:3986"
	systemFolder = fhir.Base + "Folder" // of HCIDs; the mediator of the guide's authors has it under the old base

	mhd               = "https://profiles.ihe.net/ITI/MHD/"
	systemFormat      = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
	systemSecrecy     = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	systemCompletion  = "http://terminology.hl7.org/CodeSystem/v3-DocumentCompletion"
	systemParticipant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
	systemDICOM       = "http://dicom.nema.org/resources/ontology/DCM"
	systemEntity      = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	systemRole        = "http://terminology.hl7.org/CodeSystem/object-role"
	systemSource      = "http://terminology.hl7.org/CodeSystem/security-source-type"
	systemIHEEvent    = "urn:ihe:event-type-code"
)

func one(c coding) concept { return concept{Coding: []coding{c}} }

func listType(code string) concept {
	return one(coding{System: mhd + "CodeSystem/MHDlistTypes", Code: code})
}

func codeSystem(name string) string {
	return fhir.Canonical{Type: "CodeSystem", Name: name}.URL()
}

// designation is the designationType of folders and submission sets.
func designation() extension {
	c := one(coding{System: codeSystem("DDCCFolderDesignationTypeCodesystem"), Code: "ddcc"})
	return extension{URL: mhd + "StructureDefinition/ihe-designationType", Concept: &c}
}

// submissionSet says what was registered together (profile DDCCSubmissionSet).
func (r *Registration) submissionSet(folder Folder) list {
	id := submissionSetID(r.doc.id)
	l := list{
		ResourceType: "List", ID: id, Meta: profile("DDCCSubmissionSet"),
		Extension: []extension{designation(), {
			URL: mhd + "StructureDefinition/ihe-sourceId", Identifier: &identifier{System: rfc3986, Value: r.source()},
		}},
		Identifier: []identifier{
			{Use: "usual", System: rfc3986, Value: oid(id)}, {Use: "official", System: rfc3986, Value: "urn:uuid:" + id},
		},
		Status: "current", Mode: "working", Title: "DDCC registration", Code: listType("submissionset"),
		Subject: r.patient(), Date: r.doc.issued,
	}
	for _, id := range r.References() {
		l.Entry = append(l.Entry, listEntry{reference{Reference: fullURL("DocumentReference", id)}})
	}
	l.Entry = append(l.Entry, listEntry{reference{Reference: fullURL("List", folder.id)}})
	return l
}

// reference writes the DocumentReference of the document, and behind it those of its
// certificates (profile DDCCDocumentReference). They hold no medical content.
func (r *Registration) reference(i int) documentReference {
	id, authority := r.References()[i], reference{Reference: "#" + r.doc.organization.ID, Type: "Organization"}
	d := documentReference{
		ResourceType: "DocumentReference", ID: id, Meta: profile("DDCCDocumentReference"), Contained: []organization{r.doc.organization},
		MasterIdentifier: identifier{Use: "usual", System: rfc3986, Value: "urn:uuid:" + r.doc.id},
		Identifier:       []identifier{{Use: "official", System: rfc3986, Value: "urn:uuid:" + id}},
		Status:           "current", Type: r.doc.kind, Category: r.doc.category, Subject: r.patient(), Date: r.doc.issued,
		Author: []reference{authority}, Authenticator: authority, Custodian: authority,
		Description:   "Signed DDCC document",
		SecurityLabel: []concept{one(coding{System: systemSecrecy, Code: "N", Display: "normal"})},
		Content: []content{{
			Attachment: r.attachment(id, fhirJSON, "DDCC document", r.doc.raw),
			Format:     coding{System: systemFormat, Code: "urn:ihe:iti:xds:2017:mimeTypeSufficient"},
		}},
	}
	if i == 0 {
		return d
	}
	code := r.doc.codes[i-1]
	d.MasterIdentifier.Value = "urn:uuid:" + binaryID(code.id)
	d.Type, d.Description = code.kind, "Text of a certificate's QR code"
	d.RelatesTo = []relation{{Code: "transforms", Target: reference{Reference: fullURL("DocumentReference", documentReferenceID(r.doc.id))}}}
	d.Content = []content{{
		Attachment: r.attachment(id, plainText, "QR code", code.text),
		Format:     coding{System: codeSystem("DDCCQRFormatCodeSystem"), Code: "serialized"},
	}}
	return d
}

// attachment points at the Binary of a reference.
func (r *Registration) attachment(referenceID, contentType, title string, data []byte) attachment {
	sum := sha1.Sum(data) //nolint:gosec // Attachment.hash is SHA-1 in R4
	return attachment{
		ContentType: contentType, URL: "Binary/" + binaryID(referenceID), Size: len(data), Hash: sum[:], Title: title, Creation: r.doc.issued,
	}
}

// provenance says who signed the document, and carries that signature.
func (r *Registration) provenance() provenance {
	authority := reference{Reference: "#" + r.doc.organization.ID, Type: "Organization"}
	signed := r.doc.signature
	signed.Who = authority
	return provenance{
		ResourceType: "Provenance", ID: provenanceID(r.doc.id), Contained: []organization{r.doc.organization},
		Target: []reference{
			{Reference: fullURL("Bundle", r.doc.id), Type: "Bundle"},
			{Reference: fullURL("Binary", binaryID(documentReferenceID(r.doc.id))), Type: "Binary"},
		},
		Occurred: r.doc.issued, Recorded: signed.When,
		Activity:  one(coding{System: systemCompletion, Code: "LA", Display: "legally authenticated"}),
		Agent:     []provenancedBy{{Type: one(coding{System: systemParticipant, Code: "attester", Display: "Attester"}), Who: authority}},
		Signature: []signature{signed},
	}
}

type auditInput struct {
	action     string // audit-event-action
	at         string // instant
	source     string // urn:oid of the submitter
	recipient  string
	patient    string // references
	submission string
}

// audit writes the AuditEvent of a recipient of ITI-65 (IHE MHD,
// IHE.MHD.ProvideBundle.Audit.Recipient): which submission set of which patient, by id.
func audit(id string, in auditInput) auditEvent {
	source := reference{Identifier: &identifier{System: rfc3986, Value: in.source}, Display: "DDCC gateway"}
	var conforms *meta
	if in.action == "C" { // the profile knows no other
		conforms = &meta{Profile: []string{mhd + "StructureDefinition/IHE.MHD.ProvideBundle.Audit.Recipient"}}
	}
	return auditEvent{
		ResourceType: "AuditEvent", ID: id, Meta: conforms,
		Type:    coding{System: systemDICOM, Code: "110107", Display: "Import"},
		Subtype: []coding{{System: systemIHEEvent, Code: "ITI-65", Display: "Provide Document Bundle"}},
		Action:  in.action, Recorded: in.at, Outcome: "0",
		Agent: []auditAgent{
			{
				Type: one(coding{System: systemDICOM, Code: "110153", Display: "Source Role ID"}), Who: source, Requestor: true,
				Network: network{Address: in.source, Type: "5"},
			},
			{
				Type:    one(coding{System: systemDICOM, Code: "110152", Display: "Destination Role ID"}),
				Who:     reference{Display: in.recipient},
				Network: network{Address: in.recipient, Type: "1"},
			},
		},
		Source: auditSource{Observer: source, Type: []coding{{System: systemSource, Code: "4", Display: "Application Server"}}},
		Entity: []auditEntity{
			{
				What: reference{Reference: in.patient}, Type: coding{System: systemEntity, Code: "1", Display: "Person"},
				Role: coding{System: systemRole, Code: "1", Display: "Patient"},
			},
			{
				What: reference{Reference: in.submission}, Type: coding{System: systemEntity, Code: "2", Display: "System Object"},
				Role: coding{System: systemRole, Code: "20", Display: "Job"},
			},
		},
	}
}
