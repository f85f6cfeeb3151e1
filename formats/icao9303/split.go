package icao9303

import "strings"

// Split takes a name that is given in one piece apart, where a format wants it in two. A
// comma decides ("Family, Given"); without one the last word is the family name and the
// words before it are the given names; one word alone is the family name.
//
// This is wrong for many names – two family names, the family name first, none at all –
// and nothing in a single text can tell. Whoever knows the parts must not use it.
func Split(full string) (given, family string) {
	if i := strings.IndexAny(full, ",،，"); i >= 0 {
		before, after := full[:i], strings.TrimLeft(full[i:], ",،，")
		return joined(after), joined(before)
	}
	words := strings.Fields(full)
	if len(words) == 0 {
		return "", ""
	}
	last := len(words) - 1
	return strings.Join(words[:last], " "), words[last]
}

// joined leaves one space between words.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }
