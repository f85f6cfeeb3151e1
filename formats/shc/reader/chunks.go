package reader

import (
	"strconv"
	"strings"
)

const (
	maxChunks = 36
	maxChunk  = 1191 // characters of the JWS in one of several codes
)

// chunk is what one code says: characters index of total, both 0 without numbers.
type chunk struct {
	index, total int
	jws          string
}

// DecodeChunks reads a card from all its codes, in any order. Every failure is an *Error.
func DecodeChunks(texts []string) (*Message, error) {
	if len(texts) == 1 {
		return Decode(texts[0])
	}
	parts, err := collect(texts)
	if err != nil {
		return nil, err
	}
	m, err := decodeJWS(join(parts))
	if err != nil {
		return nil, err
	}
	m.Chunks = len(parts)
	m.warnChunks(parts)
	return m, nil
}

// Join gives the JWS that several codes (shc:/C/N/…) hold together, in any order. One code
// without numbers is accepted as well. Decode reads the JWS up to its limit of 16 KiB,
// which no real card comes near. Every failure is an *Error.
func Join(texts []string) (string, error) {
	parts, err := collect(texts)
	if err != nil {
		return "", err
	}
	return join(parts), nil
}

func join(parts []chunk) string {
	var jws strings.Builder
	for i := range parts {
		jws.WriteString(parts[i].jws)
	}
	return jws.String()
}

// collect gives the chunks in order, once each.
func collect(texts []string) ([]chunk, error) {
	if len(texts) == 0 || len(texts) > maxChunks {
		return nil, fail(ReasonInvalidChunks, "a card has 1 to 36 codes")
	}
	parts := make([]chunk, max(1, len(texts)))
	for _, text := range texts {
		text, err := trim(text)
		if err != nil {
			return nil, err
		}
		part, err := parseChunk(text)
		if err != nil {
			return nil, err
		}
		if part.total == 0 && len(texts) == 1 {
			return []chunk{part}, nil
		}
		if err := place(parts, part); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// place puts a chunk where it belongs. As there are as many places as texts, an index
// that is free and not beyond the total fills them all.
func place(parts []chunk, part chunk) error {
	switch {
	case part.total == 0:
		return fail(ReasonInvalidChunks, "a code without chunk numbers is among several codes")
	case part.total > len(parts):
		return fail(ReasonInvalidChunks, "a code of the card is missing")
	case part.total < len(parts):
		return fail(ReasonInvalidChunks, "there are more codes than the card has, or one is repeated")
	case parts[part.index-1].total != 0:
		return fail(ReasonInvalidChunks, "a code is repeated")
	case part.total > 1 && len(part.jws) > maxChunk:
		return fail(ReasonInvalidChunks, "a code holds more than 1191 characters of the JWS")
	}
	parts[part.index-1] = part
	return nil
}

// parseChunk reads one code.
func parseChunk(text string) (chunk, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return chunk{}, fail(ReasonNotSHC, "the text does not begin with shc:/")
	}
	var part chunk
	if strings.Contains(rest, "/") {
		var err error
		if part, rest, err = parseNumbers(rest); err != nil {
			return chunk{}, err
		}
	}
	jws, err := digitsToText(rest)
	if err != nil {
		return chunk{}, err
	}
	part.jws = jws
	return part, nil
}

// parseNumbers reads C/N/ in front of the digits.
func parseNumbers(rest string) (chunk, string, error) {
	first, rest, _ := strings.Cut(rest, "/")
	second, digits, ok := strings.Cut(rest, "/")
	index, okIndex := smallNumber(first)
	total, okTotal := smallNumber(second)
	switch {
	case !ok || !okIndex || !okTotal:
		return chunk{}, "", fail(ReasonInvalidChunks, "the header must be shc:/C/N/ with numbers from 1 to 36")
	case index > total:
		return chunk{}, "", fail(ReasonInvalidChunks, "the number of a code is larger than the number of codes")
	}
	return chunk{index: index, total: total}, digits, nil
}

// smallNumber reads 1 to 36 without leading zeros.
func smallNumber(s string) (int, bool) {
	if len(s) == 0 || len(s) > 2 || s[0] == '0' || s[0] == '+' {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= maxChunks
}

// warnChunks says what was deprecated or wrong about the way the card was cut.
func (m *Message) warnChunks(parts []chunk) {
	m.warn(RuleChunksDeprecated, "", "cards in several codes are deprecated since December 2022; issue one code or a link")
	total, shortest, longest := 0, len(parts[0].jws), 0
	for i := range parts {
		n := len(parts[i].jws)
		total += n
		shortest, longest = min(shortest, n), max(longest, n)
	}
	if total <= maxSingle {
		m.warn(RuleChunksUnnecessary, "", "the card fits one code")
	}
	if longest-shortest > len(parts) {
		m.warn(RuleChunksUnbalanced, "", "the codes of a card must hold about the same number of characters")
	}
}
