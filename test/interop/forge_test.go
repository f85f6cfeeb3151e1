package interop

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	hcertreader "github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

// genuineDay and forgedDay are the birth date of the specimen and one made of it: a copy
// with the other reads as well as the original, and only its signature tells.
var genuineDay, forgedDay = []byte("1979-03-08"), []byte("1989-03-08")

// forge gives the text of a certificate with another birth date under the same signature.
func forge(t *testing.T, text string) string {
	t.Helper()
	switch {
	case strings.HasPrefix(text, "HC1:"):
		message, err := hcertreader.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := hcert.Text(altered(t, message.COSE))
		if err != nil {
			t.Fatal(err)
		}
		return forged
	case strings.HasPrefix(text, shc.Prefix):
		return forgeCard(t, text)
	default:
		return string(altered(t, []byte(text)))
	}
}

func forgeCard(t *testing.T, text string) string {
	t.Helper()
	message, err := shcreader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	input, err := shc.SigningInput(altered(t, message.Payload), message.KID)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := shc.Assemble(input, message.Signature)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := shc.Text(jws)
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

func altered(t *testing.T, raw []byte) []byte {
	t.Helper()
	if !bytes.Contains(raw, genuineDay) {
		t.Fatal("the birth date is not where it can be altered")
	}
	return bytes.Replace(raw, genuineDay, forgedDay, 1)
}

// forgeJWS alters one letter in the payload of a JWS that is not compressed.
func forgeJWS(t *testing.T, jws string) string {
	t.Helper()
	parts := strings.Split(jws, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(payload, []byte(`"active"`), []byte(`"aktive"`), 1)
	if bytes.Equal(forged, payload) {
		t.Fatal("nothing was altered")
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(forged)
	return strings.Join(parts, ".")
}
