package reader

import (
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// vector gives a file of the public test vectors, which are kept beside the repository,
// and skips the test when they are not there.
func vector(t testing.TB, name string) string {
	t.Helper()
	return string(vectors.Read(t, name))
}

// TestRealSeals: the seals of Australia and Japan and those that a library in another
// language was tested with verify, and their signers and contents are judged as known.
func TestRealSeals(t *testing.T) {
	t.Parallel()
	examples := split(t, vector(t, "icao-vdsnc/VDS-NC-Examples.json"))
	if len(examples) != 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for name, tc := range map[string]struct {
		text           string
		state, country string
		signer         []string // rules of problems, those of warnings with a question mark
		content        []string
	}{
		"AU":     {text: vector(t, "icao-vdsnc/ICAOAUQR1Contents.txt"), state: "AUS", country: "AU"},
		"AU, 2":  {text: vector(t, "ddcc/validator/ICAOAUQR1Contents.txt"), state: "AUS", country: "AU"},
		"dotnet": {text: examples[1], state: "AUS", country: "AU"},
		"JP": {text: vector(t, "icao-vdsnc/ICAOJPQR1Contents.txt"), state: "JPN", country: "JP", signer: []string{
			"?must not have a key usage", "?must not have a private key usage period",
			"?must not have a subject alternative name", "?must not have an issuer alternative name",
		}},
		// The example of the TR has a certificate of version 1, without extensions.
		"TR": {text: examples[0], state: "UTO", country: "FR", signer: []string{
			"must have the extended key usage 2.23.136.1.1.14.2, barcode signer",
			"must have a document type list, 2.23.136.1.1.6.2",
			"must have an authority key identifier",
		}},
	} {
		m, err := Decode(tc.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m.Type != "icao.vacc" || m.State != tc.state || m.Version != 1 || m.IssuerCountry() != tc.country || len(m.Warnings) > 0 {
			t.Errorf("%s: got %q %q %d %q %v", name, m.Type, m.State, m.Version, m.IssuerCountry(), m.Warnings)
		}
		if got := rules(m.CheckSigner()); !slices.Equal(got, tc.signer) {
			t.Errorf("%s: signer: got %q, want %q", name, got, tc.signer)
		}
		if got := rules(m.Check()); !slices.Equal(got, tc.content) {
			t.Errorf("%s: content: got %q, want %q", name, got, tc.content)
		}
	}
}

func split(t *testing.T, list string) []string {
	t.Helper()
	var values []jsontext.Value
	if err := json.Unmarshal([]byte(list), &values); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, value := range values {
		texts = append(texts, string(value))
	}
	return texts
}

func rules(problems []Problem) []string {
	var rules []string
	for _, p := range problems {
		rule := p.Rule
		if p.Warning {
			rule = "?" + rule
		}
		rules = append(rules, rule)
	}
	return rules
}

// TestFixtures: the examples of the DDCC guide are seals but for their certificates, which
// are cut off.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"testing_example.json", "vaccination_example.json"} {
		text := vector(t, "ddcc/ig-fixtures/icao/"+name)
		_, err := Decode(text)
		wantReason(t, name, err, ReasonInvalidEncoding)

		real := newSigner(t, "NV")
		cut := text[strings.Index(text, `"cer"`):]
		m, err := Decode(text[:len(text)-len(cut)] + `"cer":"` + real.certificate() + `","sigvl":"` + strings.Repeat("A", 86) + `"}}`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := rules(m.Check()); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestExplicitParameters reads the certificate of ICAO's Health Master List signer, which
// describes P-256 instead of naming it.
func TestExplicitParameters(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(vector(t, "icao-vdsnc/ICAOHealthMLSigner1.pem.crt")))
	if block == nil {
		t.Fatal("no PEM")
	}
	c, err := ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject.CommonName != "ICAO Health ML Signer 1" || len(c.AuthorityKeyId) != 20 || string(c.Raw) != string(block.Bytes) {
		t.Errorf("got %q, %x", c.Subject.CommonName, c.AuthorityKeyId)
	}
}
