package dcc_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

type object = map[string]any

// corrections are the fields in which we differ from the guide's own tests. Why:
//
//   - vp is SNOMED CT; the guide gives it the system of the EU's product register;
//   - countries become alpha-3, which the core data set needs;
//   - products and holders carry the text the tables have for them;
//   - a centre without a code is a text.
var corrections = map[string]object{
	"eudcc/dcc-valid-vs.json": {
		"vaccination.vaccine":  object{"system": "http://snomed.info/sct", "code": "1119349007"},
		"vaccination.brand":    object{"system": "http://id.who.int/icd11/mms", "code": "XM8NQ0", "display": "Comirnaty"},
		"vaccination.maholder": object{"system": "https://id.uvci.eu/valuesets/vaccine-mah-manf.json", "code": "ORG-100030215", "display": "Biontech Manufacturing GmbH"},
		"vaccination.country":  object{"system": "urn:iso:std:iso:3166", "code": "URY"},
	},
	"eudcc/dcc-valid-tr.json": {
		"test.centre":  object{"display": "Laboratorio ATGEN"},
		"test.country": object{"system": "urn:iso:std:iso:3166", "code": "URY"},
	},
}

// The maps against the assertions of the guide's own tests (structuremap-tests.feature).
func TestExpectedResults(t *testing.T) {
	t.Parallel()
	fields := 0
	for file, want := range vector(t, "ddcc/ig-fixtures/expected-results.json") {
		if !strings.HasPrefix(file, "eudcc/") {
			continue
		}
		claims := vector(t, "ddcc/ig-fixtures/"+file)
		readings := dccmap.Read(maps.Source{
			Issuer: "UY", IssuedAt: seconds(claims["6"]), ExpiresAt: seconds(claims["4"]),
			Content: claims["-260"].(object)["1"].(object),
		})
		if len(readings) != 1 {
			t.Fatalf("%s: %d readings", file, len(readings))
		}
		var core object
		if err := json.Unmarshal(readings[0].Core.Canonical(), &core); err != nil {
			t.Fatal(err)
		}
		for path, value := range want.(object)["entries"].([]any)[0].(object) {
			fields++
			if corrected, ok := corrections[file][path]; ok {
				value = corrected
			}
			switch path {
			case "certificate.issuer.display": // an identifier is all the core data set has
				path = "certificate.issuer.identifier.value"
			case "certificate.period": // the same instants, written as FHIR has them
				for end, at := range value.(object) {
					value.(object)[end] = strings.Replace(at.(string), ".000+00:00", "Z", 1)
				}
			}
			if diff := cmp.Diff(value, dig(core, path)); diff != "" {
				t.Errorf("%s: %s: %s", file, path, diff)
			}
		}
	}
	if fields != 28 {
		t.Errorf("%d fields compared", fields)
	}
}

func seconds(v any) time.Time { return time.Unix(int64(v.(float64)), 0) }

func dig(v any, path string) any {
	for member := range strings.SplitSeq(path, ".") {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[member]
	}
	return v
}

// notListed are the codes of the members' own positive vectors that are in no EU list:
// specimens of 2021 with a text or a mistyped code in place of a code.
var notListed = map[string]bool{
	"mp COVID-19 Vaccine Moderna": true, "ma SinovacBiotech": true,
	"tt a test": true, "tt COVID-19 test": true,
	"vp ": true, "mp ": true, "ma ": true, "tr ": true,
}

// Every code of the positive vectors of the member states resolves.
func TestVectorsResolve(t *testing.T) {
	t.Parallel()
	files, codes := 0, 0
	unlisted := map[string]bool{}
	eachVector(t, func(t *testing.T, path string, certificate object) {
		files++
		entry := func(group string) object {
			list, _ := certificate[group].([]any)
			if len(list) == 0 {
				return nil
			}
			o, _ := list[0].(object)
			return o
		}
		resolve := func(group, member, target string, c terminology.Context, systems ...string) {
			code, ok := entry(group)[member].(string)
			if !ok || notListed[member+" "+code] {
				unlisted[member+" "+code] = unlisted[member+" "+code] || ok
				return
			}
			codes++
			for _, system := range systems {
				if _, err := terminology.Resolve(terminology.Concept{System: system, Code: code}, target, c); err == nil {
					return
				}
			}
			t.Errorf("%s: %s of %s does not resolve", path, member, group)
		}
		const icd, sct, euur = terminology.SystemICD11, terminology.SystemSNOMED, terminology.SystemEURegister
		resolve("v", "vp", icd, terminology.Context{Use: terminology.VaccineType}, sct, terminology.SystemATC)
		resolve("v", "mp", icd, terminology.Context{Use: terminology.VaccineProduct}, euur)
		resolve("v", "ma", terminology.SystemEUHolder, terminology.Context{Use: terminology.VaccineHolder}, terminology.SystemEUHolder)
		resolve("v", "tg", icd, terminology.Context{Use: terminology.Disease}, sct)
		resolve("t", "tt", icd, terminology.Context{Use: terminology.TestType}, terminology.SystemLOINC)
		resolve("t", "tr", icd, terminology.Context{Use: terminology.TestResult}, sct)
		resolve("t", "tg", icd, terminology.Context{Use: terminology.Pathogen}, sct)
		resolve("r", "tg", icd, terminology.Context{Use: terminology.Pathogen}, sct)
	})
	if files < 120 || codes < 300 {
		t.Errorf("%d certificates and %d codes, which is too few", files, codes)
	}
	for code := range notListed {
		if !unlisted[code] {
			t.Errorf("no vector has %q", code)
		}
	}
	t.Logf("%d certificates, %d codes", files, codes)
}

// eachVector goes through the certificates of the EU's test data of which no check is
// expected to fail, or skips.
func eachVector(t *testing.T, do func(t *testing.T, path string, certificate object)) {
	t.Helper()
	folder := vectors.Path(t, "eu-dgc-testdata")
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if certificate := positive(b); certificate != nil {
			rel, _ := filepath.Rel(folder, path)
			do(t, rel, certificate)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// positive gives the certificate of a file of which nothing is expected to fail; some
// files have none.
func positive(raw []byte) object {
	var file struct {
		JSON     object          `json:"JSON"`
		Expected map[string]bool `json:"EXPECTEDRESULTS"`
	}
	if json.Unmarshal([]byte(strings.TrimPrefix(string(raw), "\ufeff")), &file) != nil {
		return nil
	}
	for _, ok := range file.Expected {
		if !ok {
			return nil
		}
	}
	return file.JSON
}

// The positive vectors of the member states are read, and what is read of a certificate
// that keeps to the EU's lists goes back into the same codes.
func TestVectorsRead(t *testing.T) {
	t.Parallel()
	read, again := 0, 0
	eachVector(t, func(t *testing.T, path string, certificate object) {
		for _, r := range dccmap.Read(maps.Source{Issuer: "EU", IssuedAt: time.Unix(1, 0), Content: certificate}) {
			read++
			if r.Core.Vaccination == nil && r.Core.Test == nil {
				t.Errorf("%s: no event: %+v", path, r.Issues)
			}
			v := r.Core.Vaccination
			if v == nil {
				continue
			}
			out, issues := dccmap.Vaccination(r.Core, context())
			if len(issues) != 0 {
				continue
			}
			again++
			entry := certificate["v"].([]any)[0].(object)
			got := out.Vaccinations[0]
			if got.Product != entry["mp"] || got.Holder != entry["ma"] || got.Country != entry["co"] ||
				got.Prophylaxis != entry["vp"] && entry["vp"] != "J07BX03" && entry["vp"] != "1119305005" {
				t.Errorf("%s: %+v", path, got)
			}
		}
	})
	if read < 120 || again < 30 {
		t.Errorf("%d certificates read, %d written again", read, again)
	}
	t.Logf("%d readings, %d vaccinations written again", read, again)
}

func readOne(t *testing.T, content object) maps.Reading {
	t.Helper()
	readings := dccmap.Read(maps.Source{Content: content})
	if len(readings) != 1 {
		t.Fatalf("%d readings", len(readings))
	}
	return readings[0]
}

// Tolerance for what issuers really write.
func TestReadTolerance(t *testing.T) {
	t.Parallel()
	r := readOne(t, object{
		"ver": "1.0.0", "nam": object{"fnt": "SPECIMEN", "gnt": "AULUS<AGERIUS"}, "dob": "1963-00-00", "r": nil, "t": nil,
		"v": []any{object{"vp": "J07BX03", "mp": "R-COVI", "ma": "Unknown-Maker", "dn": json.Number("2"), "sd": 2.0, "dt": "2021-03-09T00:00:00", "co": "XX", "tg": "840539006"}},
	})
	v := r.Core.Vaccination
	if r.Core.Name != "AULUS AGERIUS SPECIMEN" || r.Core.BirthDate != "1963" || v.Date != "2021-03-09" || v.Dose != 2 || v.TotalDoses != 2 {
		t.Errorf("%+v %+v", r.Core, v)
	}
	if v.Vaccine.System != terminology.SystemATC || v.Brand.System != terminology.SystemEURegister || v.Brand.Code != "R-COVI" || v.Country != (fhir.Coding{Code: "XX"}) {
		t.Errorf("%+v", v)
	}
	if len(errorsOf(r.Issues)) != 0 || len(r.Issues) != 2 { // the holder and the country
		t.Errorf("%+v", r.Issues)
	}
	for dob, want := range map[string]string{"": "", "1990": "1990", "1990-06": "1990-06", "1990-06-XX": "1990-06", "1990-XX-XX": "1990", "1990-06-12T00:00:00": "1990-06-12"} {
		if r := readOne(t, object{"dob": dob, "v": []any{object{}}}); r.Core.BirthDate != want || len(r.Issues) != 0 {
			t.Errorf("%q: %q, %+v", dob, r.Core.BirthDate, r.Issues)
		}
	}
}

func TestReadRecovery(t *testing.T) {
	t.Parallel()
	r := readOne(t, object{"nam": object{"fn": "Specimen", "gn": "Aulus"}, "dob": "1990-01-02", "r": []any{object{
		"tg": "840539006", "fr": "2022-01-01T00:00:00.000Z", "df": "2022-01-12", "du": "2022-06-30", "co": "LT", "is": "Specimen Ministry", "ci": "URN:UVCI:01:LT:A",
	}}})
	want := fhir.Test{Pathogen: icd("XN109"), Result: icd("RA01.0"), Date: "2022-01-01", Country: iso("LTU")}
	if diff := cmp.Diff(want, *r.Core.Test); diff != "" || r.Core.Model != fhir.ModelTR || len(errorsOf(r.Issues)) != 0 {
		t.Error(diff, r.Issues)
	}
}

// A certificate that cannot be read says so.
func TestReadRefusals(t *testing.T) {
	t.Parallel()
	entry := object{"fr": "2022-01-01"}
	many := make([]any, 200)
	for i := range many {
		many[i] = entry
	}
	for name, content := range map[string]object{
		"nothing": nil, "no event": {"ver": "1.3.0"}, "null groups": {"v": nil, "t": nil, "r": nil}, "empty group": {"v": []any{}},
		"group of another type": {"v": "x"}, "too many": {"r": many}, "null entry": {"v": []any{nil}}, "text entry": {"v": []any{"x"}},
		"impossible day": {"v": []any{object{"dt": "2021-02-30"}}}, "month alone": {"v": []any{object{"dt": "2021-02"}}},
		"time without zone": {"t": []any{object{"sc": "2021-02-03T10:00:00"}}}, "number for a time": {"t": []any{object{"sc": uint64(1623000000000)}}},
		"dose zero": {"v": []any{object{"dn": uint64(0)}}}, "half a dose": {"v": []any{object{"dn": 1.5}}},
	} {
		readings := dccmap.Read(maps.Source{Content: content})
		if len(readings) != 1 || len(errorsOf(readings[0].Issues)) == 0 {
			t.Errorf("%s: %d readings, %+v", name, len(readings), readings)
		}
	}
}
