package shlink

import "fmt"

// maxClaim bounds the links of one certificate.
const maxClaim = 16

// ParseClaim reads claim 5 of the hcert container (WHO SMART Trust, HCERT 1.1) as it comes
// out of a CBOR or JSON decoder, in every shape it has had: one text, an array of texts, a
// map with the text as its member "u", an array of such maps; shlink:/ or vhlink:/.
// Errors: *Error; ErrVersion when any of the links is of a later version.
func ParseClaim(value any) ([]Link, error) {
	items, ok := value.([]any)
	if !ok {
		l, err := parseItem("claim", value)
		if err != nil {
			return nil, err
		}
		return []Link{l}, nil
	}
	if len(items) == 0 || len(items) > maxClaim {
		return nil, &Error{"claim", "must hold from 1 to 16 links; ask for a new certificate"}
	}
	links := make([]Link, 0, len(items))
	for i, item := range items {
		l, err := parseItem(fmt.Sprintf("claim[%d]", i), item)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// parseItem reads one text, bare or as the member u of a map.
func parseItem(path string, item any) (Link, error) {
	const member = "u"
	switch m := item.(type) {
	case map[string]any:
		item, path = m[member], path+"."+member
	case map[any]any:
		item, path = m[member], path+"."+member
	}
	text, ok := item.(string)
	if !ok {
		return Link{}, &Error{path, "must be the text of a link; ask for a new certificate"}
	}
	l, err := Parse(text)
	return l, under(path, err)
}
