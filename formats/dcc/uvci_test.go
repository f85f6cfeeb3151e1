package dcc

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func TestPublishedCheckCharacters(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(vectors.Files(t, "eu-dcc-schema", "uvci-luhn-mod-38.tsv")[0])
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(content)) {
		text, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		count++
		if got, err := UVCICheck(text); err != nil || string(got) != want {
			t.Errorf("%s: got %c (%v), want %s", text, got, err, want)
		}
	}
	if count != 12 {
		t.Errorf("%d known answers, want 12", count)
	}
}

func TestNewUVCI(t *testing.T) {
	t.Parallel()
	got, err := NewUVCI("XX", [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	if err != nil || !strings.HasPrefix(got, "URN:UVCI:01:XX:AEBAGBAFAYDQQCIKBMGA2DQPCA#") || len(got) != 43 {
		t.Errorf("got %s (%v)", got, err)
	}
	for _, country := range []string{"", "X", "xx", "XXX", "X1", "X:"} {
		if _, err := NewUVCI(country, [16]byte{}); err == nil {
			t.Errorf("%q is no country", country)
		}
	}
	if _, err := UVCICheck("URN:UVCI:01:nl:A"); err == nil {
		t.Error("small letters have no place in the alphabet")
	}
}

// One identifier, as the states really write theirs.
func TestParseUVCI(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]UVCI{
		"URN:UVCI:01:NL:187/37512422923#Z":              {"NL", "187/37512422923", "Z"},
		"urn:uvci:01:nl:187/37512422923":                {"NL", "187/37512422923", ""},
		"01:NL:187/37512422923":                         {"NL", "187/37512422923", ""},
		"URN:UVCI:V1:AE:8KST0RH057HI8XKW3M8K2NAD06":     {"AE", "8KST0RH057HI8XKW3M8K2NAD06", ""},
		"01BEVLX5DWMA5UJ31EIUVIOZ0AYZ#O":                {"BE", "VLX5DWMA5UJ31EIUVIOZ0AYZ", "O"},
		"dgci:V1:FR:C51AOQW7CQMFW7WLIWVGADQY6:70":       {"FR", "C51AOQW7CQMFW7WLIWVGADQY6:70", ""},
		"URN:UVCI:01DE/IZ12345A/5CWLU12RNOB9RXSEOP#W":   {"DE", "IZ12345A/5CWLU12RNOB9RXSEOP", "W"},
		"01 IS/ABC4556#8":                               {"IS", "ABC4556", "8"},
		"01/LU/2O1I84U8U12I5#UK":                        {"LU", "2O1I84U8U12I5#UK", ""},
		"URN#UVCI#01#NL#DADFCC47C7334E45A906DB12FD859F": {"NL", "DADFCC47C7334E45A906DB12FD859F", ""},
		" URN:UVCI:01:WHO:ABC#: ":                       {"WHO", "ABC", ":"},
		"URN:UVCI:01:XX:A#a":                            {"XX", "A", "A"},
	} {
		if got, err := ParseUVCI(text); err != nil || got != want {
			t.Errorf("%s: got %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "#", "URN:UVCI:", "URN:UVCI:01", "URN:UVCI:01:NL:", "URN:UVCI:02:NL:ABC", "NL:ABC", strings.Repeat("01:NL:A", 100)} {
		if got, err := ParseUVCI(text); err == nil {
			t.Errorf("%.20q: is no UVCI, got %+v", text, got)
		}
	}
}

func TestIdentifiersNameTheSameCertificate(t *testing.T) {
	t.Parallel()
	same := []string{"URN:UVCI:01:NL:187/37512422923#Z", "URN:UVCI:01:NL:187/37512422923", "01:nl:187/37512422923#A", "urn:uvci:01/NL/187/37512422923"}
	first, err := ParseUVCI(same[0])
	if err != nil || !first.CheckMatches() {
		t.Fatal(err)
	}
	for _, text := range same {
		if parsed, err := ParseUVCI(text); err != nil || !parsed.Equal(first) {
			t.Errorf("%s is another certificate (%v)", text, err)
		}
	}
	for _, text := range []string{"URN:UVCI:01:NL:187/37512422924", "URN:UVCI:01:BE:187/37512422923"} {
		if parsed, err := ParseUVCI(text); err != nil || parsed.Equal(first) {
			t.Errorf("%s is the same certificate (%v)", text, err)
		}
	}
}

func TestUVCIRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		country := rapid.StringMatching(`[A-Z]{2}`).Draw(r, "country")
		id := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "id"))
		text, err := NewUVCI(country, id)
		if err != nil {
			r.Fatal(err)
		}
		if len(text) > maxIssuedUVCI || !issuedUVCI.MatchString(text) {
			r.Fatalf("%s would not be issued", text)
		}
		parsed, err := ParseUVCI(text)
		if err != nil || parsed.Country != country || !parsed.CheckMatches() || !strings.HasPrefix(text, parsed.String()+"#") {
			r.Fatalf("%s: %+v (%v)", text, parsed, err)
		}
		// Luhn finds every single wrong character.
		at := rapid.IntRange(len("URN:UVCI:01:XX:"), len(text)-3).Draw(r, "at")
		wrong := rapid.StringMatching(`[A-Z2-7]`).Draw(r, "wrong")
		changed, err := ParseUVCI(text[:at] + wrong + text[at+1:])
		if err != nil || changed.CheckMatches() != (wrong == text[at:at+1]) {
			r.Fatalf("%s with %s at %d: %+v", text, wrong, at, changed)
		}
	})
}

func FuzzParseUVCI(f *testing.F) {
	for _, seed := range []string{"URN:UVCI:01:NL:187/37512422923#Z", "01 IS/ABC4556#8", "dgci:V1:FR:A:70", "01ES#", "#", "ſ01:XX:K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseUVCI(text)
		if err != nil {
			return
		}
		again, err := ParseUVCI(parsed.String() + "#0")
		if err != nil || !again.Equal(parsed) {
			t.Fatalf("%q: %+v becomes %+v (%v)", text, parsed, again, err)
		}
	})
}
