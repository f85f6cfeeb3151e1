package interop

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// asked is what certificates must hold of the events they were made from, by path: the
// peers' word for it, not ours. Codes are those of the EU's value sets, of CVX, LOINC,
// SNOMED CT and ICAO's words for what the events say in ICD-11.
var asked = map[string]map[string]string{
	signing.ProfileDDCCVS: {
		"name": "Zoë Ångström Specimen", "birthDate": "1979-03-08", "certificate/hcid": "INTEROP-1",
		"vaccination/brand/code": "XM8NQ0", "vaccination/lot": "SPECLOT7", "vaccination/dose": "2", "vaccination/country/code": "CHE",
	},
	signing.ProfileDDCCTR: {
		"name": "Ngozi Specimen", "certificate/hcid": "INTEROP-2", "test/pathogen/code": "XN109", "test/result/code": "QA02", "test/country/code": "CHE",
	},
	signing.ProfileDCCVaccination: {
		"ver": "1.3.0", "dob": "1979-03-08", "nam/fn": "Specimen", "nam/gn": "Zoë Ångström", "nam/fnt": "SPECIMEN", "nam/gnt": "ZOE<AANGSTROEM",
		"v/0/tg": "840539006", "v/0/vp": "1119349007", "v/0/mp": "EU/1/20/1528", "v/0/ma": "ORG-100030215",
		"v/0/dn": "2", "v/0/sd": "2", "v/0/dt": daysAgo(20), "v/0/co": "CH",
	},
	signing.ProfileDCCTest: {
		"nam/fnt": "SPECIMEN", "nam/gnt": "NGOZI", "t/0/tg": "840539006", "t/0/tt": "LP6464-4", "t/0/tr": "260415000", "t/0/co": "CH", "t/0/tc": "Specimen Laboratory",
	},
	signing.ProfileDCCRecovery: {
		"r/0/tg": "840539006", "r/0/fr": daysAgo(20), "r/0/df": daysAgo(20 - 11), "r/0/du": daysAgo(20 - 180), "r/0/co": "CH",
	},
	signing.ProfileICVP: {
		"n": "Ngozi Specimen", "dob": "1979-03-08", "v/0/vp": stamaril, "v/0/bo": "SPECLOT7", "v/0/dt": daysAgo(20),
	},
	signing.ProfileSHCImmunization: {
		patientOf + "birthDate": "1979-03-08", patientOf + "name/0/text": "Zoë Ångström Specimen",
		eventOf + "resourceType": "Immunization", eventOf + "vaccineCode/coding/0/code": "XM8NQ0", eventOf + "lotNumber": "SPECLOT7",
		eventOf + "occurrenceDateTime": daysAgo(20),
	},
	signing.ProfileSHCLaboratory: {
		patientOf + "name/0/text": "Ngozi Specimen", eventOf + "resourceType": "Observation", eventOf + "valueCodeableConcept/coding/0/code": "260415000",
	},
	signing.ProfileVDSVaccination: {
		"hdr/t": "icao.vacc", "hdr/is": "UTO", "msg/pid/dob": "1979-03-08", "msg/ve/0/des": "XM0GQ8", "msg/ve/0/nam": "Comirnaty",
		"msg/ve/0/vd/0/ctr": "CHE", "msg/ve/0/vd/0/lot": "SPECLOT7", "msg/ve/0/vd/0/dvc": daysAgo(20), "msg/ve/0/vd/0/seq": "2",
	},
	signing.ProfileVDSTest: {
		"hdr/t": "icao.test", "msg/pid/dn": "X0000000", "msg/pid/dt": "P", "msg/tr/tc": "molecular(PCR)", "msg/tr/r": "negative", "msg/sp/ctr": "CHE",
	},
}

// Where a health card has its patient and the first event.
const (
	patientOf = "vc/credentialSubject/fhirBundle/entry/0/resource/"
	eventOf   = "vc/credentialSubject/fhirBundle/entry/1/resource/"
)

// today is one day for events and expectations, also around midnight.
var today = time.Now().UTC()

func daysAgo(n int) string { return today.AddDate(0, 0, -n).Format(time.DateOnly) }

// seconds is when a certificate ends, zero for never.
func seconds(r verification.Result) int64 {
	if r.ExpiresAt.IsZero() {
		return 0
	}
	return r.ExpiresAt.Unix()
}
