package icao9303

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letter gives the Latin letters for the character at the current place and how many
// characters they stand for. It is not ok with what is no letter of a known script.
func (w *writer) letter(r rune) (letters string, used int, ok bool) {
	switch {
	case r == shadda:
		return w.last, 1, w.last != ""
	case isGreek(r):
		return w.greek()
	case r >= 0x0590 && r <= 0x05ff:
		return w.hebrew()
	case r >= 0x0530 && r <= 0x058f:
		return w.armenian()
	case isKana(r):
		return w.kana()
	case r >= firstSyllable && r <= lastSyllable:
		return w.hangul()
	case r == tehMarbuta:
		return w.tehMarbuta()
	}
	letters, ok = plain(r)
	return letters, 1, ok
}

// plain finds letters that do not depend on what is around them.
func plain(r rune) (string, bool) {
	for _, form := range [...]rune{r, unicode.ToUpper(r), unicode.ToLower(r)} {
		if letters, ok := alphabet[form]; ok {
			return letters, true
		}
	}
	if !unicode.In(r, unicode.Latin, unicode.Cyrillic) {
		return "", false
	}
	base, marked := withoutMarks(r)
	if !marked {
		return "", false
	}
	if base < 'a'+26 {
		return asciiLetter(base)
	}
	return plain(base)
}

// withoutMarks gives the letter under the marks. It is shorter than r, so that looking it
// up again ends.
func withoutMarks(r rune) (base rune, marked bool) {
	parts := []rune(norm.NFD.String(string(r)))
	return parts[0], len(parts) > 1
}

func asciiLetter(r rune) (string, bool) {
	upper := unicode.ToUpper(r)
	if upper < 'A' || upper > 'Z' {
		return "", false
	}
	return capitals[upper-'A' : upper-'A'+1], true
}

// alphabet holds the scripts whose letters stand for themselves. Capitals where the script
// has them; Georgian in its everyday letters.
var alphabet = join(latin, cyrillic, arabic, georgian)

func join(tables ...map[string]string) map[rune]string {
	all := map[rune]string{}
	for _, table := range tables {
		for letters, characters := range table {
			for _, character := range characters {
				all[character] = letters
			}
		}
	}
	return all
}

// latin is Doc 9303-3 §6.A, first recommendations, where they are not simply the letter
// without its marks; then letters of other Latin alphabets that have a plain counterpart
// by shape.
var latin = map[string]string{
	"AA": "Å", "AE": "ÄÆǼǢ", "OE": "ÖØŒǾ", "UE": "Ü", "SS": "ßẞ", "TH": "Þ", "IJ": "Ĳ",
	"D": "ÐĐƉƊ", "H": "Ħ", "I": "ıƗ", "L": "ŁĿ", "N": "ŊƝŉ", "T": "ŦƬ", "K": "ĸƘ",
	"B": "Ɓ", "C": "Ƈ", "G": "ƓǤ", "P": "Ƥ", "V": "Ʋ", "Y": "Ƴ", "Z": "ƵȤ", "S": "ſ",
}

// cyrillic is the general column of Doc 9303-3 §6.B. The soft sign has no row and is not
// written. Ѓ stands where the printed table has Ғ with the Macedonian exception, Ћ where it
// has Һ: both pairs are given.
var cyrillic = map[string]string{
	"": "Ь", "A": "А", "B": "Б", "V": "В", "G": "ГҐҒЃ", "D": "ДЂ", "E": "ЕЁЭ", "ZH": "Ж", "Z": "З",
	"I": "ИЙІЇ", "K": "КЌ", "L": "Л", "M": "М", "N": "Н", "O": "О", "P": "П", "R": "Р", "S": "С", "T": "Т",
	"U": "УЎѪ", "F": "Ф", "KH": "Х", "TS": "Ц", "CH": "Ч", "SH": "Ш", "SHCH": "Щ", "IE": "ЪЄ", "Y": "ЫѴ",
	"IU": "Ю", "IA": "Я", "DZ": "ЅЏ", "J": "Ј", "LJ": "Љ", "NJ": "Њ", "C": "ҺЋ",
}

// georgian is the national system of 2002; what it tells apart by an apostrophe falls
// together.
var georgian = map[string]string{
	"A": "ა", "B": "ბ", "G": "გ", "D": "დ", "E": "ე", "V": "ვ", "Z": "ზ", "T": "თტ", "I": "ი", "K": "კქ",
	"L": "ლ", "M": "მ", "N": "ნ", "O": "ო", "P": "პფ", "ZH": "ჟ", "R": "რ", "S": "ს", "U": "უ", "GH": "ღ",
	"Q": "ყ", "SH": "შ", "CH": "ჩჭ", "TS": "ცწ", "DZ": "ძ", "KH": "ხ", "J": "ჯ", "H": "ჰ",
}
