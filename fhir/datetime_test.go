package fhir_test

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

func TestParseDateTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in        string
		precision fhir.Precision
		latest    string
	}{
		{"2020", fhir.Year, "2021-01-01T00:00:00Z"},
		{"2020-12", fhir.Month, "2021-01-01T00:00:00Z"},
		{"2020-02-29", fhir.Day, "2020-03-01T00:00:00Z"},
		{"2000-02-29", fhir.Day, "2000-03-01T00:00:00Z"},
		{"2020-02-29T23:59:59-12:00", fhir.Instant, "2020-03-01T11:59:59Z"},
		{"2020-02-29T00:00:00+14:00", fhir.Instant, "2020-02-28T10:00:00Z"},
	} {
		d, ok := fhir.ParseDateTime(tt.in)
		if !ok || d.Precision != tt.precision || d.Latest.UTC().Format(time.RFC3339) != tt.latest {
			t.Errorf("%s: %v %+v", tt.in, ok, d)
		}
	}
	for _, bad := range []string{"", "0", "20", "20200", "2020-", "2020-1", "2020-00", "2020-13", "2020-00-01", "2020-04-31", "2021-02-29", "2100-02-29",
		"2020-02-30", "1849-12-31", "+020", "-001", "２０２０", "2020/01/01", "2020-01-01T", "2020-01-01T24:00:00Z", "2020-01-01T23:59:60Z",
		"2020-01-01 10:00:00Z", "2020-01-01t10:00:00Z", "2020-01-01T10:00:00z", "2020-01-01T10:00:00", "2020-01-01T1:00:00Z", "2020-01-01T10:00:00+14:01",
		"2020-01-01T10:00:00+0200", "2020-01-01T10:00:00+02:60", "2020-01-01T10:00:00,1Z"} {
		if d, ok := fhir.ParseDateTime(bad); ok {
			t.Errorf("%q read as %+v", bad, d)
		}
	}
	if _, ok := fhir.ParseDate("2020-01-01T10:00:00Z"); ok {
		t.Error("a dateTime is no date")
	}
}

func FuzzParseDateTime(f *testing.F) {
	f.Add("2020-02-29T23:59:59.5-12:00")
	f.Add("2020-02")
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := fhir.ParseDateTime(s)
		if ok && (!d.Earliest.Before(d.Latest) || d.Earliest.Year() < 1850 || len(s) == 10 && d.Earliest.Format(time.DateOnly) != s) {
			t.Fatalf("%q read as %+v", s, d)
		}
	})
}
