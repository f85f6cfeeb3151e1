package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Errors of VerifyDID, to be compared with errors.Is.
var (
	ErrDIDTooLarge = fault.New(fault.TooLarge, "did-size", "The DID document is larger than the limit.")
	ErrDIDForm     = fault.New(fault.Malformed, "did-form", "The DID document is not a trust list in the form of the GDHCN.")
	ErrDIDProof    = fault.New(fault.Rule, "did-proof", "The proof of the DID document does not verify.")
)

// DefaultMaxMethods bounds a DID document for which the caller sets no number of
// certificates: three times the list of the whole GDHCN in 2026. Each costs about a
// millisecond before anything is known about who wrote it.
const DefaultMaxMethods = 1500

// maxDIDNesting is that of a key: document, methods, method, key, x5c.
const maxDIDNesting = 5

// DIDDocument is a trust list whose proof was checked. What its methods say about their
// keys was not: recompute key ids and build chains from X5C.
type DIDDocument struct {
	ID          string
	Controller  string
	Created     time.Time // of the proof
	ProofMethod string    // verificationMethod of the proof
	Methods     []DIDMethod
	References  []string // DIDs of other lists, in lists that refer
}

// DIDMethod is one key of a DID document. Codes come without number sign; one that is
// missing is empty.
type DIDMethod struct {
	ID, Controller             string
	Domain, Participant, Usage string   // Usage is DSC, CSCA, DECA, …
	X5C                        []string // the certificate and its issuers, DER in base64
}

// VerifyDID reads a DID document and checks its proof with a key that the caller got from
// elsewhere. Signatures are accepted as r and s (RFC 7518 §3.4) and, as the GDHCN makes
// them, in DER. A member this package does not know is refused: canonicalisation would
// drop it, and it would look signed without being so.
func VerifyDID(raw []byte, key *ecdsa.PublicKey, limits Limits) (DIDDocument, error) {
	if limits.Certificates == 0 {
		limits.Certificates = DefaultMaxMethods
	}
	limits = limits.orDefault()
	if len(raw) > limits.Bytes {
		return DIDDocument{}, ErrDIDTooLarge
	}
	if key == nil || key.Curve != elliptic.P256() {
		return DIDDocument{}, ErrDIDProof
	}
	var wire didDocument
	if err := unmarshalStrict(raw, &wire, maxDIDNesting); err != nil {
		return DIDDocument{}, ErrDIDForm.Because(err)
	}
	if len(wire.VerificationMethod) > limits.Certificates {
		return DIDDocument{}, ErrDIDTooLarge
	}
	document, err := readDID(wire)
	if err != nil {
		return DIDDocument{}, err
	}
	header, signature, err := splitDetached(wire.Proof.JWS)
	if err != nil {
		return DIDDocument{}, err
	}
	proof := *wire.Proof
	proof.JWS, wire.Proof = "", nil
	input, err := didSigningInput(wire, proof, header)
	if err != nil {
		return DIDDocument{}, ErrDIDForm.Because(err)
	}
	if !verifyEither(key, input, signature) {
		return DIDDocument{}, ErrDIDProof
	}
	return document, nil
}

func unmarshalStrict(raw []byte, into any, nesting int) error {
	if err := strictjson.Check(raw, nesting); err != nil {
		return err
	}
	return json.Unmarshal(raw, into, json.RejectUnknownMembers(true))
}

var (
	// Everything that becomes an IRI must be absolute and plain, else canonicalisation
	// drops the statements around it.
	didIRIForm = regexp.MustCompile(`^did:[a-z0-9]+:[A-Za-z0-9._:%/#+=-]{1,512}$`)
	// The network's "any" is a hyphen.
	didNumberSignCode = regexp.MustCompile(`^#[A-Za-z0-9._-]{1,64}$`)
	didNonceForm      = regexp.MustCompile(`^[\x20-\x7e]{0,256}$`)
)

// readDID checks everything but the signature.
func readDID(wire didDocument) (DIDDocument, error) {
	if !knowsContexts(wire.Context) || !didIRIForm.MatchString(wire.ID) || !didIRIForm.MatchString(wire.Controller) {
		return DIDDocument{}, ErrDIDForm
	}
	document := DIDDocument{ID: wire.ID, Controller: wire.Controller}
	if err := document.readProof(wire.Proof); err != nil {
		return DIDDocument{}, err
	}
	seen := map[string]bool{wire.ID: true}
	for _, raw := range wire.VerificationMethod {
		id, err := document.readMethod(raw)
		if err != nil {
			return DIDDocument{}, err
		}
		if seen[id] { // two would become one
			return DIDDocument{}, ErrDIDForm
		}
		seen[id] = true
	}
	return document, nil
}

func (d *DIDDocument) readProof(proof *didProof) error {
	if proof == nil || proof.Type != didProofType || proof.ProofPurpose != didPurpose ||
		!didIRIForm.MatchString(proof.VerificationMethod) ||
		!didNonceForm.MatchString(proof.Nonce) || !didNonceForm.MatchString(proof.Domain) {
		return ErrDIDForm
	}
	created, err := time.Parse(time.RFC3339, proof.Created)
	if err != nil {
		return ErrDIDForm.Because(err)
	}
	d.Created, d.ProofMethod = created.UTC(), proof.VerificationMethod
	return nil
}

// readMethod adds a key or a reference and gives its id.
func (d *DIDDocument) readMethod(raw jsontext.Value) (string, error) {
	if raw.Kind() == '"' {
		var reference string
		if err := json.Unmarshal(raw, &reference); err != nil || !didIRIForm.MatchString(reference) {
			return "", ErrDIDForm.Because(err)
		}
		d.References = append(d.References, reference)
		return reference, nil
	}
	var wire didMethod
	if err := json.Unmarshal(raw, &wire, json.RejectUnknownMembers(true)); err != nil {
		return "", ErrDIDForm.Because(err)
	}
	x5c, ok := readDIDKey(wire.PublicKeyJWK)
	if !ok || wire.Type != didKeyType || !didIRIForm.MatchString(wire.ID) || !didIRIForm.MatchString(wire.Controller) {
		return "", ErrDIDForm
	}
	method := DIDMethod{ID: wire.ID, Controller: wire.Controller, X5C: x5c}
	for _, code := range []struct {
		from *didCode
		to   *string
	}{{wire.Domain, &method.Domain}, {wire.Participant, &method.Participant}, {wire.KeyUsage, &method.Usage}} {
		if code.from == nil {
			continue
		}
		if !didNumberSignCode.MatchString(code.from.Code) {
			return "", ErrDIDForm
		}
		*code.to = strings.TrimPrefix(code.from.Code, "#")
	}
	d.Methods = append(d.Methods, method)
	return wire.ID, nil
}

// maxKeyMembers bounds a key: the GDHCN writes six. Canonicalisation sorts them in a time
// that grows with their square, before anything is known about who wrote them.
const maxKeyMembers = 32

// readDIDKey gives the certificates of a JWK. Its other members are signed like the rest,
// but must be as flat as those of a public key (RFC 7517 §4).
func readDIDKey(raw jsontext.Value) (x5c []string, ok bool) {
	var members map[string]jsontext.Value
	if raw.Kind() != '{' || json.Unmarshal(raw, &members) != nil || len(members) > maxKeyMembers {
		return nil, false
	}
	for name, value := range members {
		switch value.Kind() {
		case '{':
			return nil, false
		case '[':
			var texts []string
			if json.Unmarshal(value, &texts) != nil {
				return nil, false
			}
			if name == "x5c" {
				x5c = texts
			}
		}
	}
	return x5c, true
}

// splitDetached takes apart a JWS with detached, unencoded payload (RFC 7797 §5.1) and
// gives its header as it was written.
func splitDetached(jws string) (header string, signature []byte, err error) {
	header, encoded, ok := strings.Cut(jws, "..")
	if !ok || len(jws) > 1024 {
		return "", nil, ErrDIDForm
	}
	raw, err := decodeBase64URL([]byte(header))
	if err != nil {
		return "", nil, ErrDIDForm.Because(err)
	}
	var fields struct {
		B64  *bool    `json:"b64"`
		Crit []string `json:"crit"`
		Alg  string   `json:"alg"`
	}
	if err := unmarshalStrict(raw, &fields, 2); err != nil {
		return "", nil, ErrDIDForm.Because(err)
	}
	if fields.Alg != "ES256" || fields.B64 == nil || *fields.B64 || !slices.Equal(fields.Crit, []string{"b64"}) {
		return "", nil, ErrDIDForm
	}
	if signature, err = decodeBase64URL([]byte(encoded)); err != nil {
		return "", nil, ErrDIDForm.Because(err)
	}
	return header, signature, nil
}

// verifyEither accepts both forms of an ECDSA signature; one of 64 bytes in DER does not
// exist for P-256 but for tiny numbers, and both are tried then.
func verifyEither(key *ecdsa.PublicKey, input, signature []byte) bool {
	digest := sha256.Sum256(input)
	return verifyES256(key, input, signature) || ecdsa.VerifyASN1(key, digest[:], signature)
}

// checkDID holds a DID document against the statement it came with: signed by the same key
// at the same time, and exactly what the statement's keys make.
func checkDID(raw []byte, s Statement, id string) error {
	key, err := p256(s.Signer.DSC)
	if err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	document, err := VerifyDID(raw, key, Limits{})
	if err != nil {
		return err
	}
	did := DID{ID: id}
	if document.ProofMethod != did.proofMethod(s.Signer) || !document.Created.Equal(s.IssuedAt) {
		return errDIDOther
	}
	if len(document.Methods) > 0 { // the codes are the signing service's to choose
		did.Domain, did.Participant = document.Methods[0].Domain, document.Methods[0].Participant
	}
	expected, err := newDIDDocument(s.TrustList, did)
	if err != nil {
		return err
	}
	var wire didDocument
	if err := unmarshalStrict(raw, &wire, maxDIDNesting); err != nil {
		return ErrDIDForm.Because(err)
	}
	expected.Proof = wire.Proof
	want, err := encodeJSON(expected)
	if err != nil {
		return err
	}
	// White space may have changed on the way.
	if got, err := encodeJSON(wire); err != nil || !bytes.Equal(got, want) {
		return errDIDOther
	}
	return nil
}
