package icvp

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func specimen() Card {
	return Card{
		Name: "Ada Specimen", BirthDate: "1990-02-03", Sex: "female", Nationality: "XXA", DocumentID: "X0000001", DocumentKey: "PPN",
		Vaccination: Vaccination{
			Product: "YellowFeverProductd2c75a15ed309658b3968519ddb31690", Date: "2025-12-20", Batch: "LOT1",
			Clinician: "Dr Sample", Issuer: "XXA", ValidFrom: "2025-12-30",
		},
	}
}

// content decodes sub-claim -6 of a vector.
func content(t *testing.T, folder, file string) map[string]any {
	t.Helper()
	text := vectors.Read(t, folder, file)
	message, err := reader.Decode(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	object, ok := message.Claims.SubClaims[SubClaim].(map[string]any)
	if !ok {
		t.Fatal("no sub-claim -6")
	}
	return object
}

// roundTrip encodes as the HCERT writer does and decodes as its reader does.
func roundTrip(t interface{ Fatal(...any) }, value any) map[string]any {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := mode.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any]()}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := decoder.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	again, err := mode.Marshal(object)
	if err != nil || !bytes.Equal(again, encoded) {
		t.Fatal("the encoding is not deterministic", err)
	}
	return object
}

// The cards that another program wrote are what ours are, to the last member.
func TestGeneratedVectors(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Generation{"10-icvp-gen1.txt": Gen1, "11-icvp-gen3.txt": Gen2} {
		published := content(t, "generated", file)
		if problems := Check(published); len(problems) != 0 {
			t.Errorf("%s: %+v", file, problems)
		}
		card, generation, err := Parse(published)
		if err != nil || generation != want {
			t.Fatalf("%s: generation %d (%v)", file, generation, err)
		}
		expected := specimen()
		if want == Gen2 {
			expected.Vaccination.ValidFrom = ""
		}
		if diff := cmp.Diff(expected, card); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
		written, err := card.Content(generation)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(published, roundTrip(t, written)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// The test cards of 2024 are read, with warnings alone: nobody published rules for them.
func TestCardsOf2024(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"DVCTestQR.txt", "DVCTest2QR.txt"} {
		published := content(t, "who-gdhcn", file)
		card, generation, err := Parse(published)
		want := Card{
			Name: "Aulo Agerio", BirthDate: "1905-08-23", Sex: "male", Nationality: "CL", DocumentID: "16337361-9", Guardian: "Parent/Juan Medina",
			Vaccination: Vaccination{
				Product: "XM0N24", Date: "1904-08-23", Batch: "123123123", Clinician: "Vacunador", Issuer: "reference to organzation",
				ValidFrom: "2015-02-07", ValidUntil: "2015-02-07",
			},
		}
		if diff := cmp.Diff(want, card); err != nil || generation != Gen0 || diff != "" {
			t.Errorf("%s: generation %d (%v) %s", file, generation, err, diff)
		}
		problems := Check(published)
		if hasErrors(problems) || len(problems) != 3 { // letter for sex, alpha-2, vaccinated before birth
			t.Errorf("%s: %+v", file, problems)
		}
	}
}

func hasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

var anyText = rapid.StringMatching(`[A-Za-zÀ-žء-ي]([A-Za-zÀ-ž ́ء-ي]{0,20}[A-Za-zÀ-žء-ي])?`)

func drawCard(r *rapid.T) Card {
	optional := func(g *rapid.Generator[string], name string) string {
		return rapid.OneOf(rapid.Just(""), g).Draw(r, name)
	}
	day := rapid.StringMatching(`20(0\d|1\d)-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])`)
	later := rapid.StringMatching(`203\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])`)
	sex := rapid.SampledFrom([]string{"male", "female", "other", "unknown"})
	country := rapid.StringMatching(`[A-Z]{3}`)
	return Card{
		Name: anyText.Draw(r, "name"), BirthDate: rapid.StringMatching(`19\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])`).Draw(r, "born"),
		Sex: optional(sex, "sex"), Nationality: optional(country, "nationality"), DocumentID: optional(anyText, "document"),
		DocumentKey: optional(anyText, "document type"), Guardian: optional(anyText, "guardian"),
		Vaccination: Vaccination{
			Product: anyText.Draw(r, "product"), Date: day.Draw(r, "date"), Batch: anyText.Draw(r, "batch"),
			Clinician: optional(anyText, "clinician"), Issuer: anyText.Draw(r, "issuer"),
			ValidFrom: optional(later, "from"), ValidUntil: optional(rapid.Just("2049-12-31"), "until"),
		},
	}
}

func TestCardRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		card := drawCard(r)
		generation := rapid.SampledFrom([]Generation{Gen1, Gen2}).Draw(r, "generation")
		written, err := card.Content(generation)
		if generation == Gen2 && (card.Sex == "" || card.Nationality == "") {
			if err == nil {
				r.Fatal("generation 2 needs sex and nationality")
			}
			return
		}
		if err != nil {
			r.Fatal(err, fault.From(err).Issues)
		}
		object := roundTrip(r, written)
		if problems := Check(object); len(problems) != 0 {
			r.Fatalf("%+v", problems)
		}
		read, got, err := Parse(object)
		want := card.normalised()
		if generation == Gen2 {
			want.Vaccination.ValidFrom, want.Vaccination.ValidUntil = "", ""
		}
		if err != nil || got != generation || read != want {
			r.Fatalf("generation %d (%v): %s", got, err, cmp.Diff(want, read))
		}
		if !norm.NFC.IsNormalString(read.Name) {
			r.Fatal("not in NFC")
		}
	})
}

func TestCardsThatAreNotWritten(t *testing.T) {
	t.Parallel()
	for rule, change := range map[string]func(*Card){
		"icvp-required":                      func(c *Card) { c.Name, c.BirthDate, c.Vaccination.Product, c.Vaccination.Batch = "", "", "", "" },
		"must-have-issuer-or-clinician-name": func(c *Card) { c.Vaccination.Clinician, c.Vaccination.Issuer = "", "" },
		"icvp-date":                          func(c *Card) { c.Vaccination.Date = "2025-11-31" },
		"icvp-code":                          func(c *Card) { c.Sex, c.Nationality = "F", "XX" },
		"icvp-text":                          func(c *Card) { c.Guardian, c.DocumentID = " ", "a\xff" },
		"icvp-order":                         func(c *Card) { c.Vaccination.ValidFrom, c.Vaccination.ValidUntil = "2025-11-19", "2025-11-18" },
	} {
		card := specimen()
		change(&card)
		written, err := card.Content(Gen1)
		f := fault.From(err)
		if written != nil || err == nil || f.Kind != fault.Rule || len(f.Issues) == 0 {
			t.Fatalf("%s: %v", rule, err)
		}
		for _, issue := range f.Issues {
			if issue.Rule != rule || issue.Path == "" || issue.Detail == "" || issue.Fix == "" {
				t.Errorf("%s: %+v", rule, issue)
			}
		}
	}
	for _, generation := range []Generation{Gen0, 3, -1} {
		if _, err := specimen().Content(generation); err == nil {
			t.Errorf("generation %d was written", generation)
		}
	}
}

func decode(t testing.TB, content []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func FuzzParse(f *testing.F) {
	for text := range foreign {
		f.Add([]byte(text))
	}
	for _, generation := range []Generation{Gen1, Gen2} {
		written, err := specimen().Content(generation)
		if err != nil {
			f.Fatal(err)
		}
		seed, err := json.Marshal(written)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var object map[string]any
		if json.Unmarshal(text, &object) != nil {
			return
		}
		problems := Check(object)
		card, generation, err := Parse(object)
		if err != nil && !hasErrors(problems) {
			t.Fatalf("Check finds nothing, Parse does: %v", err)
		}
		if err != nil || len(problems) > 0 || generation == Gen0 {
			return
		}
		if _, err := card.Content(generation); err != nil && !strings.Contains(string(text), " ") {
			t.Fatalf("cannot be written again: %v", fault.From(err).Issues)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	written, err := specimen().Content(Gen1)
	if err != nil {
		b.Fatal(err)
	}
	object := roundTrip(b, written)
	b.ReportAllocs()
	for b.Loop() {
		if len(Check(object)) != 0 {
			b.Fatal("problems")
		}
	}
}
