package rawjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
)

var limits = rawjson.Limits{Depth: 20, Values: 1000}

func TestParseKnowsWhereThingsStand(t *testing.T) {
	t.Parallel()
	text := []byte(" { \"a\" : [ 1.50 , \"x\\u0041\" ,null ] ,\n\"\\u0062\":{ } }\n")
	root, err := rawjson.Parse(text, limits)
	if err != nil {
		t.Fatal(err)
	}
	list := root.Get("a").Elements()
	for i, want := range []string{"1.50", `"x\u0041"`, "null"} {
		if got := string(list[i].Raw(text)); got != want {
			t.Errorf("element %d: %s", i, got)
		}
	}
	if got, ok := list[1].Text(text); !ok || got != "xA" {
		t.Errorf("text %q", got)
	}
	if got := string(root.Get("b").Raw(text)); got != "{ }" {
		t.Errorf("by its decoded name: %q", got)
	}
	if _, ok := list[0].Text(text); ok || root.Get("none") != nil || list[0].Get("x") != nil || root.Elements() != nil {
		t.Error("something where nothing is")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "two values": "1 2", "rest": "{} x", "duplicate": `{"a":1,"a":2}`, "duplicate by escape": `{"a":1,"\u0061":2}`,
		"not UTF-8": "\"\xff\"", "lone surrogate": `"\ud800"`, "open": `{"a":[1`, "comma": `[1,]`, "name": `{a:1}`,
		"deep": strings.Repeat("[", 21) + strings.Repeat("]", 21), "many": "[" + strings.Repeat("1,", 1000) + "1]",
	} {
		if _, err := rawjson.Parse([]byte(text), limits); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// TestPatchExamples are those of RFC 6902, appendix A; empty means refused.
func TestPatchExamples(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, patch, want string }{
		"A.1 member":              {`{"foo": "bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"foo": "bar","baz":"qux"}`},
		"A.2 element":             {`{"foo": ["bar", "baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo": ["bar", "qux","baz"]}`},
		"A.3 remove member":       {`{"baz": "qux", "foo": "bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo": "bar"}`},
		"A.3 remove the last":     {`{"baz": "qux", "foo": "bar"}`, `[{"op":"remove","path":"/foo"}]`, `{"baz": "qux"}`},
		"A.3 remove the only one": {`{ "foo": "bar" }`, `[{"op":"remove","path":"/foo"}]`, `{  }`},
		"A.4 remove element":      {`{"foo": ["bar", "qux", "baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo": ["bar", "baz"]}`},
		"A.5 replace":             {`{"baz": "qux", "foo": "bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz": "boo", "foo": "bar"}`},
		"A.6 move":                {`{"foo": {"bar": "baz","waldo": "fred"},"qux": {"corge": "grault"}}`, `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, `{"foo": {"bar": "baz"},"qux": {"corge": "grault","thud":"fred"}}`},
		"A.7 move element":        {`{"foo": ["all", "grass", "cows", "eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo": ["all", "cows", "eat","grass"]}`},
		"A.8 test":                {`{"baz": "qux","foo": [ "a", 2, "c" ]}`, `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz": "qux","foo": [ "a", 2, "c" ]}`},
		"A.9 test fails":          {`{"baz": "qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, ""},
		"A.10 nested":             {`{"foo": "bar"}`, `[{"op":"add","path":"/child","value":{"grandchild": {}}}]`, `{"foo": "bar","child":{"grandchild": {}}}`},
		"A.11 unknown members":    {`{"foo": "bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"foo": "bar","baz":"qux"}`},
		"A.12 no target":          {`{"foo": "bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, ""},
		"A.13 invalid":            {`{"foo": "bar"}`, `[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`, ""},
		"A.14 escapes":            {`{"/": 9,"~1": 10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/": 9,"~1": 10}`},
		"A.15 string and number":  {`{"/": 9,"~1": 10}`, `[{"op":"test","path":"/~01","value":"10"}]`, ""},
		"A.16 at the end":         {`{"foo": ["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc", "def"]}]`, `{"foo": ["bar",["abc", "def"]]}`},
		"into nothing":            {`{"foo": [ ]}`, `[{"op":"add","path":"/foo/0","value":1}]`, `{"foo": [1 ]}`},
		"beyond the end":          {`{"foo": [1]}`, `[{"op":"add","path":"/foo/2","value":1}]`, ""},
		"leading zero":            {`{"foo": [1,2]}`, `[{"op":"remove","path":"/foo/01"}]`, ""},
		"the whole":               {`{"foo": 1}`, `[{"op":"add","path":"","value":{"a":1}}]`, `{"a":1}`},
		"no whole":                {`{"foo": 1}`, `[{"op":"remove","path":""}]`, ""},
		"copy":                    {`{"a": 1.50}`, `[{"op":"copy","from":"/a","path":"/b"}]`, `{"a": 1.50,"b":1.50}`},
		"copy of nothing":         {`{"a": 1}`, `[{"op":"copy","from":"/x","path":"/b"}]`, ""},
		"move into itself":        {`{"a": {"b":1}}`, `[{"op":"move","from":"/a","path":"/a/b"}]`, ""},
		"move in place":           {`{"a": 1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a": 1}`},
		"into a string":           {`{"a": "x"}`, `[{"op":"add","path":"/a/b","value":1}]`, ""},
		"no value":                {`{"a": "x"}`, `[{"op":"add","path":"/a"}]`, ""},
		"no pointer":              {`{"a": "x"}`, `[{"op":"remove","path":"a"}]`, ""},
		"bad escape":              {`{"a": "x"}`, `[{"op":"remove","path":"/~2"}]`, ""},
		"no operation":            {`{"a": "x"}`, `[{"op":"spam","path":"/a"}]`, ""},
		"all or none":             {`{"a": "x"}`, `[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]`, ""},
		"object in another order": {`{"a": {"x":1,"y":[true,null]}}`, `[{"op":"test","path":"/a","value":{"y":[true,null],"x":1.0}}]`, `{"a": {"x":1,"y":[true,null]}}`},
	} {
		got, err := patched(tc.text, tc.patch)
		if tc.want == "" && err == nil || tc.want != "" && (err != nil || got != tc.want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tc.want)
		}
	}
}

func patched(text, patch string) (string, error) {
	operations, err := rawjson.ParsePatch([]byte(patch), limits, 10)
	if err != nil {
		return "", err
	}
	out, err := rawjson.Patch([]byte(text), operations, limits, 10_000)
	return string(out), err
}

// TestPatchIsBounded: copies that double the text end at the size, not in memory.
func TestPatchIsBounded(t *testing.T) {
	t.Parallel()
	double := `[{"op":"add","path":"/z","value":1}`
	for _, name := range strings.Split("bcdefghij", "") {
		double += `,{"op":"copy","from":"","path":"/` + name + `"}`
	}
	double += `]`
	var p *rawjson.PatchError
	if _, err := patched(`{"a":"`+strings.Repeat("x", 100)+`"}`, double); err == nil {
		t.Error("no bound")
	} else if errors.As(err, &p) && p.Index < 3 {
		t.Errorf("at operation %d", p.Index)
	}
	if _, err := patched(`{}`, `[`+strings.Repeat(`{"op":"test","path":"","value":{}},`, 10)+`{"op":"test","path":"","value":{}}]`); err == nil {
		t.Error("eleven operations of ten")
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true}, {"100", "1e2", true}, {"-0", "0", true}, {"0.10", "1E-1", true}, {"1.0000000000000000000001", "1", false},
		{"1e999999999999", "1e999999999999", true}, {"12345678901234567890", "12345678901234567891", false}, {"-1", "1", false},
		{`"\u0041"`, `"A"`, true}, {`"a"`, `"A"`, false}, {"null", "false", false}, {"[1,2]", "[2,1]", false}, {`{"a":1}`, `{"b":1}`, false},
	} {
		if rawjson.Same([]byte(tc.a), []byte(tc.b)) != tc.want {
			t.Errorf("%s and %s", tc.a, tc.b)
		}
	}
}

// TestPatchAgreesWithTheMeaning: a patch of bytes has the effect it has on the values.
func TestPatchAgreesWithTheMeaning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d/e", "~"}), rapid.SampledFrom([]any{nil, true, "x", 1.5, []any{1.0, "y"}}), 1, 5).Draw(t, "object")
		text, err := json.MarshalIndent(object, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		name := rapid.SampledFrom([]string{"a", "b", "c", "d/e", "~", "new"}).Draw(t, "name")
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		op := rapid.SampledFrom([]string{"add", "remove", "replace"}).Draw(t, "op")
		got, err := patched(string(text), `[{"op":"`+op+`","path":"`+pointer+`","value":{"v":[]}}]`)
		if _, there := object[name]; !there && op != "add" {
			if err == nil {
				t.Fatalf("%s of nothing", op)
			}
			return
		}
		if delete(object, name); op != "remove" {
			object[name] = map[string]any{"v": []any{}}
		}
		var back map[string]any
		if err != nil || json.Unmarshal([]byte(got), &back) != nil || !reflect.DeepEqual(back, object) {
			t.Fatalf("%s, %v; want %v", got, err, object)
		}
	})
}

func TestMembersAndKeep(t *testing.T) {
	t.Parallel()
	text := []byte(`{"a" : {"x":[1]}, "b":"2" , "c":null}`)
	root, err := rawjson.Members(text)
	if err != nil || string(root.Get("a").Raw(text)) != `{"x":[1]}` || root.Get("a").Get("x") != nil {
		t.Fatalf("%+v, %v", root, err)
	}
	kept, err := rawjson.Keep(text, root, func(name string) bool { return name != "b" })
	if err != nil || string(kept) != `{"a" : {"x":[1]},"c":null}` {
		t.Errorf("%s, %v", kept, err)
	}
	for _, bad := range []string{"", "[]", `{"a"`, `{"a":}`} {
		if _, err := rawjson.Members([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	got, err := rawjson.Apply([]byte("0123456"), rawjson.Edit{Start: 5, End: 6, With: []byte("x")}, rawjson.Edit{Start: 2, End: 2, With: []byte("a")}, rawjson.Edit{Start: 2, End: 2, With: []byte("b")})
	if err != nil || string(got) != "01ab234x6" {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range [][]rawjson.Edit{{{Start: 1, End: 3}, {Start: 2, End: 4}}, {{Start: 3, End: 2}}, {{Start: 0, End: 8}}} {
		if _, err := rawjson.Apply([]byte("0123456"), bad...); !errors.Is(err, rawjson.ErrOverlap) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	pretty, err := rawjson.Indent([]byte(`{"a":1.50,"b":["\u0041"]}`))
	if err != nil || !bytes.Contains(pretty, []byte("1.50")) || !bytes.Contains(pretty, []byte(`"\u0041"`)) {
		t.Errorf("%s, %v", pretty, err)
	}
}

// FuzzParse: whatever is read stands where the tree says, and can be edited there.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{` {"a" : [1.50,"\u0041",null,{"b":{}}] } `, `[]`, `"x"`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `[[[[`, `{"resourceType":"Patient"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		root, err := rawjson.Parse(text, limits)
		if err != nil {
			return
		}
		check(t, text, root)
		same, err := rawjson.Apply(text, root.Replace(root.Raw(text)))
		if err != nil || !bytes.Equal(same, text) {
			t.Fatalf("%v", err)
		}
	})
}

func check(t *testing.T, text []byte, v *rawjson.Value) {
	if !json.Valid(v.Raw(text)) {
		t.Fatalf("no value at %d to %d", v.Start, v.End)
	}
	for i := range v.Items {
		if v.Items[i].Start < v.Start || v.Items[i].End > v.End {
			t.Fatal("an item outside of its value")
		}
		check(t, text, &v.Items[i])
	}
}

// FuzzPatch: any patch of any text is refused or gives JSON within the bounds.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"a":[1,2]}`), []byte(`[{"op":"move","from":"/a/0","path":"/a/-"}]`))
	f.Add([]byte(`{"a":{}}`), []byte(`[{"op":"copy","from":"","path":"/a/b"},{"op":"remove","path":"/a"}]`))
	f.Fuzz(func(t *testing.T, text, patch []byte) {
		if _, err := rawjson.Parse(text, limits); err != nil {
			return
		}
		operations, err := rawjson.ParsePatch(patch, limits, 10)
		if err != nil {
			return
		}
		out, err := rawjson.Patch(text, operations, limits, 4096+len(text))
		if err == nil && (!json.Valid(out) || len(out) > 4096+len(text)) {
			t.Fatalf("%d bytes: %s", len(out), out)
		}
	})
}
