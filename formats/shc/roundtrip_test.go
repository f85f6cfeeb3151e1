package shc

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

func sha(text string) string {
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func inflated(t *testing.T, data []byte) string {
	t.Helper()
	content, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// words are texts as they may stand in a card.
var words = rapid.Custom(func(t *rapid.T) string {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abcdeéßłøçżÅñ 'абвسلם漢字\"\\<>&/")), 1, 20, -1).Draw(t, "text")
	text = strings.TrimSpace(norm.NFC.String(text))
	if text == "" {
		return "Specimen"
	}
	return text
})

func drawDate(t *rapid.T) string {
	day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 50_000).Draw(t, "day"))
	return day.Format(rapid.SampledFrom([]string{time.DateOnly, time.DateOnly, "2006-01", "2006"}).Draw(t, "precision"))
}

func drawCoding(t *rapid.T) Coding {
	return Coding{
		System: rapid.SampledFrom([]string{"http://hl7.org/fhir/sid/cvx", "http://snomed.info/sct", "urn:oid:1.2.36.1.2001.1005.17"}).Draw(t, "system"),
		Code:   rapid.StringMatching(`[A-Za-z0-9-]{1,12}`).Draw(t, "code"),
	}
}

func drawOptional(t *rapid.T, label string) string {
	if rapid.Bool().Draw(t, label) {
		return words.Draw(t, label)
	}
	return ""
}

func drawCredential(t *rapid.T) Credential {
	c := Credential{
		Issuer:    "https://issuer.example/" + rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "issuer"),
		NotBefore: time.Unix(rapid.Int64Range(1, year9999/2).Draw(t, "nbf"), 0).UTC(),
		Card: Card{
			Patient:      Patient{Family: words.Draw(t, "family"), Given: rapid.SliceOfN(words, 0, 3).Draw(t, "given"), BirthDate: drawDate(t)},
			COVID19:      rapid.Bool().Draw(t, "covid19"),
			RevocationID: rapid.StringMatching(`[A-Za-z0-9_-]{0,24}`).Draw(t, "rid"),
		},
	}
	if rapid.Bool().Draw(t, "expires") {
		c.ExpiresAt = c.NotBefore.Add(time.Duration(rapid.Int64Range(1, 1<<28).Draw(t, "lifetime")) * time.Second)
	}
	if rapid.Bool().Draw(t, "text name") {
		c.Card.Patient = Patient{Text: words.Draw(t, "name"), BirthDate: drawDate(t)}
	}
	isLaboratory := rapid.Bool().Draw(t, "laboratory")
	for range rapid.IntRange(1, 10).Draw(t, "entries") {
		if isLaboratory {
			c.Card.Observations = append(c.Card.Observations, Observation{
				Code: drawCoding(t), Value: drawCoding(t), Date: drawDate(t), Performer: drawOptional(t, "performer"),
			})
			continue
		}
		dose := Immunization{Vaccine: drawCoding(t), Date: drawDate(t), Lot: drawOptional(t, "lot"), Performer: drawOptional(t, "performer")}
		if rapid.Bool().Draw(t, "manufacturer") {
			manufacturer := drawCoding(t)
			dose.Manufacturer = &manufacturer
		}
		c.Card.Immunizations = append(c.Card.Immunizations, dose)
	}
	return c
}

// Whatever is written is read by code that shares nothing with the writer, verifies, says
// the same, and breaks no rule.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	kid := mustThumbprint(t, key)
	tooLong := 0
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCredential(rt)
		jws := sign(t, c, key, kid)
		text, err := Text(jws)
		if errors.Is(err, ErrTooLong) && len(jws) > MaxJWS {
			tooLong++
			text = jws // still good for a file
		} else if err != nil {
			rt.Fatal(err)
		}
		m, err := reader.Decode(text)
		if err != nil {
			rt.Fatal(err)
		}
		if err := m.Verify(&key.PublicKey); err != nil {
			rt.Fatal(err)
		}
		if m.KID != kid || m.Issuer != c.Issuer || !m.NotBefore.Equal(c.NotBefore) || !m.ExpiresAt.Equal(c.ExpiresAt) || m.RID != c.Card.RevocationID {
			rt.Fatalf("claims differ: %+v", m)
		}
		if diff := cmp.Diff(c.Card, cardOf(rt, m)); diff != "" {
			rt.Fatal(diff)
		}
		for _, problem := range m.Check() {
			// What the drawn codes mean is not the writer's to know.
			if problem.Rule != reader.RuleType || problem.Severity != reader.SeverityWarning {
				rt.Fatalf("breaks a rule: %+v", problem)
			}
		}
	})
	t.Logf("%d of the cards were too long for a code", tooLong)
}

// cardOf reads the content back with nothing but its paths.
func cardOf(t *rapid.T, m *reader.Message) Card {
	vc, _ := m.Content["vc"].(map[string]any)
	bundle := at(vc, "credentialSubject", "fhirBundle")
	card := Card{RevocationID: m.RID}
	for _, name := range m.Types {
		card.COVID19 = card.COVID19 || name == TypeCOVID19
	}
	for i, item := range list(bundle["entry"]) {
		entry, _ := item.(map[string]any)
		if entry["fullUrl"] != fmt.Sprintf("resource:%d", i) {
			t.Fatalf("entry %d is called %v", i, entry["fullUrl"])
		}
		resource := at(entry, "resource")
		switch resource["resourceType"] {
		case "Patient":
			name := first(resource["name"])
			card.Patient = Patient{Family: str(name["family"]), Text: str(name["text"]), BirthDate: str(resource["birthDate"])}
			card.Patient.Given = []string{}
			for _, given := range list(name["given"]) {
				card.Patient.Given = append(card.Patient.Given, str(given))
			}
			if card.Patient.Text != "" {
				card.Patient.Given = nil
			}
		case "Immunization":
			dose := Immunization{
				Vaccine: coding(resource, "vaccineCode"), Date: str(resource["occurrenceDateTime"]), Lot: str(resource["lotNumber"]),
				Performer: str(at(first(resource["performer"]), "actor")["display"]),
			}
			if id := at(resource, "manufacturer", "identifier"); id != nil {
				dose.Manufacturer = &Coding{str(id["system"]), str(id["value"])}
			}
			card.Immunizations = append(card.Immunizations, dose)
		case "Observation":
			card.Observations = append(card.Observations, Observation{
				Code: coding(resource, "code"), Value: coding(resource, "valueCodeableConcept"), Date: str(resource["effectiveDateTime"]),
				Performer: str(first(resource["performer"])["display"]),
			})
		}
	}
	return card
}

func at(object map[string]any, names ...string) map[string]any {
	for _, name := range names {
		object, _ = object[name].(map[string]any)
	}
	return object
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

func first(value any) map[string]any {
	for _, item := range list(value) {
		object, _ := item.(map[string]any)
		return object
	}
	return nil
}

func str(value any) string {
	text, _ := value.(string)
	return text
}

func coding(resource map[string]any, name string) Coding {
	member := first(at(resource, name)["coding"])
	return Coding{str(member["system"]), str(member["code"])}
}

// What a phone sees is the text, at every level.
func TestDrawnCardIsRead(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	kid := mustThumbprint(t, key)
	levels := map[qr.Level]bool{}
	for doses := 1; ; doses++ {
		c := specimen()
		c.Card.Immunizations = nil
		for i := range doses {
			// Lots that do not repeat make the card grow.
			c.Card.Immunizations = append(c.Card.Immunizations, Immunization{Vaccine: cvx("207"), Date: "2021-01-01", Lot: sha(fmt.Sprint(i))[:20]})
		}
		text, err := Text(sign(t, c, key, kid))
		if errors.Is(err, ErrTooLong) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		symbol, err := Draw(text)
		if err != nil {
			t.Fatal(err)
		}
		levels[symbol.Level] = true
		if symbol.Version > MaxVersion || scan(t, symbol) != text {
			t.Errorf("%d doses: version %d does not read as its text", doses, symbol.Version)
		}
	}
	if !levels[qr.L] || !levels[qr.M] { // real cards are too long for more
		t.Errorf("levels %v were seen", levels)
	}
}

func scan(t *testing.T, symbol *qr.Symbol) string {
	t.Helper()
	raw, err := symbol.PNG(2, qr.DefaultQuiet)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

// The file of the writer is a file to the reader.
func TestFileRoundTrip(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	kid := mustThumbprint(t, key)
	cards := []string{sign(t, specimen(), key, kid), sign(t, laboratory(), key, kid)}
	raw, err := File(cards...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := reader.File(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cards, got); diff != "" {
		t.Error(diff)
	}
	for _, card := range got {
		m, err := reader.Decode(card)
		if err != nil {
			t.Fatal(err)
		}
		if problems := m.Check(); len(problems) > 0 || len(m.Warnings) > 0 {
			t.Errorf("%v %v", problems, m.Warnings)
		}
	}
}
