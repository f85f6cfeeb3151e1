package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// formatVersion is the version of trustlist.json that is written and read.
const formatVersion = 1

// Types of certificates in a trust list.
const (
	typeDSC  = "DSC"
	typeCSCA = "CSCA"
)

// timestampLayout is RFC 3339 in UTC and whole seconds.
const timestampLayout = "2006-01-02T15:04:05Z"

// TrustList is a published trust list; the package documentation describes its JSON. The
// members after List are those of a statement: a list without NextUpdate has none of them.
type TrustList struct {
	Country  string    // ISO 3166-1 alpha-2 of the publisher
	IssuedAt time.Time // UTC, whole seconds
	List     *List

	NextUpdate time.Time              // when the next list is there at the latest; UTC, whole seconds
	Revoked    []RevokedKey           // sorted by key id
	CRLs       []*x509.RevocationList // at most one of each CSCA, sorted by CRLID
}

// isStatement reports whether the list says how long it holds, and the states of its keys.
func (t TrustList) isStatement() bool { return !t.NextUpdate.IsZero() }

// saysTheSame reports whether another list differs in nothing but its times.
func (t TrustList) saysTheSame(other TrustList) bool {
	other.IssuedAt, other.NextUpdate = t.IssuedAt, t.NextUpdate
	one, err := t.Encode()
	if err != nil {
		return false
	}
	two, err := other.Encode()
	return err == nil && bytes.Equal(one, two)
}

// RevokedKey names a key that must not be trusted any more.
type RevokedKey struct {
	KID        []byte            // first 8 bytes of Thumbprint
	Thumbprint [sha256.Size]byte // SHA-256 of the DER of the certificate
	Usages     []Usage           // what it was for, in the order of Usages
}

// wireList and the types below are the JSON form.
type wireList struct {
	Version      int               `json:"version"`
	Country      string            `json:"country"`
	IssuedAt     string            `json:"issuedAt"`
	NextUpdate   string            `json:"nextUpdate,omitempty"`
	Certificates []wireCertificate `json:"certificates"`
	Revoked      []wireRevoked     `json:"revoked,omitempty"`
	CRLs         []wireCRL         `json:"crls,omitempty"`
}

type wireCertificate struct {
	KID             string  `json:"kid"`
	Country         string  `json:"country"`
	CertificateType string  `json:"certificateType"`
	Usage           []Usage `json:"usage,omitempty"`
	State           State   `json:"state,omitempty"`
	ActiveFrom      string  `json:"activeFrom,omitempty"`
	ListedFrom      string  `json:"listedFrom,omitempty"`
	Timestamp       string  `json:"timestamp"`
	Thumbprint      string  `json:"thumbprint"`
	RawData         string  `json:"rawData"`
}

type wireRevoked struct {
	KID        string  `json:"kid"`
	Usage      []Usage `json:"usage"`
	Thumbprint string  `json:"thumbprint"`
}

type wireCRL struct {
	Issuer  string `json:"issuer"` // CRLID
	RawData string `json:"rawData"`
}

// CRLID names the CRL of a CSCA: its subject key identifier in lower-case hex.
func CRLID(csca *x509.Certificate) string { return hex.EncodeToString(csca.SubjectKeyId) }

// Encode writes the list as trustlist.json. The same list gives the same bytes.
func (t TrustList) Encode() ([]byte, error) {
	if !isCountry(t.Country) {
		return nil, errors.New("trust: the country of a trust list must be two capital letters")
	}
	wire := wireList{
		Version: formatVersion, Country: t.Country, IssuedAt: timestamp(t.IssuedAt), NextUpdate: timestamp(t.NextUpdate),
		Certificates: []wireCertificate{},
	}
	for _, csca := range t.List.Anchors() {
		wire.Certificates = append(wire.Certificates, newWireCertificate(csca, typeCSCA))
	}
	for _, entry := range t.List.Entries() {
		wire.Certificates = append(wire.Certificates, newWireEntry(entry))
	}
	for _, key := range t.Revoked {
		wire.Revoked = append(wire.Revoked, wireRevoked{
			KID: base64.StdEncoding.EncodeToString(key.KID), Usage: key.Usages, Thumbprint: hex.EncodeToString(key.Thumbprint[:]),
		})
	}
	for _, crl := range t.CRLs {
		wire.CRLs = append(wire.CRLs, wireCRL{
			Issuer: hex.EncodeToString(crl.AuthorityKeyId), RawData: base64.StdEncoding.EncodeToString(crl.Raw),
		})
	}
	return encodeJSON(wire)
}

// encodeJSON writes JSON without white space and with a final line feed.
func encodeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("trust: encode: %w", err)
	}
	return out.Bytes(), nil
}

// timestamp writes a time; the zero time is written as nothing.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timestampLayout)
}

func newWireEntry(entry Entry) wireCertificate {
	wire := newWireCertificate(entry.DSC, typeDSC)
	wire.Usage, wire.State = entry.Usages, entry.State
	wire.ActiveFrom, wire.ListedFrom = timestamp(entry.ActiveFrom), timestamp(entry.ListedFrom)
	return wire
}

func newWireCertificate(certificate *x509.Certificate, kind string) wireCertificate {
	thumbprint := sha256.Sum256(certificate.Raw)
	wire := wireCertificate{
		KID:             base64.StdEncoding.EncodeToString(thumbprint[:kidLength]),
		CertificateType: kind,
		Timestamp:       certificate.NotBefore.UTC().Format(timestampLayout),
		Thumbprint:      hex.EncodeToString(thumbprint[:]),
		RawData:         base64.StdEncoding.EncodeToString(certificate.Raw),
	}
	if len(certificate.Subject.Country) == 1 { // directly trusted DSCs need not name one
		wire.Country = certificate.Subject.Country[0]
	}
	return wire
}
