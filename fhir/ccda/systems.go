package ccda

import (
	"regexp"
	"strings"
)

// Code systems in FHIR's words.
const (
	systemLOINC        = "http://loinc.org"
	systemSNOMED       = "http://snomed.info/sct"
	systemUCUM         = "http://unitsofmeasure.org"
	systemCVX          = "http://hl7.org/fhir/sid/cvx"
	systemCPT          = "http://www.ama-assn.org/go/cpt"
	systemV3           = "http://terminology.hl7.org/CodeSystem/v3-"
	systemActCode      = systemV3 + "ActCode"
	systemNullFlavor   = systemV3 + "NullFlavor"
	systemRace         = "urn:oid:2.16.840.1.113883.6.238"
	systemLanguage     = "urn:ietf:bcp:47"
	systemURI          = "urn:ietf:rfc:3986"
	systemClinical     = "http://terminology.hl7.org/CodeSystem/condition-clinical"
	systemVerified     = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
	systemAllergy      = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
	systemAllergySeen  = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
	systemCategory     = "http://terminology.hl7.org/CodeSystem/condition-category"
	systemObservation  = "http://terminology.hl7.org/CodeSystem/observation-category"
	systemAbsent       = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	systemContactRole  = "http://terminology.hl7.org/CodeSystem/v2-0131"
	systemSectionEmpty = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
)

// codeSystems maps OIDs to the URIs that FHIR has for them (R4 terminologies-systems;
// HL7's naming systems).
var codeSystems = map[string]string{
	"2.16.840.1.113883.6.1":      systemLOINC,
	"2.16.840.1.113883.6.96":     systemSNOMED,
	"2.16.840.1.113883.6.8":      systemUCUM,
	"2.16.840.1.113883.12.292":   systemCVX,
	"2.16.840.1.113883.6.59":     systemCVX, // the older OID of CDC's table
	"2.16.840.1.113883.12.227":   "http://hl7.org/fhir/sid/mvx",
	"2.16.840.1.113883.6.88":     "http://www.nlm.nih.gov/research/umls/rxnorm",
	"2.16.840.1.113883.6.69":     "http://hl7.org/fhir/sid/ndc",
	"2.16.840.1.113883.4.9":      "http://fdasis.nlm.nih.gov",
	"2.16.840.1.113883.6.12":     systemCPT,
	"2.16.840.1.113883.6.285":    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
	"2.16.840.1.113883.6.3":      "http://hl7.org/fhir/sid/icd-10",
	"2.16.840.1.113883.6.90":     "http://hl7.org/fhir/sid/icd-10-cm",
	"2.16.840.1.113883.6.4":      "http://www.cms.gov/Medicare/Coding/ICD10",
	"2.16.840.1.113883.6.103":    "http://hl7.org/fhir/sid/icd-9-cm",
	"2.16.840.1.113883.6.104":    "http://hl7.org/fhir/sid/icd-9-cm",
	"2.16.840.1.113883.6.42":     "http://hl7.org/fhir/sid/icd-9",
	"2.16.840.1.113883.6.73":     "http://www.whocc.no/atc",
	"2.16.840.1.113883.6.101":    "http://nucc.org/provider-taxonomy",
	"2.16.840.1.113883.6.238":    systemRace,
	"2.16.840.1.113883.6.259":    "https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html",
	"2.16.840.1.113883.6.13":     "http://www.ada.org/cdt",
	"2.16.840.1.113883.3.26.1.1": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
	"2.16.840.1.113883.3.26.1.5": "http://terminology.hl7.org/CodeSystem/nciVersionOfNDF-RT",
	"2.16.840.1.113883.6.209":    "http://hl7.org/fhir/ndfrt",
	"2.16.840.1.113883.6.121":    "urn:ietf:bcp:47",
	"2.16.840.1.113883.12.1":     "http://terminology.hl7.org/CodeSystem/v2-0001",
	"2.16.840.1.113883.12.112":   "http://terminology.hl7.org/CodeSystem/v2-0112",
	"2.16.840.1.113883.5.1":      systemV3 + "AdministrativeGender",
	"2.16.840.1.113883.5.2":      systemV3 + "MaritalStatus",
	"2.16.840.1.113883.5.4":      systemActCode,
	"2.16.840.1.113883.5.6":      systemV3 + "ActClass",
	"2.16.840.1.113883.5.7":      systemV3 + "ActPriority",
	"2.16.840.1.113883.5.8":      systemV3 + "ActReason",
	"2.16.840.1.113883.5.14":     systemV3 + "ActStatus",
	"2.16.840.1.113883.5.25":     systemV3 + "Confidentiality",
	"2.16.840.1.113883.5.60":     systemV3 + "LanguageAbilityMode",
	"2.16.840.1.113883.5.61":     systemV3 + "LanguageAbilityProficiency",
	"2.16.840.1.113883.5.83":     systemV3 + "ObservationInterpretation",
	"2.16.840.1.113883.5.84":     systemV3 + "ObservationMethod",
	"2.16.840.1.113883.5.88":     systemV3 + "ParticipationFunction",
	"2.16.840.1.113883.5.90":     systemV3 + "ParticipationType",
	"2.16.840.1.113883.5.110":    systemV3 + "RoleClass",
	"2.16.840.1.113883.5.111":    systemV3 + "RoleCode",
	"2.16.840.1.113883.5.112":    systemV3 + "RouteOfAdministration",
	"2.16.840.1.113883.5.139":    systemV3 + "TimingEvent",
	"2.16.840.1.113883.5.1008":   systemNullFlavor,
	"2.16.840.1.113883.5.1063":   systemV3 + "ObservationValue",
	"2.16.840.1.113883.5.1076":   systemV3 + "ReligiousAffiliation",
	"2.16.840.1.113883.1.11.78":  systemV3 + "ObservationInterpretation",
	"2.16.840.1.113883.18.108":   "http://terminology.hl7.org/CodeSystem/v2-0203",
}

// identifierSystems maps roots of identifiers to URIs.
var identifierSystems = map[string]string{
	"2.16.840.1.113883.4.1":   "http://hl7.org/fhir/sid/us-ssn",
	"2.16.840.1.113883.4.6":   "http://hl7.org/fhir/sid/us-npi",
	"2.16.840.1.113883.4.7":   "urn:oid:2.16.840.1.113883.4.7", // CLIA
	"2.16.840.1.113883.4.572": "http://hl7.org/fhir/sid/us-medicare",
	"2.16.840.1.113883.4.927": "http://hl7.org/fhir/sid/us-mbi",
}

var (
	oidForm  = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*))+$`)
	uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
)

const maxOID = 200 // characters; real ones have a third of it

// urn gives the URI of an OID or UUID, "" when root is neither.
func urn(root string) string {
	switch {
	case len(root) <= maxOID && oidForm.MatchString(root):
		return "urn:oid:" + root
	case uuidForm.MatchString(root):
		return "urn:uuid:" + strings.ToLower(root)
	default:
		return ""
	}
}

// codeSystem gives the URI of a code system, "" when there is none or it cannot be one.
func codeSystem(oid string) string {
	if uri := codeSystems[oid]; uri != "" {
		return uri
	}
	return urn(oid)
}

// absentReasons is HL7's map of null flavours (CF-NullFlavorDataAbsentReason); the others
// mean unknown.
var absentReasons = map[string]string{
	"OTH": "unsupported", "TRC": "unsupported", "UNC": "unsupported", "NINF": "negative-infinity", "PINF": "positive-infinity",
	"MSK": "masked", "NA": "not-applicable", "ASKU": "asked-unknown", "NAV": "temp-unknown", "NASK": "not-asked",
}

// absentReason gives the data-absent-reason of an element that is absent or null.
func absentReason(n *node) string {
	if reason := absentReasons[n.null()]; reason != "" {
		return reason
	}
	return "unknown"
}

// absent is an element, or the sibling of a primitive one, that says why there is no value.
func absent(n *node) *object {
	return newObject().add("extension", newObject().
		put("url", "http://hl7.org/fhir/StructureDefinition/data-absent-reason").put("valueCode", absentReason(n)))
}
