package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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

// TrustList is a published trust list; the package documentation describes its JSON.
type TrustList struct {
	Country  string    // ISO 3166-1 alpha-2 of the publisher
	IssuedAt time.Time // UTC, whole seconds
	List     *List
}

// wireList and wireCertificate are the JSON form.
type wireList struct {
	Version      int               `json:"version"`
	Country      string            `json:"country"`
	IssuedAt     string            `json:"issuedAt"`
	Certificates []wireCertificate `json:"certificates"`
}

type wireCertificate struct {
	KID             string  `json:"kid"`
	Country         string  `json:"country"`
	CertificateType string  `json:"certificateType"`
	Usage           []Usage `json:"usage,omitempty"`
	Timestamp       string  `json:"timestamp"`
	Thumbprint      string  `json:"thumbprint"`
	RawData         string  `json:"rawData"`
}

// Encode writes the list as trustlist.json. The same list gives the same bytes.
func (t TrustList) Encode() ([]byte, error) {
	if !isCountry(t.Country) {
		return nil, fmt.Errorf("trust: the country of a trust list must be two capital letters")
	}
	wire := wireList{
		Version: formatVersion, Country: t.Country, IssuedAt: t.IssuedAt.UTC().Format(timestampLayout),
		Certificates: []wireCertificate{},
	}
	for _, csca := range t.List.Anchors() {
		wire.Certificates = append(wire.Certificates, newWireCertificate(csca, typeCSCA, nil))
	}
	for _, entry := range t.List.Entries() {
		wire.Certificates = append(wire.Certificates, newWireCertificate(entry.DSC, typeDSC, entry.Usages))
	}
	raw, err := json.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("trust: encode trust list: %w", err)
	}
	return append(raw, '\n'), nil
}

func newWireCertificate(certificate *x509.Certificate, kind string, usages []Usage) wireCertificate {
	thumbprint := sha256.Sum256(certificate.Raw)
	wire := wireCertificate{
		KID:             base64.StdEncoding.EncodeToString(thumbprint[:kidLength]),
		CertificateType: kind,
		Usage:           usages,
		Timestamp:       certificate.NotBefore.UTC().Format(timestampLayout),
		Thumbprint:      hex.EncodeToString(thumbprint[:]),
		RawData:         base64.StdEncoding.EncodeToString(certificate.Raw),
	}
	if len(certificate.Subject.Country) == 1 { // directly trusted DSCs need not name one
		wire.Country = certificate.Subject.Country[0]
	}
	return wire
}
