package ceremony

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Kind says what a ceremony does.
type Kind string

// The kinds.
const (
	KindCSCA    Kind = "csca"    // make a CSCA: key and self-signed certificate
	KindRequest Kind = "request" // make keys and certificate requests for them
	KindCertify Kind = "certify" // certify requests with the CSCA
	KindDSC     Kind = "dsc"     // both at once, where keys and CSCA are at hand
	KindCRL     Kind = "crl"     // sign a revocation list with the CSCA
)

// Engines that may hold the key of a CSCA.
const (
	EngineKeyStore = "keystore"
	EngineVaultPKI = "vault-pki"
)

// File is a ceremony file. Paths in it are relative to the file itself.
type File struct {
	Name         string     `json:"name"` // first part of every output's name
	Kind         Kind       `json:"kind"`
	Country      string     `json:"country"`      // ISO 3166-1 alpha-2
	Organization string     `json:"organization"` // O of every subject
	NotBefore    *time.Time `json:"notBefore"`    // of the certificates; absent: the time of the ceremony

	CSCA   *CSCA       `json:"csca"`   // csca
	Issuer *Issuer     `json:"issuer"` // certify, dsc, crl
	Keys   []Key       `json:"keys"`   // request, certify, dsc
	CRL    *Revocation `json:"crl"`    // crl

	PublishAt  *time.Time `json:"publishAt"`  // certify, dsc; absent: when the keys are registered
	ActivateAt *time.Time `json:"activateAt"` // certify, dsc; absent: publishAt and lead, or as the register allows
	Lead       string     `json:"lead"`       // with publishAt: least time until the keys sign, e.g. "24h"

	Ignore []string `json:"ignore"` // rules of governance that what is made here is excepted from, by id
}

// CSCA is a certificate authority to be made.
type CSCA struct {
	Label          string `json:"label"`
	CommonName     string `json:"commonName"`
	ValidityDays   int    `json:"validityDays"`   // absent: 1460
	PrivateUseDays int    `json:"privateUseDays"` // absent: 365
}

// Issuer is the CSCA that signs, pinned by the digest of its certificate.
type Issuer struct {
	Engine      string `json:"engine"`      // absent: keystore
	Label       string `json:"label"`       // keystore
	Version     int    `json:"version"`     // keystore
	Certificate string `json:"certificate"` // path of its PEM
	SHA256      string `json:"sha256"`      // of its DER, in hex

	Ignore []string `json:"ignore"` // rules of governance that its certificate is excepted from, by id
}

// Key is one key with the certificate it gets. What is absent comes from the profile of
// its usage.
type Key struct {
	Usage          keystore.Usage `json:"usage"`
	Label          string         `json:"label"` // request, dsc
	CommonName     string         `json:"commonName"`
	ValidityDays   int            `json:"validityDays"`
	PrivateUseDays int            `json:"privateUseDays"`
	CRL            string         `json:"crl"`           // URL of the issuer's revocation list
	IssuerURL      string         `json:"issuerUrl"`     // shc
	DocumentTypes  []string       `json:"documentTypes"` // vdsnc
	SelfSigned     bool           `json:"selfSigned"`    // upload, in a dsc ceremony
	Request        string         `json:"request"`       // certify: path of the request file
	RequestSHA256  string         `json:"requestSha256"` // certify: of the request file, in hex
}

// Revocation is a revocation list to be signed. What the previous list names stays on it.
type Revocation struct {
	Number         int64     `json:"number"`         // 1 for the first, then always higher
	Previous       string    `json:"previous"`       // path of the list before; required from number 2
	NextUpdateDays int       `json:"nextUpdateDays"` // absent: 90
	Revoked        []Revoked `json:"revoked"`        // those that are new
}

// Revoked is one certificate that must not be believed any more.
type Revoked struct {
	Certificate string     `json:"certificate"` // path of its PEM, or
	Serial      string     `json:"serial"`      // its serial number in hex
	Reason      string     `json:"reason"`      // reason code of RFC 5280 §5.3.1, e.g. keyCompromise
	At          *time.Time `json:"at"`          // absent: the time of the ceremony
}

// maxFile bounds every file a ceremony reads, in bytes.
const maxFile = 1 << 20

// Source is a ceremony file as it was read.
type Source struct {
	File   File
	SHA256 string // of the bytes, in hex
	dir    string // paths are relative to it
}

// Read reads a ceremony file and checks all that can be checked without the time and the
// files it names. The error is a *fault.Error with every mistake at its path.
func Read(path string) (*Source, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	file, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return &Source{File: file, SHA256: digest(raw), dir: filepath.Dir(path)}, nil
}

func decode(raw []byte) (File, error) {
	var file File
	if err := strict(raw, &file); err != nil {
		return File{}, err
	}
	if file.Issuer != nil && file.Issuer.Engine == "" {
		file.Issuer.Engine = EngineKeyStore
	}
	return file, file.check().err()
}

// input reads a file that the ceremony file names.
func (s *Source) input(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, name)
	}
	return readFile(name)
}

var errTooLarge = errors.New("the file is larger than a ceremony reads")

func readFile(path string) ([]byte, error) {
	raw, err := config.ReadFile(path, maxFile)
	var size *config.SizeError
	if errors.As(err, &size) {
		err = fmt.Errorf("%s: %w", path, errTooLarge)
	}
	return raw, err
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
