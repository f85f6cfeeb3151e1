package registration

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// document is a signed DDCC document as far as its registration speaks of it.
type document struct {
	raw          []byte
	id           string
	issued       string // instant
	hcid         string
	patientID    string
	patient      json.RawMessage
	organization organization
	authority    identifier // of the organization, for names derived from it
	kind         concept    // Composition.type
	category     []concept
	signature    signature
	codes        []qrCode
}

// qrCode is a certificate in the document.
type qrCode struct {
	id   string // of its DocumentReference in the document
	kind concept
	text []byte
}

// limits of what is read; documents of this gateway have far less.
const (
	maxCodes   = 16
	prefixHCID = "urn:HCID:"
	plainText  = "text/plain"
	fhirJSON   = "application/fhir+json"
)

func malformed(detail string) error {
	return fault.New(fault.Internal, "registration-document", "The document cannot be registered: "+detail)
}

type jsonDocument struct {
	ResourceType string `json:"resourceType"`
	ID           string `json:"id"`
	Type         string `json:"type"`
	Timestamp    string `json:"timestamp"`
	Link         []struct {
		URL string `json:"url"`
	} `json:"link"`
	Entry []struct {
		Resource json.RawMessage `json:"resource"`
	} `json:"entry"`
	Signature *signature `json:"signature"`
}

func readDocument(raw []byte) (document, error) {
	var in jsonDocument
	if err := json.Unmarshal(raw, &in); err != nil {
		return document{}, malformed("it is not JSON of the right shape")
	}
	if in.ResourceType != "Bundle" || in.Type != "document" || !isUUID(in.ID) {
		return document{}, malformed("it is no Bundle of type document with a UUID")
	}
	if _, err := time.Parse(time.RFC3339, in.Timestamp); err != nil {
		return document{}, malformed("it has no timestamp")
	}
	if in.Signature == nil || in.Signature.Data == "" || len(in.Signature.Type) == 0 {
		return document{}, malformed("it is not signed")
	}
	doc := document{raw: raw, id: in.ID, issued: in.Timestamp, signature: *in.Signature}
	for _, l := range in.Link {
		if hcid, ok := strings.CutPrefix(l.URL, prefixHCID); ok {
			doc.hcid = hcid
		}
	}
	for _, e := range in.Entry {
		if err := doc.read(e.Resource); err != nil {
			return document{}, err
		}
	}
	if doc.hcid == "" || doc.patientID == "" || doc.organization.Name == "" || len(doc.kind.Coding) == 0 || len(doc.codes) == 0 {
		return document{}, malformed("it lacks HCID, patient, authority, type or certificate")
	}
	return doc, nil
}

// read takes over what one entry says.
func (d *document) read(raw json.RawMessage) error {
	var r struct {
		ResourceType string          `json:"resourceType"`
		ID           string          `json:"id"`
		Name         json.RawMessage `json:"name"`
		Identifier   json.RawMessage `json:"identifier"`
		Type         json.RawMessage `json:"type"`
		Category     json.RawMessage `json:"category"`
		Content      []struct {
			Attachment struct {
				ContentType string `json:"contentType"`
				Data        []byte `json:"data"`
			} `json:"attachment"`
		} `json:"content"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return malformed("an entry is not of the right shape")
	}
	var err error
	switch r.ResourceType {
	case "Patient":
		if !isUUID(r.ID) || r.ID == d.id || d.patientID != "" {
			return malformed("it has not one patient with a UUID")
		}
		d.patientID, d.patient = r.ID, raw
	case "Organization":
		err = d.readOrganization(r.Name, r.Identifier)
	case "Composition":
		if err = json.Unmarshal(r.Type, &d.kind); err == nil && r.Category != nil {
			err = json.Unmarshal(r.Category, &d.category)
		}
	case "DocumentReference":
		code := qrCode{id: r.ID}
		err = json.Unmarshal(r.Type, &code.kind)
		for _, c := range r.Content {
			if c.Attachment.ContentType == plainText {
				code.text = c.Attachment.Data
			}
		}
		if err == nil && (!isUUID(r.ID) || r.ID == d.id || len(code.text) == 0 || len(code.kind.Coding) == 0 || len(d.codes) == maxCodes) {
			return malformed("a certificate in it has no id, type or text, or there are too many")
		}
		d.codes = append(d.codes, code)
	}
	if err != nil {
		return malformed("an entry is not of the right shape")
	}
	return nil
}

func (d *document) readOrganization(name, ids json.RawMessage) error {
	if d.organization.Name != "" {
		return malformed("it has more than one authority")
	}
	d.organization = organization{ResourceType: "Organization", ID: "authority", Identifier: ids}
	if err := json.Unmarshal(name, &d.organization.Name); err != nil {
		return err
	}
	var all []identifier
	if err := json.Unmarshal(ids, &all); err != nil {
		return err
	}
	if len(all) > 0 {
		d.authority = all[0]
	}
	return nil
}
