package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		raw    string
		reason string // empty: accepted
	}{
		"object":           {`{"a":[1,2,{"b":null}]}`, ""},
		"scalar":           {`"é"`, ""},
		"white space":      {" \n[ ]\t", ""},
		"empty":            {``, "too early"},
		"cut off":          {`{"a":`, "too early"},
		"duplicate":        {`{"a":1,"b":{"c":1,"c":2}}`, "twice"},
		"duplicate, coded": {`{"a":1,"\u0061":2}`, "twice"},
		"two values":       {`{} {}`, "more than one"},
		"garbage behind":   {`{}x`, "more than one"},
		"invalid UTF-8":    {"\"\xff\"", "not valid"},
		"lone surrogate":   {`"\udc00"`, "not valid"},
		"number as name":   {`{1:2}`, "not a string"},
		"comment":          {`{/**/}`, "not valid"},
		"NaN":              {`NaN`, "not valid"},
		"deep":             {strings.Repeat("[", 5) + strings.Repeat("]", 5), "nested"},
		"very deep":        {strings.Repeat("[", 1<<20), "nested"},
	} {
		err := Check([]byte(tc.raw), 4)
		if tc.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(syntax.Reason, tc.reason) {
			t.Errorf("%s: %v, want %q", name, err, tc.reason)
		}
	}
	if err := Check([]byte(`[[[[[1]]]]]`), 4); !errors.Is(err, ErrDepth) {
		t.Errorf("depth: %v", err)
	}
}

// TestCanonicalVectors are the examples of RFC 8785 §3.2 and its appendix B.
func TestCanonicalVectors(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}`,
		`{"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Smile","\u0080":"Ctl","\u00f6":"o"}`:  "{\"\\r\":\"CR\",\"1\":\"One\",\"\u0080\":\"Ctl\",\"ö\":\"o\",\"€\":\"Euro\",\"😀\":\"Smile\",\"\ufb33\":\"Dalet\"}",
	} {
		got, err := Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n%s\n%v", got, want, err)
		}
	}
	if _, err := Canonical([]byte(`{"a":1,"a":2}`)); err == nil {
		t.Error("a duplicate name has a canonical form")
	}
}

// FuzzCanonical: what Check accepts has one canonical form, which is a fixed point, means
// the same and agrees with another implementation.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1.0,"\u00e9"],"a":{"z":null,"y":-0.0}}`))
	f.Add([]byte(`[1e21,1e-7,"\/\b"]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if Check(raw, 64) != nil {
			return
		}
		canonical, err := Canonical(raw)
		if err != nil {
			return // e.g. a number beyond float64
		}
		again, err := Canonical(canonical)
		if err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("not a fixed point: %v", err)
		}
		if !json.Valid(canonical) {
			t.Fatal("not JSON")
		}
		if other, err := jcs.Transform(raw); err == nil && raw[0] == '{' && !bytes.Equal(other, canonical) {
			t.Errorf("another implementation writes\n%s, we\n%s", other, canonical)
		}
	})
}
