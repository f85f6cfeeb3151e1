package shc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// Every key the framework and its validator publish is named by its thumbprint.
func TestThumbprintOfPublishedKeys(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, path := range [][]string{
		{"shc", "spec-issuer", "jwks.json"},
		{"shc", "validation-sdk", "valid_keys.json"},
		{"shc", "validation-sdk", "valid_2_chain.public.json"},
	} {
		var set struct {
			Keys []struct{ KID, X, Y string } `json:"keys"`
		}
		if err := json.Unmarshal(vectors.Read(t, path...), &set); err != nil {
			t.Fatal(err)
		}
		for _, jwk := range set.Keys {
			kid, err := Thumbprint(&ecdsa.PublicKey{Curve: elliptic.P256(), X: number(t, jwk.X), Y: number(t, jwk.Y)})
			if err != nil || kid != jwk.KID {
				t.Errorf("%s, %v; published as %s", kid, err, jwk.KID)
			}
			checked++
		}
	}
	if checked < 6 {
		t.Errorf("only %d keys", checked)
	}
}

func number(t *testing.T, text string) *big.Int {
	t.Helper()
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(content)
}

// One coordinate in 256 begins with a zero byte, which must stay.
func TestThumbprintKeepsLeadingZeros(t *testing.T) {
	t.Parallel()
	for range 4096 {
		key := newKey(t)
		if key.X.BitLen() > 248 {
			continue
		}
		kid := mustThumbprint(t, key)
		x, y := key.X.FillBytes(make([]byte, 32)), key.Y.FillBytes(make([]byte, 32))
		jwk := fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, base64.RawURLEncoding.EncodeToString(x), base64.RawURLEncoding.EncodeToString(y))
		if want := sha(jwk); kid != want {
			t.Errorf("%s, want %s", kid, want)
		}
		return
	}
	t.Error("no such key among 4096")
}

func TestThumbprintRefuses(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*ecdsa.PublicKey{
		"nil": nil, "empty": {}, "no point": {Curve: elliptic.P256()}, "P-384": {Curve: elliptic.P384(), X: big.NewInt(1), Y: big.NewInt(1)},
		"not on the curve": {Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)},
	} {
		if kid, err := Thumbprint(key); !errors.Is(err, ErrKey) || kid != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSigningInput(t *testing.T) {
	t.Parallel()
	kid := strings.Repeat("k", kidLength)
	input, err := SigningInput([]byte(`{"a":1}`), kid)
	if err != nil {
		t.Fatal(err)
	}
	header, payload, _ := strings.Cut(string(input), ".")
	if got, err := base64.RawURLEncoding.DecodeString(header); err != nil || string(got) != `{"zip":"DEF","alg":"ES256","kid":"`+kid+`"}` {
		t.Errorf("header %s, %v", got, err)
	}
	if got, err := base64.RawURLEncoding.DecodeString(payload); err != nil || got[0] == 0x78 || inflated(t, got) != `{"a":1}` {
		t.Errorf("payload %x, %v", got, err)
	}
	for name, c := range map[string]struct {
		payload, kid string
		want         error
	}{
		"no kid": {"{}", "", ErrKID}, "kid short": {"{}", kid[1:], ErrKID}, "kid with a quote": {"{}", kid[1:] + `"`, ErrKID},
		"no payload": {"", kid, ErrPayload}, "no object": {"[]", kid, ErrPayload}, "too large": {"{" + strings.Repeat(" ", maxPayload), kid, ErrPayload},
	} {
		if input, err := SigningInput([]byte(c.payload), c.kid); !errors.Is(err, c.want) || input != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A compressor that served another card gives the same bytes as a new one.
func TestSigningInputIsDeterministic(t *testing.T) {
	t.Parallel()
	kid := strings.Repeat("k", kidLength)
	payload, err := specimen().Payload()
	if err != nil {
		t.Fatal(err)
	}
	first, err := SigningInput(payload, kid)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		other := `{"a":"` + strings.Repeat(fmt.Sprint(i), i*7%900) + `"}`
		if _, err := SigningInput([]byte(other), kid); err != nil {
			t.Fatal(err)
		}
		again, err := SigningInput(payload, kid)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("differs after %d others: %v", i, err)
		}
	}
}

func TestAssembleRefuses(t *testing.T) {
	t.Parallel()
	signature := make([]byte, signatureBytes)
	for name, c := range map[string]struct {
		input     string
		signature []byte
		want      error
	}{
		"short signature": {"YQ.YQ", signature[:63], ErrSignature}, "DER": {"YQ.YQ", make([]byte, 70), ErrSignature}, "no signature": {"YQ.YQ", nil, ErrSignature},
		"empty": {"", signature, ErrJWS}, "no dot": {"YQ", signature, ErrJWS}, "two dots": {"YQ.YQ.YQ", signature, ErrJWS},
		"no header": {".YQ", signature, ErrJWS}, "no payload": {"YQ.", signature, ErrJWS}, "not base64url": {"YQ.Y+", signature, ErrJWS},
	} {
		if jws, err := Assemble([]byte(c.input), c.signature); !errors.Is(err, c.want) || jws != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	input := []byte("YQ.YQ-_")[:6]
	if jws, err := Assemble(input, signature); err != nil || jws != "YQ.YQ-."+strings.Repeat("A", 86) || len(jws) != len(input)+SignatureLength {
		t.Errorf("%s, %v", jws, err)
	}
	if string(input[:6]) != "YQ.YQ-" || string(input[:7]) != "YQ.YQ-_" {
		t.Error("the caller's input was written to")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	// The framework's example: eyJ6aXAi becomes 56 76 29 09 52 52 20 60; - is 00, z is 77.
	text, err := Text("eyJ6aXAi.-.z")
	if err != nil || text != "shc:/567629095243206001000177" {
		t.Errorf("%s, %v", text, err)
	}
	for name, jws := range map[string]string{"empty": "", "two parts": "a.b", "four parts": "a.b.c.d", "empty part": "a..c", "padding": "a.b.c=", "not ASCII": "a.b.é"} {
		if _, err := Text(jws); !errors.Is(err, ErrJWS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	longest := "a.b." + strings.Repeat("c", MaxJWS-4)
	if text, err := Text(longest); err != nil || len(text) != 5+2*MaxJWS {
		t.Errorf("the longest JWS: %v", err)
	}
	if _, err := Text(longest + "c"); !errors.Is(err, ErrTooLong) {
		t.Errorf("one character more: %v", err)
	}
}

// The printed limits are those of the symbol.
func TestLevelFillsTheSymbol(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]qr.Level{1: qr.H, 519: qr.H, 520: qr.Q, 670: qr.Q, 671: qr.M, 927: qr.M, 928: qr.L, 1195: qr.L} {
		level, err := Level(n)
		if err != nil || level != want {
			t.Errorf("%d characters: level %s, %v", n, level, err)
		}
		symbol, err := Draw(Prefix + strings.Repeat("56", n))
		if err != nil || symbol.Level != want || symbol.Version > MaxVersion {
			t.Fatalf("%d characters cannot be drawn: %v", n, err)
		}
	}
	if _, err := Level(MaxJWS + 1); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestDrawRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"": ErrText, "HC1:6BF": ErrText, "shc:/123": ErrText, "shc:/": qr.ErrEmpty, "shc:/12a4": qr.ErrNotDigits,
		"shc:/" + strings.Repeat("0", 2*MaxJWS+2): ErrTooLong,
	} {
		if symbol, err := Draw(text); !errors.Is(err, want) || symbol != nil {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	raw, err := File("YQ.YQ.YQ", "Yg.Yg.Yg")
	if err != nil || string(raw) != `{"verifiableCredential":["YQ.YQ.YQ","Yg.Yg.Yg"]}` {
		t.Errorf("%s, %v", raw, err)
	}
	for name, cards := range map[string][]string{"none": nil, "text": {"shc:/12"}, "one bad": {"YQ.YQ.YQ", "YQ"}} {
		if _, err := File(cards...); !errors.Is(err, ErrJWS) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
