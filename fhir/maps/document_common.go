package maps

import (
	"encoding/base64"
	"strconv"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// Fixed values of the profiles (DDCC IG, FHIR R4, LOINC).
const (
	documentTitle       = "Digital Documentation of COVID-19 Certificate (DDCC)"
	codeDocumentType    = "82593-5" // LOINC: Immunization summary report
	codeVaccination     = "11369-6" // LOINC: History of immunization
	codeTestResult      = "30954-2" // LOINC: Relevant diagnostic tests or laboratory data
	codeDateVaccineDue  = "30980-7" // LOINC: Date vaccine due
	systemURI           = "urn:ietf:rfc:3986"
	systemForecast      = "http://terminology.hl7.org/CodeSystem/immunization-recommendation-status"
	systemObservation   = "http://terminology.hl7.org/CodeSystem/observation-category"
	systemDiagnostics   = "http://terminology.hl7.org/CodeSystem/v2-0074"
	typeOrganization    = "Organization"
	typePractitioner    = "Practitioner"
	codeSystem          = "CodeSystem"
	structureDefinition = "StructureDefinition"
	// propertyManufacturer names the property that keeps the manufacturer's code:
	// Device.manufacturer is a text, and DDCCDevicePropertyCodeSystem has no such type.
	propertyManufacturer = "manufacturer"
)

// modelTag is the system of the tag on the composition that names the core data set's
// model, which the profiles do not tell apart.
var modelTag = fhir.Canonical{Type: structureDefinition, Name: "DDCCCoreDataSet"}

// The wrappers write the library's types with the resourceType first and once. The
// library's own MarshalJSON escapes the narrative for HTML and marshals twice.
type (
	compositionResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherComposition
	}
	organizationResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherOrganization
	}
	practitionerResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherPractitioner
	}
	documentReferenceResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherDocumentReference
	}
)

func ptr[T any](v T) *T { return &v }

// text gives nil for an empty string.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func refTo(id string) r4.Reference { return r4.Reference{Reference: ptr(urnUUID(id))} }

func (w *writer) patientRef() r4.Reference { return refTo(w.ids.Patient) }

func (w *writer) organizationRef() r4.Reference {
	ref := refTo(w.ids.Organization)
	ref.Type = ptr(typeOrganization)
	return ref
}

func coding(c fhir.Coding) r4.Coding {
	return r4.Coding{System: text(c.System), Version: text(c.Version), Code: text(c.Code), Display: text(c.Display)}
}

func concept(c fhir.Coding) r4.CodeableConcept {
	return r4.CodeableConcept{Coding: []r4.Coding{coding(c)}}
}

func fixed(system, code string) r4.CodeableConcept {
	return concept(fhir.Coding{System: system, Code: code})
}

func identifier(id fhir.Identifier) *r4.Identifier {
	return &r4.Identifier{System: text(id.System), Value: text(id.Value)}
}

// labelReference writes a coding as a reference: code as identifier, text as display.
func labelReference(c fhir.Coding) *r4.Reference {
	if c.IsZero() {
		return nil
	}
	ref := r4.Reference{Display: text(c.Display)}
	if c.Code != "" {
		ref.Identifier = identifier(fhir.Identifier{System: c.System, Value: c.Code})
	}
	return &ref
}

func (w *writer) patient() fhir.Patient {
	p := fhir.Patient{
		ResourceType: "Patient", ID: w.ids.Patient, Meta: w.profile("DDCCPatient"),
		Name:      []r4.HumanName{{Use: ptr(r4.NameUseOfficial), Text: ptr(w.core.Name)}},
		Gender:    w.core.Sex,
		BirthDate: w.core.BirthDate,
	}
	if w.core.Identifier != nil {
		p.Identifier = []r4.Identifier{*identifier(*w.core.Identifier)}
	}
	if p.BirthDate == "" {
		p.NoBirthDate = fhir.Unknown()
	}
	return p
}

func (w *writer) organization() organizationResource {
	return organizationResource{"Organization", r4.OtherOrganization{
		Id: ptr(w.ids.Organization), Meta: w.profile("DDCCOrganization"),
		Identifier: []r4.Identifier{*identifier(w.authorityIdentifier())},
		Name:       ptr(w.in.Authority.Name),
	}}
}

func (w *writer) composition() compositionResource {
	profile, category := "DDCCVSComposition", "ddcc-vs"
	if w.core.Test != nil {
		profile, category = "DDCCTRComposition", "ddcc-tr"
	}
	author := w.organizationRef()
	author.Identifier = identifier(w.core.Certificate.Issuer) // as the issuer said it
	attester := w.organizationRef()
	custodian := w.organizationRef()
	subject := w.patientRef()
	meta := w.profile(profile)
	meta.Tag = []r4.Coding{{System: ptr(w.url(modelTag.Type, modelTag.Name)), Code: ptr(string(w.core.Model))}}
	c := r4.OtherComposition{
		Id: ptr(w.ids.Composition), Meta: meta, Text: w.documentNarrative(),
		Identifier: ptr(w.documentIdentifier()), Status: r4.CompositionStatusFinal,
		Type:     fixed(terminology.SystemLOINC, codeDocumentType),
		Category: []r4.CodeableConcept{fixed(w.url(codeSystem, "DDCCCompositionCategoryCodeSystem"), category)},
		Subject:  &subject, Date: w.issued, Author: []r4.Reference{author}, Title: documentTitle,
		Attester:  []r4.CompositionAttester{{Mode: r4.CompositionAttestationModeOfficial, Time: ptr(w.issued), Party: &attester}},
		Custodian: &custodian,
		Section:   []r4.CompositionSection{w.compositionSection()},
	}
	if p := w.core.Certificate.Period; p != (fhir.Period{}) {
		start, end, _ := fhir.PeriodEnds(p.Start, p.End) // Validate refuses the wrong order
		c.Event = []r4.CompositionEvent{{Period: &r4.Period{Start: text(start), End: text(end)}}}
	}
	return compositionResource{"Composition", c}
}

func (w *writer) compositionSection() r4.CompositionSection {
	code := fixed(terminology.SystemLOINC, w.section.code)
	focus := refTo(w.ids.Event)
	return r4.CompositionSection{
		Title: ptr(w.section.title), Code: &code, Focus: &focus,
		Text: narrative(w.section.lines), Entry: w.section.entries,
	}
}

// qrDisplay gives the display of a code of DDCCQRTypeCodeSystem, empty for others.
func qrDisplay(code string) string {
	switch code {
	case "who":
		return "WHO DDCC"
	case "dcc":
		return "EU DCC"
	case "icao":
		return "ICAO"
	case "au":
		return "AU"
	case "shc":
		return "SMART Health Card"
	case "divoc":
		return "DIVOC"
	case qrTypeICVP:
		return "WHO ICVP"
	default:
		return ""
	}
}

// The guide's code system, to which its value set may be extended, has no code for WHO's
// own International Certificate of Vaccination or Prophylaxis.
const (
	qrTypeICVP   = "icvp"
	qrTypeSystem = "urn:ddcc-gateway:qr-type"
)

func (w *writer) qrSystem(code string) string {
	if code == qrTypeICVP {
		return qrTypeSystem
	}
	return w.url(codeSystem, "DDCCQRTypeCodeSystem")
}

// qrCodes writes a DocumentReference for each QR code (profile DDCCDocumentReferenceQR).
func (w *writer) qrCodes() {
	for i, q := range w.in.QR {
		id := w.derive("DocumentReference/" + strconv.Itoa(i) + "/" + q.Type)
		w.ids.QR = append(w.ids.QR, id)
		w.list(id, w.qrCode(id, q))
	}
}

func (w *writer) qrCode(id string, q QRImage) documentReferenceResource {
	subject, authenticator := w.patientRef(), w.organizationRef()
	kind := concept(fhir.Coding{System: w.qrSystem(q.Type), Code: q.Type, Display: qrDisplay(q.Type)})
	d := r4.OtherDocumentReference{
		Id: ptr(id), Meta: w.profile("DDCCDocumentReferenceQR"), Status: r4.DocumentReferenceStatusCurrent,
		Type: &kind, Subject: &subject, Date: ptr(w.issued), Authenticator: &authenticator,
		Description: ptr("QR code of the certificate, " + qrDisplay(q.Type)),
		Content: []r4.DocumentReferenceContent{
			w.qrContent("image", "image/png", q.PNG),
			w.qrContent("serialized", "text/plain", []byte(q.Text)),
		},
	}
	if w.in.Legacy { // where readers of the old guide look for the type
		d.Category = []r4.CodeableConcept{fixed(w.url(codeSystem, "DDCCQRCategoryUsageCodeSystem"), q.Type)}
	}
	return documentReferenceResource{"DocumentReference", d}
}

func (w *writer) qrContent(format, contentType string, data []byte) r4.DocumentReferenceContent {
	return r4.DocumentReferenceContent{
		Attachment: r4.Attachment{ContentType: ptr(contentType), Data: ptr(base64.StdEncoding.EncodeToString(data))},
		Format:     &r4.Coding{System: ptr(w.url(codeSystem, "DDCCQRFormatCodeSystem")), Code: ptr(format)},
	}
}
