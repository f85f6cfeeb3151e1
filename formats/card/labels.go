package card

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/trustedparty/ddcc-gateway/formats/pdf"
)

// labelTable has a line for each label and a column for each language.
//
//go:embed labels.tsv
var labelTable string

// labels are the words of one language by their key.
type labels struct {
	tag         string // of the language
	rightToLeft bool
	words       map[string]string
}

// vocabulary is the table, read once.
type vocabulary struct {
	tags    []language.Tag
	labels  []labels // by the index of tags
	matcher language.Matcher
}

var vocabularies = sync.OnceValues(func() (*vocabulary, error) { return readVocabulary(labelTable) })

func readVocabulary(table string) (*vocabulary, error) {
	r := csv.NewReader(strings.NewReader(table))
	r.Comma = '\t'
	r.LazyQuotes = true
	rows, err := r.ReadAll() // which makes sure that each row has a field a column
	if err != nil {
		return nil, fmt.Errorf("card: labels: %w", err)
	}
	v := &vocabulary{}
	for column, name := range rows[0][1:] {
		tag, err := language.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("card: labels: %w", err)
		}
		l := labels{tag: tag.String(), rightToLeft: pdf.RightToLeft(name), words: map[string]string{}}
		for _, row := range rows[1:] {
			l.words[row[0]] = row[1+column]
		}
		v.tags, v.labels = append(v.tags, tag), append(v.labels, l)
	}
	v.matcher = language.NewMatcher(v.tags)
	return v, nil
}

// Languages lists the languages a card can be written in (BCP 47), the default first.
func Languages() ([]string, error) {
	v, err := vocabularies()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(v.labels))
	for i, l := range v.labels {
		names[i] = l.tag
	}
	return names, nil
}

// labelsFor finds the labels of the language nearest to the one asked for.
func labelsFor(asked string) (labels, error) {
	v, err := vocabularies()
	if err != nil {
		return labels{}, err
	}
	// A tag that cannot be read matches nothing, which gives the default.
	tag, _ := language.Parse(asked)
	_, index, _ := v.matcher.Match(tag)
	return v.labels[index], nil
}

// word is the label of a key.
func (l labels) word(key string) string { return l.words[key] }

// fill puts values into the places a label has for them: pairs of name and value.
func (l labels) fill(key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(l.words[key])
}

// isolate keeps an identifier or a number from left to right within text from right to
// left (UAX #9 §2.7): there the parts of a date would change places.
func (l labels) isolate(s string) string {
	const leftToRightIsolate, popIsolate = "\u2066", "\u2069"
	if !l.rightToLeft {
		return s
	}
	return leftToRightIsolate + s + popIsolate
}
