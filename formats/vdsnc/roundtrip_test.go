package vdsnc_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	for docType, data := range map[string]vdsnc.Data{"NV": specimenVaccination(), "NT": specimenTest()} {
		signer := newBarcodeSigner(t, docType)
		m := mustRead(t, signer.seal(t, data), data)
		// The helper that makes the certificate does not mark the key usage critical.
		for _, p := range m.CheckSigner() {
			if !p.Warning {
				t.Errorf("%s: %s", docType, p.Rule)
			}
		}
	}
}

// mustRead holds a seal against the independent reader: the same data, a signature of the
// certificate's key, and no rule of the content broken.
func mustRead(t interface{ Fatalf(string, ...any) }, text string, want vdsnc.Data) *reader.Message {
	m, err := reader.Decode(text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := m.Verify(m.Certificate.PublicKey); err != nil {
		t.Fatalf("%v", err)
	}
	var got vdsnc.Data
	if err := json.Unmarshal(m.Canonical, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("another content came back: %v", err)
	}
	if len(m.Warnings) > 0 {
		t.Fatalf("tolerances were needed: %v", m.Warnings)
	}
	for _, p := range m.Check() {
		if !p.Warning {
			t.Fatalf("%s %s", p.Path, p.Rule)
		}
	}
	return m
}

// TestRoundTrip: whatever the writer accepts, the reader reads back, and it fits into a QR
// code at the level the writer names; or the writer says that it is too long.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	signer := newBarcodeSigner(t, "NV")
	rapid.Check(t, func(rt *rapid.T) {
		data := anyVaccination(rt)
		if rapid.Bool().Draw(rt, "test") {
			data = anyTest(rt)
		}
		canonical, err := data.Canonical()
		if err != nil {
			rt.Fatalf("%v", err)
		}
		text, err := vdsnc.Assemble(canonical, signer.der, signer.sign(t, canonical))
		if err == vdsnc.ErrTooLong {
			return
		}
		if err != nil {
			rt.Fatalf("%v", err)
		}
		m := mustRead(rt, text, data)
		if !bytes.Equal(m.Canonical, canonical) {
			rt.Fatalf("another canonical form")
		}
		level, err := vdsnc.Level(len(text))
		if err != nil {
			rt.Fatalf("%v", err)
		}
		if _, err := qr.Encode(text, level); err != nil {
			rt.Fatalf("%v", err)
		}
	})
}

func anyText(t *rapid.T, label string) string {
	return rapid.StringMatching(`[A-Za-z0-9"\\/<>&é漢😀()]([ A-Za-z0-9"\\/<>&é漢😀-]{0,14}[A-Za-z0-9"\\é漢😀])?`).Draw(t, label)
}

func mayText(t *rapid.T, label string) string {
	if rapid.Bool().Draw(t, "has "+label) {
		return anyText(t, label)
	}
	return ""
}

func anyDate(t *rapid.T, label string) string {
	return rapid.StringMatching(`(19[0-9]{2}|20[0-4][0-9])-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])`).Draw(t, label)
}

func anyState(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.Just("D"), rapid.StringMatching(`[A-Z]{3}`)).Draw(t, label)
}

func anyVaccination(t *rapid.T) vdsnc.Data {
	person := vdsnc.Person{
		Name: anyText(t, "name"), BirthDate: anyDate(t, "birth date"), AdditionalID: mayText(t, "additional id"),
		DocumentNumber: mayText(t, "number"), Sex: rapid.SampledFrom([]string{"", "M", "F", "X"}).Draw(t, "sex"),
	}
	if person.DocumentNumber != "" && rapid.Bool().Draw(t, "number alone") {
		person.BirthDate = ""
	}
	dose := rapid.Custom(func(t *rapid.T) vdsnc.Dose {
		d := vdsnc.Dose{
			Date: anyDate(t, "date"), Number: rapid.IntRange(1, 99).Draw(t, "number"), Country: anyState(t, "country"),
			Centre: anyText(t, "centre"), Lot: anyText(t, "lot"),
		}
		if rapid.Bool().Draw(t, "has next") {
			d.NextDose = max(d.Date, anyDate(t, "next"))
		}
		return d
	})
	event := rapid.Custom(func(t *rapid.T) vdsnc.Event {
		return vdsnc.Event{
			Vaccine: anyText(t, "vaccine"), Brand: anyText(t, "brand"), Disease: mayText(t, "disease"),
			Doses: rapid.SliceOfN(dose, 1, 4).Draw(t, "doses"),
		}
	})
	return vdsnc.Data{
		Header:  vdsnc.Header{Type: vdsnc.TypeVaccination, Version: vdsnc.Version, State: anyState(t, "state")},
		Message: vdsnc.Message{UVCI: anyText(t, "uvci"), Person: person, Vaccinations: rapid.SliceOfN(event, 1, 4).Draw(t, "events")},
	}
}

func anyTest(t *rapid.T) vdsnc.Data {
	data := specimenTest()
	m := &data.Message
	data.Header.State = anyState(t, "state")
	m.UTCI, m.Optional = anyText(t, "utci"), mayText(t, "optional")
	m.Person = vdsnc.Person{
		Name: anyText(t, "name"), BirthDate: anyDate(t, "birth date"), TestDocument: anyText(t, "document"),
		DocumentType: rapid.SampledFrom([]string{"P", "A", "C", "I", "AC", "V", "D"}).Draw(t, "document type"),
	}
	m.Provider.Name, m.Provider.Country = anyText(t, "provider"), anyState(t, "country")
	if rapid.Bool().Draw(t, "no contact") {
		m.Provider.Contact = nil
	}
	m.Times.Sampled = anyDate(t, "sampled") + "T00:00:00+08:00"
	m.Times.Reported = m.Times.Sampled[:10] + rapid.SampledFrom([]string{"T00:00:00Z", "T23:59:59.5-11:30"}).Draw(t, "reported")
	m.Result.Type = rapid.SampledFrom([]string{"molecular(PCR)", "molecular(other)", "antigen", "antibody"}).Draw(t, "type")
	m.Result.Value = rapid.SampledFrom([]string{"positive", "negative", "normal", "abnormal"}).Draw(t, "value")
	m.Result.Method = mayText(t, "method")
	return data
}
