package card

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

const hcid = "US-HCID-2021-000123456789"

// hc1Text is text of the alphabet and the length of a WHO DDCC.
func hc1Text(n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	var b strings.Builder
	b.WriteString("HC1:")
	for i := b.Len(); i < n; i++ {
		b.WriteByte(alphabet[i*i*7%len(alphabet)])
	}
	return b.String()
}

func symbol(t testing.TB, text string, level qr.Level) *qr.Symbol {
	t.Helper()
	s, err := qr.Encode(text, level)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func whoCode(t testing.TB) Code { return Code{Format: "who", Symbol: symbol(t, hc1Text(580), qr.Q)} }

func shcCode(t testing.TB) Code {
	return Code{Format: "shc", Symbol: symbol(t, "shc:/"+strings.Repeat("5676290952432060", 60), qr.L)}
}

// doses makes a course of n doses, each with a WHO DDCC.
func doses(t testing.TB, n int) []Event {
	t.Helper()
	events := make([]Event, n)
	for i := range events {
		day := time.Date(2021, 3, 15, 10, 0, 0, 0, time.UTC).AddDate(0, 0, 180*i)
		events[i] = Event{
			Vaccination: &Vaccination{
				Disease: "COVID-19", Vaccine: "COVID-19 vaccine, mRNA", Brand: "Comirnaty", Manufacturer: "Specimen Pharma AG",
				Lot: "EX" + day.Format("0601") + "-7", Date: day.Format("2006-01-02"), Dose: i + 1, TotalDoses: n,
				Country: "Utopia", Centre: "Vaccination Centre North", Practitioner: "HW-4711",
			},
			ID: "URN:UVCI:01:UT:SPECIMEN" + day.Format("060102"), IssuedAt: day.Format(time.RFC3339),
			ValidFrom: day.AddDate(0, 0, 14).Format("2006-01-02"), Codes: []Code{whoCode(t)},
		}
	}
	if n > 1 {
		events[0].Vaccination.NextDose = events[1].Vaccination.Date
	}
	return events
}

// laboratory makes a test result.
func laboratory(t testing.TB) Event {
	return Event{
		Test: &Test{
			Pathogen: "SARS-CoV-2", Type: "Nucleic acid amplification (PCR)", Brand: "Specimen Assay", Manufacturer: "Diagnostics Ltd",
			Origin: "Nasopharyngeal swab", SampledAt: "2021-06-01T08:15:00+02:00", Result: "Not detected",
			Centre: "Laboratory South", Country: "Ruritania",
		},
		ID: "URN:UVCI:01:RU:SPECIMENT", IssuedAt: "2021-06-01T12:00:00Z", Codes: []Code{whoCode(t)},
	}
}

func english(t testing.TB) Card {
	return Card{
		Language: "en", Authority: "Ministry of Health of Utopia", HCID: hcid, Events: doses(t, 2),
		Holder: Holder{Name: "Jane Ann Specimen", BirthDate: "1982-05-04", Sex: "female", Identifier: "ID-0042-S"},
	}
}
