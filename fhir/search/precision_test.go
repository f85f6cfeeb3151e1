package search

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSpans(t *testing.T) {
	t.Parallel()
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMicro()
	}
	for text, want := range map[string][2]string{
		"2020":                           {"2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"},
		"2020-02":                        {"2020-02-01T00:00:00Z", "2020-03-01T00:00:00Z"},
		"2020-12":                        {"2020-12-01T00:00:00Z", "2021-01-01T00:00:00Z"},
		"2020-02-29":                     {"2020-02-29T00:00:00Z", "2020-03-01T00:00:00Z"},
		"2020-02-29T10:05":               {"2020-02-29T10:05:00Z", "2020-02-29T10:06:00Z"},
		"2020-02-29T10:05Z":              {"2020-02-29T10:05:00Z", "2020-02-29T10:06:00Z"},
		"2020-02-29T10:05:07+02:00":      {"2020-02-29T08:05:07Z", "2020-02-29T08:05:08Z"},
		"2020-02-29T10:05:07.5-12:00":    {"2020-02-29T22:05:07.5Z", "2020-02-29T22:05:07.6Z"},
		"2020-02-29T10:05:07.123Z":       {"2020-02-29T10:05:07.123Z", "2020-02-29T10:05:07.124Z"},
		"2020-02-29T10:05:07.123456789Z": {"2020-02-29T10:05:07.123456Z", "2020-02-29T10:05:07.123457Z"},
		"2016-12-31T23:59:60Z":           {"2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"},
		"0001":                           {"0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"},
		"9999-12-31":                     {"9999-12-31T00:00:00Z", ""},
	} {
		got, ok := parseSpan(text)
		to := got.to
		if want[1] != "" {
			to = at(want[1])
		}
		if !ok || got.from != at(want[0]) || got.to != to || got.from >= got.to {
			t.Errorf("%s is %v..%v", text, time.UnixMicro(got.from).UTC(), time.UnixMicro(got.to).UTC())
		}
	}
	for _, text := range []string{
		"", "20", "2020-", "2020-1", "2020-00", "2020-13", "2021-02-29", "2020-02-30", "2020-02-29T", "2020-02-29T10", "2020-02-29T24:00", "2020-02-29T10:60",
		"2020-02-29T10:05:07.", "2020-02-29T10:05:07 02:00", "2020-02-29T10:05:07+0200", "2020-02-29t10:05:07z", " 2020", "2020-02-29T10:05:07.1234567890Z", "0000", "١٩٩٠",
		strings.Repeat("2", 100),
	} {
		if got, ok := parseSpan(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestIntervalsAreWhatRoundsToThem, by brute force in exact arithmetic: n is in [low, high) if
// and only if n, rounded half up at the precision of the text, is the text's value.
func TestIntervalsAreWhatRoundsToThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, 3).Draw(t, "digits")
		whole := rapid.IntRange(-2000, 2000).Draw(t, "unscaled")
		text := decimalText(whole, digits)
		got, ok := parseInterval(text)
		if !ok {
			t.Fatalf("%s is no number", text)
		}
		near := whole*100 + rapid.IntRange(-150, 150).Draw(t, "near") // in hundredths of the last digit
		n, _ := big.NewRat(int64(near), pow10(digits+2)).Float64()
		rounds := floorDiv(near+50, 100) == whole
		if (got.low <= n && n < got.high) != rounds {
			t.Fatalf("%v in %s = [%v, %v) is not %v", n, text, got.low, got.high, rounds)
		}
	})
}

func decimalText(unscaled, digits int) string {
	sign := ""
	if unscaled < 0 {
		sign, unscaled = "-", -unscaled
	}
	s := fmt.Sprintf("%0*d", digits+1, unscaled)
	if digits == 0 {
		return sign + s
	}
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]interval{
		"100":     {100, 99.5, 100.5, 90, 110},
		"100.00":  {100, 99.995, 100.005, 90, 110},
		"1e2":     {100, 95, 105, 90, 110},
		"1.0E+02": {100, 95, 105, 90, 110},
		"-5e-1":   {-0.5, -0.505, -0.495, -0.55, -0.45},
		"0":       {0, -0.5, 0.5, 0, 0},
		"+1":      {1, 0.5, 1.5, 0.9, 1.1},
	} {
		if got, ok := parseInterval(text); !ok || got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "-", ".5", "5.", "1e", "1e1000", "0x10", "NaN", "1/2", "1_000", "1e999999999", strings.Repeat("1", 65), "1e-300"} {
		if got, ok := parseInterval(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{
		"Müller": "MULLER", "Straße": "strasse", "ÅNGSTRÖM": "angstrom", "José  María": "jose maria", "ﬁ": "FI", "Ｆｕｌｌ": "full", "Ὀδυσσεύς": "οδυσσευσ", "Đặng": "đang",
	} {
		if Fold(a) != Fold(b) {
			t.Errorf("%q and %q fold to %q and %q", a, b, Fold(a), Fold(b))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if once := Fold(s); Fold(once) != once {
			t.Fatalf("%q folds to %q and then to %q", s, once, Fold(once))
		}
	})
}
