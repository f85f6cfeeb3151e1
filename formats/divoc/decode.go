package divoc

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// maxDepth bounds the nesting of a credential; real ones need five levels.
const maxDepth = 12

// Message is a decoded certificate whose signature has not been verified yet.
type Message struct {
	Content            map[string]any // the credential without its proof; numbers are float64
	Types              []string       // VerifiableCredential and the kind of proof
	Issuer             string         // URL of the issuing system
	IssuedAt           time.Time      // UTC, whole seconds
	VerificationMethod string         // of the proof: names the key, e.g. "did:india"
	ProofType          string         // signature suite, RsaSignature2018 or Ed25519Signature2018

	proof map[string]any
}

// Decode reads a text as it comes out of a QR code: "B64:" and a ZIP archive in base64, or
// the archive itself. Every failure is an *Error.
func Decode(text []byte) (*Message, error) {
	archive, err := archiveOf(text)
	if err != nil {
		return nil, err
	}
	credential, err := unzip(archive)
	if err != nil {
		return nil, err
	}
	return DecodeCredential(credential)
}

// DecodeCredential reads the JSON that is inside an archive. Every failure is an *Error.
func DecodeCredential(raw []byte) (*Message, error) {
	if len(raw) > maxCredential {
		return nil, fail(ReasonInvalidJSON, "the credential is larger than 64 KiB")
	}
	if err := strictjson.Check(raw, maxDepth); err != nil {
		return nil, fail(ReasonInvalidJSON, err.Error()).because(err)
	}
	m := &Message{}
	if err := json.Unmarshal(raw, &m.Content); err != nil || m.Content == nil {
		return nil, fail(ReasonInvalidJSON, "the credential is not a JSON object").because(err)
	}
	if err := m.setHead(); err != nil {
		return nil, err
	}
	return m, m.setProof()
}

func (m *Message) setHead() error {
	types, ok := m.Content["type"].([]any)
	if !ok {
		return fail(ReasonInvalidStructure, "type must be a list")
	}
	for _, item := range types {
		name, isText := item.(string)
		if !isText {
			return fail(ReasonInvalidStructure, "type must be a list of texts")
		}
		m.Types = append(m.Types, name)
	}
	if m.Issuer, ok = m.Content["issuer"].(string); !ok {
		return fail(ReasonInvalidStructure, "issuer must be a text")
	}
	issued, _ := m.Content["issuanceDate"].(string)
	if err := m.IssuedAt.UnmarshalText([]byte(issued)); err != nil {
		return fail(ReasonInvalidStructure, "issuanceDate must be a time with its zone, RFC 3339")
	}
	m.IssuedAt = m.IssuedAt.UTC().Truncate(time.Second)
	return nil
}

func (m *Message) setProof() error {
	var ok bool
	if m.proof, ok = m.Content["proof"].(map[string]any); !ok {
		return fail(ReasonInvalidStructure, "proof must be an object")
	}
	delete(m.Content, "proof")
	if m.ProofType, ok = m.proof["type"].(string); !ok {
		return fail(ReasonInvalidStructure, "proof.type must be a text")
	}
	if m.VerificationMethod, ok = m.proof["verificationMethod"].(string); !ok {
		return fail(ReasonInvalidStructure, "proof.verificationMethod must be a text")
	}
	return nil
}
