package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxFile bounds configuration and policy files, in bytes.
const maxFile = 1 << 20

// DecodeFile reads a JSON file into v: one value, no unknown and no duplicate member,
// names compared exactly. Errors name the file and the place, not the content.
func DecodeFile(path string, v any) error {
	data, err := ReadFile(path, maxFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%s: %s", path, placeOf(err))
	}
	return nil
}

// SizeError reports a file that is larger than its reader takes.
type SizeError struct {
	Path  string
	Limit int64 // bytes
}

func (e *SizeError) Error() string { return fmt.Sprintf("%s: larger than %d bytes", e.Path, e.Limit) }

// ReadFile reads a file of at most limit bytes whole. A larger one is a *SizeError.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &SizeError{path, limit}
	}
	return data, nil
}

func placeOf(err error) string {
	var syn *jsontext.SyntacticError
	var sem *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syn):
		return fmt.Sprintf("%s occurs twice", syn.JSONPointer)
	case errors.As(err, &syn):
		return fmt.Sprintf("not valid JSON at byte %d", syn.ByteOffset)
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &sem):
		return fmt.Sprintf("%s is not a known member; remove it or correct its name", sem.JSONPointer)
	case errors.As(err, &sem) && sem.GoType != nil:
		return fmt.Sprintf("%s does not fit the type %s", pointerOrRoot(sem.JSONPointer), sem.GoType)
	}
	return "cannot be decoded"
}

func pointerOrRoot(p jsontext.Pointer) string {
	if p == "" {
		return "the document"
	}
	return string(p)
}

// readFile reads the configuration file: one object whose keys are flag names.
func readFile(path string, app *kong.Application, found *findings) map[string]jsontext.Value {
	var file map[string]jsontext.Value
	if err := DecodeFile(path, &file); err != nil {
		found.add(&Problem{Flag: "config", Text: err.Error()})
		return nil
	}
	known := map[string]bool{}
	for _, f := range allFlags(app.Node) {
		known[f.Name] = f != app.HelpFlag && f.Name != "config"
	}
	var unknown []string
	for key := range file {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		found.add(&Problem{Key: key, Text: "no such setting; keys are flag names (see --help)"})
	}
	return file
}

// textOf writes a JSON value the way the command line would; the second result says
// what is wrong.
func textOf(flag *kong.Flag, raw jsontext.Value) (string, string) {
	switch raw.Kind() {
	case '[':
		if !flag.IsSlice() {
			return "", "must be one value, not a list"
		}
		return listText(flag, raw)
	case '{':
		if !flag.IsMap() {
			return "", "must be one value, not an object"
		}
		return mapText(flag, raw)
	}
	if flag.IsSlice() || flag.IsMap() {
		return "", "must be a JSON list or object"
	}
	return scalarText(raw)
}

func scalarText(raw jsontext.Value) (string, string) {
	switch raw.Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", "must be a string"
		}
		return s, ""
	case '0', 't', 'f':
		return string(raw), ""
	}
	return "", "must be a string, a number or a boolean; leave the key out for the default"
}

func listText(flag *kong.Flag, raw jsontext.Value) (string, string) {
	var items []jsontext.Value
	if err := json.Unmarshal(raw, &items); err != nil {
		return "", "must be a list"
	}
	texts := make([]string, len(items))
	for i, item := range items {
		text, problem := scalarText(item)
		if problem != "" {
			return "", "each entry " + problem
		}
		texts[i] = text
	}
	return kong.JoinEscaped(texts, flag.Tag.Sep), ""
}

func mapText(flag *kong.Flag, raw jsontext.Value) (string, string) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members); err != nil {
		return "", "must be an object"
	}
	pairs := make([]string, 0, len(members))
	for key, item := range members {
		text, problem := scalarText(item)
		if problem != "" || strings.Contains(key, "=") {
			return "", "each member must have a plain name and one value"
		}
		pairs = append(pairs, key+"="+text)
	}
	slices.Sort(pairs)
	return kong.JoinEscaped(pairs, flag.Tag.MapSep), ""
}
