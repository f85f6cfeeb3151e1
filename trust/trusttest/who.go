package trusttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"testing"
)

// WHOKey is the key with which the WHO signs the lists of the GDHCN, as published in the
// DID document that their proofs name.
func WHOKey(t testing.TB) *ecdsa.PublicKey {
	t.Helper()
	point := []byte{4}
	for _, text := range []string{"ZlMwokmcS8vx0c3mc38eLVUMEVV2BXjdMpvBeueeWZw", "8CGiSXsauiFAbDxvOcmFxyswM07Ld85-ELRcoTbO9Z4"} {
		half, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, half...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
