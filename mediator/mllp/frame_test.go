package mllp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func readAll(from io.Reader, limit int) (messages [][]byte, err error) {
	r := &reader{from: bufio.NewReader(from), limit: limit, begun: func() {}}
	for {
		m, err := r.next()
		if err != nil {
			return messages, err
		}
		messages = append(messages, bytes.Clone(m))
	}
}

// TestFrames: messages come out as they went in, however they are cut.
func TestFrames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 50), func(b []byte) []byte {
			return bytes.Map(func(r rune) rune {
				if r == startBlock || r == endBlock {
					return ' '
				}
				return r
			}, bytes.ToValidUTF8(b, []byte("?")))
		})
		sent := rapid.SliceOfN(content, 0, 5).Draw(t, "messages")
		var wire []byte
		for _, m := range sent {
			wire = append(wire, frame(m)...)
			if rapid.Bool().Draw(t, "line end") {
				wire = append(wire, carriageReturn, lineFeed)
			}
		}
		got, err := readAll(iotest.OneByteReader(bytes.NewReader(wire)), 1000)
		if !errors.Is(err, io.EOF) || len(got) != len(sent) {
			t.Fatalf("%d of %d, %v", len(got), len(sent), err)
		}
		for i := range sent {
			if !bytes.Equal(got[i], sent[i]) {
				t.Fatalf("%q became %q", sent[i], got[i])
			}
		}
	})
}

// FuzzFrames: whatever arrives, a message has no framing in it and is not longer than
// allowed, and a frame without its end is no message.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x0bMSH|^~\\&|\r\x1c\r\x0btwo\x1c\r"))
	f.Add([]byte("\r\n\x0b\x1c\r\x0bcut"))
	f.Add([]byte("\x0bone\x1c\n"))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		messages, err := readAll(bytes.NewReader(wire), 100)
		total := 0
		for _, m := range messages {
			total += len(frame(m))
			if bytes.ContainsAny(m, "\x0b\x1c") || len(m) > 100 {
				t.Fatalf("%q", m)
			}
		}
		if err == nil || total > len(wire) {
			t.Fatalf("%v, %d of %d bytes", err, total, len(wire))
		}
	})
}
