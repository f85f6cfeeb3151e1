package terminology

// route is a map that Resolve may take for a use.
type route struct{ source, target, id string }

// routes lists the maps of each use, the preferred one of a pair of systems first.
var routes = map[Use][]route{
	VaccineType: {
		{SystemSNOMED, SystemICD11, MapVaccineTypeFromSNOMED},
		{SystemATC, SystemICD11, MapVaccineTypeFromATC},
		{SystemEURegister, SystemICD11, MapVaccineTypeFromEU},
		{SystemDIVOC, SystemICD11, MapVaccineTypeFromDIVOC},
		{SystemPrequalified, SystemICD11, MapVaccineTypeFromPrequalified},
		{SystemICD11, SystemSNOMED, MapVaccineTypeToSNOMED},
		{SystemICD11, SystemSNOMED, MapVaccineTypeToSNOMEDMore},
		{SystemICD11, SystemATC, MapVaccineTypeToATC},
		{SystemICD11, SystemCVX, MapVaccineTypeToCVX},
		{SystemICD11, SystemDIVOC, MapVaccineTypeToDIVOC},
		// A product has a type: ICD-11 knows it.
		{SystemEURegister, SystemICD11, MapBrandFromEU},
		{SystemCVX, SystemICD11, MapBrandFromCVX},
		{SystemSNOMED, SystemICD11, MapBrandFromSNOMED},
		{SystemICAO, SystemICD11, MapBrandFromICAO},
	},
	VaccineProduct: {
		{SystemEURegister, SystemICD11, MapBrandFromEU},
		{SystemCVX, SystemICD11, MapBrandFromCVX},
		{SystemSNOMED, SystemICD11, MapBrandFromSNOMED},
		{SystemICAO, SystemICD11, MapBrandFromICAO},
		{SystemICD11, SystemEURegister, MapBrandToEU},
		{SystemICD11, SystemCVX, MapBrandToCVX},
		{SystemICD11, SystemICAO, MapBrandToICAO},
	},
	VaccineHolder: {
		{SystemEURegister, SystemEUHolder, MapProductToHolder},
	},
	Disease: {
		{SystemSNOMED, SystemICD11, MapDiseaseFromSNOMED},
		{SystemICD11, SystemSNOMED, MapDiseaseToSNOMED},
		{SystemICD11, SystemSNOMED, MapDiseaseToEU},
		{SystemICD11, SystemICD10, MapDiseaseToICD10},
	},
	Pathogen: {
		{SystemSNOMED, SystemICD11, MapPathogenFromSNOMED},
		{SystemDIVOCPathogen, SystemICD11, MapPathogenFromDIVOC},
		{SystemICD11, SystemSNOMED, MapAgentToSNOMED},
	},
	TestType: {
		{SystemLOINC, SystemICD11, MapTestTypeFromParts},
		{SystemLOINC, SystemICD11, MapTestTypeFromLOINC},
		{SystemSNOMED, SystemICD11, MapTestTypeFromParts},
		{SystemDIVOCType, SystemICD11, MapTestTypeFromDIVOC},
		{SystemICAOType, SystemICD11, MapTestTypeFromICAO},
		{SystemLOINC, SystemSNOMED, MapTestTypeLOINCToSNOMED},
		{SystemICD11, SystemLOINC, MapTestTypeToLOINC},
		{SystemICD11, SystemSNOMED, MapTestTypeToSNOMED},
	},
	TestResult: {
		{SystemSNOMED, SystemICD11, MapTestResultFromSNOMED},
		{SystemDIVOCResult, SystemICD11, MapTestResultFromDIVOC},
		{SystemICAOResult, SystemICD11, MapTestResultFromICAO},
		{SystemICD11, SystemSNOMED, MapTestResultToSNOMED},
		{SystemICD11, SystemSNOMED, MapTestResultToEU},
	},
	SampleOrigin: {
		{SystemSNOMED, SystemICD11, MapOriginFromSNOMED},
		{SystemDIVOCOrigin, SystemICD11, MapOriginFromDIVOC},
		{SystemICAOOrigin, SystemICD11, MapOriginFromICAO},
		{SystemICD11, SystemSNOMED, MapOriginToSNOMED},
	},
}

// normalForms are the maps within ICD-11 that bring a code into the form a use asks for:
// a product to its type, a result of older documents to today's code.
var normalForms = map[Use]string{
	VaccineType: MapVaccineProductToType,
	TestResult:  MapTestResultNormal,
}
