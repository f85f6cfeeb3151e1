package divoc

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// The signature suites.
const (
	proofRSA     = "RsaSignature2018"
	proofEd25519 = "Ed25519Signature2018"
)

// algorithms are those of each suite (RFC 7518 §3, RFC 8037 §3.1).
var algorithms = map[string][]string{
	proofRSA:     {"PS256", "RS256"},
	proofEd25519: {"EdDSA"},
}

// purpose is the only proofPurpose of a certificate.
const purpose = "assertionMethod"

// Sizes of RSA keys that are accepted, in bits.
const (
	minRSA = 2048
	maxRSA = 4096
)

// maxJWS is the longest signature that is read, in characters.
const maxJWS = 2 << 10

// Verify checks the signature with one key: *rsa.PublicKey of 2048 to 4096 bits or
// ed25519.PublicKey, as the suite requires. It refuses whatever the signature would not
// cover. Every failure is an *Error.
func (m *Message) Verify(key crypto.PublicKey) error {
	jws, err := m.parseProof()
	if err != nil {
		return err
	}
	if err := m.checkCovered(); err != nil {
		return err
	}
	input, err := m.signingInput(jws.header)
	if err != nil {
		return err
	}
	if jws.algorithm == "EdDSA" {
		return verifyEd25519(key, input, jws.signature)
	}
	return verifyRSA(key, jws.algorithm, input, jws.signature)
}

// detached is a JWS without its payload (RFC 7797 §5.1).
type detached struct {
	header    string // as written
	algorithm string
	signature []byte
}

func (m *Message) parseProof() (detached, error) {
	if algorithms[m.ProofType] == nil {
		return detached{}, fail(ReasonUnsupportedProof, "proof.type must be RsaSignature2018 or Ed25519Signature2018")
	}
	options := maps.Clone(m.proof)
	delete(options, "jws")
	if err := (coverage{}).object("proof.", withPurpose(options), proofOptions); err != nil {
		return detached{}, err
	}
	for _, name := range []string{"created", "verificationMethod", "proofPurpose"} {
		if _, isText := options[name].(string); !isText {
			return detached{}, fail(ReasonInvalidProof, "proof."+name+" must be a text")
		}
	}
	if options["proofPurpose"] != purpose {
		return detached{}, fail(ReasonInvalidProof, "proof.proofPurpose must be assertionMethod")
	}
	text, isText := m.proof["jws"].(string)
	if !isText || len(text) > maxJWS {
		return detached{}, fail(ReasonInvalidProof, "proof.jws must be a text of at most 2 KiB")
	}
	return m.parseJWS(text)
}

// withPurpose writes the purpose as the IRI that its word stands for.
func withPurpose(options map[string]any) map[string]any {
	options = maps.Clone(options)
	if options["proofPurpose"] == purpose {
		options["proofPurpose"] = nsSecurity + purpose
	}
	return options
}

func (m *Message) parseJWS(text string) (detached, error) {
	header, encoded, ok := strings.Cut(text, "..")
	if !ok {
		return detached{}, fail(ReasonInvalidProof, "proof.jws must be a JWS without payload")
	}
	raw, err := decodeBase64URL(header)
	if err != nil {
		return detached{}, fail(ReasonInvalidProof, "the header of proof.jws is not base64url").because(err)
	}
	var fields struct {
		Algorithm string   `json:"alg"`
		B64       *bool    `json:"b64"`
		Critical  []string `json:"crit"`
	}
	if err := strictjson.Check(raw, 2); err != nil {
		return detached{}, fail(ReasonInvalidProof, "the header of proof.jws is not strict JSON").because(err)
	}
	if err := json.Unmarshal(raw, &fields, json.RejectUnknownMembers(true)); err != nil {
		return detached{}, fail(ReasonInvalidProof, "the header of proof.jws must hold alg, b64 and crit alone").because(err)
	}
	if fields.B64 == nil || *fields.B64 || !slices.Equal(fields.Critical, []string{"b64"}) {
		return detached{}, fail(ReasonInvalidProof, "the header of proof.jws must say that the payload is not encoded")
	}
	if !slices.Contains(algorithms[m.ProofType], fields.Algorithm) {
		return detached{}, fail(ReasonUnsupportedProof, "the algorithm must be PS256 or RS256 for RsaSignature2018, EdDSA for Ed25519Signature2018")
	}
	signature, err := decodeBase64URL(encoded)
	if err != nil {
		return detached{}, fail(ReasonInvalidProof, "the signature of proof.jws is not base64url").because(err)
	}
	return detached{header: header, algorithm: fields.Algorithm, signature: signature}, nil
}

func decodeBase64URL(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errLineBreak
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// signingInput is the header, a dot, and the digests of proof and credential, each in
// canonical form (Linked Data Proofs, "Create Verify Hash Algorithm"; RFC 7797 §3).
func (m *Message) signingInput(header string) ([]byte, error) {
	options := withPurpose(m.proof)
	delete(options, "jws")
	input := append([]byte(header), '.')
	for _, members := range []map[string]any{options, m.Content} {
		statements, err := canonical(members)
		if err != nil {
			return nil, fail(ReasonNotCovered, "the credential has no canonical form").because(err)
		}
		digest := sha256.Sum256([]byte(statements))
		input = append(input, digest[:]...)
	}
	return input, nil
}

func verifyEd25519(key crypto.PublicKey, input, signature []byte) error {
	public, ok := key.(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return fail(ReasonUnsuitableKey, "EdDSA needs an Ed25519 key")
	}
	if !ed25519.Verify(public, input, signature) {
		return fail(ReasonBadSignature, "the signature does not belong to the content and the key")
	}
	return nil
}

func verifyRSA(key crypto.PublicKey, algorithm string, input, signature []byte) error {
	public, ok := key.(*rsa.PublicKey)
	if !ok || public == nil || public.N == nil || public.N.BitLen() < minRSA || public.N.BitLen() > maxRSA {
		return fail(ReasonUnsuitableKey, "PS256 and RS256 need an RSA key of 2048 to 4096 bits")
	}
	digest := sha256.Sum256(input)
	var err error
	if algorithm == "PS256" {
		// Issuers' libraries differ in the length of the salt.
		err = rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto})
	} else {
		err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	}
	if err != nil {
		return fail(ReasonBadSignature, "the signature does not belong to the content and the key").because(err)
	}
	return nil
}
