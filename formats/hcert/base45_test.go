package hcert

import (
	"bytes"
	"testing"
)

func TestBase45KnownAnswers(t *testing.T) {
	t.Parallel()
	for plain, want := range map[string]string{
		"":         "",
		"AB":       "BB8",         // RFC 9285 §4.3
		"Hello!!":  "%69 VD92EX0", // RFC 9285 §4.3
		"base-45":  "UJCLQE7W581", // RFC 9285 §4.3
		"ietf!":    "QED8WEX0",    // RFC 9285 §4.4
		"\x00":     "00",          // smallest last byte
		"\xff":     "U5",          // largest last byte
		"\xff\xff": "FGW",         // largest pair
		"\x00\x00": "000",         // smallest pair
		"\x07\xe8": "::0",         // 2024 = 44 + 44*45
	} {
		got := appendBase45([]byte("HC1:"), []byte(plain))
		if string(got) != "HC1:"+want {
			t.Errorf("%q: got %q, want %q", plain, got[4:], want)
		}
		if len(got)-4 != base45Len(len(plain)) {
			t.Errorf("%q: length %d, announced %d", plain, len(got)-4, base45Len(len(plain)))
		}
	}
}

// Every pair of bytes has its own three characters, all of them in the alphabet.
func TestBase45PairsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool, 1<<16)
	for n := range 1 << 16 {
		text := appendBase45(nil, []byte{byte(n >> 8), byte(n)})
		if len(bytes.Trim(text, base45Alphabet)) != 0 || seen[string(text)] {
			t.Fatalf("pair %04x: %q", n, text)
		}
		seen[string(text)] = true
	}
}
