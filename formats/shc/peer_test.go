package shc

import (
	"crypto"
	"encoding/base64"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A JOSE library that knows nothing of health cards names the key alike, verifies the JWS
// and finds the payload.
func TestGoJoseAccepts(t *testing.T) {
	t.Parallel()
	for range 50 {
		key := newKey(t)
		kid := mustThumbprint(t, key)
		jwk := jose.JSONWebKey{Key: &key.PublicKey}
		digest, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil || base64.RawURLEncoding.EncodeToString(digest) != kid {
			t.Fatalf("thumbprint %s, %v", kid, err)
		}
		payload, err := specimen().Payload()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := jose.ParseSignedCompact(sign(t, specimen(), key, kid), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		compressed, err := signed.Verify(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		header := signed.Signatures[0].Protected
		if header.KeyID != kid || header.Algorithm != "ES256" || header.ExtraHeaders["zip"] != "DEF" || inflated(t, compressed) != string(payload) {
			t.Errorf("header %+v", header)
		}
	}
}
