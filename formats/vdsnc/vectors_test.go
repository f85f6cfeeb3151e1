package vdsnc_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// TestRealSeals writes the seals of Australia and Japan again, from their typed content:
// the result is theirs to the byte, but for the padding of base64url.
func TestRealSeals(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ICAOAUQR1Contents.txt", "ICAOJPQR1Contents.txt"} {
		raw := vectors.Read(t, "icao-vdsnc", name)
		var seal struct {
			Data      vdsnc.Data `json:"data"`
			Signature struct {
				Certificate string `json:"cer"`
				Value       string `json:"sigvl"`
			} `json:"sig"`
		}
		if err := json.Unmarshal(raw, &seal); err != nil {
			t.Fatal(err)
		}
		canonical, err := seal.Data.Canonical()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := vdsnc.Assemble(canonical, unpadded(t, seal.Signature.Certificate), unpadded(t, seal.Signature.Value))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := strings.NewReplacer(`=="`, `"`, `="`, `"`).Replace(strings.TrimSpace(string(raw))); text != want {
			t.Errorf("%s: got %d bytes, want %d", name, len(text), len(want))
		}
	}
}

func unpadded(t *testing.T, text string) []byte {
	t.Helper()
	content, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
