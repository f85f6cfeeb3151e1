package vdsnc_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// seals gives the data of every seal in a vector: a seal or an array of them.
func seals(t *testing.T, name string) []maps.Source {
	t.Helper()
	raw := vector(t, name)
	type seal struct {
		Data json.RawMessage `json:"data"`
	}
	var several []seal
	if json.Unmarshal(raw, &several) != nil {
		var one seal
		if err := json.Unmarshal(raw, &one); err != nil {
			t.Fatal(err)
		}
		several = []seal{one}
	}
	out := make([]maps.Source, len(several))
	for i, s := range several {
		out[i] = dataSource(t, s.Data)
	}
	return out
}

// TestVectors reads every shared seal: name, certificate id and, for each dose, vaccine,
// brand, disease, date, number, country, centre and lot.
func TestVectors(t *testing.T) {
	t.Parallel()
	smith := []string{
		"Smith Bill|U32870|XM68M6|XM8NQ0|RA01.0|2021-03-03|1|UTO|RIVM|VC35679|2021-03-24",
		"Smith Bill|U32870|XM68M6|XM8NQ0|RA01.0|2021-03-24|2|UTO|RIVM|VC87540|",
	}
	citizen := "CITIZEN  JANE SUE|VB0009990012|XM68M6|AstraZeneca Vaxzevria|RA01.0|2021-09-15|1|AUS|General Practitioner|300157P|"
	nihon := []string{
		"NIHON HANAKO|FKQLW4W1|XM0GQ8|XM8NQ0|RA01.0|2021-06-01|1|JPN|MHLW_Gov_of_JAPAN|FJ5929|",
		"NIHON HANAKO|FKQLW4W1|XM0GQ8|XM3DT5|RA01.0|2021-06-22|2|JPN|MHLW_Gov_of_JAPAN|000221A|",
		"NIHON HANAKO|FKQLW4W1|XM9QW8|XM4YL8|RA01.0|2021-12-24|3|JPN|MHLW_Gov_of_JAPAN|N040A|",
	}
	for name, want := range map[string][]string{
		"icao-vdsnc/VDS-NC-Examples.json":       append(slices.Clone(smith), citizen),
		"icao-vdsnc/ICAOAUQR1Unpacked.json":     {citizen},
		"icao-vdsnc/ICAOAUQR1Contents.txt":      {citizen},
		"icao-vdsnc/ICAOJPQR1Contents.txt":      nihon,
		"ddcc/validator/ICAOAUQR1Unpacked.json": {citizen},
		"ddcc/validator/ICAOAUQR1Contents.txt":  {citizen},
		"ddcc/validator/ICAOJPQR1Contents.txt":  nihon,
		"ddcc/ig-fixtures/icao/vaccination_example.json": {
			"John B. Anyperson|U32870|XM68M6|XM8NQ0|RA01.0|2021-01-01|1|JPN|RIVM|VC35679|2021-03-24",
			"John B. Anyperson|U32870|XM68M6|XM8NQ0|RA01.0|2021-01-29|2|UTO|RIVM|VC87540|",
		},
	} {
		var got []string
		for _, s := range seals(t, name) {
			for _, r := range vdsncmap.Read(s) {
				got = append(got, doseLine(r.Core))
				if found := errorsOf(r.Issues); len(found) > 0 {
					t.Errorf("%s: %v", name, found)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func doseLine(c fhir.CoreDataSet) string {
	v := c.Vaccination
	return strings.Join([]string{
		c.Name, c.Certificate.HCID, v.Vaccine.Code, v.Brand.Code, v.Disease.Code, v.Date, string(rune('0' + v.Dose)), v.Country.Code, v.Centre, v.Lot, v.NextDose,
	}, "|")
}

// TestValidatorBundles compares with what WHO's validator makes of its seals.
func TestValidatorBundles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ICAOAUQR1", "ICAOJPQR1"} {
		var bundle struct {
			Entry []struct {
				Resource struct {
					ResourceType, OccurrenceDateTime, LotNumber, BirthDate string
					VaccineCode                                            struct{ Coding []struct{ Code string } }
					ProtocolApplied                                        []struct {
						DoseNumberPositiveInt int
						TargetDisease         []struct{ Coding []struct{ Code string } }
					}
				}
			}
		}
		if err := json.Unmarshal(vector(t, "ddcc/validator/"+name+"FHIRBundle.json"), &bundle); err != nil {
			t.Fatal(err)
		}
		readings := vdsncmap.Read(seals(t, "ddcc/validator/"+name+"Contents.txt")[0])
		for _, e := range bundle.Entry {
			r := e.Resource
			switch r.ResourceType {
			case "Patient":
				if readings[0].Core.BirthDate != r.BirthDate {
					t.Errorf("%s: birth date", name)
				}
			case "Immunization":
				v := readings[0].Core.Vaccination
				readings = readings[1:]
				p := r.ProtocolApplied[0]
				if v.Vaccine.Code != r.VaccineCode.Coding[0].Code || v.Date != r.OccurrenceDateTime || v.Lot != r.LotNumber ||
					v.Dose != p.DoseNumberPositiveInt || v.Disease.Code != p.TargetDisease[0].Coding[0].Code {
					t.Errorf("%s: %+v, want %+v", name, v, r)
				}
			}
		}
		if len(readings) > 0 {
			t.Errorf("%s: %d doses more", name, len(readings))
		}
	}
}

const (
	vaccinationJSON = `{"hdr":{"t":"icao.vacc","v":1,"is":"UTO"},"msg":{"uvci":"U1","pid":{"n":"SPECIMEN  ANA","dob":"1990-01-02","sex":"X"},` +
		`"ve":[{"des":"XM68M6","nam":"Comirnaty","vd":[{"dvc":"2021-03-03","seq":1,"ctr":"D","adm":"RKI","lot":"L1"}]}]}}`
	testJSON = `{"hdr":{"t":"icao.test","v":1,"is":"UTO"},"msg":{"utci":"U1","pid":{"n":"SPECIMEN  ANA","dob":"1990-01-02","dt":"P","dn":"E1"},` +
		`"sp":{"spn":"Lab","ctr":"JPN"},"dat":{"sc":"2021-02-15T12:00:00+08:00","ri":"2021-02-17T14:00:00+08:00"},"tr":{"tc":"antigen","r":"positive"}}}`
)

func TestReadDetails(t *testing.T) {
	t.Parallel()
	v := vdsncmap.Read(dataSource(t, []byte(vaccinationJSON)))[0]
	if c := v.Core; c.Vaccination.Country != iso("DEU") || c.Sex != "unknown" || c.Model != fhir.ModelVSCoC || c.Identifier != nil ||
		c.Certificate.Issuer.Value != "UTO" || c.Certificate.Version != "1" || c.Vaccination.Brand.Display != "Comirnaty" || len(v.Issues) > 0 {
		t.Errorf("%+v %+v", v.Core, v.Issues)
	}
	r := vdsncmap.Read(dataSource(t, []byte(testJSON)))[0]
	if c := r.Core; c.Test.Type != icd("2056159157") || c.Model != fhir.ModelTR || *c.Identifier != (fhir.Identifier{System: table0203 + "PPN", Value: "E1"}) {
		t.Errorf("%+v", r.Core)
	}
	if len(r.Issues) != 1 || r.Issues[0].Rule != "narrowed" { // an antigen test need not be a rapid one
		t.Errorf("%+v", r.Issues)
	}
}

func TestReadKeepsWhatNoTableHas(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		old, new string
		want     func(fhir.CoreDataSet) bool
		path     string
	}{
		"antibody": {`"tc":"antigen"`, `"tc":"antibody"`, func(c fhir.CoreDataSet) bool {
			return c.Test.Type == coding(terminology.SystemICAOType, "antibody")
		}, "data.msg.tr.tc"},
		"abnormal": {`"r":"positive"`, `"r":"abnormal"`, func(c fhir.CoreDataSet) bool {
			return c.Test.Result == coding(terminology.SystemICAOResult, "abnormal")
		}, "data.msg.tr.r"},
		"no word":   {`"r":"positive"`, `"r":"maybe"`, func(c fhir.CoreDataSet) bool { return c.Test.Result == coding("", "maybe") }, "data.msg.tr.r"},
		"a capital": {`"r":"positive"`, `"r":"Positive"`, func(c fhir.CoreDataSet) bool { return c.Test.Result == icd("RA01.0") }, ""},
		"visa": {`"dt":"P"`, `"dt":"V"`, func(c fhir.CoreDataSet) bool {
			return *c.Identifier == fhir.Identifier{Value: "E1"}
		}, "data.msg.pid.dt"},
		"identity card": {`"dt":"P"`, `"dt":"C"`, func(c fhir.CoreDataSet) bool { return c.Identifier.System == table0203+"CZ" }, ""},
		"Utopia":        {`"ctr":"JPN"`, `"ctr":"UTO"`, func(c fhir.CoreDataSet) bool { return c.Test.Country == coding("", "UTO") }, "data.msg.sp.ctr"},
		"alpha-2":       {`"ctr":"JPN"`, `"ctr":"JP"`, func(c fhir.CoreDataSet) bool { return c.Test.Country == iso("JPN") }, ""},
		"a test state":  {`"ctr":"JPN"`, `"ctr":"XXA"`, func(c fhir.CoreDataSet) bool { return c.Test.Country == iso("XXA") }, ""},
	} {
		r := vdsncmap.Read(dataSource(t, []byte(strings.Replace(testJSON, tc.old, tc.new, 1))))[0]
		var warned []string
		for _, i := range r.Issues {
			if i.Rule == "untranslated" {
				warned = append(warned, i.Path)
			}
		}
		if !tc.want(r.Core) || len(errorsOf(r.Issues)) > 0 || strings.Join(warned, ",") != tc.path {
			t.Errorf("%s: %+v %+v", name, r.Core.Test, r.Issues)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	dose := `{"dvc":"2021-03-03","seq":1,"ctr":"D","adm":"RKI","lot":"L1"}`
	for name, tc := range map[string]struct{ data, want string }{
		"nothing":        {`{}`, "data.hdr.t event-count"},
		"another seal":   {strings.Replace(testJSON, "icao.test", "icao.visa", 1), "data.hdr.t event-count"},
		"no vaccine":     {`{"hdr":{"t":"icao.vacc"},"msg":{"ve":[]}}`, "data.msg.ve event-count"},
		"no dose":        {strings.Replace(vaccinationJSON, dose, "", 1), "data.msg.ve event-count"},
		"101 doses":      {strings.Replace(vaccinationJSON, dose, strings.Repeat(dose+",", 100)+dose, 1), "data.msg.ve event-count"},
		"101 vaccines":   {`{"hdr":{"t":"icao.vacc"},"msg":{"ve":[` + strings.Repeat(`{"des":"X"},`, 101) + `{}]}}`, "data.msg.ve event-count"},
		"many values":    {`{"hdr":{"t":"icao.vacc"},"msg":{"ve":[` + strings.Repeat(`0,`, 30_000) + `{}]}}`, "data event-count"},
		"no such day":    {strings.Replace(vaccinationJSON, "2021-03-03", "2021-02-30", 1), "data.msg.ve[0].vd[0].dvc date"},
		"dose 0":         {strings.Replace(vaccinationJSON, `"seq":1`, `"seq":0`, 1), "data.msg.ve[0].vd[0].seq positive-int"},
		"dose 1.5":       {strings.Replace(vaccinationJSON, `"seq":1`, `"seq":1.5`, 1), "data.msg.ve[0].vd[0].seq positive-int"},
		"dose true":      {strings.Replace(vaccinationJSON, `"seq":1`, `"seq":true`, 1), "data.msg.ve[0].vd[0].seq positive-int"},
		"no result":      {strings.Replace(testJSON, `,"r":"positive"`, "", 1), "data.msg.tr.r required"},
		"no sample":      {strings.Replace(testJSON, `"sc":`, `"xx":`, 1), "data.msg.dat.sc required"},
		"no vaccine des": {strings.Replace(vaccinationJSON, `"des":`, `"xx":`, 1), "data.msg.ve[0].des required"},
		"a long name":    {strings.Replace(vaccinationJSON, "SPECIMEN", strings.Repeat("x", 256), 1), "data.msg.pid.n text-length"},
		"a long id":      {strings.Replace(vaccinationJSON, "U1", strings.Repeat("x", 65), 1), "data.msg.uvci text-length"},
		"number for id":  {strings.Replace(testJSON, `"U1"`, `7`, 1), "data.msg.utci json-type"},
	} {
		readings := vdsncmap.Read(dataSource(t, []byte(tc.data)))
		if len(readings) != 1 || !slices.Contains(errorsOf(readings[0].Issues), tc.want) {
			t.Errorf("%s: %d readings, %v", name, len(readings), errorsOf(readings[0].Issues))
		}
	}
}
