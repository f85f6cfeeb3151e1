package jsontree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

func TestParse(t *testing.T) {
	t.Parallel()
	data := []byte(` {"a":[1,-2.5e3,"x\u00e9",true,false,null,{}],"A":{"b":[]}} `)
	v, err := jsontree.Parse(data, 3)
	if err != nil {
		t.Fatal(err)
	}
	list := v.Get("a")
	if len(list.Elems) != 7 || list.Elems[1].Text != "-2.5e3" || list.Elems[2].Text != "xé" || list.Elems[5].Kind != jsontree.Null {
		t.Errorf("array read as %+v", list.Elems)
	}
	if got := string(v.Get("A").Raw(data)); got != `{"b":[]}` {
		t.Errorf("raw = %q", got)
	}
	if v.Get("B") != nil || v.Get("A").Get("b").Get("x") != nil {
		t.Error("an absent member was found")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":          "",
		"cut":            `{"a":`,
		"two values":     `{} {}`,
		"trailing bytes": `{}x`,
		"duplicate":      `{"a":1,"a":2}`,
		"escaped twin":   `{"a":1,"\u0061":2}`,
		"too deep":       `[[[[]]]]`,
		"bad UTF-8":      "\"\xff\"",
		"lone surrogate": `"\ud800"`,
		"too many":       "[" + strings.Repeat("0,", jsontree.MaxValues) + "0]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jsontree.Parse([]byte(in), 3)
			var syn *strictjson.SyntaxError
			if !errors.As(err, &syn) {
				t.Fatalf("error = %v", err)
			}
		})
	}
}

// FuzzParse holds the tree to strictjson: both accept the same inputs.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `[]`, `"\ud83d\ude00"`, `{} 1`, `{"a":1,"a":1}`, "\xef\xbb\xbf{}", `[[[[[[[[[]]]]]]]]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := jsontree.Parse(data, 8)
		if check := strictjson.Check(data, 8); (err == nil) != (check == nil) {
			t.Fatalf("tree says %v, strictjson says %v", err, check)
		}
	})
}
