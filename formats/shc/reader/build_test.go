package reader

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// Parts of a specimen card. Tests build cards here, from the words of the framework and
// with the standard library alone, so that neither side can agree with itself.
const (
	specimenKID    = "ZVVlj_ySqEfqZxhlCPYvNdJqOlwm-yl_vV7lKEyKvEY"
	specimenHeader = `{"zip":"DEF","alg":"ES256","kid":"` + specimenKID + `"}`

	specimenPayload = `{"iss":"https://issuer.example","nbf":1669976075,"vc":{"type":["https://smarthealth.cards#health-card",` +
		`"https://smarthealth.cards#immunization","https://smarthealth.cards#covid19"],"credentialSubject":{"fhirVersion":"4.0.1",` +
		`"fhirBundle":` + specimenBundle + `},"rid":"MKyCxh7p6uQ"}}`
	specimenBundle = `{"resourceType":"Bundle","type":"collection","entry":[` + specimenPatient + `,` + specimenImmunization + `]}`

	specimenPatient = `{"fullUrl":"resource:0","resource":{"resourceType":"Patient",` +
		`"name":[{"family":"Specimen","given":["Ada"]}],"birthDate":"1975-12-10"}}`
	specimenImmunization = `{"fullUrl":"resource:1","resource":{"resourceType":"Immunization","status":"completed",` +
		`"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"207"}]},"patient":{"reference":"resource:0"},` +
		`"occurrenceDateTime":"2021-01-29","performer":[{"actor":{"display":"Specimen Hospital"}}],"lotNumber":"0000007"}}`
)

func b64(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

func deflated(t testing.TB, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unsigned makes a card with a signature of the right size that fits nothing.
func unsigned(t testing.TB, header, payload string) string {
	t.Helper()
	return b64([]byte(header)) + "." + b64(deflated(t, payload)) + "." + b64(make([]byte, 64))
}

func signed(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64(deflated(t, payload))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + b64(signature)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func digitsOf(jws string) string {
	var text strings.Builder
	for i := range len(jws) {
		fmt.Fprintf(&text, "%02d", jws[i]-45)
	}
	return text.String()
}

// cut makes n codes of nearly equal length.
func cut(jws string, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		part := jws[i*len(jws)/n : (i+1)*len(jws)/n]
		texts[i] = fmt.Sprintf("shc:/%d/%d/%s", i+1, n, digitsOf(part))
	}
	return texts
}

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var refused *Error
	if !asError(err, &refused) || refused.Reason != want || refused.Detail == "" {
		t.Errorf("got %v, want %s", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "Ada") {
		t.Error("the error repeats the card")
	}
}

func rulesOf(problems []Problem) []Rule {
	rules := make([]Rule, len(problems))
	for i, p := range problems {
		rules[i] = p.Rule
	}
	return rules
}
