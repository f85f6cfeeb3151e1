package reader

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestBase45KnownAnswers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":            "",
		"BB8":         "AB",      // RFC 9285 §4.3
		"%69 VD92EX0": "Hello!!", // RFC 9285 §4.3
		"UJCLQE7W581": "base-45", // RFC 9285 §4.3
		"QED8WEX0":    "ietf!",   // RFC 9285 §4.4
		"FGW":         "\xff\xff",
		"U5":          "\xff",
		"  1":         "\x0e\x61", // 36 + 36*45 + 1*2025: spaces are digits
	} {
		got, err := decodeBase45(text)
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestBase45Refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"A":        errBase45Length,
		"BB8A":     errBase45Length,
		"GGW":      errBase45Overflow, // 65536, RFC 9285 §6
		":::":      errBase45Overflow,
		"V5":       errBase45Overflow, // 256
		"::":       errBase45Overflow,
		"bb8":      errBase45Character,
		"BB=":      errBase45Character,
		"B\x008":   errBase45Character,
		"BB8B\n":   errBase45Character,
		"BB8\xff8": errBase45Character,
		"é8":       errBase45Character,
	} {
		if got, err := decodeBase45(text); !errors.Is(err, want) || got != nil {
			t.Errorf("%q: got %q, %v, want %v", text, got, err, want)
		}
	}
}

// Every group of three characters is either the only text of one pair, or refused.
func TestBase45IsInjective(t *testing.T) {
	t.Parallel()
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	accepted := 0
	for _, c := range alphabet {
		for _, d := range alphabet {
			for _, e := range alphabet {
				text := string([]rune{c, d, e})
				pair, err := decodeBase45(text)
				if err != nil {
					continue
				}
				accepted++
				if base45(pair) != text {
					t.Fatalf("%q and %q stand for the same bytes", text, base45(pair))
				}
			}
		}
	}
	if accepted != 1<<16 {
		t.Errorf("%d groups accepted, want 65536", accepted)
	}
}

func TestBase45LongText(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte{0, 1, 254, 255}, 5000)
	got, err := decodeBase45(base45(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("long text not restored (%v)", err)
	}
	if _, err := decodeBase45(strings.Repeat("0", 30001)); !errors.Is(err, errBase45Length) {
		t.Error(err)
	}
}
