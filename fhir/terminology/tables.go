package terminology

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

var (
	//go:embed data/codesystems.tsv
	codeSystemsFile string
	//go:embed data/valuesets.tsv
	valueSetsFile string
	//go:embed data/maps.tsv
	mapsFile string
	//go:embed data/countries.tsv
	countriesFile string
)

// testResultName is the name of ValueSetTestResult, which alone differs from its id.
const testResultName = "WHODDCCTestResultCOVID19"

// tables is everything the package knows, ready for lookup.
type tables struct {
	systems   map[key]string        // any spelling to the canonical URI
	tokens    map[string]string     // token of the data files to the canonical URI
	displays  map[conceptKey]string // every known concept; the text may be empty
	codes     map[string][]string   // canonical URI to its codes, in file order
	names     map[conceptKey]string // folded vaccine name to code
	valueSets map[string]map[conceptKey]struct{}
	maps      map[string]map[conceptKey][]Translation
	alpha2    map[string]Country
	alpha3    map[string]Country
	numeric   map[string]Country
}

// loaded parses the embedded files on first use. They are part of the program, so a
// malformed one is a programmer's mistake, which TestEmbeddedFilesParse finds first.
var loaded = sync.OnceValue(func() *tables {
	t, err := parse(codeSystemsFile, valueSetsFile, mapsFile, countriesFile)
	if err != nil {
		panic(err)
	}
	return t
})

// parse builds the tables from the texts of the data files. The code systems come
// first, because the others may only name concepts found there.
func parse(codeSystems, valueSets, maps, countries string) (*tables, error) {
	t := newTables()
	if err := eachLine(codeSystems, t.addConcept); err != nil {
		return nil, fmt.Errorf("codesystems.tsv: %w", err)
	}
	if err := eachLine(countries, t.addCountry); err != nil {
		return nil, fmt.Errorf("countries.tsv: %w", err)
	}
	if err := eachLine(valueSets, t.addMember); err != nil {
		return nil, fmt.Errorf("valuesets.tsv: %w", err)
	}
	if err := eachLine(maps, t.addMapping); err != nil {
		return nil, fmt.Errorf("maps.tsv: %w", err)
	}
	t.valueSets[testResultName] = t.valueSets[ValueSetTestResult]
	return t, nil
}

func newTables() *tables {
	t := &tables{
		systems:   map[key]string{},
		tokens:    map[string]string{},
		displays:  map[conceptKey]string{},
		codes:     map[string][]string{},
		names:     map[conceptKey]string{},
		valueSets: map[string]map[conceptKey]struct{}{},
		maps:      map[string]map[conceptKey][]Translation{},
		alpha2:    map[string]Country{},
		alpha3:    map[string]Country{},
		numeric:   map[string]Country{},
	}
	for _, s := range codeSystems {
		t.tokens[s.token] = s.uri
		t.systems[systemKey(s.uri)] = s.uri
		for _, alias := range s.aliases {
			t.systems[systemKey(alias)] = s.uri
		}
	}
	return t
}

// eachLine hands every data line, split at tabs, to add, together with the fields of the
// "@" line it stands under. Empty lines and lines that start with "# " are skipped.
func eachLine(text string, add func(section, fields []string) error) error {
	var section []string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		fields := strings.Split(line, "\t")
		for _, f := range fields {
			if f == "" || f != strings.TrimSpace(f) {
				return fmt.Errorf("line %d: empty field or space at an end", number)
			}
		}
		if fields[0] == "@" {
			section = fields[1:]
			continue
		}
		if err := add(section, fields); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

// system resolves a token of a section line.
func (t *tables) system(section []string, index int) (string, error) {
	if index >= len(section) {
		return "", fmt.Errorf("section names no system")
	}
	uri, ok := t.tokens[section[index]]
	if !ok {
		return "", fmt.Errorf("unknown system token %q", section[index])
	}
	return uri, nil
}
