package icvp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	icvpmap "github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func vectors(name string) string {
	return filepath.Join("..", "..", "..", "..", "shared", "vectors", filepath.FromSlash(name))
}

// Cards of all generations, from the public vectors.
func TestVectors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, name, product, vaccine, disease string
		issues                                int
	}{
		{"who-gdhcn/DVCTestQR.txt", "Aulo Agerio", "", "XM0N24", "1D47", 4},
		{"who-gdhcn/DVCTest2QR.txt", "Aulo Agerio", "", "XM0N24", "1D47", 4},
		{"generated/10-icvp-gen1.txt", "", "YellowFeverProductd2c75a15ed309658b3968519ddb31690", "XM0N24", "", 2},
		{"generated/11-icvp-gen3.txt", "", "YellowFeverProductd2c75a15ed309658b3968519ddb31690", "XM0N24", "", 2},
	}
	for _, tt := range tests {
		text, err := os.ReadFile(vectors(tt.file))
		if err != nil {
			t.Skip("the public vectors are not beside the repository")
		}
		message, err := reader.Decode(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(tt.file, err)
		}
		content, _ := message.Claims.SubClaims[icvp.SubClaim].(map[string]any)
		readings := icvpmap.Read(maps.Source{Issuer: message.Claims.Issuer, IssuedAt: message.Claims.IssuedAt, ExpiresAt: message.Claims.ExpiresAt, Content: content})
		if len(readings) != 1 || fault.HasErrors(readings[0].Issues) || readings[0].Core.Vaccination == nil {
			t.Errorf("%s: %+v", tt.file, readings)
			continue
		}
		r := readings[0]
		v := r.Core.Vaccination
		if tt.name != "" && r.Core.Name != tt.name || r.Core.Name == "" || v.Brand.Code != tt.product || v.Vaccine.Code != tt.vaccine ||
			v.Disease.Code != tt.disease || v.Lot == "" || v.Date == "" || r.Core.Certificate.Issuer.Value == "" {
			t.Errorf("%s: %+v %+v", tt.file, r.Core, v)
		}
		if len(r.Issues) != tt.issues {
			t.Errorf("%s: %d issues %+v", tt.file, len(r.Issues), r.Issues)
		}
	}
}

func TestReadRefusals(t *testing.T) {
	t.Parallel()
	dose := map[string]any{"vp": stamaril}
	long := strings.Repeat("n", 300)
	for name, content := range map[string]map[string]any{
		"nothing": nil, "no dose": {"n": "x"}, "two doses": {"v": []any{dose, dose}}, "list of texts": {"v": []any{"x"}},
		"version alone": {"v": "0.3.0"}, "number for a name": {"n": uint64(1), "v": []any{dose}},
		"no day": {"n": "x", "v": []any{map[string]any{"dt": "2024-02-30"}}}, "long name": {"n": long, "v": []any{dose}},
	} {
		readings := icvpmap.Read(maps.Source{Content: content})
		if len(readings) != 1 || !fault.HasErrors(readings[0].Issues) {
			t.Errorf("%s: %+v", name, readings)
		}
		for _, i := range readings[0].Issues {
			if i.Path == "" || i.Rule == "" || i.Detail == "" || i.Fix == "" {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
	unknown := icvpmap.Read(maps.Source{Content: map[string]any{"v": []any{map[string]any{"vp": "NewProduct1"}}}})[0]
	if v := unknown.Core.Vaccination; v.Brand != prequal("NewProduct1") || v.Vaccine != v.Brand || len(unknown.Issues) != 1 || fault.HasErrors(unknown.Issues) {
		t.Errorf("%+v", unknown)
	}
}

// FuzzRead: no content makes Read fail or answer nothing.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"n":"Specimen","dob":"1990-01-02","s":"M","v":{"vp":"XM0N24","dt":"2020-01-01","bo":"1","tg":"1D47","ma":"x","vle":"2021-01-01"}}`,
		`{"n":"Specimen","dob":"1990-01-02","ntl":"CHE","nid":"X1","ndt":"PPN","v":[{"vp":"` + stamaril + `","dt":"2020-01-01","bo":"1","is":"x","cn":"y","vls":"2020-01-11"}]}`,
		`{"n":"Specimen","nt":"CHE","dt":"PPN","vx":{"vp":"p","dv":"2020-01-01"},"v":"0.3.0"}`, `{"v":[]}`, `{"vx":1}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var content map[string]any
		if json.Unmarshal(raw, &content) != nil {
			return
		}
		readings := icvpmap.Read(maps.Source{Content: content})
		if len(readings) != 1 {
			t.Fatal("not one reading")
		}
		if readings[0].Core.Vaccination == nil && !fault.HasErrors(readings[0].Issues) {
			t.Error("no event and no error")
		}
		icvpmap.FromCore(readings[0].Core, context)
	})
}
