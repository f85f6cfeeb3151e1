package foreign_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
)

// at gives an element with this value, and the log of what is found wrong with it.
func at(tb testing.TB, value any) (*element.Element, *element.Log) {
	tb.Helper()
	tree, ok := foreign.Tree(map[string]any{"x": value})
	if !ok {
		tb.Fatal("too many values")
	}
	log := new(element.Log)
	return element.Root("root", tree, log).Child("x"), log
}

// The values a CBOR reader and a JSON reader give.
func TestTree(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value any
		kind  jsontree.Kind
		text  string
	}{
		"string":      {"a", jsontree.String, "a"},
		"uint64":      {uint64(math.MaxUint64), jsontree.Number, "18446744073709551615"},
		"int64":       {int64(-7), jsontree.Number, "-7"},
		"float64":     {float64(2), jsontree.Number, "2"},
		"fraction":    {2.5, jsontree.Number, "2.5"},
		"json.Number": {json.Number("3"), jsontree.Number, "3"},
		"true":        {true, jsontree.True, ""},
		"false":       {false, jsontree.False, ""},
		"nil":         {nil, jsontree.Null, ""},
		"NaN":         {math.NaN(), jsontree.Null, ""},
		"infinity":    {math.Inf(1), jsontree.Null, ""},
		"bytes":       {[]byte("a"), jsontree.Null, ""},
		"object":      {map[string]any{"a": "b"}, jsontree.Object, ""},
		"array":       {[]any{"a"}, jsontree.Array, ""},
	} {
		e, _ := at(t, tc.value)
		if v := e.Value(); v.Kind != tc.kind || v.Text != tc.text {
			t.Errorf("%s: %c %q", name, v.Kind, v.Text)
		}
	}
}

func TestTreeIsBounded(t *testing.T) {
	t.Parallel()
	wide := make([]any, 10_000)
	for name, content := range map[string]map[string]any{
		"one array":   {"x": wide},
		"many arrays": {"x": []any{wide[:6000], wide[:6000]}},
	} {
		if _, ok := foreign.Tree(content); ok {
			t.Errorf("%s: no limit", name)
		}
	}
	if _, ok := foreign.Tree(map[string]any{"x": wide[:9_990]}); !ok {
		t.Error("refused below the limit")
	}
	deep := any("bottom")
	for range fhir.MaxDepth + 1 {
		deep = []any{deep}
	}
	e, _ := at(t, deep)
	depth := 0
	for list := e.List(); len(list) > 0 && list[0].Exists(); list = list[0].List() {
		depth++
	}
	if depth != fhir.MaxDepth-1 {
		t.Errorf("depth %d", depth)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value any
		want  string
		rule  string
	}{
		"plain":            {"abc", "abc", ""},
		"NFC":              {"Mari\u0301a", "María", ""},
		"trimmed":          {" abc\t", "abc", fhir.RuleTrimmed},
		"white space":      {"  ", "", ""},
		"at the limit":     {strings.Repeat("ä", 10), strings.Repeat("ä", 10), ""},
		"over the limit":   {strings.Repeat("ä", 11), "", fhir.RuleLength},
		"far over":         {strings.Repeat("x", 1<<16), "", fhir.RuleLength},
		"NFC brings it in": {strings.Repeat("a\u0308", 10), strings.Repeat("ä", 10), ""},
		"a number":         {uint64(7), "", element.RuleType},
		"absent":           {nil, "", ""},
	} {
		e, log := at(t, tc.value)
		got, rule := foreign.Text(e, 10), ""
		if len(log.Issues) > 0 {
			rule = log.Issues[0].Rule
		}
		if got != tc.want || rule != tc.rule {
			t.Errorf("%s: %q, %s", name, got, rule)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][3]string{ // date, dateTime, day
		"2021":                 {"2021", "2021", "2021"},
		"2021-02":              {"2021-02", "2021-02", "2021-02"},
		"2021-02-28":           {"2021-02-28", "2021-02-28", "2021-02-28"},
		"2021-02-28T23:00:00Z": {"", "2021-02-28T23:00:00Z", "2021-02-28"},
		"2021-02-29":           {},
		"28.02.2021":           {},
		"2021-02-28T23:00":     {},
	} {
		for i, read := range []func(*element.Element) string{foreign.Date, foreign.DateTime, foreign.Day} {
			e, log := at(t, value)
			if got := read(e); got != want[i] || (len(log.Issues) == 0) != (want[i] != "") {
				t.Errorf("%s, %d: %q %+v", value, i, got, log.Issues)
			}
		}
	}
	zoned := time.Date(2022, 3, 1, 1, 0, 0, 999, time.FixedZone("", 3600))
	if got := foreign.Instant(zoned); got != "2022-03-01T00:00:00Z" || foreign.Instant(time.Time{}) != "" {
		t.Error(got)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value any
		want  int
		bad   bool
	}{
		"number": {uint64(2), 2, false}, "digits": {"2", 2, false}, "absent": {nil, 0, false}, "zero": {int64(0), 0, true},
		"negative": {int64(-1), 0, true}, "large": {uint64(1 << 40), 0, true}, "words": {"two", 0, true}, "array": {[]any{}, 0, true},
	} {
		e, log := at(t, tc.value)
		if got := foreign.Count(e); got != tc.want || (len(log.Issues) > 0) != tc.bad {
			t.Errorf("%s: %d %+v", name, got, log.Issues)
		}
	}
}

func TestCountry(t *testing.T) {
	t.Parallel()
	known := func(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemISO3166, Code: code} }
	for value, want := range map[string]fhir.Coding{
		"CHE": known("CHE"), "CH": known("CHE"), "756": known("CHE"), "ch": known("CHE"), "D": known("DEU"), "XXA": known("XXA"),
		"UTO": {Code: "UTO"}, "Switzerland": {Code: "Switzerland"}, "": {},
	} {
		e, log := at(t, value)
		unknown := want.System == "" && want.Code != ""
		if got := foreign.Country(e); got != want || (len(log.Issues) == 1) != unknown {
			t.Errorf("%s: %+v %+v", value, got, log.Issues)
		}
	}
}

func TestBrand(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]fhir.Coding{
		"Comirnaty":   {System: terminology.SystemICD11, Code: "XM8NQ0", Display: "Comirnaty"},
		" sputnik-v ": {System: terminology.SystemICD11, Code: "XM5ZJ4", Display: "sputnik-v"},
		"Elixir":      {Code: "Elixir"},
		"":            {},
	} {
		e, _ := at(t, value)
		if got := foreign.Brand(e); got != want {
			t.Errorf("%s: %+v", value, got)
		}
	}
}
