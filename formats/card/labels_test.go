package card

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func mustLanguages(t testing.TB) []string {
	t.Helper()
	languages, err := Languages()
	if err != nil {
		t.Fatal(err)
	}
	return languages
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	if got, want := mustLanguages(t), []string{"en", "fr", "es", "ar", "zh", "ru", "pt", "de", "hi"}; !slices.Equal(got, want) {
		t.Errorf("languages %v, want %v", got, want)
	}
}

var (
	placeholder = regexp.MustCompile(`\{\w+\}`)
	keyInCode   = regexp.MustCompile(`(?:word|fill)\("(\w+)"|\{"(\w+)", |row\{"(\w+)"`)
)

// Every label is there in every language with the same places to fill, and is used.
func TestLabelTable(t *testing.T) {
	t.Parallel()
	v, err := vocabularies()
	if err != nil {
		t.Fatal(err)
	}
	used := usedKeys(t)
	for key, english := range v.labels[0].words {
		if !used[key] && !strings.HasPrefix(key, "month") {
			t.Errorf("%s is not used", key)
		}
		want := placeholder.FindAllString(english, -1)
		slices.Sort(want)
		for _, l := range v.labels {
			text := l.words[key]
			got := placeholder.FindAllString(text, -1)
			slices.Sort(got)
			if text == "" || text != strings.TrimSpace(text) || strings.ContainsFunc(text, unicode.IsControl) || !slices.Equal(got, want) {
				t.Errorf("%s in %s is %q", key, l.tag, text)
			}
		}
	}
	for key := range used {
		if v.labels[0].words[key] == "" {
			t.Errorf("%s is not in the table", key)
		}
	}
}

func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{"male": true, "female": true, "other": true, "unknown": true}
	for _, file := range []string{"render.go", "event.go", "dates.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keyInCode.FindAllStringSubmatch(string(source), -1) {
			if key := m[1] + m[2] + m[3]; key != "month" {
				keys[key] = true
			}
		}
	}
	return keys
}

func TestTableWithAMistakeIsAnError(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"key\ten\tfr\nname\tName\n", "key\tno such language\nname\tName\n"} {
		if _, err := readVocabulary(table); err == nil {
			t.Errorf("%q was read", table)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lang, value, want string }{
		{"en", "2021-06-05", "2021-06-05 (5 June 2021)"},
		{"fr", "2021-08-15", "2021-08-15 (15 août 2021)"},
		{"es", "2021-01-31", "2021-01-31 (31 de enero de 2021)"},
		{"zh", "2021-12-01", "2021-12-01 (2021年12月1日)"},
		{"ru", "2021-05-09", "2021-05-09 (9 мая 2021 г.)"},
		{"de", "2021-03-01", "2021-03-01 (1. März 2021)"},
		{"ar", "2021-06-05", "\u20662021-06-05\u2069 (5 يونيو 2021)"},
		{"en", "2021-06-05T23:30:00+02:00", "2021-06-05 23:30 UTC+02:00 (5 June 2021)"},
		{"en", "2021-06-05T23:30:00Z", "2021-06-05 23:30 UTC (5 June 2021)"},
		{"en", "2021-06", "2021-06"}, {"en", "2021", "2021"}, {"en", "", ""}, {"en", "spring", "spring"}, {"en", "2021-02-30", "2021-02-30"},
	} {
		l, err := labelsFor(c.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer(noBreakSpace, " ", wordJoiner, "").Replace(l.date(c.value)); got != c.want {
			t.Errorf("%s %s is shown as %+q, want %+q", c.lang, c.value, got, c.want)
		}
	}
}
