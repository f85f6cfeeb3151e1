package icao9303

import "strings"

// The syllables of Unicode, in the order of their parts (Unicode 3.12).
const (
	firstSyllable = 0xac00
	lastSyllable  = 0xd7a3
	vowelCount    = 21
	finalCount    = 28
)

// The parts of a syllable in Revised Romanization, in Unicode's order. Of a final, the
// first word is how it is written before a consonant or at the end, the second before a
// syllable that begins with a vowel.
var (
	initials = strings.Fields("G KK N D TT R M B PP S SS - J JJ CH K T P H")
	vowels   = strings.Fields("A AE YA YAE EO E YEO YE O WA WAE OE YO U WO WE WI YU EU UI I")
	finals   = strings.Fields("-/- K/G K/KK K/KS N/N N/NJ N/N T/D L/R K/LG M/LM L/LB L/LS L/LT P/LP L/R M/M P/B P/PS T/S T/SS NG/NG T/J T/CH K/K T/T P/P T/-")
)

const (
	initialNone  = 11 // ㅇ, silent
	initialRieul = 5  // ㄹ
	finalRieul   = 8
)

// hangul writes one syllable; what follows decides how its final is written.
func (w *writer) hangul() (letters string, used int, ok bool) {
	initial, vowel, final := syllable(w.runes[w.at])
	nextInitial, hasNext := -1, w.at+1 < len(w.runes) && isSyllable(w.runes[w.at+1])
	if hasNext {
		nextInitial, _, _ = syllable(w.runes[w.at+1])
	}
	start := initials[initial]
	if initial == initialRieul && w.at > 0 && isSyllable(w.runes[w.at-1]) {
		if _, _, before := syllable(w.runes[w.at-1]); before == finalRieul {
			start = "L" // ㄹㄹ is LL
		}
	}
	closed, open, _ := strings.Cut(finals[final], "/")
	end := closed
	if nextInitial == initialNone {
		end = open
	}
	return strings.ReplaceAll(start+vowels[vowel]+end, "-", ""), 1, true
}

func isSyllable(r rune) bool { return r >= firstSyllable && r <= lastSyllable }

func syllable(r rune) (initial, vowel, final int) {
	index := int(r) - firstSyllable
	return index / (vowelCount * finalCount), index / finalCount % vowelCount, index % finalCount
}
