package dcc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// members gives the codings of a value set of ours, by trying the codes of its map.
func members(set, system string, codes ...string) []fhir.Coding {
	var out []fhir.Coding
	for _, code := range codes {
		if in, _ := terminology.InValueSet(set, system, code); in {
			out = append(out, fhir.Coding{System: system, Code: code})
		}
	}
	return out
}

// productCodes are the EU's product codes, retired ones included.
var productCodes = []string{
	"EU/1/20/1528", "EU/1/20/1507", "EU/1/21/1529", "EU/1/20/1525", "CVnCoV", "NVX-CoV2373", "Sputnik-V", "Convidecia",
	"EpiVacCorona", "BBIBP-CorV", "Inactivated-SARS-CoV-2-Vero-Cell", "CoronaVac", "Covaxin", "Covishield",
	"Covid-19-recombinant", "R-COVI", "CoviVac", "Sputnik-Light", "Hayat-Vax", "Abdala", "WIBP-CorV", "MVC-COV1901",
	"EU/1/21/1618", "Covovax", "Vidprevtyn", "VLA2001", "EpiVacCorona-N", "Sputnik-M", "Covid-19-adsorvida-inativada",
	"NVSI-06-08", "YS-SC2-010", "SCTV01C", "Covifenz", "AZD2816", "Soberana-02", "Soberana-Plus", "EU/1/21/1624",
	"EU/1/21/1580", "EU/1/22/1709",
}

func allProducts() []fhir.Coding {
	return members("EUDCC", terminology.SystemEURegister, productCodes...)
}

var (
	typeCodes  = []string{"XM68M6", "XM1NL1", "XM9QW8", "XM0CX4", "XM5JC5", "XM1J92", "XM6AT1", "XM0GQ8"}
	brandCodes = []string{"XM7HT3", "XM8866", "XM1G90", "XM4YL8", "XM97T2", "XM6QV1", "XM1AG7", "XM5ZJ4", "XM5QM6", "XM3PG0", "XM9T65", "XM8NQ0", "XM3DT5", "XM2YG8"}
	people     = []string{"Aulus Agerius Specimen", "Specimen", "Δοκιμή Δείγμα", "Ольга Образец", "Müller Muster, Jörg", "Nguyễn Specimen", "नमूना", "O’Neill Specimen", ""}
)

func oneOf(system string, codes ...string) *rapid.Generator[fhir.Coding] {
	return rapid.Map(rapid.SampledFrom(codes), func(code string) fhir.Coding { return fhir.Coding{System: system, Code: code} })
}

func anyVaccinated() *rapid.Generator[fhir.CoreDataSet] {
	return rapid.Custom(func(t *rapid.T) fhir.CoreDataSet {
		c := anyPerson(t, fhir.ModelVSPoV)
		c.Vaccination = &fhir.Vaccination{
			Vaccine: rapid.OneOf(
				oneOf(terminology.SystemICD11, append(typeCodes, brandCodes...)...),
				oneOf(terminology.SystemSNOMED, "1119349007", "1119305005", "1162643001", "1157024006", "29061000087103", "28531000087107"),
				oneOf(terminology.SystemCVX, "207", "208", "212", "213", "502"),
				oneOf(terminology.SystemATC, "J07BN", "J07BN01", "J07BN02", "J07BN03", "J07BN04"),
			).Draw(t, "vaccine"),
			Brand: rapid.OneOf(oneOf(terminology.SystemICD11, brandCodes...), rapid.SampledFrom(allProducts()),
				oneOf(terminology.SystemCVX, "207", "208", "210", "212", "502", "511")).Draw(t, "brand"),
			MAHolder: rapid.OneOf(rapid.Just(fhir.Coding{Display: "Specimen Inc"}),
				oneOf(terminology.SystemEUHolder, "ORG-100032020", "ORG-100001981", "ORG-100030215", "ORG-100001699", "ORG-100007893")).Draw(t, "holder"),
			Lot:        "PT123F",
			Date:       rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T23:30:00-10:00", "2021-12-31"}).Draw(t, "date"),
			Dose:       rapid.IntRange(0, 5).Draw(t, "dose"),
			TotalDoses: rapid.IntRange(0, 5).Draw(t, "total"),
			Country:    anyCountry(t),
			Disease:    rapid.OneOf(rapid.Just(fhir.Coding{}), oneOf(terminology.SystemICD11, "RA01", "XN109", "RA01.0"), oneOf(terminology.SystemSNOMED, "840539006")).Draw(t, "disease"),
		}
		return c
	})
}

func anyTested() *rapid.Generator[fhir.CoreDataSet] {
	return rapid.Custom(func(t *rapid.T) fhir.CoreDataSet {
		c := anyPerson(t, fhir.ModelTR)
		c.Test = &fhir.Test{
			Pathogen: oneOf(terminology.SystemICD11, "XN109", "XN161").Draw(t, "pathogen"),
			Type: rapid.OneOf(oneOf(terminology.SystemICD11, "1334426561", "2056159157"),
				oneOf(terminology.SystemLOINC, "LP6464-4", "94500-6", "94558-4", "94563-4")).Draw(t, "type"),
			Brand:        rapid.SampledFrom([]fhir.Coding{{}, {System: "urn:example", Code: "T", Display: "Specimen test"}, {System: terminology.SystemJRCDevice, Code: "344"}}).Draw(t, "brand"),
			Manufacturer: rapid.SampledFrom([]fhir.Coding{{}, {Display: "Specimen Inc"}, {System: terminology.SystemJRCDevice, Code: "1232"}}).Draw(t, "manufacturer"),
			Date:         rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T10:00:00.999+02:00", "2021-12-31T23:59:59Z"}).Draw(t, "date"),
			Result: rapid.OneOf(oneOf(terminology.SystemICD11, "RA01.0", "QA02", "RA01.1"),
				oneOf(terminology.SystemSNOMED, "260373001", "260415000", "419984006")).Draw(t, "result"),
			Centre:  rapid.SampledFrom([]fhir.Coding{{}, {Display: "Test Centre"}, {Code: "TC-1"}}).Draw(t, "centre"),
			Country: anyCountry(t),
		}
		return c
	})
}

func anyPerson(t *rapid.T, model fhir.Model) fhir.CoreDataSet {
	c := person()
	c.Model = model
	c.Name = rapid.SampledFrom(people).Draw(t, "name")
	c.BirthDate = rapid.SampledFrom([]string{"", "1988", "1988-02", "1988-02-29", "1899-12-31"}).Draw(t, "birth")
	return c
}

func anyCountry(t *rapid.T) fhir.Coding {
	return iso(rapid.SampledFrom([]string{"CHE", "DEU", "URY", "XXA"}).Draw(t, "country"))
}

// roundTrip writes an event, checks the certificate by the format's own rules and reads it
// back; without a certificate there is one error at least.
func roundTrip(t *rapid.T, write func(fhir.CoreDataSet, dccmap.Context) (dcc.Certificate, []fault.Issue), core fhir.CoreDataSet) (dcc.Certificate, *maps.Reading) {
	out, issues := write(core, context())
	if out.Version == "" {
		if len(errorsOf(issues)) == 0 {
			t.Fatal("neither a certificate nor an error")
		}
		return out, nil
	}
	made := content(t, out)
	for _, p := range dcc.CheckIssued(made) {
		t.Errorf("the format objects: %+v", p)
	}
	at := time.Unix(1_650_000_000, 0)
	readings := dccmap.Read(maps.Source{IssuedAt: at, ExpiresAt: at.Add(time.Hour), Content: made})
	if len(readings) != 1 || len(errorsOf(readings[0].Issues)) != 0 {
		t.Fatalf("%+v", readings)
	}
	r := readings[0]
	if r.Core.BirthDate != core.BirthDate || r.Core.Certificate.HCID != uvci || r.Core.Certificate.Issuer.Value != context().Issuer ||
		r.Core.Certificate.Period.Start != "2022-04-15T05:20:00Z" || r.Core.Certificate.Period.End != "2022-04-15T06:20:00Z" {
		t.Errorf("%+v", r.Core)
	}
	// A name that came with a comma comes back in the order of speech.
	if out.Name.Given != "" && r.Core.Name != out.Name.Given+" "+out.Name.Family || out.Name.Given == "" && r.Core.Name != out.Name.Family {
		t.Error("the name changed")
	}
	// Splitting the name again may move its seam, which says nothing of the event.
	again, issues := write(r.Core, context())
	out.Name, again.Name = dcc.Name{}, dcc.Name{}
	if diff := cmp.Diff(out, again); diff != "" && out.Recoveries == nil {
		t.Errorf("written again it is another: %s %+v", diff, issues)
	}
	return out, &r
}

func TestVaccinationRoundTrip(t *testing.T) {
	t.Parallel()
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		core := anyVaccinated().Draw(t, "core")
		out, r := roundTrip(t, dccmap.Vaccination, core)
		if r == nil {
			return
		}
		accepted++
		v := r.Core.Vaccination
		if v.Dose != core.Vaccination.Dose || v.TotalDoses != out.Vaccinations[0].TotalDoses || v.Date != core.Vaccination.Date[:10] || v.Country != core.Vaccination.Country {
			t.Errorf("%+v", v)
		}
		if core.Vaccination.Brand.System == terminology.SystemICD11 && v.Brand.System == terminology.SystemICD11 && v.Brand.Code != core.Vaccination.Brand.Code {
			t.Error("the brand is another")
		}
	})
	if accepted < 3 {
		t.Errorf("only %d events had a certificate", accepted)
	}
}

func TestTestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		core := anyTested().Draw(t, "core")
		_, r := roundTrip(t, dccmap.Test, core)
		if r == nil {
			return
		}
		got, want := r.Core.Test, core.Test
		if got.Country != want.Country || got.Pathogen != icd("XN109") || want.Centre.Display != "" && got.Centre != want.Centre {
			t.Errorf("%+v", got)
		}
		for _, pair := range [][2]fhir.Coding{{got.Type, want.Type}, {got.Result, want.Result}} {
			if pair[1].System == terminology.SystemICD11 && pair[1].Code != "RA01.1" && pair[0] != pair[1] {
				t.Errorf("%+v", got)
			}
		}
		before, _ := fhir.ParseDateTime(want.Date)
		after, _ := fhir.ParseDateTime(got.Date)
		if !before.Earliest.Truncate(time.Second).Equal(after.Earliest) {
			t.Errorf("the time moved")
		}
	})
}

func TestRecoveryRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		core := anyTested().Draw(t, "core")
		out, r := roundTrip(t, dccmap.Recovery, core)
		if r == nil {
			return
		}
		if r.Core.Test.Type != (fhir.Coding{}) {
			t.Errorf("a recovery certificate does not say %v", r.Core.Test.Type)
		}
		r.Core.Test.Type = core.Test.Type
		if again, _ := dccmap.Recovery(r.Core, context()); cmp.Diff(out.Recoveries, again.Recoveries) != "" {
			t.Error("written again it is another")
		}
		if r.Core.Test.Date != core.Test.Date[:10] {
			t.Errorf("%+v", r.Core.Test)
		}
	})
}

// Every product that the EU has not retired has a certificate from its own code, with the
// kind of vaccine the EU's instructions give, and comes back.
func TestEveryProduct(t *testing.T) {
	t.Parallel()
	written := 0
	for _, product := range allProducts() {
		active, _ := terminology.InValueSet(terminology.ValueSetEUProduct, product.System, product.Code)
		core := vaccination()
		core.Vaccination.Brand = product
		core.Vaccination.Vaccine = icd("XM68M6")
		out, issues := dccmap.Vaccination(core, context())
		if (len(issues) == 0) != active {
			t.Errorf("%s: active %v, %+v", product.Code, active, issues)
			continue
		}
		if !active {
			continue
		}
		written++
		r := dccmap.Read(maps.Source{Content: content(t, out)})[0]
		again, issues := dccmap.Vaccination(r.Core, context())
		if diff := cmp.Diff(out, again); diff != "" {
			t.Errorf("%s: %s %+v", product.Code, diff, issues)
		}
	}
	if written != 35 {
		t.Errorf("%d products", written)
	}
}

// FuzzRead: no content makes Read fail or answer nothing, and issues repeat no text of it.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"ver":"1.3.0","nam":{"fn":"Specimen","gn":"Aulus"},"dob":"1990-01-02","v":[{"tg":"840539006","vp":"1119349007","mp":"EU/1/20/1528","ma":"ORG-100030215","dn":1,"sd":2,"dt":"2021-05-01","co":"CH","is":"x","ci":"y"}]}`,
		`{"t":[{"tg":"840539006","tt":"LP217198-3","ma":"1232","sc":"2021-05-01T10:00:00+02:00","tr":"260415000","tc":"c","co":"CH"}]}`,
		`{"r":[{"fr":"2021-05-01","co":"LT"}],"v":null}`, `{"v":[null,1,"x",{}],"dob":"1963-00"}`, `{"v":{}}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, ok := decoded(raw)
		if !ok {
			return
		}
		readings := dccmap.Read(maps.Source{Content: c})
		if len(readings) == 0 {
			t.Fatal("no reading")
		}
		for _, r := range readings {
			dccmap.Vaccination(r.Core, context())
			dccmap.Test(r.Core, context())
			dccmap.Recovery(r.Core, context())
			if r.Core.Vaccination == nil && r.Core.Test == nil && len(errorsOf(r.Issues)) == 0 {
				t.Error("no event and no error")
			}
		}
	})
}

func BenchmarkVaccination(b *testing.B) {
	b.ReportAllocs()
	core, c := vaccination(), context()
	for b.Loop() {
		if _, issues := dccmap.Vaccination(core, c); len(issues) != 0 {
			b.Fatal(issues)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	out, _ := dccmap.Vaccination(vaccination(), context())
	source := maps.Source{Content: content(b, out)}
	for b.Loop() {
		dccmap.Read(source)
	}
}
