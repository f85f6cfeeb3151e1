package trust

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/piprate/json-gold/ld"
)

// The JSON-LD contexts of trust lists. The documents behind these addresses are never
// fetched: what they say about the few terms in use is written below, and TestWHODocuments
// proves with lists of the WHO that the outcome is theirs.
const (
	contextDID      = "https://www.w3.org/ns/did/v1"
	contextJWS      = "https://w3id.org/security/suites/jws-2020/v1"
	contextSecurity = "https://w3id.org/security/v3" // of proofs alone
	contextTNG      = "https://smart.who.int/trust/tng-context/v1%s.jsonld"
)

// tngNetworks are the networks of the GDHCN, as their contexts spell them: production,
// user acceptance tests, development.
var tngNetworks = []string{"", "-UAT", "-DEV"}

// didContexts are those of the documents we write.
func didContexts() []string {
	return []string{contextDID, contextJWS, fmt.Sprintf(contextTNG, "")}
}

// knowsContexts reports whether a document has the contexts of a trust list, in order.
func knowsContexts(contexts []string) bool {
	for _, network := range tngNetworks {
		if slices.Equal(contexts, []string{contextDID, contextJWS, fmt.Sprintf(contextTNG, network)}) {
			return true
		}
	}
	return false
}

// didJWSHeader is {"b64":false,"crit":["b64"],"alg":"ES256"} in base64url: the proof of a
// document with these bytes can never be read as a signature of another kind.
const didJWSHeader = "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJFUzI1NiJ9"

// Statements (quads) that canonicalisation must give, for what has a fixed number.
const (
	quadsOfProof  = 4 // type, created, proofPurpose, verificationMethod
	quadsOfMethod = 4 // its place in the document, type, controller, key
)

// methodsAtOnce is how many methods are canonicalised together.
const methodsAtOnce = 25

var (
	errQuads    = errors.New("trust: canonicalisation lost a part of the document")
	errDIDOther = errors.New("trust: the DID document is not the one of the statement")
)

// didSigningInput makes the bytes that a proof signs (JsonWebSignature2020; RFC 7797 §3):
// header, full stop, SHA-256 of the canonical proof without signature, SHA-256 of the
// canonical document without proof. Nothing that was written may be missing in what is
// signed, so the statements are counted.
func didSigningInput(document didDocument, proof didProof, header string) ([]byte, error) {
	quads := quadsOfProof
	for _, optional := range []string{proof.Domain, proof.Nonce} {
		if optional != "" {
			quads++
		}
	}
	canonicalProof, err := canonicalise(struct {
		Context string `json:"@context"`
		didProof
	}{contextSecurity, proof}, quads)
	if err != nil {
		return nil, err
	}
	canonicalDocument, err := canonicaliseDocument(document)
	if err != nil {
		return nil, err
	}
	input := append([]byte(header), '.')
	for _, canonical := range []string{canonicalProof, canonicalDocument} {
		sum := sha256.Sum256([]byte(canonical))
		input = append(input, sum[:]...)
	}
	return input, nil
}

// canonicaliseDocument is canonicalise for a document of any length. Everything in it has
// a name, so its canonical form is the sorted set of its statements, and parts can be done
// one after the other: the library's effort grows with the square of what it is given.
func canonicaliseDocument(document didDocument) (string, error) {
	parts := slices.Collect(slices.Chunk(document.VerificationMethod, methodsAtOnce))
	if len(parts) == 0 {
		parts = [][]jsontext.Value{{}}
	}
	var lines []string
	total := 1 // the controller, which is in every part
	for _, part := range parts {
		quads, err := countQuads(part)
		if err != nil {
			return "", err
		}
		document.VerificationMethod = part
		canonical, err := canonicalise(document, quads+1)
		if err != nil {
			return "", err
		}
		lines = slices.AppendSeq(lines, strings.Lines(canonical))
		total += quads
	}
	slices.Sort(lines)
	if lines = slices.Compact(lines); len(lines) != total {
		return "", errQuads
	}
	return strings.Join(lines, ""), nil
}

// countQuads says how many statements the methods make.
func countQuads(methods []jsontext.Value) (int, error) {
	quads := 0
	for _, raw := range methods {
		if raw.Kind() == '"' {
			quads++
			continue
		}
		var method didMethod
		if err := json.Unmarshal(raw, &method); err != nil {
			return 0, fmt.Errorf("trust: DID method: %w", err)
		}
		quads += quadsOfMethod
		for _, code := range []*didCode{method.Domain, method.Participant, method.KeyUsage} {
			if code != nil {
				quads++
			}
		}
	}
	return quads, nil
}

// canonicalise gives the canonical N-Quads (URDNA2015) of a document.
func canonicalise(document any, quads int) (string, error) {
	raw, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("trust: encode JSON-LD: %w", err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return "", fmt.Errorf("trust: decode JSON-LD: %w", err)
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = contextLoader{}
	options.Algorithm = ld.AlgorithmURDNA2015
	options.Format = "application/n-quads"
	result, err := ld.NewJsonLdProcessor().Normalize(tree, options)
	if err != nil {
		return "", fmt.Errorf("trust: canonicalise JSON-LD: %w", err)
	}
	canonical, ok := result.(string)
	if !ok || strings.Count(canonical, "\n") != quads {
		return "", errQuads
	}
	return canonical, nil
}

// contextLoader answers from memory and knows nothing else.
type contextLoader struct{}

// LoadDocument implements ld.DocumentLoader.
func (contextLoader) LoadDocument(address string) (*ld.RemoteDocument, error) {
	text := ""
	switch address {
	case contextDID:
		text = termsDID
	case contextJWS:
		text = `{` + termsJWS + `}`
	case contextSecurity:
		text = `{"id": "@id", "type": "@type", ` + termsJWS + `}`
	default:
		for _, network := range tngNetworks {
			if address == fmt.Sprintf(contextTNG, network) {
				text = termsTNG(network)
			}
		}
	}
	if text == "" {
		return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, "the context is not known")
	}
	var context any
	if err := json.Unmarshal([]byte(text), &context); err != nil {
		return nil, err
	}
	return &ld.RemoteDocument{DocumentURL: address, Document: map[string]any{"@context": context}}, nil
}

// termsDID are those of DID Core that trust lists use.
const termsDID = `{"@protected": true, "id": "@id", "type": "@type",
	"controller": {"@id": "https://w3id.org/security#controller", "@type": "@id"},
	"verificationMethod": {"@id": "https://w3id.org/security#verificationMethod", "@type": "@id"}}`

// termsJWS are those of the suite.
const termsJWS = `"JsonWebKey2020": {"@id": "https://w3id.org/security#JsonWebKey2020", "@context": {
		"@protected": true, "id": "@id", "type": "@type",
		"publicKeyJwk": {"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"}}},
	"JsonWebSignature2020": {"@id": "https://w3id.org/security#JsonWebSignature2020", "@context": {
		"@protected": true, "id": "@id", "type": "@type",
		"created": {"@id": "http://purl.org/dc/terms/created", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
		"domain": "https://w3id.org/security#domain",
		"nonce": "https://w3id.org/security#nonce",
		"proofPurpose": {"@id": "https://w3id.org/security#proofPurpose", "@type": "@vocab", "@context": {
			"@protected": true, "assertionMethod": "https://w3id.org/security#assertionMethod"}},
		"verificationMethod": {"@id": "https://w3id.org/security#verificationMethod", "@type": "@id"}}}`

// termsTNG are those of the network: codes are fragments of the address of their value set.
func termsTNG(network string) string {
	terms := []string{`"id": "@id", "type": "@type"`}
	for _, term := range [][2]string{{"domain", "Domains"}, {"participant", "Participants"}, {"keyusage", "KeyUsage"}} {
		set := "https://smart.who.int/trust/ValueSet-" + term[1] + network + ".jsonld"
		terms = append(terms, fmt.Sprintf(
			`%q: {"@id": %q, "@type": "@id", "@context": {"@base": %q, "code": {"@id": "@id", "@type": "@id"}}}`,
			term[0], set, set+"#"))
	}
	return `{` + strings.Join(terms, ", ") + `}`
}
