package icao9303

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// greekLetters are the letters alone (ELOT 743).
var greekLetters = join(map[string]string{
	"A": "α", "V": "β", "G": "γ", "D": "δ", "E": "ε", "Z": "ζ", "I": "ηι", "TH": "θ", "K": "κ", "L": "λ",
	"M": "μ", "N": "ν", "X": "ξ", "O": "οω", "P": "π", "R": "ρ", "S": "σς", "T": "τ", "Y": "υ", "F": "φ",
	"CH": "χ", "PS": "ψ",
})

// greekPairs are two letters with a sound of their own.
var greekPairs = map[string]string{"ου": "OU", "γγ": "NG", "γξ": "NX", "γχ": "NCH"}

// voiced are the sounds before which αυ, ευ and ηυ end with V; elsewhere they end with F.
const voiced = "αβγδεζηιλμνορυω"

func isGreek(r rune) bool {
	return unicode.Is(unicode.Greek, r) && unicode.IsLetter(r)
}

// greek reads a letter, or a pair unless an accent or a diaeresis keeps it apart.
func (w *writer) greek() (letters string, used int, ok bool) {
	first, firstMarks := greekLetter(w.runes, w.at)
	second, secondMarks := greekLetter(w.runes, w.at+1)
	together := second != 0 && !strings.ContainsRune(firstMarks, acute) && !strings.ContainsRune(secondMarks, diaeresis)
	pair := string([]rune{first, second})
	switch {
	case !together:
	case greekPairs[pair] != "":
		return greekPairs[pair], 2, true
	case pair == "αυ" || pair == "ευ" || pair == "ηυ":
		return greekLetters[first] + w.greekGlide(), 2, true
	case pair == "μπ" && w.atWordEdge(2):
		return "B", 2, true
	}
	letters, ok = greekLetters[first]
	return letters, 1, ok
}

// greekGlide is the second sound of αυ.
func (w *writer) greekGlide() string {
	if next, _ := greekLetter(w.runes, w.at+2); next != 0 && strings.ContainsRune(voiced, next) {
		return "V"
	}
	return "F"
}

const (
	acute     = '\u0301'
	diaeresis = '\u0308'
)

// greekLetter gives the small letter at a place and its marks, or 0.
func greekLetter(runes []rune, at int) (letter rune, marks string) {
	if at >= len(runes) || !isGreek(runes[at]) {
		return 0, ""
	}
	parts := []rune(norm.NFD.String(string(runes[at])))
	return unicode.ToLower(parts[0]), string(parts[1:])
}

// atWordEdge reports whether the given number of letters from here begin or end a word.
func (w *writer) atWordEdge(length int) bool {
	end := w.at + length
	return w.at == 0 || !unicode.IsLetter(w.runes[w.at-1]) || end >= len(w.runes) || !unicode.IsLetter(w.runes[end])
}
