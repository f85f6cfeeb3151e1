package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// conforms holds our EU DCCs against the published JSON schema, and copies without their
// birth date.
func conforms(script string) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		schema := vectors.Path(t, "eu-dcc-schema", "DCC.combined-schema.json")
		var genuine, broken []item
		for _, profile := range dccProfiles {
			content := s.certificates[profile].own.Content
			genuine, broken = append(genuine, item{Content: content}), append(broken, item{Content: without(content, "dob")})
		}
		_, result := s.judge(t, script, request{Task: "verify", Schema: schema}, genuine, broken, incomplete)
		return result
	}
}

func without(content map[string]any, member string) map[string]any {
	rest := maps.Clone(content)
	delete(rest, member)
	return rest
}

// pictures has a peer read every QR code.
func pictures(script string) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		r := request{Task: "verify"}
		var texts []string
		for _, c := range s.certificates {
			r.Items, texts = append(r.Items, item{Picture: c.picture}), append(texts, c.text)
		}
		for i, a := range s.ask(t, script, r) {
			if a.Text != texts[i] {
				t.Errorf("a picture of %d characters is read as another text: %s", len(texts[i]), a.Why)
			}
		}
		return fmt.Sprintf("%d read", len(texts))
	}
}

// documents has a peer check the signatures of our documents, and of altered copies.
func documents(script string, usage trust.Usage) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		var genuine, forged []item
		for _, document := range s.documents {
			genuine = append(genuine, item{Content: json.RawMessage(document)})
			forged = append(forged, item{Content: json.RawMessage(altered(t, document))})
		}
		_, result := s.judge(t, script, request{Task: "verify", DSC: s.listed(usage)}, genuine, forged, unsigned)
		return result
	}
}

// bundles has a peer hold Bundles against FHIR, and copies that lack Bundle.type.
func bundles(script string, of func(*testing.T, *system) []map[string]any) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		var genuine, broken []item
		for _, bundle := range of(t, s) {
			genuine, broken = append(genuine, item{Content: bundle}), append(broken, item{Content: without(bundle, "type")})
		}
		_, result := s.judge(t, script, request{Task: "verify"}, genuine, broken, incomplete)
		return result
	}
}

func documentBundles(t *testing.T, s *system) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, document := range s.documents {
		var bundle map[string]any
		if err := json.Unmarshal(document, &bundle); err != nil {
			t.Fatal(err)
		}
		out = append(out, bundle)
	}
	return out
}

func cardBundles(t *testing.T, s *system) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, profile := range shcProfiles {
		bundle, ok := at(s.certificates[profile].own.Content, "vc/credentialSubject/fhirBundle").(map[string]any)
		if !ok {
			t.Fatal("a health card without a Bundle")
		}
		out = append(out, bundle)
	}
	return out
}

// statement has a peer check the signed trust list and a copy with one state altered.
func statement(t *testing.T, s *system) string {
	jws := string(s.fetch(t, "/trust/trustlist.jws"))
	_, result := s.judge(t, "trust_jose.mjs", s.keys(t), []item{{Text: jws}}, []item{{Text: forgeJWS(t, jws)}}, unsigned)
	return result
}

// didDocument has a peer check the proof of the DID document, and of a copy with another
// controller.
func didDocument(t *testing.T, s *system) string {
	var document map[string]any
	if err := json.Unmarshal(s.fetch(t, "/trust/did.json"), &document); err != nil {
		t.Fatal(err)
	}
	other := maps.Clone(document)
	other["controller"] = "did:web:other.example"
	r := request{Task: "verify", ListSigner: s.listSigner(t), Contexts: "contexts.json"}
	_, result := s.judge(t, "did_jsonld.mjs", r, []item{{Content: document}}, []item{{Content: other}}, unsigned)
	return result
}
