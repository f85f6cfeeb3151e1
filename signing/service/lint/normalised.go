package lint

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var normalised = Lint{
	ID:     "text-nfc",
	For:    every,
	Source: "HCERT specification: strings are UTF-8 in Unicode normalisation form C",
	Blame:  fault.Rule,
	Check:  checkNormalised,
}

func checkNormalised(in Input) []Finding {
	var found []Finding
	walk("", in.content, func(path string, v any) {
		s, ok := v.(string)
		if ok && (!utf8.ValidString(s) || !norm.NFC.IsNormalString(s)) {
			found = append(found, Finding{path, "The text is not UTF-8 in normalisation form C.", "Normalise the text to NFC."})
		}
	})
	return found
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
