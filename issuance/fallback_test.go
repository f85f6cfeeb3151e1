package issuance

import (
	"slices"
	"testing"
)

// TestFallbackIsNoPartOfTheRequest: what an issuer falls back on may change between a
// request and its repetition, with a key and without, and nothing is issued twice.
func TestFallbackIsNoPartOfTheRequest(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"key": "visit-1", "content": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			in := inFormats()
			in.Formats, in.IdempotencyKey, in.Issuer.Fallback = nil, key, []Format{FormatWHO, FormatSHC}
			first := b.issue(t, in)
			if got := formatsOf(first.Certificates()); !slices.Equal(got, []Format{FormatWHO, FormatSHC}) {
				t.Errorf("formats %v", got)
			}
			for _, fallback := range [][]Format{nil, {FormatWHO, FormatDCC}} {
				in.Issuer.Fallback = fallback
				if again := b.issue(t, in); again.ID != first.ID || !again.Replayed || len(again.Beside) != 1 {
					t.Errorf("after the fallback changed: %+v", formatsOf(again.Certificates()))
				}
			}
			if n := b.documentCount(t); n != 1 {
				t.Errorf("%d documents", n)
			}
		})
	}
	b := newBench(t)
	in := inFormats()
	in.Formats, in.Issuer.Formats, in.Issuer.Fallback = nil, []Format{FormatWHO, FormatDCC}, []Format{FormatWHO, FormatSHC}
	if got := formatsOf(b.issue(t, in).Certificates()); !slices.Equal(got, []Format{FormatWHO, FormatDCC}) {
		t.Errorf("the fallback counts although formats are registered: %v", got)
	}
	in.Formats = []Format{FormatWHO}
	if got := formatsOf(b.issue(t, in).Certificates()); !slices.Equal(got, []Format{FormatWHO}) {
		t.Errorf("the fallback counts although a format is named: %v", got)
	}
}
