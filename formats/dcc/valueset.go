package dcc

import (
	"embed"
	"errors"
	"fmt"
	"strings"
)

// Ids of the EU value sets.
const (
	SetDisease     = "disease-agent-targeted"
	SetProphylaxis = "sct-vaccines-covid-19"
	SetProduct     = "vaccines-covid-19-names"
	SetHolder      = "vaccines-covid-19-auth-holders"
	SetTestType    = "covid-19-lab-test-type"
	SetTestResult  = "covid-19-lab-result"
	SetTestDevice  = "covid-19-lab-test-manufacturer-and-name"
	SetCountry     = "country-2-codes"
	SetEncoding    = "vaccines-covid-19-encoding-instructions"
)

// Set is one value set as published on Date.
type Set struct {
	ID     string
	Date   string // valueSetDate, YYYY-MM-DD
	values map[string]Value
}

// Value is what a value set says about a code.
type Value struct {
	Display string // in English
	System  string // of the code; empty in SetEncoding, whose codes are names
	Active  bool   // false: to be read, never to be issued
}

// Encoding is how a vaccine product is written (SetEncoding): which holder and which
// kinds of vaccine go with it.
type Encoding struct {
	Name        string
	Holder      string   // v.ma
	Prophylaxis []string // acceptable v.vp
}

//go:embed data/*.tsv
var data embed.FS

var errTable = errors.New("malformed row")

// published is read-only after start.
var published = mustLoad()

type tables struct {
	sets      map[string]Set
	encodings map[string]Encoding // by v.mp
}

// ValueSet gives the value set with this id (valueSetId), as embedded.
func ValueSet(id string) (Set, bool) {
	set, ok := published.sets[id]
	return set, ok
}

// Lookup gives the meaning of a code. Codes are compared exactly.
func (s Set) Lookup(code string) (Value, bool) {
	value, ok := s.values[code]
	return value, ok
}

// Len is the number of codes.
func (s Set) Len() int { return len(s.values) }

// EncodingOf gives the encoding instruction for a product code (v.mp).
func EncodingOf(product string) (Encoding, bool) {
	encoding, ok := published.encodings[product]
	return encoding, ok
}

// mustLoad panics only if the embedded tables are malformed, which a test would show.
func mustLoad() tables {
	t := tables{sets: map[string]Set{}, encodings: map[string]Encoding{}}
	files, err := data.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		content, err := data.ReadFile("data/" + file.Name())
		if err == nil {
			err = t.load(string(content))
		}
		if err != nil {
			panic(fmt.Errorf("dcc: %s: %w", file.Name(), err))
		}
	}
	return t
}

func (t tables) load(content string) error {
	head, rows, _ := strings.Cut(content, "\n")
	title := strings.Split(head, "\t")
	if len(title) != 3 || title[0] != "@" {
		return errTable
	}
	set := Set{ID: title[1], Date: title[2], values: map[string]Value{}}
	add := set.add
	if set.ID == SetEncoding {
		add = t.addEncoding(set)
	}
	system := ""
	for row := range strings.Lines(rows) {
		fields := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if fields[0] == "system" && len(fields) == 2 {
			system = fields[1]
			continue
		}
		if err := add(system, fields); err != nil {
			return err
		}
	}
	t.sets[set.ID] = set
	return nil
}

func (s Set) add(system string, fields []string) error {
	if len(fields) != 3 || (fields[1] != "active" && fields[1] != "inactive") {
		return errTable
	}
	if _, twice := s.values[fields[0]]; twice {
		return errTable
	}
	s.values[fields[0]] = Value{Display: fields[2], System: system, Active: fields[1] == "active"}
	return nil
}

func (t tables) addEncoding(s Set) func(string, []string) error {
	return func(_ string, fields []string) error {
		if len(fields) != 4 {
			return errTable
		}
		s.values[fields[0]] = Value{Display: fields[0], Active: true}
		t.encodings[fields[1]] = Encoding{Name: fields[0], Holder: fields[2], Prophylaxis: strings.Fields(fields[3])}
		return nil
	}
}
