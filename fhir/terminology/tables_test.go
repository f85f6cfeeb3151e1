package terminology

import (
	"strings"
	"testing"
)

func TestEmbeddedFilesParse(t *testing.T) {
	t.Parallel()
	if _, err := parse(codeSystemsFile, valueSetsFile, mapsFile, countriesFile); err != nil {
		t.Fatal(err)
	}
}

func TestParseRefusesMalformedFiles(t *testing.T) {
	t.Parallel()
	const concepts = "@\ticd11\nA\tText\n@\tsct\n1\n"
	tests := []struct {
		name                             string
		systems, sets, maps, countryList string
		want                             string
	}{
		{"unknown token", "@\tnope\nA\n", "", "", "", "codesystems.tsv: line 2"},
		{"no section", "A\tText\n", "", "", "", "codesystems.tsv: line 1"},
		{"duplicate concept", concepts + "1\n", "", "", "", "duplicate"},
		{"duplicate vaccine name", "@\ticao\nI1\tX  y\nI2\tx Y\n", "", "", "", "codesystems.tsv: line 3"},
		{"empty field", "@\ticd11\nA\t\n", "", "", "", "empty field"},
		{"space at the end", "@\ticd11\nA \n", "", "", "", "space"},
		{"carriage return", "@\ticd11\nA\r\n", "", "", "", "space"},
		{"member without a concept", concepts, "@\tset\ticd11\nB\n", "", "", "valuesets.tsv: line 2: code \"B\""},
		{"member twice", concepts, "@\tset\ticd11\nA\nA\n", "", "", "valuesets.tsv: line 3"},
		{"member with two fields", concepts, "@\tset\ticd11\nA\tB\n", "", "", "number of fields"},
		{"set without a system", concepts, "@\tset\nA\n", "", "", "names no system"},
		{"map without a target", concepts, "", "@\tm\ticd11\nA\t=\t1\n", "", "names no system"},
		{"map with two fields", concepts, "", "@\tm\ticd11\tsct\nA\t=\n", "", "number of fields"},
		{"map with an unknown sign", concepts, "", "@\tm\ticd11\tsct\nA\t!\t1\n", "", "equivalence"},
		{"map from no concept", concepts, "", "@\tm\ticd11\tsct\nB\t=\t1\n", "", "maps.tsv: line 2: code \"B\""},
		{"map to no concept", concepts, "", "@\tm\ticd11\tsct\nA\t=\t2\n", "", "maps.tsv: line 2: code \"2\""},
		{"mapping twice", concepts, "", "@\tm\ticd11\tsct\nA\t=\t1\nA\t>\t1\n", "", "maps.tsv: line 3"},
		{"country with three fields", "", "", "", "XA\tXAA\t999\n", "countries.tsv: line 1"},
		{"country with a short code", "", "", "", "X\tXAA\t999\tX\n", "countries.tsv: line 1"},
		{"country twice", "", "", "", "XA\tXAA\t999\tX\nXB\tXAA\t998\tY\n", "countries.tsv: line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tt.systems, tt.sets, tt.maps, tt.countryList)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// Every id of ids.go exists and nothing else does; the counts are those of the guide plus
// the corrections.
func TestSizes(t *testing.T) {
	t.Parallel()
	sets := map[string]int{
		ValueSetVaccines: 31, ValueSetBrands: 20, ValueSetDisease: 1, ValueSetAgent: 14,
		ValueSetTestType: 2, ValueSetSampleOrigin: 5, ValueSetTestResult: 2, testResultName: 2,
		ValueSetGender: 4, ValueSetCountryAlpha2: 249, ValueSetCountryAlpha3: 249, ValueSetCountryNumeric: 249,
		ValueSetCompositionCategory: 2, ValueSetQRType: 6, ValueSetQRFormat: 3,
		ValueSetFolderDesignation: 1, ValueSetDeviceProperty: 2,
		ValueSetVaccinesICD11: 37, ValueSetVaccinesEU: 39, "EUDCC": 39, ValueSetVaccinesCVX: 40,
		ValueSetVaccinesSNOMED: 97, ValueSetVaccinesDIVOC: 13, ValueSetVaccinesICAO: 97,
		ValueSetTestTypeLOINC: 159, ValueSetTestTypeLOINCParts: 2, ValueSetTestTypeDIVOC: 4, ValueSetTestTypeICAO: 4,
		ValueSetTestPathogenSNOMED: 4, ValueSetTestPathogenDIVOC: 2,
		ValueSetTestOriginDIVOC: 10, ValueSetTestOriginICAO: 5,
		ValueSetTestResultSNOMED: 13, ValueSetTestResultDIVOC: 8, ValueSetTestResultICAO: 4,
		ValueSetVaccinesOther: 18, ValueSetSingleDose: 3, ValueSetICVPProducts: 60,
		ValueSetEUDisease: 1, ValueSetEUProphylaxis: 8, ValueSetEUProduct: 35, ValueSetEUHolder: 31,
		ValueSetEUTestType: 2, ValueSetEUTestResult: 2,
	}
	for id, want := range sets {
		if got := len(loaded().valueSets[id]); got != want {
			t.Errorf("value set %s has %d codes, want %d", id, got, want)
		}
	}
	if got := len(loaded().valueSets); got != len(sets) {
		t.Errorf("%d value sets, want %d", got, len(sets))
	}
	maps := map[string]int{
		MapDiseaseToSNOMED: 1, MapDiseaseToICD10: 1, MapAgentToSNOMED: 14, MapTestTypeToLOINC: 2,
		MapTestTypeToSNOMED: 2, MapTestResultToSNOMED: 2, MapOriginToSNOMED: 9, MapOriginFromSNOMED: 9,
		MapVaccineTypeToSNOMED: 4, MapVaccineTypeToEU: 11, MapVaccineTypeFromEU: 11,
		MapVaccineTypeToDIVOC: 13, MapVaccineTypeFromDIVOC: 13, MapVaccineTypeFromCVX: 1,
		MapBrandFromEU: 39, MapBrandFromCVX: 40, MapBrandFromCVXOld: 1, MapBrandFromSNOMED: 97,
		MapBrandFromICAO: 97, MapBrandToICAO: 97,
		MapTestTypeFromLOINC: 105, MapTestTypeFromParts: 4, MapTestTypeLOINCToSNOMED: 2,
		MapTestTypeFromDIVOC: 4, MapTestTypeFromICAO: 3, MapPathogenFromSNOMED: 2, MapPathogenFromDIVOC: 2,
		MapOriginFromDIVOC: 6, MapOriginFromICAO: 4,
		MapTestResultFromSNOMED: 6, MapTestResultFromDIVOC: 4, MapTestResultFromICAO: 2,
		MapVaccineTypeToSNOMEDMore: 7, MapVaccineProductToType: 29, MapProductToProphylaxis: 66, MapProductToHolder: 39,
		MapVaccineTypeFromATC: 7, MapVaccineTypeToATC: 9, MapBrandToCVX: 38, MapVaccineTypeToCVX: 9,
		MapDiseaseToEU: 17, MapDiseaseFromSNOMED: 2, MapTestResultToEU: 2, MapVaccineTypeFromPrequalified: 57,
		MapVaccineTypeFromSNOMED: 8, MapBrandToEU: 24, MapTestResultNormal: 1,
	}
	for id, want := range maps {
		got := 0
		for _, targets := range loaded().maps[id] {
			got += len(targets)
		}
		if got != want {
			t.Errorf("map %s has %d rows, want %d", id, got, want)
		}
	}
	if got := len(loaded().maps); got != len(maps) {
		t.Errorf("%d maps, want %d", got, len(maps))
	}
}

// No licensed text may slip into the tables.
func TestLicensedSystemsHaveNoDisplay(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for c, text := range loaded().displays {
		licensed := c.system == SystemSNOMED || c.system == SystemLOINC || c.system == SystemATC
		if licensed != (text == "") {
			t.Errorf("%s %s: display present %v, want %v", c.system, c.code, text != "", !licensed)
		}
		counts[c.system]++
	}
	if counts[SystemSNOMED] < 113 || counts[SystemLOINC] < 165 {
		t.Errorf("%d SNOMED CT and %d LOINC codes, want at least 113 and 165", counts[SystemSNOMED], counts[SystemLOINC])
	}
}

// The preferred target comes first: no code has an equivalent target after another one.
func TestTargetsAreOrdered(t *testing.T) {
	t.Parallel()
	for id, rows := range loaded().maps {
		for from, targets := range rows {
			for i, target := range targets {
				if i > 0 && target.Equivalence == Equivalent {
					t.Errorf("map %s, %s: the equivalent target is number %d", id, from.code, i+1)
				}
			}
		}
	}
}

// Whatever a map writes for the core data set is in the value set of its element.
func TestMapTargetsAreInTheirValueSet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		set  string
		maps []string
	}{
		{ValueSetTestType, []string{MapTestTypeFromLOINC, MapTestTypeFromParts, MapTestTypeFromDIVOC, MapTestTypeFromICAO}},
		{ValueSetTestResult, []string{MapTestResultFromSNOMED, MapTestResultFromDIVOC, MapTestResultFromICAO, MapTestResultNormal}},
		{ValueSetSampleOrigin, []string{MapOriginFromSNOMED, MapOriginFromDIVOC, MapOriginFromICAO}},
		{ValueSetAgent, []string{MapPathogenFromSNOMED, MapPathogenFromDIVOC}},
		{ValueSetVaccines, []string{MapVaccineTypeFromEU, MapVaccineTypeFromDIVOC, MapVaccineTypeFromCVX, MapVaccineTypeFromSNOMED, MapVaccineTypeFromATC, MapVaccineProductToType}},
		{ValueSetVaccinesICD11, []string{MapBrandFromEU, MapBrandFromCVX, MapBrandFromSNOMED, MapBrandFromICAO}},
		{ValueSetVaccinesEU, []string{MapBrandToEU, MapVaccineTypeToEU}},
		{ValueSetVaccinesCVX, []string{MapBrandToCVX, MapVaccineTypeToCVX}},
		{ValueSetVaccinesOther, []string{MapVaccineTypeFromPrequalified}},
		{ValueSetEUHolder, []string{MapProductToHolder}},
		{ValueSetEUProphylaxis, []string{MapProductToProphylaxis, MapVaccineTypeToSNOMED, MapVaccineTypeToSNOMEDMore}},
		{ValueSetEUDisease, []string{MapDiseaseToEU}},
		{ValueSetEUTestResult, []string{MapTestResultToEU}},
	}
	for _, tt := range tests {
		for _, id := range tt.maps {
			for from, targets := range loaded().maps[id] {
				for _, target := range targets {
					if member, known := InValueSet(tt.set, target.System, target.Code); !member || !known {
						t.Errorf("map %s turns %s into %s, which is not in %s", id, from.code, target.Code, tt.set)
					}
				}
			}
		}
	}
}

// The brand map to the EU register undoes the map from it.
func TestBrandToEUIsAnInverse(t *testing.T) {
	t.Parallel()
	for from, targets := range loaded().maps[MapBrandToEU] {
		for _, target := range targets {
			back := Translate(MapBrandFromEU, target.System, target.Code)
			if len(back) != 1 || back[0].Code != from.code {
				t.Errorf("%s to %s does not come back", from.code, target.Code)
			}
		}
		if targets[0].Equivalence != Equivalent {
			t.Errorf("%s has no equivalent product", from.code)
		}
	}
}
