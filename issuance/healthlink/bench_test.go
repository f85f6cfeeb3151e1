package healthlink

import (
	"bytes"
	"testing"
)

// BenchmarkManifest is a manifest request with the document embedded, without a passcode.
func BenchmarkManifest(b *testing.B) {
	s := newBench(b)
	s.source.files[0].Content = bytes.Repeat(document, 200)
	_, _, id := s.create(b, Options{})
	for b.Loop() {
		if _, err := s.Manifest(b.Context(), id, ask("")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPasscode(b *testing.B) {
	s := newBench(b)
	s.Service.derive = s.argon
	_, _, id := s.create(b, Options{Passcode: passcode})
	for b.Loop() {
		if _, err := s.Manifest(b.Context(), id, ask(passcode)); err != nil {
			b.Fatal(err)
		}
	}
}
