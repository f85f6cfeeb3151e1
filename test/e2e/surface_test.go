package e2e

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// wanted is what somebody would like to have signed.
var wanted = []byte("a certificate that nobody may have")

// shape is one way to ask for it.
type shape struct {
	media, query string
	body         []byte
}

// shapes are those that signing services take: raw bytes and digests, the members of
// Vault transit and of other signers, and our own forms with a digest in every place.
func shapes(t *testing.T, example map[string]any) []shape {
	t.Helper()
	sum := sha256.Sum256(wanted)
	b64, name := base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sum[:])
	plain := base64.StdEncoding.EncodeToString(wanted)
	out := []shape{
		{"application/octet-stream", "", sum[:]}, {"application/octet-stream", "", wanted}, {"application/json", "", sum[:]},
		{"", "?" + url.Values{"digest": {name}, "input": {b64}, "payload": {plain}}.Encode(), nil},
	}
	id := uuid.NewString()
	claims := example["claims"].(map[string]any)["ddcc"].(map[string]any)
	claims["name"], example["id"] = b64, id
	for _, body := range []any{
		b64, []string{b64},
		map[string]any{"digest": b64}, map[string]any{"hash": name, "algorithm": "ES256"}, map[string]any{"payload": plain, "usage": "vaccination"},
		map[string]any{"input": b64, "prehashed": true, "marshaling_algorithm": "jws"},
		map[string]any{"batch_input": []any{map[string]any{"input": b64}}, "prehashed": true},
		map[string]any{"id": id, "digest": b64}, map[string]any{"id": id, "profile": "who-ddcc-vs", "issuer": "demo-clinic", "claims": b64},
		map[string]any{"id": id, "document": b64}, map[string]any{"id": id, "document": map[string]any{"resourceType": "Binary", "data": plain}},
		map[string]any{"kind": "sign", "digest": b64}, map[string]any{"kind": "crl", "crl": b64}, map[string]any{"kind": "revoke", "kid": b64, "reason": "unspecified"},
		map[string]any{"reason": b64}, example,
	} {
		out = append(out, shape{"application/json", "", harness.JSON(t, body)})
	}
	return out
}

// TestNoSurfaceSignsBytes asks every route of the running signer, as somebody who may call
// it, for the signature of a digest in every likely shape, and looks for one in the
// answers with every key there is.
func TestNoSurfaceSignsBytes(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	keys := publicKeys(t, s)
	finderFinds(t, s, keys)
	for _, file := range []string{"signing.yaml", "signer-operator.yaml"} {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "api", file))
		if err != nil {
			t.Fatal(err)
		}
		clients := []string{"operator-1", "operator-2"} // in turn: each has a rate
		if file == "signing.yaml" {
			clients = []string{"gateway"}
		}
		for path, item := range doc.Paths.Map() {
			for method := range item.Operations() {
				ask(t, s, keys, clients, method, path)
			}
		}
	}
	signed := 0
	for _, e := range auditLog(t, s) {
		if e.Action == "certificate.signed" {
			signed++
		}
	}
	if signed != 1 {
		t.Errorf("%d certificates were signed; want the one that was a real intent", signed)
	}
}

// ask sends every shape to one route, in turn as one of the clients.
func ask(t *testing.T, s *harness.System, keys []*ecdsa.PublicKey, clients []string, method, path string) {
	t.Helper()
	sum := sha256.Sum256(wanted)
	for n, sh := range shapes(t, exampleIntent(t)) {
		if method != http.MethodPost && sh.query == "" && n > 0 {
			continue // no body is read
		}
		id := hex.EncodeToString(sum[:])
		if n%2 == 1 {
			id = uuid.NewString()
		}
		at := strings.ReplaceAll(path, "{id}", id) + sh.query
		a := patiently(t, s, clients[n%len(clients)], method, at, sh)
		if a.Status >= http.StatusInternalServerError {
			t.Errorf("%s %s, shape %d: status %d %s", method, path, n, a.Status, a.Body)
		}
		if found := findSignature(keys, a.Body); found != "" {
			t.Errorf("%s %s signs what it is given (shape %d, %s): %.300s", method, path, n, found, a.Body)
		}
	}
}

// patiently waits where an operator has asked too often: a refusal for that proves
// nothing.
func patiently(t *testing.T, s *harness.System, client, method, path string, sh shape) harness.Answer {
	t.Helper()
	for range 10 {
		a := callSigner(t, s, client, method, path, sh.media, sh.body)
		if a.Status != http.StatusTooManyRequests {
			return a
		}
		after, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(after) * time.Second)
	}
	t.Fatalf("%s %s: too many requests for ever", method, path)
	return harness.Answer{}
}

// exampleIntent is one the signer takes.
func exampleIntent(t *testing.T) map[string]any {
	t.Helper()
	code := func(code, system string) map[string]any { return map[string]any{"code": code, "system": system} }
	return map[string]any{
		"profile": "who-ddcc-vs", "issuer": "demo-clinic",
		"claims": map[string]any{"ddcc": map[string]any{
			"birthDate":   "1979-03-08",
			"certificate": map[string]any{"issuer": map[string]any{"code": "demo-ministry"}, "hcid": "SURFACE-1", "version": "RC2"},
			"vaccination": map[string]any{
				"vaccine": code("XM0GQ8", "http://id.who.int/icd11/mms"), "brand": code("XM8NQ0", "http://id.who.int/icd11/mms"),
				"manufacturer": code("ORG-100030215", "https://spor.ema.europa.eu/v1/organisations"),
				"lot":          "SPECLOT7", "date": time.Now().UTC().AddDate(0, 0, -20).Format(time.DateOnly), "dose": 1,
				"country": code("XXA", "urn:iso:std:iso:3166"),
			},
		}},
	}
}

// publicKeys are those of the register.
func publicKeys(t *testing.T, s *harness.System) []*ecdsa.PublicKey {
	t.Helper()
	known, err := operator(t, s, 1).Keys(t.Context())
	if err != nil || len(known) < 4 {
		t.Fatalf("%d keys, %v", len(known), err)
	}
	var keys []*ecdsa.PublicKey
	for _, k := range known {
		certificate, err := x509.ParseCertificate(k.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, certificate.PublicKey.(*ecdsa.PublicKey))
	}
	return keys
}

// finderFinds shows that findSignature would see a signature, were there one.
func finderFinds(t *testing.T, s *harness.System, keys []*ecdsa.PublicKey) {
	t.Helper()
	key, err := s.Install.Key(keystore.UsageTest)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := key.Sign(t.Context(), sha256.Sum256(wanted))
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]string{
		"jws":  `{"jws":"e30..` + base64.RawURLEncoding.EncodeToString(signature[:]) + `"}`,
		"der":  `{"signature":"vault:v1:` + base64.StdEncoding.EncodeToString(signature.ASN1()) + `"}`,
		"hex":  hex.EncodeToString(signature[:]),
		"raw":  string(signature[:]),
		"tail": `"` + base64.StdEncoding.EncodeToString(append([]byte("frame"), signature[:]...)) + `"`,
	} {
		if findSignature(keys, []byte(answer)) == "" {
			t.Fatalf("a signature is not found in the form %s", name)
		}
	}
}

var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{80,}={0,2}`)

// findSignature looks in an answer for a signature over what was sent, bare or encoded,
// as r and s or in DER, and says where.
func findSignature(keys []*ecdsa.PublicKey, answer []byte) string {
	blobs := [][]byte{answer}
	for _, text := range encoded.FindAllString(string(answer), -1) {
		bare := strings.TrimRight(text, "=")
		for _, decode := range []func(string) ([]byte, error){
			hex.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
		} {
			if raw, err := decode(bare); err == nil {
				blobs = append(blobs, raw)
			}
		}
	}
	for _, blob := range blobs {
		for i, key := range keys {
			if signs(key, blob) {
				return fmt.Sprintf("key %d", i)
			}
		}
	}
	return ""
}

// signs tries the end of a blob as r and s, and everything in it that begins as an ECDSA
// signature in DER does.
func signs(key *ecdsa.PublicKey, blob []byte) bool {
	sum := sha256.Sum256(wanted)
	twice := sha256.Sum256(sum[:])
	for _, digest := range [][]byte{sum[:], twice[:]} {
		if n := len(blob); n >= 64 {
			r, s := new(big.Int).SetBytes(blob[n-64:n-32]), new(big.Int).SetBytes(blob[n-32:])
			if ecdsa.Verify(key, digest, r, s) {
				return true
			}
		}
		for i := 0; i+8 < len(blob); i++ {
			end := i + 2 + int(blob[i+1])
			if blob[i] == 0x30 && blob[i+2] == 0x02 && end <= len(blob) && ecdsa.VerifyASN1(key, digest, blob[i:end]) {
				return true
			}
		}
	}
	return false
}
