package terminology

import (
	"errors"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	const (
		icd, sct, eu, cvx = SystemICD11, SystemSNOMED, SystemEURegister, SystemCVX
		holders           = SystemEUHolder
	)
	product := func(within string) Context { return Context{Use: VaccineProduct, Within: within} }
	held := func(code string) Context {
		return Context{Use: VaccineProduct, Within: ValueSetEUProduct, Holder: Concept{System: "https://spor.ema.europa.eu/v1/organisations", Code: code}}
	}
	vp := Context{Use: VaccineType, Within: ValueSetEUProphylaxis}
	tests := []struct {
		name, system, code, target string
		c                          Context
		want                       string
		err                        error
	}{
		{"as it is", eu, "EU/1/20/1528", eu, product(ValueSetEUProduct), "EU/1/20/1528", nil},
		{"as it is, other spelling", "http://ec.europa.eu/temp/vaccineproductname", "Covaxin", eu, product(""), "Covaxin", nil},
		{"retired by the EU", eu, "NVX-CoV2373", eu, product(ValueSetEUProduct), "", ErrNarrower},
		{"brand", icd, "XM8NQ0", eu, product(ValueSetEUProduct), "EU/1/20/1528", nil},
		{"brand of three products", icd, "XM4YL8", eu, product(ValueSetEUProduct), "EU/1/21/1529", nil},
		{"brand, held by another", icd, "XM4YL8", eu, held("ORG-100007893"), "R-COVI", nil},
		{"brand of two products", icd, "XM9T65", eu, product(ValueSetEUProduct), "", ErrNarrower},
		{"brand of two products, held", icd, "XM9T65", eu, held("ORG-100001981"), "Covovax", nil},
		{"brand of two products, held by the other", icd, "XM9T65", eu, held("ORG-100032020"), "EU/1/21/1618", nil},
		{"brand of two products, held by a third", icd, "XM9T65", eu, held("ORG-100001417"), "", ErrNarrower},
		{"a type is no product", icd, "XM0GQ8", eu, product(ValueSetEUProduct), "", ErrNoTranslation},
		{"CVX to EU", cvx, "208", eu, product(ValueSetEUProduct), "EU/1/20/1528", nil},
		{"CVX without a product", cvx, "213", eu, product(ValueSetEUProduct), "", ErrNoTranslation},
		{"SNOMED CT product to EU", sct, "31311000087104", eu, product(ValueSetEUProduct), "CoronaVac", nil},
		{"EU to CVX, one code", eu, "Covaxin", cvx, product(""), "502", nil},
		{"EU to CVX, many strengths", eu, "EU/1/20/1528", cvx, product(""), "", ErrNarrower},
		{"brand to CVX, one bivalent", icd, "XM3DT5", cvx, product(""), "", ErrNarrower},
		{"holder", eu, "EU/1/20/1507", holders, Context{Use: VaccineHolder}, "ORG-100031184", nil},
		{"type to vp", icd, "XM0GQ8", sct, vp, "1119349007", nil},
		{"product to vp", icd, "XM3DT5", sct, vp, "1119349007", nil},
		{"EU product to vp", eu, "Sputnik-V", sct, vp, "29061000087103", nil},
		{"CVX to vp", cvx, "208", sct, vp, "1119349007", nil},
		{"type without its own vp", icd, "XM5JC5", sct, vp, "28531000087107", nil},
		{"vp as it is", sct, "1119305005", sct, vp, "1119305005", nil},
		{"retired vp", SystemATC, "J07BX03", sct, vp, "28531000087107", nil},
		{"ATC to type", SystemATC, "J07BN03", icd, Context{Use: VaccineType}, "XM1NL1", nil},
		{"ATC to type, the other", SystemATC, "J07BN04", icd, Context{Use: VaccineType}, "XM5JC5", nil},
		{"product to ATC", icd, "XM8NQ0", SystemATC, Context{Use: VaccineType}, "J07BN01", nil},
		{"ATC to CVX", SystemATC, "J07BN01", cvx, Context{Use: VaccineType}, "213", nil},
		{"product to type", icd, "XM97T2", icd, Context{Use: VaccineType}, "XM9QW8", nil},
		{"type to type", icd, "XM9QW8", icd, Context{Use: VaccineType}, "XM9QW8", nil},
		{"product as product", icd, "XM97T2", icd, product(""), "XM97T2", nil},
		{"type to DIVOC", icd, "XM0GQ8", SystemDIVOC, Context{Use: VaccineType}, "", ErrNarrower},
		{"prequalified", SystemPrequalified, "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0", icd, Context{Use: VaccineType}, "XM0N24", nil},
		{"prequalified combination", SystemPrequalified, "DiphtheriaTetanusPertussProductd54558e2851d29311ee7f90975827dc7", icd, Context{Use: VaccineType}, "", ErrNoTranslation},
		{"disease", icd, "RA01", sct, Context{Use: Disease, Within: ValueSetEUDisease}, "840539006", nil},
		{"agent as disease", icd, "XN161", sct, Context{Use: Disease, Within: ValueSetEUDisease}, "840539006", nil},
		{"SNOMED CT agent as disease", sct, "840533007", sct, Context{Use: Disease, Within: ValueSetEUDisease}, "840539006", nil},
		{"disease to ICD-11", sct, "840539006", icd, Context{Use: Disease}, "RA01", nil},
		{"tg as agent", sct, "840539006", icd, Context{Use: Pathogen}, "XN109", nil},
		{"influenza", sct, "407479009", icd, Context{Use: Pathogen}, "", ErrNoTranslation},
		{"test type", icd, "2056159157", SystemLOINC, Context{Use: TestType, Within: ValueSetEUTestType}, "LP217198-3", nil},
		{"LOINC test to class", SystemLOINC, "94500-6", SystemLOINC, Context{Use: TestType, Within: ValueSetEUTestType}, "LP6464-4", nil},
		{"serology", SystemLOINC, "94563-4", icd, Context{Use: TestType}, "", ErrNoTranslation},
		{"ICAO antigen", SystemICAOType, "antigen", icd, Context{Use: TestType}, "", ErrNarrower},
		{"result to EU", icd, "RA01.0", sct, Context{Use: TestResult, Within: ValueSetEUTestResult}, "260373001", nil},
		{"result to the guide's SNOMED CT", icd, "RA01.0", sct, Context{Use: TestResult}, "1240581000000104", nil},
		{"result of older documents", icd, "RA01.1", sct, Context{Use: TestResult, Within: ValueSetEUTestResult}, "260415000", nil},
		{"result, older to today", icd, "RA01.1", icd, Context{Use: TestResult}, "QA02", nil},
		{"result, SNOMED CT to EU", sct, "10828004", sct, Context{Use: TestResult, Within: ValueSetEUTestResult}, "260373001", nil},
		{"result, ICAO to EU", SystemICAOResult, "negative", sct, Context{Use: TestResult, Within: ValueSetEUTestResult}, "260415000", nil},
		{"inconclusive", sct, "419984006", sct, Context{Use: TestResult, Within: ValueSetEUTestResult}, "", ErrNoTranslation},
		{"plasma", sct, "119361006", icd, Context{Use: SampleOrigin}, "DIA.AH.XA", nil},
		{"blood", icd, "DIA.AH.XA", sct, Context{Use: SampleOrigin}, "119297000", nil},
		{"unknown system", "http://example.org", "XM8NQ0", eu, product(""), "", ErrUnknownCode},
		{"unknown target", icd, "XM8NQ0", "http://example.org", product(""), "", ErrUnknownCode},
		{"unknown code", icd, "XM0000", eu, product(""), "", ErrUnknownCode},
		{"unknown code, same system", sct, "1", sct, vp, "", ErrUnknownCode},
		{"no use", icd, "XM8NQ0", eu, Context{}, "", ErrNoTranslation},
		{"no code", "", "", "", Context{}, "", ErrUnknownCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Resolve(Concept{System: tt.system, Code: tt.code}, tt.target, tt.c)
			if !errors.Is(err, tt.err) || got.Code != tt.want {
				t.Fatalf("%q, %v; want %q, %v", got.Code, err, tt.want, tt.err)
			}
			if canonical, _ := CanonicalSystem(tt.target); err == nil && got.System != canonical {
				t.Errorf("the system is %s", got.System)
			}
		})
	}
}

// Every answer is a known code of the target, and rows that never lead to a narrower code
// lead there from the code asked for.
func TestResolveNeverNarrows(t *testing.T) {
	t.Parallel()
	tab := loaded()
	answers := 0
	for use := VaccineType; use <= SampleOrigin; use++ {
		targets := map[string]bool{}
		for _, r := range routes[use] {
			targets[r.target] = true
		}
		for c := range tab.displays {
			above := reachable(tab, use, c)
			for target := range targets {
				got, err := Resolve(Concept{System: c.system, Code: c.code}, target, Context{Use: use})
				if err != nil {
					continue
				}
				answers++
				if got.System != target || !above[conceptKey{got.System, got.Code}] {
					t.Errorf("use %d: %s became %s", use, c.code, got.Code)
				}
			}
		}
	}
	if answers < 1000 {
		t.Errorf("only %d answers", answers)
	}
}

// reachable gives the codes that a code means or that are wider, by the rows of a use.
func reachable(tab *tables, use Use, from conceptKey) map[conceptKey]bool {
	ids := map[string]bool{normalForms[use]: true}
	for _, r := range routes[use] {
		ids[r.id] = true
	}
	seen := map[conceptKey]bool{from: true}
	for queue := []conceptKey{from}; len(queue) > 0; queue = queue[1:] {
		for id := range ids {
			for _, to := range tab.maps[id][queue[0]] {
				next := conceptKey{to.System, to.Code}
				if to.Equivalence != Narrower && !seen[next] {
					seen[next] = true
					queue = append(queue, next)
				}
			}
		}
	}
	return seen
}

// Every route leads over a map that has rows between its two systems, and every map
// between two systems of use is on a route or named here as used by itself.
func TestRoutesAreComplete(t *testing.T) {
	t.Parallel()
	tab := loaded()
	taken := map[string]bool{
		MapVaccineTypeToEU: true, MapVaccineTypeFromCVX: true, MapBrandFromCVXOld: true, // superseded by brand maps
		MapProductToProphylaxis: true, // a list to choose from
	}
	for use, list := range routes {
		for _, r := range list {
			rows := 0
			for from, targets := range tab.maps[r.id] {
				for _, to := range targets {
					if from.system == r.source && to.System == r.target {
						rows++
					}
				}
			}
			if rows == 0 {
				t.Errorf("use %d: %s has no row from %s to %s", use, r.id, r.source, r.target)
			}
			taken[r.id] = true
		}
	}
	for _, id := range normalForms {
		taken[id] = true
	}
	for id := range tab.maps {
		if !taken[id] && (!strings.HasPrefix(id, "gateway-") || id == MapBrandToEU) {
			t.Errorf("no route takes %s", id)
		}
	}
}

// The CVX map turned round never says more than the brand.
func TestBrandToCVXNeverNarrowsSilently(t *testing.T) {
	t.Parallel()
	tab := loaded()
	sources := map[string]int{}
	for _, targets := range tab.maps[MapBrandFromCVX] {
		for _, to := range targets {
			sources[to.Code]++
		}
	}
	rows := 0
	for from, targets := range tab.maps[MapBrandToCVX] {
		for _, to := range targets {
			rows++
			back := Translate(MapBrandFromCVX, to.System, to.Code)
			if len(back) != 1 || back[0].Code != from.code {
				t.Errorf("%s to %s does not come back", from.code, to.Code)
				continue
			}
			exact := back[0].Equivalence == Equivalent && sources[from.code] == 1
			if (to.Equivalence == Equivalent) != exact || (to.Equivalence == Narrower) == exact {
				t.Errorf("%s to %s is %s", from.code, to.Code, to.Equivalence)
			}
		}
	}
	if unspecified := sources["XM68M6"]; rows+unspecified != len(tab.maps[MapBrandFromCVX]) {
		t.Errorf("%d rows and %d of the unspecified vaccine are not the %d turned round", rows, unspecified, len(tab.maps[MapBrandFromCVX]))
	}
}
