package icao9303

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds the work on one name, in bytes. Names in certificates have at most a few
// hundred.
const maxName = 4096

// filler stands for a space, a hyphen and every other break in a name.
const filler = '<'

var (
	// ErrNoTransliteration means that a character of the name has none: its script has no
	// table, or it is no letter. The cure is the Latin spelling of the travel document.
	ErrNoTransliteration = errors.New("icao9303: no transliteration for a character of the name; give the Latin spelling of the travel document")
	// ErrDigit means that the name has a digit (Doc 9303-3 §4.6: the name field has none).
	ErrDigit = errors.New("icao9303: a name has no digits; write the number in letters")
	// ErrTooLong means that the name is longer than any name.
	ErrTooLong = errors.New("icao9303: the name is too long")
)

// MRZ writes a name in the letters A to Z and <. Letters are transliterated (see the
// package), apostrophes dropped, and everything else that breaks a name – space, hyphen,
// comma, full stop – becomes one <, but not at the ends. A name of space alone gives "".
func MRZ(name string) (string, error) {
	if len(name) > maxName {
		return "", ErrTooLong
	}
	if strings.TrimSpace(name) == "" {
		return "", nil
	}
	// NFKC makes one character of a letter and its marks, and plain letters of full-width
	// and presentation forms. It would take the acute accent that people type as an
	// apostrophe apart into a space and a mark.
	text := norm.NFKC.String(strings.ReplaceAll(name, "´", "'"))
	w := writer{runes: []rune(text), out: make([]byte, 0, len(text))}
	if err := w.run(); err != nil {
		return "", err
	}
	if len(w.out) == 0 {
		return "", ErrNoTransliteration
	}
	return string(w.out), nil
}

// MRZMax is MRZ cut to a length, as the EU guidelines ask for beyond 80 characters. The
// result does not end with <.
func MRZMax(name string, limit int) (string, error) {
	zone, err := MRZ(name)
	if err != nil || len(zone) <= limit {
		return zone, err
	}
	return strings.TrimRight(zone[:max(limit, 0)], string(filler)), nil
}

// writer turns one name into letters, from left to right.
type writer struct {
	runes []rune
	at    int
	out   []byte
	gap   bool   // a break is due before the next letter
	last  string // what the last letter became, for signs that repeat it
}

func (w *writer) run() error {
	for w.at < len(w.runes) {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

// step writes one character, or the few that are one letter together.
func (w *writer) step() error {
	r := w.runes[w.at]
	if r < utf8.RuneSelf {
		return w.ascii(r)
	}
	if letters, used, ok := w.letter(r); ok {
		w.write(letters)
		w.at += used
		return nil
	}
	switch {
	case isDropped(r):
	case isBreak(r):
		w.pause()
	case unicode.IsNumber(r):
		return ErrDigit
	default:
		return ErrNoTransliteration
	}
	w.at++
	return nil
}

func (w *writer) ascii(r rune) error {
	switch {
	case r >= 'A' && r <= 'Z':
		w.write(capitals[r-'A' : r-'A'+1])
	case r >= 'a' && r <= 'z':
		w.write(capitals[r-'a' : r-'a'+1])
	case r >= '0' && r <= '9':
		return ErrDigit
	case r == '\'' || r == '`' || r == '"':
	case strings.ContainsRune(" -<,.;/_()\t\n\r", r):
		w.pause()
	default:
		return ErrNoTransliteration
	}
	w.at++
	return nil
}

const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// write appends letters, after the break that is due if they are any.
func (w *writer) write(letters string) {
	if letters == "" {
		return
	}
	if w.gap && len(w.out) > 0 {
		w.out = append(w.out, filler)
	}
	w.gap = false
	w.out = append(w.out, letters...)
	w.last = letters
}

// pause ends a word.
func (w *writer) pause() { w.gap, w.last = true, "" }

// isDropped names what is written in a name but not in the zone: apostrophes and
// quotation marks, marks on letters, modifier letters, invisible format characters, and
// the middle dot inside Catalan words.
func isDropped(r rune) bool {
	return strings.ContainsRune("’‘‚‛′″“”„«»‹›·׳״՚", r) || r == tatweel || (r >= 0x02b0 && r <= 0x02ff) || unicode.In(r, unicode.Mn, unicode.Sk, unicode.Cf)
}

func isBreak(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Pd) || strings.ContainsRune("،؛、。，・־・•", r)
}
