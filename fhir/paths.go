package fhir

// Paths of the core data set, as issues name them.
const (
	pathRoot        = "DDCCCoreDataSet"
	pathName        = pathRoot + ".name"
	pathBirthDate   = pathRoot + ".birthDate"
	pathIdentifier  = pathRoot + ".identifier"
	pathSex         = pathRoot + ".sex"
	pathCertificate = pathRoot + ".certificate"
	pathIssuer      = pathCertificate + ".issuer"
	pathHCID        = pathCertificate + ".hcid"
	pathDDCCID      = pathCertificate + ".ddccid"
	pathVersion     = pathCertificate + ".version"
	pathPeriod      = pathCertificate + ".period"
	pathVaccination = pathRoot + ".vaccination"
	pathTest        = pathRoot + ".test"
)
