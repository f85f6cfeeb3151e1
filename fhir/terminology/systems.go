package terminology

import "strings"

// guideBase is the canonical base of the DDCC guide's current release.
const guideBase = "http://smart.who.int/ddcc/"

// Code system URIs as this package answers them.
const (
	SystemICD11   = "http://id.who.int/icd11/mms" // also used for ICHI codes
	SystemICD10   = "http://hl7.org/fhir/sid/icd-10"
	SystemSNOMED  = "http://snomed.info/sct"
	SystemLOINC   = "http://loinc.org"
	SystemCVX     = "http://hl7.org/fhir/sid/cvx"
	SystemATC     = "http://www.whocc.no/atc" // WHO's Anatomical Therapeutic Chemical classification
	SystemISO3166 = "urn:iso:std:iso:3166"
	SystemGender  = "http://hl7.org/fhir/administrative-gender"

	// SystemEURegister is the EU community register of medicinal products, the system
	// of the EU DCC's mp codes. Products outside the register have a name as code.
	SystemEURegister = "https://ec.europa.eu/health/documents/community-register/html/"
	// SystemEUHolder is the EU list of marketing authorisation holders and manufacturers,
	// the system of the EU DCC's ma codes of vaccines. EMA's register of organisations
	// has most of the codes, the list itself the others.
	SystemEUHolder = "https://id.uvci.eu/valuesets/vaccine-mah-manf.json"
	// SystemJRCDevice is the JRC database of COVID-19 tests, the system of the EU DCC's
	// ma codes of tests. Its ids are opaque here: the list changes too often for a table.
	SystemJRCDevice = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"
	// SystemPrequalified is WHO's list of prequalified vaccine products, the system of
	// the ICVP's vp codes.
	SystemPrequalified = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"

	SystemCompositionCategory = guideBase + "CodeSystem/DDCCCompositionCategoryCodeSystem"
	SystemQRType              = guideBase + "CodeSystem/DDCCQRTypeCodeSystem"
	SystemQRFormat            = guideBase + "CodeSystem/DDCCQRFormatCodeSystem"
	SystemFolderDesignation   = guideBase + "CodeSystem/DDCCFolderDesignationTypeCodesystem"
	SystemDeviceProperty      = guideBase + "CodeSystem/DDCCDevicePropertyCodeSystem"
	SystemExampleTest         = guideBase + "CodeSystem/DDCCExampleTestCodeSystem"

	SystemDIVOC         = guideBase + "CodeSystem/DIVOCCodeSystem" // vaccine names
	SystemDIVOCType     = guideBase + "CodeSystem/WHODDCCdivoclabtesttype"
	SystemDIVOCPathogen = guideBase + "CodeSystem/WHODDCCdivoclabtestpathogen"
	SystemDIVOCOrigin   = guideBase + "CodeSystem/WHODDCCdivoclabtestorigin"
	SystemDIVOCResult   = guideBase + "CodeSystem/WHODDCCdivoclabtestresult"

	SystemICAO       = guideBase + "CodeSystem/ICAOV1CodeSystem" // vaccine names
	SystemICAOType   = guideBase + "CodeSystem/WHODDCCicaolabtesttype"
	SystemICAOOrigin = guideBase + "CodeSystem/WHODDCCicaolabtestorigin"
	SystemICAOResult = guideBase + "CodeSystem/WHODDCCicaolabtestresult"
)

// codeSystem ties the short token of the data files to the URI and its other spellings.
// Scheme, trailing slash, version and guide base vary freely and are not listed.
type codeSystem struct {
	token, uri string
	aliases    []string
}

var codeSystems = []codeSystem{
	{"icd11", SystemICD11, []string{"http://id.who.int/icd/release/11/mms"}},
	{"icd10", SystemICD10, []string{"urn:oid:2.16.840.1.113883.6.3"}},
	{"sct", SystemSNOMED, []string{
		"urn:oid:2.16.840.1.113883.6.96",
		// The EU's lists of SNOMED CT codes, which some senders name in place of the system.
		"https://id.uvci.eu/valuesets/vaccine-prophylaxis.json",
		"https://id.uvci.eu/valuesets/disease-agent-targeted.json",
		"https://id.uvci.eu/valuesets/test-result.json",
	}},
	{"loinc", SystemLOINC, []string{"urn:oid:2.16.840.1.113883.6.1", "https://id.uvci.eu/valuesets/test-type.json"}},
	{"cvx", SystemCVX, []string{"urn:oid:2.16.840.1.113883.12.292"}},
	{"atc", SystemATC, []string{"urn:oid:2.16.840.1.113883.6.73"}},
	{"euur", SystemEURegister, []string{
		"http://ec.europa.eu/temp/vaccineproductname",
		"https://id.uvci.eu/valuesets/vaccine-medicinal-product.json",
		guideBase + "CodeSystem/WHODDCCeuur",
	}},
	{"eu-ma", SystemEUHolder, []string{
		"https://spor.ema.europa.eu/v1/organisations",
		"http://ec.europa.eu/temp/vaccinemanufacturer",
	}},
	{"jrc", SystemJRCDevice, nil},
	{"prequal", SystemPrequalified, []string{"http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIDs"}},
	{"iso3166", SystemISO3166, []string{"http://hl7.org/fhir/ValueSet/iso3166-1-3"}},
	{"gender", SystemGender, nil},
	{"category", SystemCompositionCategory, []string{guideBase + "CodeSystem/DDCC-Composition-Category-CodeSystem"}},
	{"qr-type", SystemQRType, []string{
		guideBase + "CodeSystem/DDCCQRCategoryUsageCodeSystem",
		guideBase + "CodeSystem/DDCC-QR-Category-Usage-CodeSystem",
	}},
	{"qr-format", SystemQRFormat, []string{guideBase + "CodeSystem/DDCC-QR-Format-CodeSystem"}},
	{"folder", SystemFolderDesignation, []string{guideBase + "CodeSystem/DDCC-Folder-DesignationType"}},
	{"device-property", SystemDeviceProperty, nil},
	{"example-test", SystemExampleTest, []string{guideBase + "CodeSystem/DDCC-Example-Test-CodeSystem"}},
	{"divoc", SystemDIVOC, []string{guideBase + "DIVOC"}},
	{"divoc-type", SystemDIVOCType, labAliases("type-divoc", "LabTestTypeDivocValueSet")},
	{"divoc-pathogen", SystemDIVOCPathogen, labAliases("pathogen-divoc", "LabTestPathogenDivocValueSet")},
	{"divoc-origin", SystemDIVOCOrigin, labAliases("sample-origin-divoc", "LabTestSampleOriginDivocValueSet")},
	{"divoc-result", SystemDIVOCResult, labAliases("qual-result-divoc", "LabTestQualitativeResultDivocValueSet")},
	{"icao", SystemICAO, []string{guideBase + "ICAOV1"}},
	{"icao-type", SystemICAOType, labAliases("type-icao", "LabTestTypeIcaoValueSet")},
	{"icao-origin", SystemICAOOrigin, labAliases("sample-origin-icao", "LabTestSampleOriginIcaoValueSet")},
	{"icao-result", SystemICAOResult, labAliases("qual-result-icao", "LabTestResultIcaoValueSet")},
}

// labAliases lists the names under which the guide's maps and value sets cite a
// laboratory code system; neither is the name the guide defines.
func labAliases(inMaps, inValueSets string) []string {
	return []string{
		guideBase + "CodeSystem/lab-test-" + inMaps,
		guideBase + "CodeSystem/" + inValueSets,
	}
}

// guideBases are the published bases of the guide without their scheme, in lower case.
var guideBases = [...]string{
	"smart.who.int/ddcc/",
	"worldhealthorganization.github.io/ddcc/",
}

// CanonicalSystem gives the one URI this package uses for a code system. It accepts
// http and https, a trailing slash, a |version, every published base of the DDCC guide
// and the other spellings listed in this file; false means the system is unknown.
func CanonicalSystem(uri string) (string, bool) {
	s, ok := loaded().systems[systemKey(uri)]
	return s, ok
}

// key is a system URI reduced to what tells systems apart. The guide's own names
// compare without their base.
type key struct {
	guide bool
	rest  string
}

func systemKey(uri string) key {
	uri, _, _ = strings.Cut(uri, "|")
	uri = trimScheme(uri)
	name, ok := trimGuideBase(uri)
	return key{guide: ok, rest: strings.TrimSuffix(name, "/")}
}

func trimScheme(uri string) string {
	if rest, ok := strings.CutPrefix(uri, "http://"); ok {
		return rest
	}
	return strings.TrimPrefix(uri, "https://")
}

// trimGuideBase cuts one of guideBases off a URI without scheme. Letter case is ignored
// because one published base is in mixed case.
func trimGuideBase(uri string) (string, bool) {
	for _, base := range guideBases {
		if len(uri) > len(base) && strings.EqualFold(uri[:len(base)], base) {
			return uri[len(base):], true
		}
	}
	return uri, false
}
