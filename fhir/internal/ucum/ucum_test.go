package ucum

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKnownCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"mg", "ug", "mL", "ml", "L", "uL", "ul", "kg/m2", "mm[Hg]", "mmol/L", "10*3/uL", "10^9/L", "10*-3", "/min", "%", "Cel", "[degF]", "[lb_av]", "[in_i]",
		"[iU]", "k[iU]/mL", "meq/L", "g/dL", "{inhaler}", "mg{total}", "{beats}/min", "1", "/10*12", "ng.h/mL", "mg/(24.h)", "B[10.nV]", "m[H2O]", "cal_[15]",
		"m2", "m-1", "s+2", "[CCID_50]", "'", "''", "[in_i'H2O]", "U/L", "a", "wk", "KiBy", "1/(m.s)", "mg/kg/d", "[NTU]", "MG", "1.5",
	} {
		if !Valid(code) {
			t.Errorf("%q is a unit", code)
		}
	}
	for _, text := range []string{
		"", "/", "mcg", "lbs", "in", "10+3/ul", "10+3", "tablet", "inhale", "mg/actuat", "mg ", "m g", "[iU", "mg/", ".mg", "mg..mL", "//min", "mg/(mL", "mg)", "()",
		"{a", "{a b}", "{a{b}}", "kmin", "m²", "µg", "m-", "2m", "k", "5{x}", "[IN_I]", strings.Repeat("(", 50) + "m" + strings.Repeat(")", 50),
		strings.Repeat("m.", 100) + "m", "mg{é}",
	} {
		if Valid(text) {
			t.Errorf("%q is none", text)
		}
	}
}

// TestLaw: what the grammar makes is a unit, and what is one is so within a product.
func TestLaw(t *testing.T) {
	t.Parallel()
	atoms := slices.Sorted(maps.Keys(metric))
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		for range rapid.IntRange(1, 5).Draw(t, "components") {
			unit := rapid.SampledFrom(append([]string{""}, prefixes...)).Draw(t, "prefix") + rapid.SampledFrom(atoms).Draw(t, "atom")
			unit += rapid.SampledFrom([]string{"", "2", "-1", "+3"}).Draw(t, "exponent") + rapid.SampledFrom([]string{"", "{x}"}).Draw(t, "annotation")
			if rapid.Bool().Draw(t, "parentheses") {
				unit = "(" + unit + "/s)"
			}
			parts = append(parts, unit)
		}
		code := strings.Join(parts, rapid.SampledFrom([]string{".", "/"}).Draw(t, "operator"))
		if len(code) <= maxLength && !Valid(code) {
			t.Fatalf("%q", code)
		}
		any := rapid.StringMatching(`[a-zA-Z0-9./(){}\[\]*^'%+-]{0,12}`).Draw(t, "any")
		if Valid(any) && !strings.HasPrefix(any, "/") && !(Valid(any+".m") && Valid("("+any+")/m")) {
			t.Fatalf("%q", any)
		}
	})
}

func FuzzValid(f *testing.F) {
	for _, seed := range []string{"mg", "10*3/uL", "mm[Hg]", "/(m.s)", "{a}", "[in_i'Hg]2", "((", "]["} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if Valid(text) && strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q", text)
		}
	})
}
