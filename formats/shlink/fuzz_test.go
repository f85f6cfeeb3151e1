package shlink_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
)

func FuzzParse(f *testing.F) {
	text, err := specimen().Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("https://viewer.example#" + encode("vhlink", `{`+goodURL+`,`+goodKey+`,"flag":"LPUX","exp":1e9,"v":1}`))
	f.Add("shlink:/e30")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := shlink.Parse(text)
		if err != nil || l.Scheme != shlink.SMART {
			return
		}
		again, err := l.Text()
		if err != nil {
			if l.Key == [32]byte{} {
				return
			}
			t.Fatalf("what is read cannot be written: %v", err)
		}
		if got, err := shlink.Parse(again); err != nil || got != l {
			t.Fatalf("another link comes back: %v", err)
		}
	})
}

// FuzzParseClaim feeds the shapes a JSON decoder makes.
func FuzzParseClaim(f *testing.F) {
	text, err := specimen().Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`"` + text + `"`))
	f.Add([]byte(`[{"u":"` + text + `"},"` + text + `"]`))
	f.Add([]byte(`[[],{},null,1]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var value any
		if json.Unmarshal(raw, &value) != nil {
			return
		}
		links, err := shlink.ParseClaim(value)
		if (err == nil) != (len(links) > 0) {
			t.Fatalf("%d links, %v", len(links), err)
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	key := specimen().Key
	f.Add(encrypt(f, key, []byte("content"), false))
	f.Add(encrypt(f, key, bytes.Repeat([]byte("content"), 9), true))
	f.Add("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....")
	f.Fuzz(func(t *testing.T, jwe string) {
		_, content, err := shlink.Decrypt(key, jwe)
		if err != nil && content != nil {
			t.Fatal("content beside an error")
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"files":[{"contentType":"application/fhir+json","location":"https://a.example/1","status":"finalized"}]}`))
	f.Add([]byte(`{"list":{},"files":[{"contentType":"application/smart-health-card","embedded":"a..b.c.d"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := shlink.ParseManifest(raw)
		if (err == nil) != (len(m.Files) > 0) {
			t.Fatalf("%d files, %v", len(m.Files), err)
		}
	})
}
