package secrets_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/secrets"
)

// What is searched for would be found: each way in which a secret gets out.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, signing, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	escaped, err := json.Marshal(map[string]string{"error": string(text)})
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const token = "hvs.CAESIspecimen-token-0123456789"

	var needles secrets.Needles
	needles.PrivateKey(t, "key", private)
	needles.PrivateKey(t, "audit", signing)
	needles.Text(t, "token", token)
	leaks := map[string]string{
		"PEM":                   string(text),
		"PEM in JSON":           string(escaped),
		"DER":                   string(der),
		"DER in hexadecimal":    hex.EncodeToString(der),
		"in capitals":           strings.ToUpper(hex.EncodeToString(der)),
		"with colons":           fmt.Sprintf("% x", der),
		"base64 for URLs":       base64.RawURLEncoding.EncodeToString(der),
		"a Go dump":             fmt.Sprintf("%#v", der),
		"a Go list":             fmt.Sprintf("%v", der),
		"a Go text":             fmt.Sprintf("%q", scalar),
		"the number":            fmt.Sprintf("%v", private),
		"the number in hex":     fmt.Sprintf("%x", scalar),
		"a word in a stack":     fmt.Sprintf("main.f(0x%x, 0x2)", scalar[8:16]),
		"a stack with an array": fmt.Sprintf("main.f({0x%x, 0x%x, 0x%x, ...})", scalar[:1], scalar[1:2], scalar[2:32]),
		"an Ed25519 key":        hex.EncodeToString(signing),
		"an Ed25519 seed":       base64.StdEncoding.EncodeToString(signing.Seed()),
		"a token":               "Authorization: " + token,
		"half a token":          token[:20] + "...",
		"a token in base64":     base64.StdEncoding.EncodeToString([]byte("x:" + token)),
	}
	for name, leak := range leaks {
		if found := needles.Search([]byte("log line\n" + leak + "\nlog line")); len(found) != 1 {
			t.Errorf("%s: found %q", name, found)
		}
	}
	if found := needles.Search([]byte("nothing but " + fmt.Sprintf("%x", private.PublicKey.X))); len(found) != 0 {
		t.Errorf("found %q in public things", found)
	}
}
