package trust

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// DID says under which name a trust list is published in the form of the GDHCN.
type DID struct {
	// ID is a did:web, e.g. did:web:trust.example:v2:trustlist:DCC:XXA:DSC. Ending in
	// ":DSC" the document holds DSCs alone, as the lists of the GDHCN with a usage do;
	// otherwise it holds CSCAs, too.
	ID          string
	Domain      string // trust domain, e.g. DCC
	Participant string // ISO 3166-1 alpha-3 or a code of the network, e.g. XXA
}

// Words of the GDHCN. It writes "#CSCA" as the usage of keys whose DIDs say SCA.
const (
	didUsageDSC  = "DSC"
	didUsageSCA  = "SCA"
	didCodeCSCA  = "CSCA"
	didKeyType   = "JsonWebKey2020"
	didProofType = "JsonWebSignature2020"
	didPurpose   = "assertionMethod"
)

// nonceSize gives the 32 characters that proofs of the GDHCN have.
const nonceSize = 24

var (
	didWebForm  = regexp.MustCompile(`^did:web:[A-Za-z0-9.-]+(%3A[0-9]{1,5})?(:[A-Za-z0-9._-]+)*$`)
	didCodeForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
)

func (d DID) check() error {
	switch {
	case len(d.ID) > 512 || !didWebForm.MatchString(d.ID):
		return errors.New("trust: the DID must be a did:web with a host and plain segments")
	case strings.Contains(d.ID, ".."):
		return errors.New("trust: a segment of the DID must not climb")
	case !didCodeForm.MatchString(d.Domain) || !didCodeForm.MatchString(d.Participant):
		return errors.New("trust: a DID document needs a domain and a participant")
	}
	return nil
}

// DIDPath gives the path at which a did:web is fetched from its host (did:web method
// specification, "Read").
func DIDPath(did string) (string, error) {
	if err := (DID{ID: did, Domain: "-", Participant: "-"}).check(); err != nil {
		return "", err
	}
	segments := strings.Split(did, ":")[3:]
	if len(segments) == 0 {
		return "/.well-known/did.json", nil
	}
	return "/" + strings.Join(segments, "/") + "/did.json", nil
}

// didDocument and the types below are the JSON form.
type didDocument struct {
	Context            []string         `json:"@context"`
	ID                 string           `json:"id"`
	Controller         string           `json:"controller"`
	VerificationMethod []jsontext.Value `json:"verificationMethod"` // strings or didMethod
	Proof              *didProof        `json:"proof,omitempty"`
}

type didMethod struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Controller   string         `json:"controller"`
	PublicKeyJWK jsontext.Value `json:"publicKeyJwk"`
	Domain       *didCode       `json:"domain,omitempty"`
	Participant  *didCode       `json:"participant,omitempty"`
	KeyUsage     *didCode       `json:"keyusage,omitempty"`
}

type didCode struct {
	Code string `json:"code"` // with a number sign before it
}

type didProof struct {
	Type               string `json:"type"`
	Created            string `json:"created"`
	Domain             string `json:"domain,omitempty"`
	Nonce              string `json:"nonce,omitempty"`
	ProofPurpose       string `json:"proofPurpose"`
	VerificationMethod string `json:"verificationMethod"`
	JWS                string `json:"jws,omitempty"`
}

// didJWK is the key as the GDHCN writes it.
type didJWK struct {
	KTY string   `json:"kty"`
	CRV string   `json:"crv,omitempty"`
	X   string   `json:"x,omitempty"`
	Y   string   `json:"y,omitempty"`
	N   string   `json:"n,omitempty"`
	E   string   `json:"e,omitempty"`
	KID string   `json:"kid"`
	X5C []string `json:"x5c"`
}

// SignDID writes the keys for HCERT content as a DID document with a proof of type
// JsonWebSignature2020. The list must come from NewStatement and name the signer's key;
// keys for other purposes are left out, since many readers of these lists look a key up by
// its id alone. The proof names the key as ID#kid; its certificate is in the statement.
func SignDID(ctx context.Context, list TrustList, did DID, signer ListSigner) ([]byte, error) {
	if err := did.check(); err != nil {
		return nil, err
	}
	entry, err := signerEntry(list, signer.Certificate(), signer.Issuer())
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	document, err := newDIDDocument(list, did)
	if err != nil {
		return nil, err
	}
	var nonce [nonceSize]byte
	_, _ = rand.Read(nonce[:]) // crypto/rand.Read never fails (Go 1.24 and later)
	proof := didProof{
		Type: didProofType, Created: timestamp(list.IssuedAt), Nonce: base64.RawURLEncoding.EncodeToString(nonce[:]),
		ProofPurpose: didPurpose, VerificationMethod: did.proofMethod(entry),
	}
	input, err := didSigningInput(document, proof, didJWSHeader)
	if err != nil {
		return nil, err
	}
	signature, err := signES256(ctx, input, signer)
	if err != nil {
		return nil, err
	}
	proof.JWS = didJWSHeader + ".." + base64.RawURLEncoding.EncodeToString(signature)
	document.Proof = &proof
	return encodeJSON(document)
}

// proofMethod names the key that signs the document.
func (d DID) proofMethod(entry Entry) string {
	return d.ID + "#" + base64.StdEncoding.EncodeToString(entry.KID)
}

func newDIDDocument(list TrustList, did DID) (didDocument, error) {
	document := didDocument{Context: didContexts(), ID: did.ID, Controller: did.ID, VerificationMethod: []jsontext.Value{}}
	add := func(certificate, issuer *x509.Certificate, usage, code string) error {
		method, err := did.method(certificate, issuer, usage, code)
		if err != nil {
			return err
		}
		raw, err := encodeJSON(method)
		document.VerificationMethod = append(document.VerificationMethod, raw)
		return err
	}
	if !strings.HasSuffix(did.ID, ":"+didUsageDSC) {
		for _, csca := range list.List.Anchors() {
			if err := add(csca, nil, didUsageSCA, didCodeCSCA); err != nil {
				return didDocument{}, err
			}
		}
	}
	for _, entry := range list.List.Entries() {
		if !entry.isHCERT() {
			continue
		}
		if err := add(entry.DSC, entry.CSCA, didUsageDSC, didUsageDSC); err != nil {
			return didDocument{}, err
		}
	}
	return document, nil
}

func (d DID) method(certificate, issuer *x509.Certificate, usage, code string) (didMethod, error) {
	key, err := newJWK(Entry{KID: KID(certificate), DSC: certificate, CSCA: issuer})
	if err != nil {
		return didMethod{}, err
	}
	raw, err := encodeJSON(didJWK{
		KTY: key.KTY, CRV: key.CRV, X: key.X, Y: key.Y, N: key.N, E: key.E, KID: key.KID, X5C: key.X5C,
	})
	if err != nil {
		return didMethod{}, err
	}
	id := d.ID
	if !strings.HasSuffix(id, ":"+didUsageDSC) {
		id += ":" + usage
	}
	return didMethod{
		ID: id + "#" + key.KID, Type: didKeyType, Controller: d.ID, PublicKeyJWK: raw,
		Domain: newCode(d.Domain), Participant: newCode(d.Participant), KeyUsage: newCode(code),
	}, nil
}

func newCode(code string) *didCode { return &didCode{Code: "#" + code} }
