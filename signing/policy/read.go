package policy

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// maxFile bounds the file, in bytes: 10,000 issuers need about 2 MiB.
const maxFile = 4 << 20

// Read reads and validates a policy file.
func Read(path string, checks Checks) (Policy, error) {
	data, err := readFile(path)
	if err != nil {
		return Policy{}, err
	}
	return Parse(data, checks)
}

func readFile(path string) ([]byte, error) {
	data, err := config.ReadFile(path, maxFile)
	var size *config.SizeError
	switch {
	case errors.As(err, &size):
		return nil, &Error{[]Problem{{Text: fmt.Sprintf("larger than %d bytes", maxFile)}}}
	case err != nil:
		return nil, fmt.Errorf("signer policy: %w", err)
	}
	return data, nil
}

// Parse reads and validates a policy: strict JSON, names compared exactly, no unknown and
// no duplicate member, no null. Every problem is reported at once in an *Error; only a
// text that is no JSON at all stops at its first.
func Parse(data []byte, checks Checks) (Policy, error) {
	var raw jsontext.Value
	if err := json.Unmarshal(data, &raw); err != nil {
		return Policy{}, &Error{[]Problem{{Text: placeOf(err)}}}
	}
	var found problems
	p := reader{&found}.policy(raw)
	p.validate(&found, checks)
	if err := found.err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func placeOf(err error) string {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return fmt.Sprintf("%s occurs twice", syntax.JSONPointer)
	case errors.As(err, &syntax):
		return fmt.Sprintf("not valid JSON at byte %d", syntax.ByteOffset)
	}
	return "not valid JSON"
}

// reader takes the file apart member by member, so that one mistake does not hide the
// next. Errors of json about single members are not passed on: they show values.
type reader struct{ *problems }

type member struct {
	read     func(path string, raw jsontext.Value)
	optional bool
}

func (r reader) policy(raw jsontext.Value) Policy {
	var p Policy
	r.object("", raw, map[string]member{
		"country":       {read: r.text(&p.Country)},
		"icaoState":     {read: r.text(&p.ICAOState), optional: true},
		"callers":       {read: r.names(&p.Callers), optional: true},
		"operators":     {read: r.names(&p.Operators)},
		"profiles":      {read: listOf(r, &p.Profiles, r.profile)},
		"issuers":       {read: listOf(r, &p.Issuers, r.issuer), optional: true},
		"defaultIssuer": {read: func(path string, raw jsontext.Value) { p.DefaultIssuer = r.standard(path, raw) }, optional: true},
	})
	return p
}

func (r reader) profile(path string, raw jsontext.Value) Profile {
	var p Profile
	r.object(path, raw, map[string]member{
		"name":         {read: r.text(&p.Name)},
		"usage":        {read: r.text((*string)(&p.Usage))},
		"subClaim":     {read: r.integer(&p.SubClaim), optional: true},
		"callers":      {read: r.names(&p.Callers), optional: true},
		"maxValidity":  {read: r.duration(&p.MaxValidity)},
		"lifelong":     {read: r.truth(&p.Lifelong), optional: true},
		"ignoredLints": {read: r.texts(&p.IgnoredLints), optional: true},
	})
	return p
}

func (r reader) issuer(path string, raw jsontext.Value) Issuer {
	var i Issuer
	r.object(path, raw, map[string]member{
		"id":          {read: r.text(&i.ID)},
		"profiles":    {read: r.names(&i.Profiles)},
		"rate":        {read: r.number(&i.Rate)},
		"burst":       {read: r.count(&i.Burst)},
		"maxValidity": {read: r.duration(&i.MaxValidity), optional: true},
	})
	return i
}

func (r reader) standard(path string, raw jsontext.Value) *Default {
	d := &Default{}
	r.object(path, raw, map[string]member{
		"profiles":    {read: r.names(&d.Profiles)},
		"rate":        {read: r.number(&d.Rate)},
		"burst":       {read: r.count(&d.Burst)},
		"maxValidity": {read: r.duration(&d.MaxValidity), optional: true},
		"most":        {read: r.count(&d.Most)},
	})
	return d
}

// object reads the members that are known and reports the others and the missing ones.
func (r reader) object(path string, raw jsontext.Value, known map[string]member) {
	var members map[string]jsontext.Value
	if raw.Kind() != '{' || json.Unmarshal(raw, &members) != nil {
		r.add(path, "must be an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if m, ok := known[name]; ok {
			m.read(under(path, name), members[name])
		} else {
			r.add(under(path, name), "is not a known member; remove it or correct its name")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := members[name]; !ok && !known[name].optional {
			r.add(under(path, name), "is missing")
		}
	}
}

// under gives the path of a member. A name that nobody could mean is not repeated.
func under(path, name string) string {
	if !jsonName.MatchString(name) {
		name = "?"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

var jsonName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// listOf reads a list whose elements one reads.
func listOf[T any](r reader, into *[]T, one func(string, jsontext.Value) T) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		var elements []jsontext.Value
		if raw.Kind() != '[' || json.Unmarshal(raw, &elements) != nil {
			r.add(path, "must be a list")
			return
		}
		if len(elements) > maxList {
			r.add(path, "has more than %d entries", maxList)
			return
		}
		*into = make([]T, len(elements))
		for i, element := range elements {
			(*into)[i] = one(fmt.Sprintf("%s[%d]", path, i), element)
		}
	}
}

// texts reads a list of strings.
func (r reader) texts(into *[]string) func(string, jsontext.Value) {
	return listOf(r, into, func(path string, raw jsontext.Value) string {
		var s string
		r.text(&s)(path, raw)
		return s
	})
}

// names reads a list of strings that must name somebody or something: an empty one looks
// like "nobody" and, left out, could mean "the default".
func (r reader) names(into *[]string) func(string, jsontext.Value) {
	read := r.texts(into)
	return func(path string, raw jsontext.Value) {
		read(path, raw)
		if *into != nil && len(*into) == 0 {
			r.add(path, "is empty; name at least one, or leave out what nobody may use")
		}
	}
}

func (r reader) text(into *string) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		if raw.Kind() != '"' || json.Unmarshal(raw, into) != nil {
			r.add(path, "must be a string")
		}
	}
}

func (r reader) truth(into *bool) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		if json.Unmarshal(raw, into) != nil || raw.Kind() == 'n' {
			r.add(path, "must be true or false")
		}
	}
}

func (r reader) number(into *float64) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		if raw.Kind() != '0' || json.Unmarshal(raw, into) != nil {
			r.add(path, "must be a number")
		}
	}
}

func (r reader) integer(into *int64) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		if raw.Kind() != '0' || json.Unmarshal(raw, into) != nil {
			r.add(path, "must be a whole number")
		}
	}
}

func (r reader) count(into *int) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		var n int64
		r.integer(&n)(path, raw)
		*into = int(min(max(n, math.MinInt32), math.MaxInt32)) // Validate refuses what lies beyond
	}
}

func (r reader) duration(into *Duration) func(string, jsontext.Value) {
	return func(path string, raw jsontext.Value) {
		var s string
		if raw.Kind() != '"' || json.Unmarshal(raw, &s) != nil || into.UnmarshalText([]byte(s)) != nil || *into <= 0 {
			r.add(path, `must be a duration above zero, such as "8760h"`)
		}
	}
}
