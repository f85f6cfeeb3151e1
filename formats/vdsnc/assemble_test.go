package vdsnc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

func TestAssembleRefuses(t *testing.T) {
	t.Parallel()
	der, signature := []byte{0x30, 0x02, 0x05, 0x00}, make([]byte, 64)
	for name, tc := range map[string]struct {
		canonical      string
		der, signature []byte
		want           error
	}{
		"empty":               {``, der, signature, vdsnc.ErrCanonical},
		"an array":            {`[]`, der, signature, vdsnc.ErrCanonical},
		"white space":         {`{"a": 1}`, der, signature, vdsnc.ErrCanonical},
		"unsorted":            {`{"b":1,"a":1}`, der, signature, vdsnc.ErrCanonical},
		"two values":          {`{}{}`, der, signature, vdsnc.ErrCanonical},
		"no certificate":      {`{}`, nil, signature, vdsnc.ErrCertificate},
		"something behind":    {`{}`, append(der[:4:4], 0), signature, vdsnc.ErrCertificate},
		"not a sequence":      {`{}`, der[2:], signature, vdsnc.ErrCertificate},
		"DER signature":       {`{}`, der, make([]byte, 70), vdsnc.ErrSignature},
		"large data":          {`{"a":"` + strings.Repeat("x", 3000) + `"}`, der, signature, vdsnc.ErrTooLong},
		"large altogether":    {`{"a":"` + strings.Repeat("x", 2900) + `"}`, der, signature, vdsnc.ErrTooLong},
		"a large certificate": {`{}`, make([]byte, 3000), signature, vdsnc.ErrTooLong},
	} {
		text, err := vdsnc.Assemble([]byte(tc.canonical), tc.der, tc.signature)
		if !errors.Is(err, tc.want) || text != "" {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// TestAssembleLimit asks the QR encoder, byte by byte, whether what Assemble lets through
// fits and what it refuses does not.
func TestAssembleLimit(t *testing.T) {
	t.Parallel()
	der, signature := []byte{0x30, 0x02, 0x05, 0x00}, make([]byte, 64)
	for _, filler := range []string{"x", "é"} {
		for n := 2780; n < 2860; n++ {
			canonical := `{"a":"` + filler + strings.Repeat("x", n) + `"}`
			whole := `{"data":` + canonical + `,"sig":{"alg":"ES256","cer":"MAIFAA","sigvl":"` + strings.Repeat("A", 86) + `"}}`
			_, tooLong := qr.Encode(whole, qr.L)
			text, err := vdsnc.Assemble([]byte(canonical), der, signature)
			if (err != nil) != (tooLong != nil) || err == nil && text != whole {
				t.Errorf("%d bytes: %v, but for the QR encoder %v", len(whole), err, tooLong)
			}
		}
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]qr.Level{1: qr.M, 1700: qr.M, 2330: qr.M, 2331: qr.L, 2952: qr.L, 2953: qr.L} {
		got, err := vdsnc.Level(n)
		if err != nil || got != want {
			t.Errorf("%d: got %v, %v, want %v", n, got, err, want)
		}
		text := "é" + strings.Repeat("x", n)
		text = text[:min(n, vdsnc.MaxTextL-1)]
		if _, err := qr.Encode(text, want); err != nil && n > 1 {
			t.Errorf("%d does not fit at level %v: %v", n, want, err)
		}
	}
	if _, err := qr.Encode(strings.Repeat("x", vdsnc.MaxTextL), qr.L); err != nil {
		t.Error(err)
	}
	if _, err := qr.Encode(strings.Repeat("x", vdsnc.MaxTextM), qr.M); err != nil {
		t.Error(err)
	}
	if _, err := vdsnc.Level(2954); !errors.Is(err, vdsnc.ErrTooLong) {
		t.Errorf("got %v", err)
	}
}
