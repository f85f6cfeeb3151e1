package icao9303

import "unicode"

// armenianLetters are the letters inside a word (BGN/PCGN 1981). The ligature և is two
// letters by the time it comes here.
var armenianLetters = join(map[string]string{
	"A": "ա", "B": "բ", "G": "գ", "D": "դ", "E": "եէ", "Z": "զ", "Y": "ըյ", "T": "թտ", "ZH": "ժ", "I": "ի",
	"L": "լ", "KH": "խ", "TS": "ծց", "K": "կք", "H": "հ", "DZ": "ձ", "GH": "ղ", "CH": "ճչ", "M": "մ", "N": "ն",
	"SH": "շ", "O": "ոօ", "P": "պփ", "J": "ջ", "R": "ռր", "S": "ս", "V": "վւ", "F": "ֆ",
})

// armenianInitials are letters that sound otherwise at the beginning of a word.
var armenianInitials = map[rune]string{'ե': "YE", 'ո': "VO"}

func (w *writer) armenian() (letters string, used int, ok bool) {
	r := unicode.ToLower(w.runes[w.at])
	if r == 'ո' && w.at+1 < len(w.runes) && unicode.ToLower(w.runes[w.at+1]) == 'ւ' {
		return "U", 2, true
	}
	if initial := armenianInitials[r]; initial != "" && !w.afterLetter() {
		return initial, 1, true
	}
	letters, ok = armenianLetters[r]
	return letters, 1, ok
}
