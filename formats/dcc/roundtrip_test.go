package dcc

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// The certificates that other programs wrote, out of their container.
func TestPublishedTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ folder, file, group string }{
		{"generated", "01-eu-v.txt", "v"},
		{"generated", "02-eu-t-tag0.txt", "t"}, // sc as a CBOR date
		{"generated", "03-eu-r.txt", "r"},
		{"who-gdhcn", "EUItalyAcceptanceQRContents.txt", "v"},
	} {
		text, err := os.ReadFile(vectors.Files(t, c.folder, c.file)[0])
		if err != nil {
			t.Fatal(err)
		}
		message, err := reader.Decode(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		content, ok := message.Claims.SubClaims[SubClaim].(map[string]any)
		if !ok || content[c.group] == nil {
			t.Fatalf("%s: no content of group %s", c.file, c.group)
		}
		if problems := Check(content); hasErrors(problems) {
			t.Errorf("%s: %+v", c.file, problems)
		}
	}
}

func activeCode(r *rapid.T, id string) string {
	codes := slices.DeleteFunc(slices.Sorted(maps.Keys(published.sets[id].values)), func(code string) bool {
		return !published.sets[id].values[code].Active
	})
	return rapid.SampledFrom(codes).Draw(r, id)
}

func drawName(r *rapid.T) Name {
	draw := func(name string) (written, standard string) {
		text := norm.NFC.String(strings.TrimSpace(rapid.StringMatching(`[A-ZÀ-ÖЀ-Яا-غ][a-zà-ÿа-яف-ي' -]{0,70}`).Draw(r, name)))
		standard, err := icao9303.MRZMax(text, maxText)
		if err != nil || standard == "" {
			return "Specimen", "SPECIMEN"
		}
		return text, standard
	}
	var name Name
	name.Family, name.FamilyStandard = draw("family")
	if rapid.Bool().Draw(r, "has given name") {
		name.Given, name.GivenStandard = draw("given")
	}
	return name
}

// drawCertificate makes any certificate that we would issue.
func drawCertificate(r *rapid.T) Certificate {
	uvci, err := NewUVCI(rapid.StringMatching(`[A-Z]{2}`).Draw(r, "country"), [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "id")))
	if err != nil {
		r.Fatal(err)
	}
	disease, country, issuer := activeCode(r, SetDisease), activeCode(r, SetCountry), rapid.StringMatching(`[A-Za-z]{1,80}`).Draw(r, "issuer")
	day := rapid.StringMatching(`202[0-6]-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])`)
	c := Certificate{
		Version: SchemaVersion, Name: drawName(r),
		BirthDate: rapid.SampledFrom([]string{"", "1963", "1963-05", "1963-05-31"}).Draw(r, "born"),
	}
	switch rapid.SampledFrom(groupNames).Draw(r, "group") {
	case "v":
		product := rapid.SampledFrom([]string{"EU/1/20/1528", "Covaxin", "Sputnik-V", "EU/1/21/1618"}).Draw(r, "product")
		encoding, _ := EncodingOf(product)
		c.Vaccinations = []Vaccination{{
			Disease: disease, Prophylaxis: rapid.SampledFrom(encoding.Prophylaxis).Draw(r, "vaccine"), Product: product, Holder: encoding.Holder,
			Dose: rapid.IntRange(1, 99).Draw(r, "dose"), TotalDoses: rapid.IntRange(1, 99).Draw(r, "doses"),
			Date: day.Draw(r, "date"), Country: country, Issuer: issuer, UVCI: uvci,
		}}
	case "t":
		test := Test{
			Disease: disease, Type: testNAAT, Name: "Specimen PCR", Sampled: day.Draw(r, "sampled") + rapid.SampledFrom([]string{"T23:59:59Z", "T00:00:00+05:30"}).Draw(r, "clock"),
			Result: activeCode(r, SetTestResult), Centre: rapid.StringMatching(`[A-Za-z]{0,80}`).Draw(r, "centre"), Country: country, Issuer: issuer, UVCI: uvci,
		}
		if rapid.Bool().Draw(r, "rapid test") {
			test.Type, test.Name, test.Device = testRAT, "", activeCode(r, SetTestDevice)
		}
		c.Tests = []Test{test}
	default:
		c.Recoveries = []Recovery{{
			Disease: disease, FirstPositive: "2022-01-01", Country: country, Issuer: issuer,
			ValidFrom: "2022-01-12", ValidUntil: rapid.SampledFrom([]string{"2022-01-12", "2022-06-30"}).Draw(r, "until"), UVCI: uvci,
		}}
	}
	return c
}

// encodings are as the HCERT writer and its reader have them.
func encodings(t *testing.T) (cbor.EncMode, cbor.DecMode) {
	t.Helper()
	encoder, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any]()}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return encoder, decoder
}

// Whatever we issue survives its encoding and keeps our own rules.
func TestCertificateRoundTrip(t *testing.T) {
	t.Parallel()
	encoder, decoder := encodings(t)
	rapid.Check(t, func(r *rapid.T) {
		certificate := drawCertificate(r)
		encoded, err := encoder.Marshal(certificate)
		if err != nil {
			r.Fatal(err)
		}
		var content map[string]any
		var again Certificate
		if err := decoder.Unmarshal(encoded, &content); err != nil {
			r.Fatal(err)
		}
		if err := decoder.Unmarshal(encoded, &again); err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(certificate, again); diff != "" {
			r.Fatal(diff)
		}
		if problems := append(CheckIssued(content), Check(content)...); len(problems) != 0 {
			r.Fatalf("%+v", problems)
		}
	})
}

// And the published schema says so too.
func TestCertificateKeepsThePublishedSchema(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	encoder, decoder := encodings(t)
	rapid.Check(t, func(r *rapid.T) {
		encoded, err := encoder.Marshal(drawCertificate(r))
		if err != nil {
			r.Fatal(err)
		}
		var content map[string]any
		if err := decoder.Unmarshal(encoded, &content); err != nil {
			r.Fatal(err)
		}
		if err := schema.Validate(content); err != nil {
			r.Fatal(err)
		}
	})
}
