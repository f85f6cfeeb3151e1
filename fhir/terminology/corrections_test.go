package terminology

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// correctedRows reads the list of data/CORRECTIONS.md: rows we took out, rows we put in.
func correctedRows(t *testing.T) (out, in map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("data", "CORRECTIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	list := block(t, string(text), "diff")
	out, in = map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(list) {
		sign, row, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		set := map[string]map[string]bool{"-": out, "+": in}[sign]
		if set == nil || set[row] {
			t.Fatalf("CORRECTIONS.md: line %q is malformed or doubled", line)
		}
		set[row] = true
	}
	if len(out) < 40 || len(in) < 50 {
		t.Fatalf("CORRECTIONS.md lists %d and %d rows, which is too few to be whole", len(out), len(in))
	}
	return out, in
}

// block gives the fenced block of CORRECTIONS.md with this name.
func block(t *testing.T, text, name string) string {
	t.Helper()
	_, list, ok := strings.Cut(text, "```"+name+"\n")
	if !ok {
		t.Fatalf("CORRECTIONS.md has no block %s", name)
	}
	list, _, _ = strings.Cut(list, "```")
	return list
}

// mapRow is how CORRECTIONS.md writes a row.
func mapRow(id, source, code, sign, target, targetCode string) string {
	return id + " | " + tokenOf(source) + " " + code + " | " + sign + " | " + tokenOf(target) + " " + targetCode
}

func tokenOf(uri string) string {
	for _, s := range codeSystems {
		if s.uri == uri {
			return s.token
		}
	}
	return "?"
}

// signOf is the inverse of equivalenceOf.
var signOf = map[string]string{Equivalent: "=", Wider: ">", Narrower: "<", RelatedTo: "~"}

// ourRows lists every row of our maps, the gateway's own maps excepted.
func ourRows() map[string]bool {
	return rowsOf(func(id string) bool { return !strings.HasPrefix(id, "gateway-") })
}

func rowsOf(wanted func(id string) bool) map[string]bool {
	rows := map[string]bool{}
	for id, m := range loaded().maps {
		if !wanted(id) {
			continue
		}
		for from, targets := range m {
			for _, to := range targets {
				rows[mapRow(id, from.system, from.code, signOf[to.Equivalence], to.System, to.Code)] = true
			}
		}
	}
	return rows
}

// Each corrected defect, without the guide's tables at hand.
func TestCorrectionsAreInForce(t *testing.T) {
	t.Parallel()
	out, in := correctedRows(t)
	rows := ourRows()
	for row := range out {
		if rows[row] {
			t.Errorf("defect still there: %s", row)
		}
	}
	for row := range in {
		if !rows[row] {
			t.Errorf("correction missing: %s", row)
		}
	}
}

// The defects one by one, as a user of the API sees them.
func TestCorrectedDefects(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, id, system, code, want string }{
		{"1 nucleic acid test", MapTestTypeToSNOMED, SystemICD11, "1334426561", "= sct 117244003"},
		{"1 antigen test", MapTestTypeToSNOMED, SystemICD11, "2056159157", "= sct 414464004"},
		{"1 LOINC part as source", MapTestTypeToSNOMED, SystemICD11, "LP217198-3", ""},
		{"2 exchanged systems", MapBrandFromICAO, SystemICAO, "ICAO009", "> icd11 XM3DT5"},
		{"2 the old direction", MapBrandFromICAO, SystemICD11, "ICAO009", ""},
		{"3 ICD-11 spelling", MapOriginFromDIVOC, SystemDIVOCOrigin, "Throat swab", "> icd11 KAR.AH.XF"},
		{"3 LOINC part", MapTestTypeFromParts, SystemLOINC, "LP6464-4", "= icd11 1334426561"},
		{"4 name in the maps", MapTestTypeFromDIVOC, guideBase + "CodeSystem/lab-test-type-divoc", "RT-PCR", "= icd11 1334426561"},
		{"4 name in the value sets", MapTestTypeFromDIVOC, guideBase + "CodeSystem/LabTestTypeDivocValueSet", "RT-PCR", "= icd11 1334426561"},
		{"4 the code system", MapTestTypeFromDIVOC, guideBase + "CodeSystem/WHODDCCdivoclabtesttype", "RT-PCR", "= icd11 1334426561"},
		{"4 short DIVOC", MapVaccineTypeFromDIVOC, guideBase + "DIVOC", "DIVOC005", "> icd11 XM0GQ8"},
		{"5 negative, SNOMED CT", MapTestResultFromSNOMED, SystemSNOMED, "260415000", "= icd11 QA02"},
		{"5 negative, ICAO", MapTestResultFromICAO, SystemICAOResult, "negative", "= icd11 QA02"},
		{"5 negative, DIVOC", MapTestResultFromDIVOC, SystemDIVOCResult, "Negative", "= icd11 QA02"},
		{"5 positive, DIVOC", MapTestResultFromDIVOC, SystemDIVOCResult, "Positive", "= icd11 RA01.0"},
		{"5 older documents", MapTestResultNormal, SystemICD11, "RA01.1", "~ icd11 QA02"},
		{"6 own output", MapTestResultFromSNOMED, SystemSNOMED, "1240581000000104", "= icd11 RA01.0"},
		{"7 molecular(other)", MapTestTypeFromICAO, SystemICAOType, "molecular(other)", "> icd11 1334426561"},
		{"7 antigen", MapTestTypeFromICAO, SystemICAOType, "antigen", "< icd11 2056159157"},
		{"8 SNOMED CT technique", MapTestTypeFromParts, SystemSNOMED, "414464004", "= icd11 2056159157"},
		{"9 tg of the EU DCC", MapPathogenFromSNOMED, SystemSNOMED, "840539006", "~ icd11 XN109"},
		{"10 Omicron", MapAgentToSNOMED, SystemICD11, "XN161", "> sct 840533007"},
		{"10 Mu", MapAgentToSNOMED, SystemICD11, "XN39J", "> sct 840533007"},
		{"11 plasma", MapOriginFromSNOMED, SystemSNOMED, "119361006", "> icd11 DIA.AH.XA"},
		{"12 Janssen, EU", MapVaccineTypeFromEU, SystemEURegister, "EU/1/20/1525", "> icd11 XM9QW8"},
		{"12 Janssen, DIVOC", MapVaccineTypeFromDIVOC, SystemDIVOC, "DIVOC006", "> icd11 XM9QW8"},
		{"12 replicating vector", MapVaccineTypeToEU, SystemICD11, "XM0CX4", ""},
		{"13 product of a type", MapVaccineTypeFromEU, SystemEURegister, "NVX-CoV2373", "> icd11 XM5JC5"},
		{"13 older brand map", MapBrandFromCVXOld, SystemCVX, "208", "> icd11 XM8NQ0"},
		{"13 newer brand map", MapBrandFromCVX, SystemCVX, "208", "> icd11 XM8NQ0"},
		{"14 Nuvaxovid, SNOMED CT", MapBrandFromSNOMED, SystemSNOMED, "29171000087106", "> icd11 XM9T65"},
		{"14 Nuvaxovid, EU", MapBrandFromEU, SystemEURegister, "EU/1/21/1618", "> icd11 XM9T65"},
		{"14 Covifenz, SNOMED CT", MapBrandFromSNOMED, SystemSNOMED, "30151000087105", "> icd11 XM1J92"},
		{"14 Covifenz, EU", MapBrandFromEU, SystemEURegister, "Covifenz", "> icd11 XM1J92"},
		{"14 Covifenz, CVX", MapBrandFromCVX, SystemCVX, "512", "> icd11 XM1J92"},
		{"15 Comirnaty, ICAO", MapBrandFromICAO, SystemICAO, "ICAO001", "> icd11 XM8NQ0"},
		{"15 unspecified vaccine, ICAO", MapBrandToICAO, SystemICD11, "XM68M6", ""},
		{"17 Fiocruz", MapBrandFromEU, SystemEURegister, "Covid-19-recombinant", "> icd11 XM9QW8"},
		{"17 Sputnik M", MapBrandFromEU, SystemEURegister, "Sputnik-M", "> icd11 XM9QW8"},
		{"18 Bimervax", MapBrandFromEU, SystemEURegister, "EU/1/22/1709", "> icd11 XM5JC5"},
		{"own: EU vp", MapVaccineTypeFromSNOMED, SystemSNOMED, "1119349007", "= icd11 XM0GQ8"},
		{"own: EU vp, antigen", MapVaccineTypeFromSNOMED, SystemSNOMED, "1119305005", "> icd11 XM68M6"},
		{"own: type to product", MapBrandToEU, SystemICD11, "XM0GQ8", ""},
		{"own: brand to EU mp", MapBrandToEU, SystemICD11, "XM6QV1", "= euur EU/1/20/1525"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if targets := Translate(tt.id, tt.system, tt.code); len(targets) > 0 {
				got = signOf[targets[0].Equivalence] + " " + tokenOf(targets[0].System) + " " + targets[0].Code
			}
			if got != tt.want {
				t.Errorf("%s of %s: %q, want %q", tt.id, tt.code, got, tt.want)
			}
		})
	}
}

// readVectors reads one of the guide's tables, without its heading, or skips the test.
func readVectors(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(vectors.Path(t, "ddcc", "terminology", name))
	if err != nil {
		t.Skipf("the guide's tables are not here: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// The guide's maps and ours differ in the rows CORRECTIONS.md lists, and in no other.
func TestMapsAgainstTheGuide(t *testing.T) {
	t.Parallel()
	guide := map[string]bool{}
	for _, r := range readVectors(t, "conceptmaps.csv") {
		id, source, target := r[0], canonical(t, r[1]), canonical(t, r[4])
		if id == MapBrandFromICAO { // correction 2
			source, target = target, source
		}
		guide[mapRow(id, source, r[2], signOf[r[7]], target, r[5])] = true
	}
	if len(guide) != 599 {
		t.Errorf("the guide has %d rows, want 599", len(guide))
	}
	out, in := correctedRows(t)
	ours := ourRows()
	for row := range guide {
		if ours[row] == out[row] {
			t.Errorf("the guide's row is in our maps: %v, and listed as taken out: %v: %s", ours[row], out[row], row)
		}
	}
	for row := range ours {
		if guide[row] == in[row] {
			t.Errorf("our row is in the guide: %v, and listed as put in: %v: %s", guide[row], in[row], row)
		}
	}
	if len(guide)-len(out)+len(in) != len(ours) {
		t.Errorf("%d rows less %d and plus %d are not our %d", len(guide), len(out), len(in), len(ours))
	}
}

// guideCopies are the names under which the guide copies foreign code systems.
var guideCopies = map[string]string{
	"DDCCICD11CodeSystem": SystemICD11,
	"WHODDCCcvx":          SystemCVX,
	"WHODDCCeuur":         SystemEURegister,
	"WHODDCCloinc":        SystemLOINC,
	"WHODDCCsnomed":       SystemSNOMED,
}

// canonical resolves a system as the guide's tables name it: by URI or by FSH name.
func canonical(t *testing.T, name string) string {
	t.Helper()
	if uri, ok := guideCopies[name]; ok {
		return uri
	}
	if uri, ok := CanonicalSystem(name); ok {
		return uri
	}
	uri, ok := CanonicalSystem(guideBase + "CodeSystem/" + name)
	if !ok {
		t.Fatalf("unknown system %s", name)
	}
	return uri
}

func TestCodeSystemsAgainstTheGuide(t *testing.T) {
	t.Parallel()
	rows := readVectors(t, "codesystems.csv")
	if len(rows) != 582 {
		t.Errorf("the guide has %d concepts, want 582", len(rows))
	}
	for _, r := range rows {
		if !Known(canonical(t, r[0]), r[1]) {
			t.Errorf("%s %s is missing", r[0], r[1])
		}
	}
}

func TestValueSetsAgainstTheGuide(t *testing.T) {
	t.Parallel()
	added := map[string]int{
		"LabTestPathogenCovid19SnomedValueSet":  1, // correction 9
		"VaccineCovid19EUUnionRegisterValueSet": 1, // correction 18
	}
	count := map[string]int{}
	for _, r := range readVectors(t, "valuesets.csv") {
		system := canonical(t, r[1])
		codes := []string{r[2]}
		if r[2] == "*" {
			codes = loaded().codes[system]
		}
		for _, code := range codes {
			if member, known := InValueSet(r[0], system, code); !member || !known {
				t.Errorf("%s %s %s is missing", r[0], r[1], code)
			}
			count[r[0]]++
		}
	}
	if len(count) != 30 {
		t.Errorf("the guide has %d value sets, want 30", len(count))
	}
	for id, n := range count {
		ours := loaded().valueSets[strings.TrimSuffix(id, "ValueSet")]
		if len(ours) != n+added[id] {
			t.Errorf("%s has %d codes, want %d", id, len(ours), n+added[id])
		}
	}
}
