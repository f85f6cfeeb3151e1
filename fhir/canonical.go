package fhir

import "strings"

// Base is the canonical base the gateway writes (DDCC IG 1.0.0). LegacyBase is what
// readers from before 2023 know; the gateway writes it only where a setting says so.
const (
	Base       = "http://smart.who.int/ddcc/"
	LegacyBase = "http://worldhealthorganization.github.io/ddcc/"
)

// Canonical names a conformance resource of the DDCC IG, whatever base it was
// published under. Type is the path segment, empty for the two questionnaires whose
// canonicals have none.
type Canonical struct {
	Type    string // StructureDefinition, CodeSystem, ValueSet, …
	Name    string // the id in the published guide
	Version string // what followed "|"
}

// renamed maps ids of earlier publications to those of the published guide. The
// CodeSystems lost their hyphens; two extensions got a wider meaning and a new name.
var renamed = map[string]string{
	"DDCC-QR-Category-Usage-CodeSystem":    "DDCCQRCategoryUsageCodeSystem",
	"DDCC-QR-Format-CodeSystem":            "DDCCQRFormatCodeSystem",
	"DDCC-QR-Type-CodeSystem":              "DDCCQRTypeCodeSystem",
	"DDCC-Composition-Category-CodeSystem": "DDCCCompositionCategoryCodeSystem",
	"DDCC-Folder-DesignationType":          "DDCCFolderDesignationTypeCodesystem",
	"DDCC-Device-Property-CodeSystem":      "DDCCDevicePropertyCodeSystem",
	"DDCC-Example-Test-CodeSystem":         "DDCCExampleTestCodeSystem",
	"DDCCVaccineBrand":                     "DDCCEventBrand",
	"DDCCCountryOfVaccination":             "DDCCCountryOfEvent",
}

// legacyNames is the reverse, for CodeSystems, whose url is all that changed.
var legacyNames = map[string]string{
	"DDCCQRCategoryUsageCodeSystem":       "DDCC-QR-Category-Usage-CodeSystem",
	"DDCCQRFormatCodeSystem":              "DDCC-QR-Format-CodeSystem",
	"DDCCCompositionCategoryCodeSystem":   "DDCC-Composition-Category-CodeSystem",
	"DDCCFolderDesignationTypeCodesystem": "DDCC-Folder-DesignationType",
	"DDCCExampleTestCodeSystem":           "DDCC-Example-Test-CodeSystem",
}

// ParseCanonical recognises every published form: both hosts, http and https, any
// letter case of the host, "|version", old hyphenated ids. It reports false for
// canonicals of other guides.
func ParseCanonical(s string) (Canonical, bool) {
	url, version, _ := strings.Cut(s, "|")
	path, ok := cutBase(url)
	if !ok {
		return Canonical{}, false
	}
	c := Canonical{Name: path, Version: version}
	if kind, name, found := strings.Cut(path, "/"); found {
		c.Type, c.Name = kind, name
	}
	if c.Name == "" || strings.ContainsAny(c.Name, "/?# ") {
		return Canonical{}, false
	}
	if name, ok := renamed[c.Name]; ok {
		c.Name = name
	}
	return c, true
}

func cutBase(url string) (string, bool) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", false
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok || !strings.EqualFold(host, "smart.who.int") && !strings.EqualFold(host, "worldhealthorganization.github.io") {
		return "", false
	}
	return strings.CutPrefix(path, "ddcc/")
}

// URL is the canonical under the published base, without a version.
func (c Canonical) URL() string { return c.under(Base, c.Name) }

// LegacyURL is the canonical under the old base with the old id.
func (c Canonical) LegacyURL() string {
	if name, ok := legacyNames[c.Name]; ok {
		return c.under(LegacyBase, name)
	}
	return c.under(LegacyBase, c.Name)
}

func (c Canonical) under(base, name string) string {
	if c.Type == "" {
		return base + name
	}
	return base + c.Type + "/" + name
}
