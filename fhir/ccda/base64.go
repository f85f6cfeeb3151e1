package ccda

import (
	"encoding/base64"
	"strings"
)

// base64Text gives the content of an element as FHIR's base64Binary, without white space.
func base64Text(n *node) (string, bool) {
	var b strings.Builder
	for _, kid := range n.kids {
		if kid.isText() {
			b.WriteString(kid.text)
		}
	}
	text := strings.Join(strings.Fields(b.String()), "")
	_, err := base64.StdEncoding.Strict().DecodeString(text)
	return text, err == nil && text != ""
}
