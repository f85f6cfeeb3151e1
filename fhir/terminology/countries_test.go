package terminology_test

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

func TestCountries(t *testing.T) {
	t.Parallel()
	tests := []terminology.Country{
		{Alpha2: "AF", Alpha3: "AFG", Numeric: "004", Name: "Afghanistan"},
		{Alpha2: "AX", Alpha3: "ALA", Numeric: "248", Name: "Åland Islands"},
		{Alpha2: "CH", Alpha3: "CHE", Numeric: "756", Name: "Switzerland"},
		{Alpha2: "CD", Alpha3: "COD", Numeric: "180", Name: "Democratic Republic of the Congo"},
		{Alpha2: "DE", Alpha3: "DEU", Numeric: "276", Name: "Germany"},
		{Alpha2: "GB", Alpha3: "GBR", Numeric: "826", Name: "United Kingdom"},
		{Alpha2: "GR", Alpha3: "GRC", Numeric: "300", Name: "Greece"},
		{Alpha2: "IN", Alpha3: "IND", Numeric: "356", Name: "India"},
		{Alpha2: "LK", Alpha3: "LKA", Numeric: "144", Name: "Sri Lanka"},
		{Alpha2: "RO", Alpha3: "ROU", Numeric: "642", Name: "Romania"},
		{Alpha2: "SS", Alpha3: "SSD", Numeric: "728", Name: "South Sudan"},
		{Alpha2: "SD", Alpha3: "SDN", Numeric: "729", Name: "Sudan"},
		{Alpha2: "SZ", Alpha3: "SWZ", Numeric: "748", Name: "Eswatini"},
		{Alpha2: "TL", Alpha3: "TLS", Numeric: "626", Name: "Timor-Leste"},
		{Alpha2: "ZW", Alpha3: "ZWE", Numeric: "716", Name: "Zimbabwe"},
	}
	for _, want := range tests {
		if got, ok := terminology.CountryByAlpha2(want.Alpha2); !ok || got != want {
			t.Errorf("CountryByAlpha2(%s) = %+v, want %+v", want.Alpha2, got, want)
		}
		if got, ok := terminology.CountryByAlpha3(want.Alpha3); !ok || got != want {
			t.Errorf("CountryByAlpha3(%s) = %+v, want %+v", want.Alpha3, got, want)
		}
		if got, ok := terminology.CountryByNumeric(want.Numeric); !ok || got != want {
			t.Errorf("CountryByNumeric(%s) = %+v, want %+v", want.Numeric, got, want)
		}
	}
	// Withdrawn, reserved, user-assigned, in the wrong case or of another column.
	for _, code := range []string{"", "ANT", "YUG", "SUN", "ROM", "ZAR", "TMP", "XKX", "XXA", "UTO", "D", "EUE", "che", "CH", "756"} {
		if c, ok := terminology.CountryByAlpha3(code); ok {
			t.Errorf("CountryByAlpha3(%q) = %+v, want none", code, c)
		}
	}
	for _, code := range []string{"", "UK", "EL", "EU", "XK", "AN", "che", "CHE"} {
		if c, ok := terminology.CountryByAlpha2(code); ok {
			t.Errorf("CountryByAlpha2(%q) = %+v, want none", code, c)
		}
	}
	for _, code := range []string{"", "4", "04", "000", "736", "999", "CHE"} {
		if c, ok := terminology.CountryByNumeric(code); ok {
			t.Errorf("CountryByNumeric(%q) = %+v, want none", code, c)
		}
	}
}

var (
	alpha   = regexp.MustCompile(`^[A-Z]+$`)
	numeric = regexp.MustCompile(`^[0-9]{3}$`)
)

// All three indexes have the same 249 entries, each code in its own shape and each name once.
func TestCountryTable(t *testing.T) {
	t.Parallel()
	entries := map[terminology.Country]bool{}
	names := map[string]bool{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if c, ok := terminology.CountryByAlpha2(string(a) + string(b)); ok {
				entries[c], names[c.Name] = true, true
			}
		}
	}
	if len(entries) != 249 || len(names) != 249 {
		t.Fatalf("%d entries with %d names, want 249", len(entries), len(names))
	}
	three, numbers := map[string]bool{}, map[string]bool{}
	for c := range entries {
		three[c.Alpha3], numbers[c.Numeric] = true, true
		if len(c.Alpha3) != 3 || !alpha.MatchString(c.Alpha3) || !numeric.MatchString(c.Numeric) || c.Name == "" {
			t.Errorf("malformed entry %+v", c)
		}
		if got, _ := terminology.CountryByAlpha3(c.Alpha3); got != c {
			t.Errorf("alpha-3 %s finds %+v, want %+v", c.Alpha3, got, c)
		}
		if got, _ := terminology.CountryByNumeric(c.Numeric); got != c {
			t.Errorf("numeric %s finds %+v, want %+v", c.Numeric, got, c)
		}
		if terminology.TestCountry(c.Alpha3) {
			t.Errorf("%s is a country and a test country", c.Alpha3)
		}
	}
	if len(three) != 249 || len(numbers) != 249 {
		t.Errorf("%d alpha-3 and %d numeric codes, want 249 each", len(three), len(numbers))
	}
}

// The codes were compared with an independent copy of ISO 3166-1; the digest of the sorted
// triples keeps them so. Change it only with a newsletter of the ISO 3166 agency at hand.
func TestCountryCodesAreUnchanged(t *testing.T) {
	t.Parallel()
	const want = "8d18b96b6b25b4b2b2dc34c79ecb9856d08c5cdee09ca1beb27e9df261818949"
	var lines []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if c, ok := terminology.CountryByAlpha2(string(a) + string(b)); ok {
				lines = append(lines, c.Alpha2+" "+c.Alpha3+" "+c.Numeric+"\n")
			}
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digest of the codes is %s, want %s", got, want)
	}
}

func TestTestCountry(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"XAA", "XXA", "XXZ", "XCL", "XML", "XZZ"} {
		if !terminology.TestCountry(code) {
			t.Errorf("TestCountry(%q) = false", code)
		}
	}
	for _, code := range []string{"", "X", "XX", "XXAA", "xxa", "XXa", "X1A", "AAA", "QMA", "ZZZ", "CHE", "X A"} {
		if terminology.TestCountry(code) {
			t.Errorf("TestCountry(%q) = true", code)
		}
	}
}

func TestCountryByCode(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"CH", "CHE", "756"} {
		if c, ok := terminology.CountryByCode(code); !ok || c.Alpha3 != "CHE" {
			t.Errorf("%s: %+v", code, c)
		}
	}
	for _, code := range []string{"", "C", "che", "75", "0756", "XXA", "\x00\xff"} {
		if c, ok := terminology.CountryByCode(code); ok {
			t.Errorf("%q: %+v", code, c)
		}
	}
}
