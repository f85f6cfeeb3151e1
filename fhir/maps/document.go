package maps

import (
	"bytes"
	"encoding/json"
	"time"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Authority is the public health authority that issues and attests the document.
type Authority struct {
	Name       string // required
	System     string // of Identifier; may be empty
	Identifier string // the pha of the core data set; empty takes that one
}

// QRImage is one QR code of the certificate, in a form of DDCCQRTypeCodeSystem.
type QRImage struct {
	Type string // who, dcc, icao, au, shc or divoc
	Text string // what the code says, e.g. the exact HC1 text
	PNG  []byte // profile DDCCDocumentReferenceQR requires the image
}

// DocumentInput is everything a document depends on.
type DocumentInput struct {
	Core          fhir.CoreDataSet
	Authority     Authority
	CertificateID string // UUID in lower case; id of the document and seed of all other ids
	PatientID     string // UUID, stable per health folder; empty derives one from CertificateID
	IssuedAt      time.Time
	QR            []QRImage
	// PractitionerSystem completes a practitioner's identifier that has no system, which
	// profile DDCCPractitioner requires. Empty takes "urn:uuid:" and a UUID derived from the
	// authority's identifier: one namespace for each authority, naming nothing it did not say.
	PractitionerSystem string
	// Legacy writes the canonicals of the guide before 2023 and both generations of the
	// extensions, for peers that know only those.
	Legacy bool
}

// DocumentIDs are the ids of the document's resources; QR in the order of the input.
type DocumentIDs struct {
	Bundle       string
	Composition  string
	Patient      string
	Organization string
	Event        string // Immunization or Observation
	QR           []string
}

// DocumentOutput is a document, ready to be signed.
type DocumentOutput struct {
	JSON []byte
	IDs  DocumentIDs
	// WhoReference points to the authority within the document, for fhir.Signature.
	WhoReference string
	// Warnings are what Validate found below error.
	Warnings []fault.Issue
}

// Document writes the DDCC document of a core data set (profiles DDCCVSDocument and
// DDCCTRDocument). The same input gives the same bytes. A core data set with errors
// gives a fault.Rule with all of them; an input that the gateway itself got wrong, such as
// a missing authority, is fault.Internal.
func Document(in DocumentInput) (DocumentOutput, error) {
	w, err := newWriter(in)
	if err != nil {
		return DocumentOutput{}, err
	}
	if err := w.write(); err != nil {
		return DocumentOutput{}, err
	}
	return DocumentOutput{JSON: w.out.Bytes(), IDs: w.ids, WhoReference: urnUUID(w.ids.Organization), Warnings: w.warnings}, nil
}

// bundle and entry frame the document. The library's Bundle takes its entries as raw
// JSON, so that everything would be written twice.
type bundle struct {
	ResourceType string          `json:"resourceType"`
	ID           string          `json:"id"`
	Meta         *r4.Meta        `json:"meta"`
	Identifier   r4.Identifier   `json:"identifier"`
	Type         string          `json:"type"`
	Timestamp    string          `json:"timestamp"`
	Link         []r4.BundleLink `json:"link"`
	Entry        []entry         `json:"entry"`
}

type entry struct {
	FullURL  string `json:"fullUrl"`
	Resource any    `json:"resource"`
}

type writer struct {
	in       DocumentInput
	core     fhir.CoreDataSet
	issued   string // instant
	ids      DocumentIDs
	entries  []entry
	section  section
	warnings []fault.Issue
	out      bytes.Buffer
}

// section collects what the composition's one section lists.
type section struct {
	code    string
	title   string
	entries []r4.Reference
	lines   []narrativeLine
}

func (w *writer) write() error {
	w.entries = append(w.entries, entry{}) // the composition, which knows all others, comes first
	w.add(w.ids.Patient, w.patient())
	w.add(w.ids.Organization, w.organization())
	if w.core.Vaccination != nil {
		w.vaccination(*w.core.Vaccination)
	} else {
		w.test(*w.core.Test)
	}
	w.qrCodes()
	w.entries[0] = entry{FullURL: urnUUID(w.ids.Composition), Resource: w.composition()}
	return w.encode(bundle{
		ResourceType: "Bundle", ID: w.ids.Bundle, Meta: w.profile(w.documentProfile()), Identifier: w.documentIdentifier(),
		Type: "document", Timestamp: w.issued, Entry: w.entries,
		Link: []r4.BundleLink{{Relation: "publication", Url: "urn:HCID:" + w.core.Certificate.HCID}},
	})
}

func (w *writer) encode(b bundle) error {
	enc := json.NewEncoder(&w.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		return fault.New(fault.Internal, "document-encoding", "The document could not be written.").Because(err)
	}
	w.out.Truncate(w.out.Len() - 1) // Encode's line feed
	return nil
}

func (w *writer) add(id string, resource any) {
	w.entries = append(w.entries, entry{FullURL: urnUUID(id), Resource: resource})
}

// list adds a resource that the section lists.
func (w *writer) list(id string, resource any) {
	w.add(id, resource)
	w.section.entries = append(w.section.entries, refTo(id))
}

func (w *writer) documentProfile() string {
	if w.core.Test != nil {
		return "DDCCTRDocument"
	}
	return "DDCCVSDocument"
}

func (w *writer) documentIdentifier() r4.Identifier {
	return r4.Identifier{System: ptr(systemURI), Value: ptr(urnUUID(w.ids.Bundle))}
}

func (w *writer) url(kind, name string) string {
	c := fhir.Canonical{Type: kind, Name: name}
	if w.in.Legacy {
		return c.LegacyURL()
	}
	return c.URL()
}

func (w *writer) profile(name string) *r4.Meta {
	return &r4.Meta{Profile: []string{w.url("StructureDefinition", name)}}
}
