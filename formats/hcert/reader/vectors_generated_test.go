package reader

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// generatedReasons is what the note of each negative vector says. 96-exp-after-dsc is
// not among them: it is the certificate's validity that it breaks, so it decodes and
// verifies here, and the verifier above refuses it.
var generatedReasons = map[string]Reason{
	"93-sig-der":       ReasonBadSignature,
	"94-sig-flip":      ReasonBadSignature,
	"95-dup-key":       ReasonInvalidCBOR,
	"97-trailing-cbor": ReasonInvalidCOSE,
}

func TestGeneratedVectors(t *testing.T) {
	t.Parallel()
	var all struct {
		DSC    string
		KidHex string
		Cases  []struct {
			Name, Text, CWTHex, ProtectedHex, SigStructureSHA256, SigHex, COSEHex string
		}
	}
	if err := json.Unmarshal(vectors.Read(t, "generated", "vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	key := euCertificate(t, all.DSC).PublicKey.(*ecdsa.PublicKey)
	if key.Curve != elliptic.P256() || len(all.Cases) != 18 {
		t.Fatalf("another set: %d cases", len(all.Cases))
	}
	for _, vector := range all.Cases {
		t.Run(vector.Name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(vector.Text)
			if err == nil {
				err = m.Verify(key)
				digest := sha256.Sum256(m.ToBeSigned())
				changed := vector.Name == "94-sig-flip" // its hash is that of the original
				if !changed && hex.EncodeToString(digest[:]) != vector.SigStructureSHA256 {
					t.Error("another Sig_structure")
				}
				for what, pair := range map[string][2][]byte{
					"protected": {m.Protected, unhex(t, vector.ProtectedHex)},
					"signature": {m.Signature, unhex(t, vector.SigHex)},
					"kid":       {m.KID, unhex(t, all.KidHex)},
					"message":   {m.COSE, unhex(t, vector.COSEHex)},
				} {
					if !bytes.Equal(pair[0], pair[1]) {
						t.Errorf("%s: got %x, want %x", what, pair[0], pair[1])
					}
				}
				if !changed && !bytes.Equal(m.Payload, unhex(t, vector.CWTHex)) {
					t.Error("another payload")
				}
			}
			wantReason(t, err, generatedReasons[vector.Name])
		})
	}
}

func TestGeneratedVectorsContent(t *testing.T) {
	t.Parallel()
	read := func(name string) Claims {
		t.Helper()
		m, err := Decode(string(vectors.Read(t, "generated", name+".txt")))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return m.Claims
	}
	ints, floats := read("01-eu-v"), read("98-iat-float")
	if want := time.Unix(0x6968ac90, 0); !ints.IssuedAt.Equal(want) || !floats.IssuedAt.Equal(want) || !ints.ExpiresAt.Equal(floats.ExpiresAt) {
		t.Errorf("iat %v and %v, want %v", ints.IssuedAt, floats.IssuedAt, want)
	}
	test := read("02-eu-t-tag0").SubClaims[1].(map[string]any)["t"].([]any)[0].(map[string]any)
	if test["sc"] != "2026-01-14T08:00:00Z" {
		t.Errorf("tagged date-time: %v", test["sc"])
	}
	if lifelong := read("11-icvp-gen3"); !lifelong.ExpiresAt.IsZero() || lifelong.SubClaims[-6] == nil {
		t.Errorf("claim -6: %+v", lifelong)
	}
	if _, ok := read("20-vhl-string").SubClaims[5].(string); !ok {
		t.Error("claim 5 is not text")
	}
	if list, ok := read("21-shl-array").SubClaims[5].([]any); !ok || len(list) != 1 {
		t.Error("claim 5 is not a list")
	}
	if dose := read("30-ddcc-vs").SubClaims[3].(map[string]any)["vaccination"].(map[string]any)["dose"]; dose != uint64(1) {
		t.Errorf("dose: %v", dose)
	}
}
