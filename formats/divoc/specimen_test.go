package divoc

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
)

const specimen = `{
	"@context": ["https://www.w3.org/2018/credentials/v1", "https://cowin.gov.in/credentials/vaccination/v2"],
	"type": ["VerifiableCredential", "ProofOfVaccinationCredential"],
	"credentialSubject": {"type": "Person", "id": "did:Passport:X0000000", "refId": "1", "name": "Asha Specimen",
		"gender": "Female", "dob": "1964-08-12", "nationality": "Utopian",
		"address": {"streetAddress": "1 Example Street", "streetAddress2": "", "district": "North", "city": "Utopolis",
			"addressRegion": "East", "addressCountry": "UTO", "postalCode": 12345}},
	"issuer": "https://divoc.example/", "issuanceDate": "2026-03-03T04:28:46.912+05:30",
	"evidence": [{"id": "https://divoc.example/vaccine/2", "feedbackUrl": "https://divoc.example/?2", "infoUrl": "https://divoc.example/?2",
		"certificateId": "2", "type": ["Vaccination"], "batch": "B1", "vaccine": "COVISHIELD", "manufacturer": "Specimen Ltd",
		"icd11Code": "XM0GQ8", "prophylaxis": "COVID-19 vaccine", "date": "2026-03-03T04:28:43.134Z",
		"effectiveStart": "2026-03-04", "effectiveUntil": "2027-03-03", "dose": 1, "totalDoses": 2,
		"verifier": {"name": "Vaccinator Specimen"},
		"facility": {"name": "Specimen Centre", "address": {"streetAddress": "2", "streetAddress2": "", "district": "South", "city": "",
			"addressRegion": "", "addressCountry": "UTO", "postalCode": ""}}}],
	"nonTransferable": "true",
	"proof": {"type": "RsaSignature2018", "created": "2026-03-03T04:28:46Z", "verificationMethod": "did:utopia", "proofPurpose": "assertionMethod", "jws": ""}}`

var specimenKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// tree decodes JSON to be changed.
func tree(t testing.TB, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func encode(t testing.TB, members map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const headerPS256 = `{"alg":"PS256","b64":false,"crit":["b64"]}`

// sign puts a JWS with the header into the proof of a credential.
func sign(t testing.TB, members map[string]any, header string, signer crypto.Signer, options crypto.SignerOpts) {
	t.Helper()
	m, err := DecodeCredential(encode(t, members))
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.RawURLEncoding.EncodeToString([]byte(header))
	input, err := m.signingInput(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if options.HashFunc() != 0 {
		digest := sha256.Sum256(input)
		input = digest[:]
	}
	signature, err := signer.Sign(rand.Reader, input, options)
	if err != nil {
		t.Fatal(err)
	}
	members["proof"].(map[string]any)["jws"] = encoded + ".." + base64.RawURLEncoding.EncodeToString(signature)
}

var pss = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}

// signed is the specimen with a signature of specimenKey.
func signed(t testing.TB) map[string]any {
	t.Helper()
	members := tree(t, specimen)
	sign(t, members, headerPS256, specimenKey(), pss)
	return members
}

func signedEd25519(t testing.TB) (map[string]any, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	members := tree(t, specimen)
	members["proof"].(map[string]any)["type"] = proofEd25519
	sign(t, members, `{"alg":"EdDSA","b64":false,"crit":["b64"]}`, private, crypto.Hash(0))
	return members, public
}

type file struct {
	name, content string
}

func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		member, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wrap(archive []byte) []byte {
	return []byte("B64:" + base64.StdEncoding.EncodeToString(archive))
}

// wantReason also holds every error against the promise to show nothing of a person.
func wantReason(t testing.TB, name string, err error, want Reason) {
	t.Helper()
	var refused *Error
	switch {
	case !errors.As(err, &refused):
		t.Errorf("%s: got %v, want %s", name, err, want)
	case refused.Reason != want:
		t.Errorf("%s: got %v, want %s", name, err, want)
	case strings.Contains(err.Error(), "Specimen"):
		t.Errorf("%s: the error holds a value", name)
	}
}
