package trust_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// Another implementation reads the JWK set and finds the keys of the certificates.
func TestJWKSAgainstAnotherReader(t *testing.T) {
	t.Parallel()
	list := specimenList(t).List
	raw, err := list.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	entries := slices.DeleteFunc(list.Entries(), func(e trust.Entry) bool { return e.Allows(trust.UsageDocument) })
	if len(set.Keys) != len(entries) {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for i, key := range set.Keys {
		entry := entries[i]
		if !publicEqual(entry.DSC.PublicKey, key.Key) {
			t.Errorf("key %d is another", i)
		}
		wantAlg := "PS256"
		if _, isEC := entry.DSC.PublicKey.(*ecdsa.PublicKey); isEC {
			wantAlg = "ES256"
		}
		if key.Algorithm != wantAlg || key.Use != "sig" || key.KeyID != base64.StdEncoding.EncodeToString(entry.KID) {
			t.Errorf("key %d: %s %s %s", i, key.Algorithm, key.Use, key.KeyID)
		}
		if len(key.Certificates) != 2 || !key.Certificates[0].Equal(entry.DSC) || !key.Certificates[1].Equal(entry.CSCA) || !key.Valid() {
			t.Errorf("key %d: certificates", i)
		}
	}
}

func publicEqual(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// Coordinates with leading zeros keep them (RFC 7518 §6.2.1.2).
func TestJWKCoordinatesHave32Bytes(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	for range 5000 {
		dsc := ca.DSC(t)
		point, err := dsc.Key.Public().(*ecdsa.PublicKey).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] != 0 && point[33] != 0 {
			continue
		}
		raw, err := trusttest.List(t, ca.Entry(dsc)).JWKS()
		if err != nil {
			t.Fatal(err)
		}
		var set struct{ Keys []struct{ X, Y string } }
		if err := json.Unmarshal(raw, &set); err != nil {
			t.Fatal(err)
		}
		x, errX := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
		y, errY := base64.RawURLEncoding.DecodeString(set.Keys[0].Y)
		if errX != nil || errY != nil || !bytes.Equal(append(append([]byte{4}, x...), y...), point) {
			t.Errorf("x %q, y %q", set.Keys[0].X, set.Keys[0].Y)
		}
		return
	}
	t.Fatal("no coordinate with a leading zero in 5000 keys")
}

func TestAnchorsPEM(t *testing.T) {
	t.Parallel()
	list := specimenList(t).List
	rest := list.AnchorsPEM()
	for _, want := range list.Anchors() {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" || !bytes.Equal(block.Bytes, want.Raw) {
			t.Fatal("not the anchor")
		}
	}
	if len(rest) != 0 {
		t.Error("more than the anchors")
	}
}

// A reader of SMART Health Cards finds the key by its thumbprint, one entry a certificate.
func TestSHCKeys(t *testing.T) {
	t.Parallel()
	const issuer = "https://trust.example/shc_issuer"
	ca := trusttest.CSCA(t)
	named, plain := ca.DSC(t, trusttest.URI(t, issuer)), ca.DSC(t, trusttest.URI(t, issuer+"/"))
	renewed := ca.DSCFor(t, named.Key, trusttest.URI(t, issuer))
	list := trusttest.List(t, ca.Entry(named, trust.UsageSHC), ca.Entry(plain, trust.UsageSHC), ca.Entry(renewed, trust.UsageSHC),
		ca.Entry(ca.DSC(t), trust.UsageDocument), ca.Entry(ca.DSC(t)))
	raw, err := list.SHCKeys(issuer, nil)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]any
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	withChain := 0
	for _, key := range set.Keys {
		single, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		var reader jose.JSONWebKey
		if err := json.Unmarshal(single, &reader); err != nil {
			t.Fatal(err)
		}
		thumbprint, err := reader.Thumbprint(crypto.SHA256)
		if err != nil || reader.KeyID != base64.RawURLEncoding.EncodeToString(thumbprint) {
			t.Errorf("kid %s, %v", reader.KeyID, err)
		}
		for member, want := range map[string]any{"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256"} {
			if key[member] != want {
				t.Errorf("%s: %v", member, key[member])
			}
		}
		members := 7
		if len(reader.Certificates) > 0 {
			withChain++
			members++
			if !publicEqual(reader.Certificates[0].PublicKey, reader.Key) || reader.Certificates[0].URIs[0].String() != issuer || !reader.Certificates[1].Equal(ca.Cert) {
				t.Error("x5c is not that of the key")
			}
		}
		if len(key) != members || len(key["x"].(string)) != 43 || len(key["y"].(string)) != 43 {
			t.Errorf("members %v", key)
		}
	}
	if len(set.Keys) != 3 || withChain != 2 {
		t.Errorf("%d keys, %d with certificates", len(set.Keys), withChain)
	}
	if empty, err := trusttest.List(t).SHCKeys(issuer, nil); err != nil || string(empty) != `{"keys":[]}`+"\n" {
		t.Errorf("%s, %v", empty, err)
	}
}

// A card verifier looks for a revocation list only if the key says that there is one.
func TestSHCKeysNameTheirRevocationList(t *testing.T) {
	t.Parallel()
	const issuer = "https://cards.example.org"
	ca := trusttest.CSCA(t)
	list := trusttest.List(t, ca.Entry(ca.DSC(t), trust.UsageSHC))
	for counter, want := range map[uint64]string{0: "", 7: `"crlVersion":7`} {
		raw, err := list.SHCKeys(issuer, func(string) (uint64, bool) { return counter, counter > 0 })
		if err != nil || strings.Contains(string(raw), "crlVersion") != (want != "") || !strings.Contains(string(raw), want) {
			t.Errorf("counter %d: %s, %v", counter, raw, err)
		}
	}
}
