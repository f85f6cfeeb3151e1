package icvp_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	icvpmap "github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	stamaril = "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"
	imovax   = "PolioVaccineInactivatedIProduct532ef986c8042bbb15fee24056fdc4ed"
	hexaxim  = "DiphtheriaTetanusPertussProductd54558e2851d29311ee7f90975827dc7"
)

var context = icvpmap.Context{Issuer: "Specimen Ministry of Health"}

func prequal(code string) fhir.Coding {
	return fhir.Coding{System: terminology.SystemPrequalified, Code: code}
}

func icd(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemICD11, Code: code} }

func core() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Aulus Agerius Specimen", BirthDate: "2003-03-03", Sex: "male",
		Identifier:  &fhir.Identifier{System: "http://terminology.hl7.org/CodeSystem/v2-0203#PPN", Value: "X0000000"},
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "PHA-1"}, HCID: "111000111", Version: fhir.CoreDataSetVersion},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM0N24"), Brand: prequal(stamaril), Manufacturer: fhir.Coding{Display: "Specimen Inc"},
			Lot: "YF-1", Date: "2024-02-20", Dose: 1, TotalDoses: 1, Centre: "Specimen Clinic",
			Country: fhir.Coding{System: terminology.SystemISO3166, Code: "CHE"}, Practitioner: fhir.Identifier{Value: "hw-23"},
		},
	}
}

func TestFromCore(t *testing.T) {
	t.Parallel()
	got, issues := icvpmap.FromCore(core(), context)
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	want := icvp.Card{
		Name: "Aulus Agerius Specimen", BirthDate: "2003-03-03", Sex: "male", DocumentID: "X0000000", DocumentKey: "PPN",
		Vaccination: icvp.Vaccination{Product: stamaril, Date: "2024-02-20", Batch: "YF-1", Issuer: "Specimen Ministry of Health", ValidFrom: "2024-03-01"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestVariants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(c *fhir.CoreDataSet)
		want   func(c *icvp.Card)
	}{
		{"product as the vaccine", func(c *fhir.CoreDataSet) {
			c.Vaccination.Vaccine, c.Vaccination.Brand = prequal(stamaril), fhir.Coding{System: "urn:example", Code: "B"}
		}, func(*icvp.Card) {}},
		{"other spelling of the system", func(c *fhir.CoreDataSet) {
			c.Vaccination.Brand.System = "https://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIDs"
		}, func(*icvp.Card) {}},
		{"the tenth day said", func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2024-03-01" }, func(*icvp.Card) {}},
		{"a time of day", func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2024-02-20T23:00:00-10:00" }, func(*icvp.Card) {}},
		{"polio", func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine, c.Vaccination.Brand = icd("XM0N50"), prequal(imovax) },
			func(c *icvp.Card) { c.Vaccination.Product, c.Vaccination.ValidFrom = imovax, "" }},
		{"polio, valid from", func(c *fhir.CoreDataSet) {
			c.Vaccination.Vaccine, c.Vaccination.Brand, c.Vaccination.ValidFrom = icd("XM0N50"), prequal(imovax), "2024-02-21"
		}, func(c *icvp.Card) { c.Vaccination.Product, c.Vaccination.ValidFrom = imovax, "2024-02-21" }},
		{"combination", func(c *fhir.CoreDataSet) {
			c.Vaccination.Vaccine, c.Vaccination.Brand = icd("XM0N50"), prequal(hexaxim)
		},
			func(c *icvp.Card) { c.Vaccination.Product, c.Vaccination.ValidFrom = hexaxim, "" }},
		{"vaccine no table knows", func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = fhir.Coding{System: "urn:example", Code: "V"} }, func(*icvp.Card) {}},
		{"registry id", func(c *fhir.CoreDataSet) { c.Identifier.System = "urn:oid:1.2.3" }, func(c *icvp.Card) { c.DocumentID, c.DocumentKey = "", "" }},
		{"medical record number", func(c *fhir.CoreDataSet) { c.Identifier.System = "http://terminology.hl7.org/CodeSystem/v2-0203#MR" },
			func(c *icvp.Card) { c.DocumentID, c.DocumentKey = "", "" }},
		{"passport of a state", func(c *fhir.CoreDataSet) { c.Identifier.System = "http://hl7.org/fhir/sid/passport-CHE" }, func(*icvp.Card) {}},
		{"no identifier", func(c *fhir.CoreDataSet) { c.Identifier = nil }, func(c *icvp.Card) { c.DocumentID, c.DocumentKey = "", "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			event := core()
			want, _ := icvpmap.FromCore(event, context)
			tt.want(&want)
			tt.change(&event)
			got, issues := icvpmap.FromCore(event, context)
			if diff := cmp.Diff(want, got); diff != "" || len(issues) != 0 {
				t.Error(diff, issues)
			}
		})
	}
}

// Each event that has no card has one issue that says why, and repeats no value.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path, rule string
		change           func(c *fhir.CoreDataSet)
	}{
		{"no product id", ".vaccination.brand", icvpmap.RuleProduct, func(c *fhir.CoreDataSet) { c.Vaccination.Brand = icd("XM8NQ0") }},
		{"product outside the list", ".vaccination.brand", icvpmap.RuleProduct, func(c *fhir.CoreDataSet) { c.Vaccination.Brand.Code = "YellowFeverProduct0" }},
		{"vaccine against the product", ".vaccination.vaccine", icvpmap.RuleContradiction, func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = icd("XM8NQ0") }},
		{"two products", ".vaccination.vaccine", icvpmap.RuleContradiction, func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = prequal(imovax) }},
		{"no batch", ".vaccination.lot", icvpmap.RuleRequired, func(c *fhir.CoreDataSet) { c.Vaccination.Lot = " " }},
		{"year of birth", ".birthDate", icvpmap.RulePrecision, func(c *fhir.CoreDataSet) { c.BirthDate = "2003" }},
		{"birth date unknown", ".birthDate", icvpmap.RulePrecision, func(c *fhir.CoreDataSet) { c.BirthDate = "" }},
		{"month of vaccination", ".vaccination.date", icvpmap.RulePrecision, func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2024-02" }},
		{"valid at once", ".vaccination.validFrom", icvpmap.RuleContradiction, func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2024-02-20" }},
		{"no name", ".name", icvpmap.RuleRequired, func(c *fhir.CoreDataSet) { c.Name = "" }},
		{"a test", "", icvpmap.RuleEvent, func(c *fhir.CoreDataSet) { c.Vaccination = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			event := core()
			tt.change(&event)
			got, issues := icvpmap.FromCore(event, context)
			if len(issues) != 1 || !issues[0].IsError() || issues[0].Path != "DDCCCoreDataSet"+tt.path || issues[0].Rule != tt.rule {
				t.Fatalf("%+v", issues)
			}
			if !reflect.ValueOf(got).IsZero() || issues[0].Detail == "" || issues[0].Fix == "" {
				t.Error("a card in spite of an error, or an issue without words")
			}
			if v := event.Vaccination; v != nil {
				for _, value := range []string{event.Name, event.BirthDate, v.Brand.Code, v.Date, v.ValidFrom} {
					if value != "" && strings.Contains(issues[0].Detail+issues[0].Fix, value) {
						t.Error("the issue repeats a value")
					}
				}
			}
		})
	}
	if _, issues := icvpmap.FromCore(core(), icvpmap.Context{}); len(issues) != 1 || issues[0].Path != "DDCCCoreDataSet.certificate.issuer" {
		t.Errorf("%+v", issues)
	}
}

// products are the ids of WHO's value set that tests draw from, and one that is not in it.
var products = []string{stamaril, imovax, hexaxim, "YellowFeverProduct5f0639d8e4d52afef089aa7148c5060c", "YellowFeverProduct0"}

func anyEvent(t *rapid.T) fhir.CoreDataSet {
	c := core()
	c.Name = rapid.SampledFrom([]string{"Aulus Agerius Specimen", "样本", "نموذج", "Specimen"}).Draw(t, "name")
	c.BirthDate = rapid.SampledFrom([]string{"1988-02-29", "2003-03-03", "1988", ""}).Draw(t, "birth")
	c.Sex = rapid.SampledFrom([]string{"", "male", "female", "other", "unknown"}).Draw(t, "sex")
	c.Vaccination.Brand = prequal(rapid.SampledFrom(products).Draw(t, "product"))
	c.Vaccination.Vaccine = rapid.SampledFrom([]fhir.Coding{icd("XM0N24"), icd("XM0N50"), c.Vaccination.Brand, {System: "urn:example", Code: "V"}}).Draw(t, "vaccine")
	c.Vaccination.Date = rapid.SampledFrom([]string{"2024-02-20", "2023-12-31T23:00:00Z", "2024"}).Draw(t, "date")
	c.Vaccination.ValidFrom = rapid.SampledFrom([]string{"", "2024-03-01", "2024-02-25"}).Draw(t, "from")
	c.Vaccination.Lot = rapid.SampledFrom([]string{"YF-1", "B 2", ""}).Draw(t, "lot")
	if rapid.Bool().Draw(t, "anonymous") {
		c.Identifier = nil
	}
	return c
}

// wire is a card as a reader gives it.
func wire(t interface{ Fatal(args ...any) }, card icvp.Card, g icvp.Generation) map[string]any {
	value, err := card.Content(g)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every card that is written is one by the format's own rules, in both generations that
// are written, and reading it gives back what it carries.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		event := anyEvent(t)
		card, issues := icvpmap.FromCore(event, context)
		if card.Name == "" {
			if !fault.HasErrors(issues) {
				t.Fatal("neither a card nor an error")
			}
			return
		}
		accepted++
		at := time.Unix(1_710_000_000, 0)
		for _, g := range []icvp.Generation{icvp.Gen1, icvp.Gen2} {
			written := card
			if g == icvp.Gen2 { // which needs what the core data set does not have
				written.Sex, written.Nationality = "other", "CHE"
			}
			content := wire(t, written, g)
			for _, p := range icvp.Check(content) {
				t.Errorf("the format objects: %+v", p)
			}
			readings := icvpmap.Read(maps.Source{Issuer: "CH", IssuedAt: at, Content: content})
			if len(readings) != 1 || fault.HasErrors(readings[0].Issues) {
				t.Fatalf("%+v", readings)
			}
			r := readings[0].Core
			v := r.Vaccination
			if r.Name != event.Name || r.BirthDate != event.BirthDate || !reflect.DeepEqual(r.Identifier, event.Identifier) ||
				r.Certificate.Issuer.Value != context.Issuer || r.Certificate.Period.Start != "2024-03-09T16:00:00Z" ||
				v.Lot != event.Vaccination.Lot || v.Date != event.Vaccination.Date[:10] || v.Brand.Code != event.Vaccination.Brand.Code {
				t.Errorf("generation %d: %+v %+v", g, r, v)
			}
			if g == icvp.Gen1 && v.ValidFrom != card.Vaccination.ValidFrom {
				t.Error("the validity changed")
			}
			if g == icvp.Gen2 {
				continue
			}
			again, issues := icvpmap.FromCore(r, context)
			again.Sex = card.Sex // which has no place beside a missing centre
			if diff := cmp.Diff(card, again); diff != "" {
				t.Errorf("written again it is another: %s %+v", diff, issues)
			}
		}
	})
	if accepted == 0 {
		t.Error("no event had a card")
	}
}
