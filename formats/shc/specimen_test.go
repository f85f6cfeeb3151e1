package shc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"
)

func specimen() Credential {
	return Credential{
		Issuer:    "https://issuer.example/shc",
		NotBefore: time.Unix(1669976075, 0).UTC(),
		Card: Card{
			Patient: Patient{Family: "Specimen", Given: []string{"Ada", "B."}, BirthDate: "1975-12-10"},
			Immunizations: []Immunization{
				{Vaccine: cvx("207"), Date: "2021-01-01", Lot: "0000001", Performer: "Specimen Hospital"},
				{Vaccine: cvx("207"), Date: "2021-01-29", Lot: "0000007", Performer: "Specimen Hospital"},
			},
			COVID19: true,
		},
	}
}

func laboratory() Credential {
	c := specimen()
	c.Card.Immunizations = nil
	c.Card.Observations = []Observation{{
		Code:  Coding{"http://loinc.org", "94558-4"},
		Value: Coding{"http://snomed.info/sct", "260373001"},
		Date:  "2021-02-17", Performer: "Specimen Hospital",
	}}
	return c
}

func cvx(code string) Coding { return Coding{"http://hl7.org/fhir/sid/cvx", code} }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustThumbprint(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	kid, err := Thumbprint(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

// sign does what a signer does: payload, input, signature, JWS.
func sign(t testing.TB, c Credential, key *ecdsa.PrivateKey, kid string) string {
	t.Helper()
	payload, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	input, err := SigningInput(payload, kid)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, signatureBytes)
	r.FillBytes(signature[:coordinateBytes])
	s.FillBytes(signature[coordinateBytes:])
	jws, err := Assemble(input, signature)
	if err != nil {
		t.Fatal(err)
	}
	return jws
}
