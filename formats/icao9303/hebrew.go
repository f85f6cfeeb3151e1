package icao9303

import "unicode"

// hebrewLetters are the consonants, soft where a dagesh makes a difference, and the vowel
// points. Alef and ayin are written by the Academy's table with an apostrophe, which the
// zone does not have.
var hebrewLetters = join(map[string]string{
	"": "אע", "V": "בו", "G": "ג", "D": "ד", "H": "הח", "Z": "ז", "T": "טת", "Y": "י", "KH": "כך", "L": "ל",
	"M": "מם", "N": "נן", "S": "ס", "F": "פף", "TS": "צץ", "K": "ק", "R": "ר", "SH": "ש",
	"A": "\u05b7\u05b8\u05b2", "E": "\u05b5\u05b6\u05b1", "I": "\u05b4", "O": "\u05b9\u05ba\u05b3", "U": "\u05bb",
})

// hardLetters are those with a dagesh.
var hardLetters = map[rune]string{'ב': "B", 'כ': "K", 'ך': "K", 'פ': "P", 'ף': "P"}

const (
	dagesh = '\u05bc'
	sinDot = '\u05c2'
)

// hebrew reads a consonant or a vowel point.
func (w *writer) hebrew() (letters string, used int, ok bool) {
	r := w.runes[w.at]
	letters, ok = hebrewLetters[r]
	if !ok {
		return "", 0, false
	}
	if hard := hardLetters[r]; hard != "" && (w.hasPoint(dagesh) || !w.afterLetter()) {
		letters = hard
	}
	if r == 'ש' && w.hasPoint(sinDot) {
		letters = "S"
	}
	if r == 'ו' && w.hasPoint(dagesh) && w.afterLetter() {
		letters = "U" // shuruk
	}
	return letters, 1, true
}

// hasPoint looks among the marks of the letter at the current place.
func (w *writer) hasPoint(point rune) bool {
	for _, r := range w.runes[w.at+1:] {
		if !unicode.Is(unicode.Mn, r) {
			return false
		}
		if r == point {
			return true
		}
	}
	return false
}

// afterLetter reports whether the current place is inside a word.
func (w *writer) afterLetter() bool {
	return w.at > 0 && unicode.In(w.runes[w.at-1], unicode.L, unicode.Mn)
}
