// Package signing is the contract between issuance and the isolated signing service.
//
// A caller states an intent: a profile, typed claims, an id. It never passes bytes or a
// digest to sign, and it cannot choose issuer, issued-at, expiry, algorithm or key: the
// service sets them. The id makes an intent idempotent: the same id with the same claims
// gives the same certificate, the same id with other claims is a conflict.
//
// signing/service is the service, signing/client calls it over mutual TLS.
package signing

import (
	"encoding/json"
	"time"
)

// Intent asks for one certificate.
//
// Event ties the formats of one health event together: it is the id of the intent of the
// event's WHO DDCC, which was released before. A certificate in another format is signed
// only beside it, for the same issuer, person and event (docs/adr/0016).
type Intent struct {
	ID         string     `json:"id"`                   // UUID of the issuance record
	Event      string     `json:"event,omitempty"`      // of formats other than WHO DDCC
	Profile    string     `json:"profile"`              // e.g. who-ddcc-vs
	Issuer     string     `json:"issuer"`               // authenticated issuer, for policy and audit
	ValidUntil *time.Time `json:"validUntil,omitempty"` // requested; the profile caps it
	Claims     Claims     `json:"claims"`
}

// Certificate is a signed certificate as the service releases it.
type Certificate struct {
	ID        string    `json:"id"`      // of the intent
	Profile   string    `json:"profile"` // of the intent
	Text      string    `json:"text"`    // of the QR code: "HC1:…", "shc:/…" or the JSON of a seal
	KID       []byte    `json:"kid"`     // first 8 bytes of SHA-256 of the DSC
	Algorithm string    `json:"algorithm"`
	IssuedAt  time.Time `json:"issuedAt"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"` // zero: for life (ICVP); of a seal: the end of its certificate
}

// DocumentIntent asks for the signature of the DDCC document of an intent that already
// has its certificate. The service checks that the document says what the certificate
// says and canonicalises it itself.
type DocumentIntent struct {
	ID           string          `json:"id"`                     // of the certificate intent
	Certificates []string        `json:"certificates,omitempty"` // ids of the intents of other formats beside it
	Document     json.RawMessage `json:"document"`
}

// DocumentSignature is the detached JWS over the canonical document (docs/document-signature.md).
type DocumentSignature struct {
	ID       string    `json:"id"`
	JWS      string    `json:"jws"` // compact, payload detached
	KID      []byte    `json:"kid"`
	SignedAt time.Time `json:"signedAt"`
}

// Cancellation answers a request to give an intent up. Nothing can be signed under its
// id afterwards.
type Cancellation struct {
	ID     string `json:"id"`
	Signed bool   `json:"signed"` // a certificate had been signed; it was never released to a holder
}

// TrustStatement is what the service says about its keys, signed by it; package trust
// verifies it against the CSCAs it has pinned.
type TrustStatement struct {
	JWS string          `json:"jws"`           // the trust list as a compact JWS
	DID json.RawMessage `json:"did,omitempty"` // the same as a signed DID document
}

// Upload is one certificate of the service, signed by its upload key for a national or
// WHO gateway.
type Upload struct {
	KID         []byte `json:"kid"`
	Thumbprint  string `json:"thumbprint"`  // lower-case hex of SHA-256 of the certificate
	Certificate []byte `json:"certificate"` // DER of the DSC
	CMS         []byte `json:"cms"`         // DER of the SignedData with the certificate inside
}
