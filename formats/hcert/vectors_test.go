package hcert_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

type generatedVectors struct {
	DSC    string
	KidHex string
	Cases  []struct {
		Name, Text, CWTHex, ProtectedHex, SigStructureSHA256, SigHex, COSEHex string
	}
}

// Vectors made by another program from other types: claims, header, Sig_structure and
// message must come out the same to the last byte.
func TestGeneratedVectorsAreReproduced(t *testing.T) {
	t.Parallel()
	var all generatedVectors
	if err := json.Unmarshal(vectors.Read(t, "generated", "vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	certificate, err := base64.StdEncoding.DecodeString(all.DSC)
	if err != nil {
		t.Fatal(err)
	}
	kid := hcert.KID(certificate)
	if hex.EncodeToString(kid) != all.KidHex {
		t.Errorf("kid %x, want %s", kid, all.KidHex)
	}
	// Deviations that are the point of the vector: another envelope, or claims this
	// package refuses to write (a tag, no exp, a repeated key, floats).
	otherEnvelope := []string{"90-untagged", "91-tag61", "92-kid-unprotected", "93-sig-der", "94-sig-flip", "97-trailing-cbor"}
	otherClaims := []string{"02-eu-t-tag0", "11-icvp-gen3", "95-dup-key", "98-iat-float"}
	reproduced := 0
	for _, vector := range all.Cases {
		t.Run(vector.Name, func(t *testing.T) {
			payload := fromHex(t, vector.CWTHex)
			if vector.Name != "92-kid-unprotected" {
				tbs, err := hcert.ToBeSigned(payload, kid, cose.AlgorithmES256)
				if err != nil {
					t.Fatal(err)
				}
				digest := sha256.Sum256(tbs)
				if hex.EncodeToString(digest[:]) != vector.SigStructureSHA256 {
					t.Error("another Sig_structure")
				}
			}
			if !slices.Contains(otherEnvelope, vector.Name) {
				message, err := hcert.Assemble(payload, kid, cose.AlgorithmES256, fromHex(t, vector.SigHex))
				if err != nil {
					t.Fatal(err)
				}
				if hex.EncodeToString(message) != vector.COSEHex {
					t.Error("another COSE_Sign1 message")
				}
			}
			if slices.Contains(otherEnvelope, vector.Name) || slices.Contains(otherClaims, vector.Name) {
				return
			}
			if got := reencode(t, vector.Text); got != vector.CWTHex {
				t.Errorf("other claims:\n got %s\nwant %s", got, vector.CWTHex)
			}
			reproduced++
		})
	}
	if reproduced < 8 {
		t.Errorf("only %d vectors were reproduced from their claims", reproduced)
	}
}

func reencode(t *testing.T, text string) string {
	t.Helper()
	read, err := reader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	claims := hcert.Claims{Issuer: read.Claims.Issuer, IssuedAt: read.Claims.IssuedAt, ExpiresAt: read.Claims.ExpiresAt}
	for key, content := range read.Claims.SubClaims {
		claims.SubClaim, claims.Content = key, content
	}
	payload, err := claims.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(payload)
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	content, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
