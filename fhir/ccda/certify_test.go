package ccda_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestVaccinationBecomesCertificate goes the whole way from a CCD to the payload of a
// certificate, from the whole record and from its vaccinations alone. The authority and
// the holder's number come from whoever issues.
func TestVaccinationBecomesCertificate(t *testing.T) {
	t.Parallel()
	for _, o := range []ccda.Options{{}, {Type: ccda.Document}, {Vaccinations: true}} {
		events, _ := maps.EventsFromResources(convert(t, sample(t, "ccd"), o).Bundle)
		if len(events) != 1 || fault.HasErrors(events[0].Issues) {
			t.Fatalf("%+v", events)
		}
		certify(t, events[0].Core)
	}
}

func certify(t *testing.T, core fhir.CoreDataSet) {
	t.Helper()
	v := core.Vaccination
	if core.Name != "Anna Maria Specimen" || core.BirthDate != "1980-03-04" || core.Identifier == nil || core.Identifier.Value != "MRN-4711" {
		t.Errorf("%+v", core)
	}
	if core.Certificate.HCID != "" || core.Certificate.Period != (fhir.Period{}) {
		t.Errorf("the document speaks for the issuer: %+v", core.Certificate)
	}
	if v == nil || v.Brand.Code != "208" || v.Brand.System != "http://hl7.org/fhir/sid/cvx" || v.Lot != "LOT-4711" || v.Dose != 2 ||
		v.Date != "2026-10-01T10:15:00+01:00" || v.Manufacturer.Code != "ORG-100030215" || v.Manufacturer.Display != "Example Vaccines" ||
		v.Centre != "Sample Clinic, Ground Floor" || v.Practitioner.Value != "9999999902" {
		t.Fatalf("%+v", v)
	}
	core.Certificate.HCID, core.Certificate.Issuer = "HCID-4711", fhir.Identifier{Value: "https://health.example.org"}
	v.Country = fhir.Coding{System: "urn:iso:std:iso:3166", Code: "USA"}
	v.Disease = fhir.Coding{System: "http://id.who.int/icd11/mms", Code: "RA01"}
	if issues := core.Validate(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)); fault.HasErrors(issues) {
		t.Fatalf("%+v", issues)
	}
	if _, _, err := maps.Claims(core); err != nil {
		t.Fatal(err)
	}
}

// What was refused, planned or stands without a status is no vaccination.
func TestOnlyGivenDosesAreVaccinations(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"negated", "minimal"} {
		result := convert(t, sample(t, name), ccda.Options{Vaccinations: true})
		if got := entries(t, result.Bundle); len(got["Immunization"]) != 0 || len(got["Patient"]) != 1 || len(got) != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
	given := sample(t, "ccd")
	for _, status := range []string{"active", "aborted", "nullified", "held", "unheard-of"} {
		at := bytes.Index(given, []byte("IMM-1"))
		raw := append(bytes.Clone(given[:at]), bytes.Replace(given[at:], []byte(`statusCode code="completed"`), []byte(`statusCode code="`+status+`"`), 1)...)
		result := convert(t, raw, ccda.Options{Vaccinations: true})
		if got := entries(t, result.Bundle); len(got["Immunization"]) != 0 || len(result.Issues) == 0 {
			t.Errorf("%s: %v", status, got)
		}
	}
}
