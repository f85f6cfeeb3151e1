package ccda_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

type element struct {
	required, list bool
	kind           string
	targets, codes []string
}

func elementsOf(kind string) map[string]element {
	out := map[string]element{}
	for _, field := range strings.Fields(r4[kind]) {
		name, spec, _ := strings.Cut(field, ":")
		e := element{required: strings.Contains(name, "!"), list: strings.Contains(name, "*")}
		name = strings.Trim(strings.NewReplacer("!", "", "*", "").Replace(name), " ")
		if codes, coded := strings.CutPrefix(spec, "("); coded {
			e.kind, e.codes = "code", strings.Split(strings.TrimSuffix(codes, ")"), "|")
		} else {
			var targets string
			e.kind, targets, _ = strings.Cut(spec, ">")
			e.targets = strings.FieldsFunc(targets, func(r rune) bool { return r == '|' })
		}
		out[name] = e
	}
	return out
}

// checker collects what is wrong with a Bundle.
type checker struct {
	problems []string
	kinds    map[string]string // of fullUrl
}

func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

// check says how a Bundle breaks R4.
func check(raw []byte) []string {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var bundle map[string]any
	if err := decoder.Decode(&bundle); err != nil {
		return []string{err.Error()}
	}
	c := checker{kinds: map[string]string{}}
	for i, e := range bundle["entry"].([]any) {
		entry := e.(map[string]any)
		resource := entry["resource"].(map[string]any)
		url := entry["fullUrl"].(string)
		if c.kinds[url] != "" {
			c.fail("Bundle.entry", "%d has a fullUrl that is taken", i)
		}
		if url != "urn:uuid:"+resource["id"].(string) {
			c.fail("Bundle.entry", "%d: fullUrl and id differ", i)
		}
		c.kinds[url] = resource["resourceType"].(string)
	}
	c.object("Bundle", "Bundle", bundle)
	return c.problems
}

var common = map[string]element{
	"resourceType": {kind: "code"}, "id": {kind: "code"}, "language": {kind: "code"}, "extension": {kind: "Extension", list: true},
	"url": {kind: "uri"},
}

func (c *checker) object(path, kind string, o map[string]any) {
	if len(o) == 0 {
		c.fail(path, "empty")
	}
	known := elementsOf(kind)
	if len(known) == 0 {
		c.fail(path, "no definition of %s", kind)
		return
	}
	for name, value := range o {
		plain := strings.TrimPrefix(name, "_")
		e, ok := known[plain]
		if !ok {
			if e, ok = common[plain]; !ok {
				c.fail(path, "has no element %s", name)
				continue
			}
		}
		if name != plain {
			c.object(path+"."+name, "Sibling", value.(map[string]any))
			continue
		}
		c.member(path+"."+name, e, value)
	}
	_, extended := o["extension"]
	for name, e := range known {
		_, there := o[name]
		_, sibling := o["_"+name]
		if e.required && !there && !sibling && !(extended && isDatatype(kind)) {
			c.fail(path, "lacks %s", name)
		}
	}
	c.rules(path, kind, o)
}

func isDatatype(kind string) bool { return kind == "Sibling" }

func init() { r4["Sibling"] = "extension*:Extension" }

func (c *checker) member(path string, e element, value any) {
	list, isList := value.([]any)
	if isList != e.list {
		c.fail(path, "list where it is one, or the other way round")
		return
	}
	if !e.list {
		list = []any{value}
	}
	if len(list) == 0 {
		c.fail(path, "empty list")
	}
	for i, item := range list {
		at := path
		if e.list {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		c.value(at, e, item)
	}
}

func (c *checker) value(path string, e element, value any) {
	switch v := value.(type) {
	case map[string]any:
		switch e.kind {
		case "Resource":
			c.object(v["resourceType"].(string), v["resourceType"].(string), v)
		case "Reference":
			c.reference(path, e, v)
		default:
			c.object(path, e.kind, v)
		}
	case string:
		form := primitives[e.kind]
		if form == nil || !form.MatchString(v) || e.codes != nil && !slices.Contains(e.codes, v) {
			c.fail(path, "%q is no %s %v", v, e.kind, e.codes)
		}
		if e.kind == "xhtml" {
			if problem := xhtmlProblem(v); problem != "" {
				c.fail(path, "%s", problem)
			}
		}
	case json.Number:
		form := primitives[e.kind]
		if form == nil || !strings.Contains("decimal integer positiveInt unsignedInt", e.kind) || !form.MatchString(v.String()) {
			c.fail(path, "%s is no %s", v, e.kind)
		}
	case bool:
		if e.kind != "boolean" {
			c.fail(path, "is a boolean")
		}
	default:
		c.fail(path, "%T", value)
	}
}

func (c *checker) reference(path string, e element, o map[string]any) {
	to, _ := o["reference"].(string)
	kind := c.kinds[to]
	switch {
	case to == "" && o["extension"] == nil:
		c.fail(path, "points nowhere")
	case to != "" && kind == "":
		c.fail(path, "does not resolve")
	case to != "" && len(e.targets) > 0 && !slices.Contains(e.targets, kind):
		c.fail(path, "points to a %s", kind)
	}
	for name := range o {
		if !slices.Contains([]string{"reference", "display", "identifier", "type", "extension"}, name) {
			c.fail(path, "has no element %s", name)
		}
	}
}

// The checker has to find what is wrong, or its silence says nothing.
func TestChecker(t *testing.T) {
	t.Parallel()
	entry := func(resource string) string {
		return `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":` + resource + `},{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","id":"2","gender":"male"}}]}`
	}
	good := `{"resourceType":"Immunization","id":"1","status":"completed","vaccineCode":{"text":"x"},"patient":{"reference":"urn:uuid:2"},"occurrenceDateTime":"2026"}`
	if problems := check([]byte(entry(good))); len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, bad := range [][2]string{
		{`"status":"completed"`, `"status":"done"`}, {`"status":"completed",`, ``}, {`urn:uuid:2"}`, `urn:uuid:3"}`}, {`urn:uuid:2"}`, `urn:uuid:1"}`},
		{`{"text":"x"}`, `{}`}, {`{"text":"x"}`, `[{"text":"x"}]`}, {`{"text":"x"}`, `{"text":" "}`}, {`"2026"`, `"2026-13"`}, {`"2026"`, `2026`},
		{`"2026"`, `"2026","color":1`}, {`"2026"`, `"2026","performer":[{"function":{"text":"x"}}]`},
	} {
		if raw := strings.Replace(good, bad[0], bad[1], 1); len(check([]byte(entry(raw)))) == 0 {
			t.Errorf("passes: %s", raw)
		}
	}
	for _, div := range []string{`<script>x</script>`, `<p onclick="x">x</p>`, `<a href="javascript:x">x</a>`, `<p>x`, `<i id="a">x</i><i id="a">x</i>`} {
		if xhtmlProblem(`<div xmlns="http://www.w3.org/1999/xhtml">`+div+`</div>`) == "" {
			t.Errorf("passes: %s", div)
		}
	}
}
