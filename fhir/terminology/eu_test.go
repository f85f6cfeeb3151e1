package terminology

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// What the EU says about a product's technology agrees with the brand map.
func TestEUProductsAgreeWithTheirTypes(t *testing.T) {
	t.Parallel()
	for _, mp := range loaded().codes[SystemEURegister] {
		vps := Translate(MapProductToProphylaxis, SystemEURegister, mp)
		if len(vps) == 0 || len(Translate(MapProductToHolder, SystemEURegister, mp)) != 1 {
			t.Errorf("%s has no kind, or not one holder", mp)
			continue
		}
		kind, err := Resolve(Concept{System: SystemEURegister, Code: mp}, SystemICD11, Context{Use: VaccineType})
		if err != nil {
			t.Errorf("%s has no type: %v", mp, err)
		}
		first, err := Resolve(vps[0].Concept, SystemICD11, Context{Use: VaccineType})
		if err != nil || first.Code != kind.Code && first.Code != "XM68M6" {
			t.Errorf("%s is %s by ICD-11 and %s by the EU (%v)", mp, kind.Code, first.Code, err)
		}
	}
}

// euSet reads one of the EU's published value sets, or skips.
func euSet(t *testing.T, file string) (id string, values map[string]json.RawMessage) {
	t.Helper()
	b := vectors.Read(t, "eu-valuesets", file)
	var set struct {
		ID     string                     `json:"valueSetId"`
		Values map[string]json.RawMessage `json:"valueSetValues"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	return set.ID, set.Values
}

func TestEUValueSets(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"disease-agent-targeted.json", "vaccine-prophylaxis.json", "vaccine-medicinal-product.json",
		"vaccine-mah-manf.json", "test-type.json", "test-result.json",
	} {
		id, values := euSet(t, file)
		active := 0
		for code, raw := range values {
			var v struct {
				System string `json:"system"`
				Active bool   `json:"active"`
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			if v.Active {
				active++
			}
			if !Known(v.System, code) {
				t.Errorf("%s: %s of %s is not known", id, code, v.System)
			}
			if member, known := InValueSet(id, v.System, code); !known || member != v.Active {
				t.Errorf("%s: %s is a member: %v, active: %v", id, code, member, v.Active)
			}
		}
		if have := len(loaded().valueSets[id]); have != active {
			t.Errorf("%s has %d codes, want %d", id, have, active)
		}
	}
}

func TestEUEncodingInstructions(t *testing.T) {
	t.Parallel()
	_, values := euSet(t, "vaccine-encoding-instructions.json")
	for name, raw := range values {
		var v struct {
			Product string   `json:"vaccine-code"`
			Holder  string   `json:"vaccine-manufacturer"`
			Kinds   []string `json:"sct-codes"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		product := strings.TrimSuffix(v.Product, " (deprecated)")
		holder, err := Resolve(Concept{System: SystemEURegister, Code: product}, SystemEUHolder, Context{Use: VaccineHolder})
		if err != nil || holder.Code != v.Holder {
			t.Errorf("%s: holder %s, %v", name, holder.Code, err)
		}
		var kinds []string
		for _, k := range Translate(MapProductToProphylaxis, SystemEURegister, product) {
			kinds = append(kinds, k.Code)
		}
		slices.Sort(kinds)
		slices.Sort(v.Kinds)
		if !slices.Equal(kinds, v.Kinds) {
			t.Errorf("%s: kinds %v, want %v", name, kinds, v.Kinds)
		}
	}
}
