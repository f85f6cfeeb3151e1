package pdf

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	markedContent = regexp.MustCompile(`(?s)/(\w+)<</MCID \d+>>BDC\n(.*?)EMC`)
	codeString    = regexp.MustCompile(`/(F\d+) |<([0-9A-F]+)>`)
)

// readBack reads the tagged text of all pages as a screen reader does: codes in the order
// they are drawn, by what their fonts' ToUnicode maps say.
func readBack(t testing.TB, d *Document) string {
	t.Helper()
	maps := map[string]map[int]string{}
	for _, e := range d.fontOrder {
		maps[e.name] = parseToUnicode(t, string(e.toUnicode()))
	}
	var text strings.Builder
	for _, p := range d.pages {
		for _, block := range markedContent.FindAllStringSubmatch(string(p.content), -1) {
			font := ""
			for _, m := range codeString.FindAllStringSubmatch(block[2], -1) {
				if m[1] != "" {
					font = m[1]
					continue
				}
				for code := m[2]; code != ""; code = code[4:] {
					said, ok := maps[font][int(parseHex(t, code[:4]))]
					if !ok {
						t.Fatalf("code %s of %s has no ToUnicode entry", code[:4], font)
					}
					text.WriteString(said)
				}
			}
		}
	}
	return text.String()
}

var mapEntry = regexp.MustCompile(`<([0-9A-F]{4})><([0-9A-F]+)>`)

func parseToUnicode(t testing.TB, cmap string) map[int]string {
	t.Helper()
	entries := map[int]string{}
	_, cmap, _ = strings.Cut(cmap, "endcodespacerange")
	for _, m := range mapEntry.FindAllStringSubmatch(cmap, -1) {
		entries[int(parseHex(t, m[1]))] = decodeUTF16(t, m[2])
	}
	return entries
}

func decodeUTF16(t testing.TB, digits string) string {
	t.Helper()
	var text []rune
	for ; digits != ""; digits = digits[4:] {
		r := rune(parseHex(t, digits[:4]))
		if 0xD800 <= r && r < 0xDC00 {
			digits = digits[4:]
			r = (r-0xD800)<<10 + rune(parseHex(t, digits[:4])) - 0xDC00 + 0x10000
		}
		text = append(text, r)
	}
	return string(text)
}

func parseHex(t testing.TB, digits string) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
