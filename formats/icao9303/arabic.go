package icao9303

import "unicode"

const (
	shadda     = 'ّ' // repeats the letter before it
	tehMarbuta = 'ة'
	tatweel    = 'ـ' // stretches a word, stands for nothing
)

// arabic is Doc 9303-3 §6.C. Letters that its table lists as not encoded (ڜ ڢ ڧ ڨ) are
// left out here, and so refused: a name must not silently lose a consonant.
var arabic = map[string]string{
	"XE": "ء", "XAA": "آ", "XAE": "أ", "U": "ؤ", "I": "إ", "XI": "ئ", "A": "ا", "B": "ب", "T": "ت", "XTH": "ث",
	"J": "ج", "XH": "ح", "XKH": "خ", "D": "د", "XDH": "ذ", "R": "ر", "Z": "ز", "S": "س", "XSH": "ش", "XSS": "ص",
	"XDZ": "ض", "XTT": "ط", "XZZ": "ظ", "E": "ع", "G": "غ", "F": "ف", "Q": "ق", "K": "ك", "L": "ل", "M": "م",
	"N": "ن", "H": "ه", "W": "و", "XAY": "ى", "Y": "يې", "XXA": "ٱ",
	// Persian, Urdu, Pashto and others.
	"XXT": "ٹ", "XRT": "ټ", "P": "پ", "XKE": "ځ", "XXH": "څ", "XC": "چ", "XXD": "ڈ", "XDR": "ډ", "XXR": "ڑ",
	"XRR": "ړ", "XRX": "ږ", "XJ": "ژ", "XXS": "ښ", "XKK": "ک", "XXK": "ګ", "XNG": "ڭ", "XGG": "گ", "XNN": "ں",
	"XXN": "ڼ", "XDO": "ھ", "XYH": "ۀ", "XXG": "ہ", "XGE": "ۂ", "XTG": "ۃ", "XYA": "ی", "XXY": "ۍ", "XYB": "ے", "XBE": "ۓ",
}

// tehMarbuta is XAH where it ends a word of the name, and XTA inside.
func (w *writer) tehMarbuta() (letters string, used int, ok bool) {
	for _, next := range w.runes[w.at+1:] {
		if unicode.Is(unicode.Mn, next) {
			continue
		}
		if unicode.IsLetter(next) {
			return "XTA", 1, true
		}
		break
	}
	return "XAH", 1, true
}
