package uuid8_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	for digest, want := range map[byte]string{
		0x00: "00000000-0000-8000-8000-000000000000",
		0xff: "ffffffff-ffff-8fff-bfff-ffffffffffff",
	} {
		if got := uuid8.From(bytes.Repeat([]byte{digest}, 32)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestDigest: each list of parts has a UUID of version 8 of its own, always the same.
func TestDigest(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	rapid.Check(t, func(r *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringMatching(`[0-9:ab]{0,3}`), 0, 4).Draw(r, "parts")
		id := uuid8.From(uuid8.Digest(sha256.New(), parts...))
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 {
			r.Errorf("%s: %v", id, err)
		}
		if id != uuid8.From(uuid8.Digest(sha256.New(), parts...)) {
			r.Error("another id each time")
		}
		other, known := seen[id]
		if known && !slices.Equal(other, parts) {
			r.Errorf("%q and %q have one id", other, parts)
		}
		seen[id] = parts
	})
}
