package icao9303

import (
	"slices"
	"strings"
)

// kanaRows are the syllables of hiragana in Hepburn, a row of the table a string.
var kanaRows = [...][2]string{
	{"あいうえお", "A I U E O"},
	{"ぁぃぅぇぉ", "A I U E O"},
	{"かきくけこ", "KA KI KU KE KO"},
	{"がぎぐげご", "GA GI GU GE GO"},
	{"さしすせそ", "SA SHI SU SE SO"},
	{"ざじずぜぞ", "ZA JI ZU ZE ZO"},
	{"たちつてと", "TA CHI TSU TE TO"},
	{"だぢづでど", "DA JI ZU DE DO"},
	{"なにぬねの", "NA NI NU NE NO"},
	{"はひふへほ", "HA HI FU HE HO"},
	{"ばびぶべぼ", "BA BI BU BE BO"},
	{"ぱぴぷぺぽ", "PA PI PU PE PO"},
	{"まみむめも", "MA MI MU ME MO"},
	{"やゆよ", "YA YU YO"},
	{"ゃゅょ", "YA YU YO"},
	{"らりるれろ", "RA RI RU RE RO"},
	{"わゐゑをゎ", "WA I E O WA"},
	{"ゔ", "VU"},
}

var kanaSyllables = readKana()

func readKana() map[rune]string {
	all := map[rune]string{}
	for _, row := range kanaRows {
		letters := strings.Fields(row[1])
		for i, character := range []rune(row[0]) {
			all[character] = letters[i]
		}
	}
	return all
}

// The signs of kana that are no syllable.
const (
	kanaStop  = 'っ' // doubles the consonant after it
	kanaNasal = 'ん'
	kanaLong  = 'ー' // lengthens the vowel before it, which the zone does not show

	katakanaFirst = 0x30a1
	katakanaLast  = 0x30f4
	toHiragana    = 0x60
)

func isKana(r rune) bool {
	return (r >= 0x3041 && r <= 0x3094) || (r >= katakanaFirst && r <= katakanaLast) || r == kanaLong
}

// kanaAt gives the hiragana at a place, or 0.
func (w *writer) kanaAt(at int) rune {
	if at >= len(w.runes) || !isKana(w.runes[at]) {
		return 0
	}
	r := w.runes[at]
	if r >= katakanaFirst && r <= katakanaLast {
		return r - toHiragana
	}
	return r
}

func (w *writer) kana() (letters string, used int, ok bool) {
	switch w.kanaAt(w.at) {
	case kanaLong:
		return "", 1, true
	case kanaNasal:
		return w.kanaNasal(), 1, true
	case kanaStop:
		return w.kanaStop(), 1, true
	}
	letters, used, ok = w.kanaSyllable(w.at)
	if ok && w.lengthens(letters, used) {
		letters = ""
	}
	return letters, used, ok
}

// kanaSyllable reads one kana, or two where the second is small.
func (w *writer) kanaSyllable(at int) (letters string, used int, ok bool) {
	letters, ok = kanaSyllables[w.kanaAt(at)]
	if !ok {
		return "", 0, false
	}
	small := w.kanaAt(at + 1)
	switch {
	case small == 0 || !strings.ContainsRune("ゃゅょぁぃぅぇぉ", small):
		return letters, 1, true
	case len(letters) < 2: // う with a small vowel is W: ウィ
		if letters == "U" && strings.ContainsRune("ぃぇぉ", small) {
			return "W" + kanaSyllables[small], 2, true
		}
		return letters, 1, true
	}
	head := letters[:len(letters)-1]
	tail := kanaSyllables[small]
	if strings.HasSuffix(head, "SH") || strings.HasSuffix(head, "CH") || head == "J" {
		tail = strings.TrimPrefix(tail, "Y") // しゃ is SHA
	}
	return head + tail, 2, true
}

// kanaNasal is M before the sounds of the lips.
func (w *writer) kanaNasal() string {
	if next, _, ok := w.kanaSyllable(w.at + 1); ok && strings.ContainsAny(next[:1], "BMP") {
		return "M"
	}
	return "N"
}

// kanaStop doubles the consonant that follows; before CH it is T.
func (w *writer) kanaStop() string {
	next, _, ok := w.kanaSyllable(w.at + 1)
	switch {
	case !ok || strings.ContainsAny(next[:1], "AIUEO"):
		return ""
	case strings.HasPrefix(next, "CH"):
		return "T"
	}
	return next[:1]
}

// seams are ends of surnames in which う begins a word of its own: 上 (Inoue) and 浦
// (Matsuura). Passports keep the U there.
var seams = [...]string{"のうえ", "つうら"}

// lengthens reports whether a kana only makes the vowel before it longer: う after O or U,
// お after O unless it ends the word.
func (w *writer) lengthens(letters string, used int) bool {
	if w.at == 0 || w.kanaAt(w.at-1) == 0 || w.last == "" {
		return false
	}
	around := string([]rune{w.kanaAt(w.at - 1), w.kanaAt(w.at), w.kanaAt(w.at + 1)})
	before := w.last[len(w.last)-1]
	switch letters {
	case "U":
		return (before == 'O' || before == 'U') && !slices.Contains(seams[:], around)
	case "O":
		return before == 'O' && w.kanaAt(w.at+used) != 0
	}
	return false
}
