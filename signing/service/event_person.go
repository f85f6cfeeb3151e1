package service

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
)

// maxZone is how many letters of a name an EU DCC has in the machine readable zone; a
// longer one is cut (EU DCC schema 1.3, maxLength).
const maxZone = 80

// names compares a name in one piece or in parts, whichever of them comes first: a single
// text does not tell. Commas, spaces and capitals do not make another name.
func (m *match) names(path string, parts ...string) {
	m.must(path, inEitherOrder(parts, words, words(textOf(m.content["name"]))))
}

// zones compares a name in parts in the letters of the machine readable zone. Of a name
// without transliteration nobody here can tell its letters.
func (m *match) zones(path string, parts ...string) {
	zone, err := icao9303.MRZ(textOf(m.content["name"]))
	m.must(path, err == nil && inEitherOrder(parts, letters, letters(zone)))
}

// certificateName compares the name as written, and its zone with that.
func (m *match) certificateName(n dcc.Name) {
	const path = "claims.dcc.nam"
	m.names(path, n.Given, n.Family)
	m.must(path+".gnt", isZoneOf(n.GivenStandard, n.Given))
	m.must(path+".fnt", isZoneOf(n.FamilyStandard, n.Family))
}

func isZoneOf(zone, name string) bool {
	want, err := icao9303.MRZMax(name, maxZone)
	return err == nil && zone == want
}

// inEitherOrder reports whether the parts of a name, read forwards or backwards, are the
// words.
func inEitherOrder(parts []string, split func(string) []string, want []string) bool {
	if len(want) == 0 {
		return false
	}
	for range 2 {
		var said []string
		for _, part := range parts {
			said = append(said, split(part)...)
		}
		if slices.Equal(said, want) {
			return true
		}
		parts = slices.Clone(parts)
		slices.Reverse(parts)
	}
	return false
}

// words are those of a name as people write it.
func words(name string) []string {
	return strings.FieldsFunc(cases.Fold().String(norm.NFC.String(name)), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",،，", r)
	})
}

// letters are the words of a machine readable zone, which a seal has with spaces.
func letters(zone string) []string {
	return strings.FieldsFunc(zone, func(r rune) bool { return r == ' ' || r == '<' })
}
