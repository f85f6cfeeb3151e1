package docsig

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gowebpki/jcs"
)

func TestParseLeavesOutWhatServersSet(t *testing.T) {
	t.Parallel()
	const canonical = `{"entry":[{"resource":{"id":"kept","meta":{"kept":true},"signature":"kept"}}],"resourceType":"Bundle","type":"document"}`
	for name, raw := range map[string]string{
		"plain":         `{"resourceType":"Bundle","type":"document","entry":[{"resource":{"id":"kept","meta":{"kept":true},"signature":"kept"}}]}`,
		"with id, meta": `{"id":"1","resourceType":"Bundle","meta":{"versionId":"7"},"type":"document","entry":[{"resource":{"meta":{"kept":true},"id":"kept","signature":"kept"}}]}`,
		"signed":        ` { "signature" : {"data":"x"}, "type":"document" , "resourceType":"Bundle","entry":[{"resource":{"signature":"kept","id":"kept","meta":{"kept":true}}}] } `,
		"escaped name":  `{"\u0069d":"1","resourceType":"Bundle","type":"document","entry":[{"resource":{"id":"kept","meta":{"kept":true},"signature":"kept"}}]}`,
	} {
		doc, err := Parse([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(doc.Canonical) != canonical {
			t.Errorf("%s: canonical form\n%s\nwant\n%s", name, doc.Canonical, canonical)
		}
		if (doc.Signature != nil) != (name == "signed") {
			t.Errorf("%s: signature %s", name, doc.Signature)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty": ``, "array": `[]`, "null": `null`, "text": `x`, "two values": `{}{}`, "cut off": `{"a":`,
		"duplicate":        `{"a":1,"a":2}`,
		"escaped twin":     `{"a":1,"\u0061":2}`,
		"invalid UTF-8":    "{\"a\":\"\xff\"}",
		"lone surrogate":   `{"a":"\ud800"}`,
		"nested too deep":  string(bytes.Repeat([]byte(`{"a":`), 40)) + "1" + string(bytes.Repeat([]byte(`}`), 40)),
		"nested very deep": string(bytes.Repeat([]byte(`[`), 1<<20)),
	} {
		if _, err := Parse([]byte(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Parse([]byte(`[]`)); !errors.Is(err, ErrNotObject) {
		t.Errorf("array: %v", err)
	}
	if _, err := Parse([]byte(`{"a":{"b":[{"c":1,"c":2}]}}`)); !errors.Is(err, jsontext.ErrDuplicateName) {
		t.Errorf("nested duplicate: %v", err)
	}
	if _, err := Parse([]byte(`{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{"}`)); err != nil {
		t.Errorf("brackets in a string: %v", err)
	}
}

// FuzzParse holds the canonical form against an unrelated RFC 8785 implementation.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Bundle","n":1.50,"s":"\u00e9\n","a":[{},[],null,true,1e3]}`))
	f.Add([]byte(`{"id":"1","signature":null,"b":-0.0,"a":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := jcs.Transform(doc.Canonical)
		if err != nil {
			t.Skip("the other implementation does not read this input")
		}
		if !bytes.Equal(again, doc.Canonical) {
			t.Errorf("canonical forms differ:\n%q\n%q", doc.Canonical, again)
		}
	})
}
