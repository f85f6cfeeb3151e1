package shc_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const issuer = "https://cards.specimen.example/issuer"

var issued = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)

func coding(system, code string) fhir.Coding { return fhir.Coding{System: system, Code: code} }

func icd(code string) fhir.Coding { return coding(terminology.SystemICD11, code) }

func iso(code string) fhir.Coding { return coding(terminology.SystemISO3166, code) }

func vaccinationCore() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Aulus Agerius Specimen", BirthDate: "2003-03-03", Sex: "male",
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "PHA-1"}, HCID: "111000111", Version: "RC2"},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM1NL1"), Brand: icd("XM7HT3"), Manufacturer: fhir.Coding{Display: "Sinovac"},
			Lot: "PT123F", Date: "2021-07-08T10:00:00Z", Dose: 1, TotalDoses: 2,
			Country: iso("CHE"), Centre: "Vaccination Site", Disease: icd("RA01"),
		},
	}
}

func testCore() fhir.CoreDataSet {
	c := vaccinationCore()
	c.Model, c.Sex, c.Vaccination = fhir.ModelTR, "", nil
	c.Test = &fhir.Test{
		Pathogen: icd("XN109"), Type: icd("2056159157"), Origin: icd("JAM.AH.XF"), Date: "2021-07-08T10:00:00+02:00",
		Result: icd("QA02"), Centre: fhir.Coding{Display: "Test Centre"}, Country: iso("CHE"),
	}
	return c
}

// source gives what a reader gives for a card that the writer of the format made.
func source(tb testing.TB, card shc.Card) maps.Source {
	tb.Helper()
	payload, err := shc.Credential{Issuer: issuer, NotBefore: issued, Card: card}.Payload()
	if err != nil {
		tb.Fatalf("the format refuses the card: %v", err)
	}
	return payloadSource(tb, payload)
}

// payloadSource gives what a reader gives for a payload.
func payloadSource(tb testing.TB, payload []byte) maps.Source {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		tb.Fatal(err)
	}
	if content["resourceType"] == "Bundle" {
		content = map[string]any{"iss": issuer, "vc": map[string]any{"credentialSubject": map[string]any{"fhirBundle": content}}}
	}
	iss, _ := content["iss"].(string)
	return maps.Source{Issuer: iss, IssuedAt: issued, Content: content}
}

func errorsOf(issues []fault.Issue) []string {
	var out []string
	for _, i := range issues {
		if i.IsError() {
			out = append(out, i.Path+" "+i.Rule)
		}
	}
	return out
}

func only(tb testing.TB, readings []maps.Reading) maps.Reading {
	tb.Helper()
	if len(readings) != 1 {
		tb.Fatalf("%d readings", len(readings))
	}
	return readings[0]
}

// vectors is the folder of the public test vectors; the test is skipped without it.
func vectors(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "vectors")
	if _, err := os.Stat(dir); err != nil {
		tb.Skip("the public vectors are not beside the repository")
	}
	return dir
}

// payloads decodes what a vector file holds: a payload or bundle in JSON, a JWS, a file
// of cards or the digits of a QR code. Files that are broken on purpose give none.
func payloads(tb testing.TB, path string) [][]byte {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
	var file struct {
		Cards      []string `json:"verifiableCredential"`
		Parameters []struct {
			Card string `json:"valueString"`
		} `json:"parameter"` // of the operation $health-cards-issue
	}
	switch {
	case bytes.HasPrefix(raw, []byte("shc:/")):
		return inflate([]string{letters(string(raw))})
	case json.Unmarshal(raw, &file) == nil && len(file.Cards) > 0:
		return inflate(file.Cards)
	case len(file.Parameters) > 0:
		for _, p := range file.Parameters {
			file.Cards = append(file.Cards, p.Card)
		}
		return inflate(file.Cards)
	case bytes.HasPrefix(raw, []byte("{")):
		if bytes.Contains(raw, []byte("resource:")) && json.Valid(raw) {
			return [][]byte{raw}
		}
		return nil
	default:
		return inflate([]string{string(raw)})
	}
}

func letters(text string) string {
	digits := text[strings.LastIndex(text, "/")+1:]
	var out strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		out.WriteByte((digits[i]-'0')*10 + digits[i+1] - '0' + '-')
	}
	return out.String()
}

func inflate(cards []string) [][]byte {
	var out [][]byte
	for _, jws := range cards {
		parts := strings.Split(jws, ".")
		if len(parts) != 3 {
			continue
		}
		packed, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			continue
		}
		plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 1<<20))
		if err == nil && json.Valid(plain) {
			out = append(out, plain)
		}
	}
	return out
}

func read(tb testing.TB, payload []byte) []maps.Reading {
	tb.Helper()
	return shcmap.Read(payloadSource(tb, payload))
}
