package cms

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestDefinite(t *testing.T) {
	t.Parallel()
	long := slices.Concat([]byte{0x04, 0x82, 0x01, 0x2c}, make([]byte, 300))
	for name, test := range map[string]struct{ raw, want []byte }{
		"primitive":     {[]byte{0x04, 1, 'a'}, []byte{0x04, 1, 'a'}},
		"indefinite":    {[]byte{0x30, 0x80, 0x04, 1, 'a', 0, 0}, []byte{0x30, 3, 0x04, 1, 'a'}},
		"empty":         {[]byte{0x30, 0x80, 0, 0}, []byte{0x30, 0}},
		"segments":      {[]byte{0x24, 0x80, 0x04, 1, 'a', 0x04, 1, 'b', 0, 0}, []byte{0x04, 2, 'a', 'b'}},
		"in a definite": {[]byte{0x24, 6, 0x04, 1, 'a', 0x04, 1, 'b'}, []byte{0x04, 2, 'a', 'b'}},
		// The part has the same length before and after: four octets go, two come.
		"same length": {
			slices.Concat([]byte{0x30, 0x82, 0x01, 0x34, 0x30, 0x80}, long, []byte{0, 0}),
			slices.Concat([]byte{0x30, 0x82, 0x01, 0x34, 0x30, 0x82, 0x01, 0x30}, long),
		},
	} {
		if got, err := definite(test.raw); err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("%s: % x %v", name, got, err)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "half a header": {0x30}, "high tag": {0x1f, 0x81}, "primitive without end": {0x04, 0x80, 0, 0},
		"no end": {0x30, 0x80, 0x04, 1, 'a'}, "too short": {0x30, 2, 0x04}, "length not minimal": {0x04, 0x81, 1, 'a'},
		"length with zero": {0x04, 0x82, 0, 200}, "huge length": {0x04, 0x84, 0x7f, 0xff, 0xff, 0xff}, "two values": {0x04, 0, 0x04, 0},
		"segment of another type": {0x24, 0x80, 0x02, 1, 'a', 0, 0}, "end without beginning": {0x30, 2, 0, 0, 0},
	} {
		if got, err := definite(raw); !errors.Is(err, ErrForm) {
			t.Errorf("%s: % x %v", name, got, err)
		}
	}
}

func TestDefiniteIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		raw := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 4, 0x24, 0x30, 0x31, 0x80, 0x81, 0xa0}), 0, 64).Draw(r, "raw")
		once, err := definite(raw)
		if err != nil {
			return
		}
		if twice, err := definite(once); err != nil || !bytes.Equal(once, twice) {
			r.Fatalf("% x, then % x %v", once, twice, err)
		}
	})
}
