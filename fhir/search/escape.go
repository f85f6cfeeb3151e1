package search

import "strings"

// split cuts at the separator where no backslash stands before it. The parts keep their
// backslashes, so that they can be split again (FHIR R4 search, escaping search parameters).
func split(s string, separator byte) []string {
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`)

func unescape(s string) string { return unescaper.Replace(s) }

// Escape writes a literal as a value or a part of a value in a search URL.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}
