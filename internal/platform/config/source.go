package config

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-json-experiment/json/jsontext"
)

// source resolves flags that the command line does not set: the variable first, then
// the file. A value that does not fit is a problem and counts as not given.
type source struct {
	env   map[string]string
	file  map[string]jsontext.Value
	found *findings
}

// Validate implements kong.Resolver.
func (s *source) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s *source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if raw, ok := s.env[s.found.vars.name(flag.Name)]; ok {
		return s.checked(flag, raw, &Problem{Flag: flag.Name})
	}
	raw, ok := s.file[flag.Name]
	if !ok {
		return nil, nil
	}
	where := &Problem{Flag: flag.Name, Key: flag.Name}
	text, problem := textOf(flag, raw)
	if problem != "" {
		where.Text = problem
		s.found.add(where)
		return nil, nil
	}
	return s.checked(flag, text, where)
}

func (s *source) checked(flag *kong.Flag, text string, where *Problem) (any, error) {
	if err := tryDecode(flag, text); err != nil {
		where.Text = expected(flag.Target.Type(), err)
		s.found.add(where)
		return nil, nil
	}
	return text, nil
}

// tryDecode decodes into a value that is thrown away.
func tryDecode(flag *kong.Flag, text string) error {
	scratch := reflect.New(flag.Target.Type()).Elem()
	switch scratch.Kind() {
	case reflect.Pointer:
		scratch.Set(reflect.New(scratch.Type().Elem()))
	case reflect.Map:
		scratch.Set(reflect.MakeMap(scratch.Type()))
	}
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch)
}

// expected says what a value should look like without showing the one that was given.
// Only an error made for this purpose is passed on.
func expected(t reflect.Type, err error) string {
	var own *ValueError
	if errors.As(err, &own) {
		return own.Expected
	}
	if t == reflect.TypeFor[time.Duration]() {
		return "must be a duration such as 30s or 5m"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "must be a whole number in range"
	case reflect.Float32, reflect.Float64:
		return "must be a number"
	case reflect.Slice:
		return "must be a list separated by commas, each entry valid"
	case reflect.Map:
		return "must be KEY=VALUE pairs separated by semicolons"
	}
	return "has a value that cannot be used"
}

// ValueError is returned by UnmarshalText of setting types; its text does not repeat
// the value.
type ValueError struct{ Expected string }

func (e *ValueError) Error() string { return strings.TrimSpace(e.Expected) }
