package maps

import (
	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

type (
	observationResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherObservation
	}
	reportResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherDiagnosticReport
	}
	procedureResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherProcedure
	}
	specimenResource struct {
		ResourceType string `json:"resourceType"`
		r4.OtherSpecimen
	}
)

// testIDs are the ids of a test document's resources. Specimen is empty when the origin
// of the sample is unknown.
type testIDs struct {
	device, report, specimen, procedure string
}

// test writes the event of a test document (profiles DDCCObservation, DDCCTest,
// DDCCDiagnosticReport, DDCCSpecimen, DDCCProcedure).
func (w *writer) test(t fhir.Test) {
	w.ids.Event = w.derive("Observation")
	ids := testIDs{device: w.derive("Device"), report: w.derive("DiagnosticReport"), procedure: w.derive("Procedure")}
	if !t.Origin.IsZero() {
		ids.specimen = w.derive("Specimen")
	}
	w.section.code, w.section.title = codeTestResult, "Test result"
	w.section.lines = testLines(t)
	w.list(w.ids.Event, w.observation(t, ids))
	w.list(ids.device, w.device(t, ids.device))
	w.list(ids.report, w.report(t, ids))
	if ids.specimen != "" {
		w.list(ids.specimen, w.specimen(t, ids.specimen))
	}
	w.list(ids.procedure, w.procedure(t, ids))
}

func (w *writer) observation(t fhir.Test, ids testIDs) observationResource {
	subject, device, value := w.patientRef(), refTo(ids.device), concept(t.Result)
	o := r4.OtherObservation{
		Id: ptr(w.ids.Event), Meta: w.profile("DDCCObservation"), Status: r4.ObservationStatusFinal,
		Category: []r4.CodeableConcept{fixed(systemObservation, "laboratory")}, Code: concept(t.Type),
		Subject: &subject, EffectiveDateTime: ptr(t.Date), ValueCodeableConcept: &value, Device: &device,
		Performer: []r4.Reference{performer(t.Centre)},
	}
	if ids.specimen != "" {
		specimen := refTo(ids.specimen)
		o.Specimen = &specimen
	}
	// The profile's binding of method is required, so another code stays in the specimen.
	if member, _ := terminology.InValueSet(terminology.ValueSetSampleOrigin, t.Origin.System, t.Origin.Code); member {
		o.Method = ptr(concept(t.Origin))
	}
	return observationResource{"Observation", o}
}

// performer is required by the IPS parent profile: the centre if there is one, else the
// honest statement that nobody knows.
func performer(centre fhir.Coding) r4.Reference {
	ref := labelReference(centre)
	if ref == nil {
		return r4.Reference{Extension: []r4.Extension{fhir.UnknownExtension()}}
	}
	ref.Type = ptr(typeOrganization)
	return *ref
}

func (w *writer) device(t fhir.Test, id string) fhir.Device {
	d := fhir.Device{
		ResourceType: "Device", ID: id, Meta: w.profile("DDCCTest"), Type: concept(t.Type), Patient: w.patientRef(),
		Property: []r4.DeviceProperty{w.property("pathogen", t.Pathogen)},
	}
	if !t.Brand.IsZero() {
		d.Property = append(d.Property, w.property("brand", t.Brand))
	}
	switch {
	case t.Manufacturer.IsZero():
		d.NoManufacturer = fhir.Unknown() // optional in the core data set, required in the profile
	case t.Manufacturer.Display != "":
		d.Manufacturer = t.Manufacturer.Display
	default:
		d.Manufacturer = t.Manufacturer.Code
	}
	if t.Manufacturer.Code != "" {
		d.Property = append(d.Property, r4.DeviceProperty{
			Type: r4.CodeableConcept{Text: ptr(propertyManufacturer)}, ValueCode: []r4.CodeableConcept{concept(t.Manufacturer)},
		})
	}
	return d
}

func (w *writer) property(kind string, value fhir.Coding) r4.DeviceProperty {
	return r4.DeviceProperty{
		Type: fixed(w.url(codeSystem, "DDCCDevicePropertyCodeSystem"), kind), ValueCode: []r4.CodeableConcept{concept(value)},
	}
}

// report needs one specimen by its profile. Where the origin is unknown there is no
// Specimen to point to, because DDCCSpecimen in turn requires the type: the reference
// then says that it is unknown, instead of a specimen being made up.
func (w *writer) report(t fhir.Test, ids testIDs) reportResource {
	subject := w.patientRef()
	specimen := r4.Reference{Extension: []r4.Extension{fhir.UnknownExtension()}}
	if ids.specimen != "" {
		specimen = refTo(ids.specimen)
	}
	return reportResource{"DiagnosticReport", r4.OtherDiagnosticReport{
		Id: ptr(ids.report), Meta: w.profile("DDCCDiagnosticReport"), Status: r4.DiagnosticReportStatusFinal,
		Category: []r4.CodeableConcept{fixed(systemDiagnostics, "LAB")}, Code: concept(t.Type), Subject: &subject,
		EffectiveDateTime: ptr(t.Date), Specimen: []r4.Reference{specimen}, Result: []r4.Reference{refTo(w.ids.Event)},
	}}
}

func (w *writer) specimen(t fhir.Test, id string) specimenResource {
	subject, kind := w.patientRef(), concept(t.Origin)
	return specimenResource{"Specimen", r4.OtherSpecimen{
		Id: ptr(id), Meta: w.profile("DDCCSpecimen"), Type: &kind, Subject: &subject,
		Collection: &r4.SpecimenCollection{CollectedDateTime: ptr(t.Date)},
	}}
}

func (w *writer) procedure(t fhir.Test, ids testIDs) procedureResource {
	code := concept(t.Type)
	return procedureResource{"Procedure", r4.OtherProcedure{
		Id: ptr(ids.procedure), Meta: w.profile("DDCCProcedure"), Status: r4.EventStatusCompleted,
		Extension: []r4.Extension{{Url: w.url(structureDefinition, "DDCCCountryOfEvent"), ValueCode: ptr(t.Country.Code)}},
		Code:      &code, Subject: w.patientRef(), PerformedDateTime: ptr(t.Date), Location: labelReference(t.Centre),
		Report: []r4.Reference{refTo(ids.report)}, UsedReference: []r4.Reference{refTo(ids.device)},
	}}
}
