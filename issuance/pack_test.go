package issuance

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPackKeepsEveryByte(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", "{}", "{\"a\":\n\"\u00e9 <&>\"}\n", strings.Repeat("{\"x\":1}", 4000)} {
		in := Issued{ID: "i", Profile: "p", FolderID: "f", ReferenceID: "r", Text: "HC1:\n", KID: []byte{0, 10}, IssuedAt: time.Unix(5, 0).UTC(), ExpiresAt: time.Unix(9, 0).UTC(), Document: []byte(document)}
		stored, err := pack(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := unpack(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Error(diff)
		}
		if len(stored) > 1 {
			if _, err := unpack(stored[:len(stored)/2]); err == nil {
				t.Error("half of it can be read")
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	good, err := pack(Issued{ID: "i", Document: []byte("{}")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stored []byte) {
		out, err := unpack(stored)
		if err != nil {
			return
		}
		again, err := pack(out)
		if err != nil {
			t.Fatal(err)
		}
		back, err := unpack(again)
		if err != nil || !bytes.Equal(back.Document, out.Document) || back.Text != out.Text {
			t.Error("what was read cannot be written")
		}
	})
}
