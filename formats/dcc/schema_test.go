package dcc

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// publishedSchema is the JSON schema itself, formats asserted.
func publishedSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	file := vectors.Files(t, "eu-dcc-schema", "DCC.combined-schema.json")[0]
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("dcc.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("dcc.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Where our verdict on the schema differs on purpose, and the change to the content after
// which both must agree again. Nothing else may differ.
var tolerances = []struct {
	reason string
	undo   func(content map[string]any)
}{
	{"a null group is an absent one: BG writes all three", func(content map[string]any) {
		for _, group := range groupNames {
			if value, present := content[group]; present && value == nil {
				delete(content, group)
			}
		}
	}},
	{"sc may have the offset +02 or +0200 of ISO 8601: the schema's own test/valid has them", func(content map[string]any) {
		tests, _ := content["t"].([]any)
		for _, test := range tests {
			entry, _ := test.(map[string]any)
			sampled, _ := entry["sc"].(string)
			entry["sc"] = longOffset(sampled)
		}
	}},
}

// longOffset writes an offset with minutes and colon, if it is one.
func longOffset(sampled string) any {
	at := strings.LastIndexAny(sampled, "+-")
	if at < len("2021-06-11T17:30:00") {
		return sampled
	}
	offset := strings.ReplaceAll(sampled[at+1:], ":", "")
	if strings.Trim(offset, "0123456789") != "" || strings.HasSuffix(sampled, ":") {
		return sampled
	}
	switch len(offset) {
	case len("hh"):
		return sampled[:at+1] + offset + ":00"
	case len("hhmm"):
		return sampled[:at+1] + offset[:2] + ":" + offset[2:]
	}
	return sampled
}

// agrees compares both verdicts on the same content.
func agrees(schema *jsonschema.Schema, content map[string]any) (ours, theirs bool) {
	problems, _, _ := checkSchema(content)
	for _, tolerance := range tolerances {
		if tests, ok := content["t"].([]any); ok && !onlyObjectsWithText(tests) {
			break
		}
		tolerance.undo(content)
	}
	return !hasErrors(problems), schema.Validate(content) == nil
}

// onlyObjectsWithText keeps the second tolerance away from what has no sc to undo.
func onlyObjectsWithText(tests []any) bool {
	return !slices.ContainsFunc(tests, func(test any) bool {
		entry, _ := test.(map[string]any)
		_, ok := entry["sc"].(string)
		return !ok
	})
}

func allPayloads(t testing.TB) []payload {
	states, _ := stateFiles(t)
	return append(schemaFiles(t), states...)
}

func TestVerdictIsThatOfThePublishedSchema(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	all := allPayloads(t)
	valid := 0
	for _, p := range all {
		for _, exact := range []bool{true, false} {
			ours, theirs := agrees(schema, decode(t, p.content, exact))
			if ours != theirs {
				problems, _, _ := checkSchema(decode(t, p.content, exact))
				t.Errorf("%s: our verdict %v, the schema's %v: %v", p.name, ours, theirs, problems)
			}
			if ours && exact {
				valid++
			}
		}
	}
	t.Logf("%d payloads, %d of them valid by the schema", len(all), valid)
}

// Values that are right somewhere and wrong elsewhere.
var mutants = []any{
	nil, true, "", " ", "A", "a", "XX", "xx", "ABC<DEF", "ABC DEF", "É", "1.3.0", "1.3", "1x3y0", "01.3.0-",
	"1999", "1999-12", "1999-12-31", "1999-13-45", "1899-01-01", "2100", "1999-1", "1999-12-31T00:00:00",
	"2021-02-29", "2020-02-29", "2021-06-11T17:30:00Z", "2021-06-11t17:30:00z", "2021-06-11T17:30Z",
	"2021-06-11T17:30:00.123+02:00", "2021-06-11T17:30:00+02", "2021-06-11T17:30:00+0200", "2021-06-11T17:30:00+25:00",
	"2021-06-11T17:30:00", "2021-06-11 17:30:00Z", "2016-12-31T23:59:60Z", "2021-06-11T17:30:60Z", "2021-06-11T24:00:00Z",
	"2021-06-11T17:30:00.Z", "840539006", "URN:UVCI:01:XX:A", strings.Repeat("A", 80), strings.Repeat("A", 81),
	strings.Repeat("é", 80), strings.Repeat("é", 81), "A\n", "1.3.0\n",
	json.Number("1"), json.Number("0"), json.Number("-1"), json.Number("2.0"), json.Number("1e2"), json.Number("1.5"), json.Number("0.0"),
	float64(1), float64(1.5), int64(-1), uint64(3), []any{}, []any{nil}, map[string]any{}, []any{map[string]any{}},
}

// objectsOf gives every object in a content, so that each can be changed.
func objectsOf(value any) []map[string]any {
	var all []map[string]any
	switch v := value.(type) {
	case map[string]any:
		all = append(all, v)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, objectsOf(v[name])...)
		}
	case []any:
		for _, element := range v {
			all = append(all, objectsOf(element)...)
		}
	}
	return all
}

var memberNames = []string{
	"ver", "nam", "dob", "v", "t", "r", "fn", "fnt", "gn", "gnt", "tg", "vp", "mp", "ma", "dn", "sd", "dt", "co", "is", "ci",
	"tt", "nm", "sc", "tr", "tc", "fr", "df", "du", "extra",
}

// Any few changes to any published payload leave both verdicts the same.
func TestVerdictOnMutations(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	all := allPayloads(t)
	rapid.Check(t, func(r *rapid.T) {
		p := all[rapid.IntRange(0, len(all)-1).Draw(r, "payload")]
		content := decode(t, p.content, rapid.Bool().Draw(r, "exact"))
		for range rapid.IntRange(1, 4).Draw(r, "changes") {
			mutate(r, content)
		}
		before, _ := json.Marshal(content)
		if ours, theirs := agrees(schema, content); ours != theirs {
			problems, _, _ := checkSchema(content)
			r.Fatalf("%s: our verdict %v, the schema's %v, problems %v", before, ours, theirs, problems)
		}
	})
}

func mutate(r *rapid.T, content map[string]any) {
	objects := objectsOf(content)
	object := objects[rapid.IntRange(0, len(objects)-1).Draw(r, "object")]
	names := slices.Sorted(maps.Keys(object))
	if len(names) == 0 || rapid.Bool().Draw(r, "any member") {
		names = memberNames
	}
	name := rapid.SampledFrom(names).Draw(r, "member")
	switch rapid.IntRange(0, 4).Draw(r, "change") {
	case 0:
		delete(object, name)
	case 1:
		if list, ok := object[name].([]any); ok && len(list) > 0 {
			object[name] = append(slices.Clone(list), list[0])
		}
	default:
		object[name] = clone(rapid.SampledFrom(mutants).Draw(r, "value"))
	}
}

// clone keeps later changes out of the table of mutants.
func clone(value any) any {
	switch v := value.(type) {
	case []any:
		return slices.Collect(func(yield func(any) bool) {
			for _, element := range v {
				if !yield(clone(element)) {
					return
				}
			}
		})
	case map[string]any:
		return maps.Clone(v)
	}
	return value
}
