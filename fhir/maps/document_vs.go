package maps

import (
	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

type recommendationResource struct {
	ResourceType string `json:"resourceType"`
	r4.OtherImmunizationRecommendation
}

// vaccination writes the event of a vaccination document (profiles DDCCImmunization,
// DDCCImmunizationRecommendation, DDCCPractitioner).
func (w *writer) vaccination(v fhir.Vaccination) {
	w.ids.Event = w.derive("Immunization")
	w.section.code, w.section.title = codeVaccination, "Vaccination"
	w.section.lines = vaccinationLines(v)
	i := w.immunization(v)
	if v.Practitioner.Value != "" {
		id := w.derive("Practitioner")
		w.add(id, w.practitioner(id, v.Practitioner.Value))
		actor := refTo(id)
		actor.Type = ptr(typePractitioner)
		actor.Identifier = identifier(v.Practitioner) // as the issuer said it
		i.Performer = []fhir.ImmunizationPerformer{{Actor: actor}}
	}
	w.list(w.ids.Event, i)
	if v.NextDose != "" {
		id := w.derive("ImmunizationRecommendation")
		w.list(id, w.recommendation(id, v))
	}
}

func (w *writer) immunization(v fhir.Vaccination) fhir.Immunization {
	i := fhir.Immunization{
		ResourceType: "Immunization", ID: w.ids.Event, Meta: w.profile("DDCCImmunization"),
		Extension: w.vaccinationExtensions(v), Status: "completed", VaccineCode: concept(v.Vaccine),
		Patient: w.patientRef(), OccurrenceDateTime: v.Date, Location: &fhir.LabelledReference{Display: v.Centre},
		Manufacturer: labelReference(v.Manufacturer), LotNumber: v.Lot,
		ProtocolApplied: []fhir.ProtocolApplied{{
			Authority: w.organizationRef(), DoseNumberPositiveInt: v.Dose, SeriesDosesPositiveInt: v.TotalDoses,
		}},
	}
	if v.Centre == "" { // optional in the core data set, required in the profile
		i.Location.NoDisplay = fhir.Unknown()
	}
	if !v.Disease.IsZero() {
		i.ProtocolApplied[0].TargetDisease = []r4.CodeableConcept{concept(v.Disease)}
	}
	return i
}

func (w *writer) vaccinationExtensions(v fhir.Vaccination) []r4.Extension {
	brand, country := coding(v.Brand), v.Country.Code
	out := []r4.Extension{
		{Url: w.url(structureDefinition, "DDCCEventBrand"), ValueCoding: &brand},
		{Url: w.url(structureDefinition, "DDCCCountryOfEvent"), ValueCode: &country},
	}
	if w.in.Legacy {
		out = append(out,
			r4.Extension{Url: w.url(structureDefinition, "DDCCVaccineBrand"), ValueCoding: &brand},
			r4.Extension{Url: w.url(structureDefinition, "DDCCCountryOfVaccination"), ValueCode: &country})
	}
	if !v.MAHolder.IsZero() {
		holder := coding(v.MAHolder)
		out = append(out, r4.Extension{Url: w.url(structureDefinition, "DDCCVaccineMarketAuthorization"), ValueCoding: &holder})
	}
	if v.ValidFrom != "" {
		out = append(out, r4.Extension{Url: w.url(structureDefinition, "DDCCVaccineValidFrom"), ValueDate: &v.ValidFrom})
	}
	return out
}

func (w *writer) practitioner(id, value string) practitionerResource {
	assigner := w.organizationRef()
	return practitionerResource{typePractitioner, r4.OtherPractitioner{
		Id: ptr(id), Meta: w.profile("DDCCPractitioner"),
		Identifier: []r4.Identifier{{
			Use: ptr(r4.IdentifierUseOfficial), System: ptr(w.practitionerSystem()), Value: ptr(value), Assigner: &assigner,
		}},
	}}
}

func (w *writer) recommendation(id string, v fhir.Vaccination) recommendationResource {
	rec := r4.ImmunizationRecommendationRecommendation{
		VaccineCode:    []r4.CodeableConcept{concept(v.Vaccine)},
		ForecastStatus: fixed(systemForecast, "due"),
		DateCriterion: []r4.ImmunizationRecommendationRecommendationDateCriterion{{
			Code: fixed(terminology.SystemLOINC, codeDateVaccineDue), Value: v.NextDose,
		}},
		DoseNumberPositiveInt:  ptr(v.Dose + 1),
		SupportingImmunization: []r4.Reference{refTo(w.ids.Event)},
	}
	if v.TotalDoses > v.Dose { // "dose 3 of 2" would contradict itself
		rec.SeriesDosesPositiveInt = ptr(v.TotalDoses)
	}
	if !v.Disease.IsZero() {
		rec.TargetDisease = ptr(concept(v.Disease))
	}
	return recommendationResource{"ImmunizationRecommendation", r4.OtherImmunizationRecommendation{
		Id: ptr(id), Meta: w.profile("DDCCImmunizationRecommendation"),
		Patient: w.patientRef(), Date: v.Date,
		Recommendation: []r4.ImmunizationRecommendationRecommendation{rec},
	}}
}
