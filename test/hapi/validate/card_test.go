package validate

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// cardBundle takes the Bundle out of a SMART Health Card (SMART Health Cards 1.2: pairs of
// digits, a compact JWS, a deflated payload).
func cardBundle(t *testing.T, text string) []byte {
	t.Helper()
	digits, ok := strings.CutPrefix(text, "shc:/")
	if !ok || len(digits)%2 != 0 {
		t.Fatal("no SMART Health Card")
	}
	var jws strings.Builder
	for i := 0; i < len(digits); i += 2 {
		jws.WriteByte((digits[i]-'0')*10 + digits[i+1] - '0' + 45)
	}
	parts := strings.Split(jws.String(), ".")
	if len(parts) != 3 {
		t.Fatal("no JWS")
	}
	deflated, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	payload, err := io.ReadAll(flate.NewReader(bytes.NewReader(deflated)))
	if err != nil {
		t.Fatal(err)
	}
	var card struct {
		VC struct {
			CredentialSubject struct {
				FHIRBundle json.RawMessage `json:"fhirBundle"`
			} `json:"credentialSubject"`
		} `json:"vc"`
	}
	if err := json.Unmarshal(payload, &card); err != nil {
		t.Fatal(err)
	}
	return card.VC.CredentialSubject.FHIRBundle
}
