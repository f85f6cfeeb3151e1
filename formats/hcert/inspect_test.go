package hcert

import (
	"bytes"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// What inspect accepts is well-formed and is its own deterministic encoding.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\xa0", "\x80", "\xf5", "\xf6", "\xfb", "\x5f", "\x18\x17", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xa4\x01\x62XX\x04\x1a\x6a\x00\x00\x00\x06\x1a\x69\x00\x00\x00\x39\x01\x03\xa1\x03\xa1\x61a\x81\x20",
		"\xa2\x61b\x01\x61a\x02", "\x63e\xcc\x81", "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "\x39\x01",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if inspect(payload) != nil {
			return
		}
		var value any
		if err := cbor.Unmarshal(payload, &value); err != nil {
			t.Fatalf("%x is accepted but cannot be decoded: %v", payload, err)
		}
		again, err := encoder.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, payload) {
			t.Errorf("%x is accepted but its deterministic encoding is %x", payload, again)
		}
	})
}

func TestInspectRefusesBrokenBytes(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"nothing":        "",
		"second item":    "\x01\x02",
		"text cut short": "\x62a",
		"head cut short": "\x19\x01",
		"reserved head":  "\x1c",
		"list cut short": "\x82\x01",
		"map cut short":  "\xa1\x61a",
	} {
		if err := inspect([]byte(payload)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
