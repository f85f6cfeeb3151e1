package terminology

// Value set ids for InValueSet.
const (
	ValueSetVaccines       = "WHODDCCVaccinesCOVID19"
	ValueSetBrands         = "WHODDCCBrandsCOVID19"
	ValueSetDisease        = "WHODDCCDiseaseTargetedCOVID19"
	ValueSetAgent          = "WHODDCCAgentTargetedCOVID19"
	ValueSetTestType       = "WHODDCCTypeofTestCOVID19"
	ValueSetSampleOrigin   = "WHODDCCSampleOriginCOVID19"
	ValueSetTestResult     = "who-ddcc-test-result-covid-19" // FSH name WHODDCCTestResultCOVID19
	ValueSetGender         = "administrative-gender"
	ValueSetCountryAlpha2  = "iso3166-1-2"
	ValueSetCountryAlpha3  = "iso3166-1-3"
	ValueSetCountryNumeric = "iso3166-1-N"

	ValueSetCompositionCategory = "DDCCCompositionCategory"
	ValueSetQRType              = "DDCCQRType"
	ValueSetQRFormat            = "DDCCQRFormat"
	ValueSetFolderDesignation   = "DDCCFolderDesignationType"
	ValueSetDeviceProperty      = "DDCCDeviceProperty"

	// The sets of what source certificates carry.
	ValueSetVaccinesICD11  = "VaccineCovid19Icd11" // wider than ValueSetVaccines
	ValueSetVaccinesEU     = "VaccineCovid19EUUnionRegister"
	ValueSetVaccinesCVX    = "VaccineCovid19Cvx"
	ValueSetVaccinesSNOMED = "VaccineCovid19Snomed"
	ValueSetVaccinesDIVOC  = "DIVOC"
	ValueSetVaccinesICAO   = "ICAOV1"

	ValueSetTestTypeLOINC      = "LabTestTypeCovid19Loinc"
	ValueSetTestTypeLOINCParts = "LabTestTypeLoinc" // the two classes the EU DCC's tt takes
	ValueSetTestTypeDIVOC      = "LabTestTypeDivoc"
	ValueSetTestTypeICAO       = "LabTestTypeIcao"
	ValueSetTestPathogenSNOMED = "LabTestPathogenCovid19Snomed"
	ValueSetTestPathogenDIVOC  = "LabTestPathogenDivoc"
	ValueSetTestOriginDIVOC    = "LabTestSampleOriginDivoc"
	ValueSetTestOriginICAO     = "LabTestSampleOriginIcao"
	ValueSetTestResultSNOMED   = "LabTestQualitativeResultSnomed"
	ValueSetTestResultDIVOC    = "LabTestQualitativeResultDivoc"
	ValueSetTestResultICAO     = "LabTestResultIcao"

	// The EU's value sets, under the EU's ids: the codes a new EU DCC may carry. Codes
	// that the EU has retired are in the code systems alone.
	ValueSetEUDisease     = "disease-agent-targeted"
	ValueSetEUProphylaxis = "sct-vaccines-covid-19"
	ValueSetEUProduct     = "vaccines-covid-19-names"
	ValueSetEUHolder      = "vaccines-covid-19-auth-holders"
	ValueSetEUTestType    = "covid-19-lab-test-type"
	ValueSetEUTestResult  = "covid-19-lab-result"

	// ValueSetICVPProducts is WHO's set of products an ICVP may name (smart-icvp 0.3.0).
	ValueSetICVPProducts = "ICVPProductIds"

	// ValueSetSingleDose is ours: EU DCC products of which one dose is the whole series.
	ValueSetSingleDose = "gateway-vaccines-single-dose"

	// ValueSetVaccinesOther is ours: ICD-11 vaccines other than COVID-19 of WHO's list
	// of vaccinable conditions, one general code a condition.
	ValueSetVaccinesOther = "gateway-vaccines-other"
)

// Concept map ids for Translate. From the DDCC guide unless the comment says otherwise.
const (
	MapDiseaseToSNOMED    = "who-ddcc-map-icd11-sct-disease-targeted"
	MapDiseaseToICD10     = "who-ddcc-map-icd11-icd10-disease-targeted"
	MapAgentToSNOMED      = "who-ddcc-map-icd11-sct-agent-targeted"
	MapTestTypeToLOINC    = "who-ddcc-map-ichi-loinc-type-of-test"
	MapTestTypeToSNOMED   = "who-ddcc-map-ichi-sct-type-of-test"
	MapTestResultToSNOMED = "who-ddcc-map-icd11-sct-test-result"
	MapOriginToSNOMED     = "who-ddcc-map-ichi-sct-specimen-origin"
	MapOriginFromSNOMED   = "who-ddcc-map-sct-ichi-specimen-origin"

	// The type maps know vaccine types only: many brands to one type.
	MapVaccineTypeToSNOMED  = "who-ddcc-map-icd11-sct-vaccines"
	MapVaccineTypeToEU      = "who-ddcc-map-icd11-eudcc-vaccines"
	MapVaccineTypeFromEU    = "who-ddcc-map-eudcc-icd11-vaccines"
	MapVaccineTypeToDIVOC   = "who-ddcc-map-icd11-divoc-vaccines"
	MapVaccineTypeFromDIVOC = "who-ddcc-map-divoc-icd11-vaccines"
	MapVaccineTypeFromCVX   = "who-ddcc-map-cvx-icd11-vaccines" // CVX 208 alone

	MapBrandFromEU     = "vaccine-covid19-euur-to-icd11"
	MapBrandFromCVX    = "vaccine-covid19-cvx-to-icd11"
	MapBrandFromCVXOld = "who-ddcc-map-cvx-icd11-brands" // CVX 208 alone
	MapBrandFromSNOMED = "vaccine-covid19-snomed-to-icd11"
	MapBrandFromICAO   = "who-ddcc-map-icao-icd11-vaccines"
	MapBrandToICAO     = "who-ddcc-map-icd11-icao-vaccines"

	MapTestTypeFromLOINC     = "lab-test-type-covid19-loinc-to-icd11"
	MapTestTypeFromParts     = "lab-test-type-snomed-to-icd11" // LOINC parts and SNOMED CT techniques
	MapTestTypeLOINCToSNOMED = "who-ddcc-map-loinc-sct-type-of-test"
	MapTestTypeFromDIVOC     = "lab-test-type-divoc-to-icd11"
	MapTestTypeFromICAO      = "lab-test-type-icao-to-icd11"
	MapPathogenFromSNOMED    = "lab-test-pathogen-snomed-to-icd11"
	MapPathogenFromDIVOC     = "lab-test-pathogen-divoc-to-icd11"
	MapOriginFromDIVOC       = "lab-test-sample-origin-divoc-to-icd11"
	MapOriginFromICAO        = "lab-test-sample-origin-icao-to-icd11"
	MapTestResultFromSNOMED  = "lab-test-qual-result-snomed-to-icd11"
	MapTestResultFromDIVOC   = "lab-test-qual-result-divoc-to-icd11"
	MapTestResultFromICAO    = "lab-test-qual-result-icao-to-icd11"

	// MapVaccineTypeFromSNOMED is ours: the EU DCC's vp codes and the inverse of
	// MapVaccineTypeToSNOMED.
	MapVaccineTypeFromSNOMED = "gateway-map-sct-icd11-vaccines"
	// MapBrandToEU is ours: the inverse of MapBrandFromEU for brands; vaccine types,
	// which do not say which product was given, are left out.
	MapBrandToEU = "gateway-map-icd11-eudcc-brands"
	// MapVaccineTypeToSNOMEDMore is ours: what MapVaccineTypeToSNOMED lacks.
	MapVaccineTypeToSNOMEDMore = "gateway-map-icd11-sct-vaccines"
	// MapVaccineProductToType is ours: ICD-11's own hierarchy, from a product to its type.
	MapVaccineProductToType = "gateway-map-icd11-vaccine-types"
	// MapProductToProphylaxis and MapProductToHolder are ours: the EU's encoding
	// instructions, from mp to the acceptable vp, the most specific first, and to ma.
	MapProductToProphylaxis = "gateway-map-eudcc-prophylaxis"
	MapProductToHolder      = "gateway-map-eudcc-holders"
	// The maps from and to ATC are ours.
	MapVaccineTypeFromATC = "gateway-map-atc-icd11-vaccines"
	MapVaccineTypeToATC   = "gateway-map-icd11-atc-vaccines"
	// MapBrandToCVX is ours: MapBrandFromCVX turned round. A CVX code that says more than
	// its brand (a formulation, a strength) is narrower there.
	MapBrandToCVX       = "gateway-map-icd11-cvx-brands"
	MapVaccineTypeToCVX = "gateway-map-icd11-cvx-vaccines"
	// MapDiseaseToEU is ours: disease or agent to the EU DCC's tg.
	MapDiseaseToEU       = "gateway-map-icd11-eudcc-disease"
	MapDiseaseFromSNOMED = "gateway-map-sct-icd11-disease"
	// MapTestResultToEU is ours: the EU DCC's tr.
	MapTestResultToEU = "gateway-map-icd11-eudcc-test-result"
	// MapVaccineTypeFromPrequalified is ours: WHO prequalified products to the general
	// ICD-11 code of their vaccine. Combination vaccines have none.
	MapVaccineTypeFromPrequalified = "gateway-map-prequal-icd11-vaccines"
	// MapTestResultNormal is ours: the result code the guide's maps used to write for a
	// negative test, to the one its value set has.
	MapTestResultNormal = "gateway-map-icd11-test-result"
)
