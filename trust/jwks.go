package trust

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
)

// jwk is one key of a set (RFC 7517 §4; RFC 7518 §6.2 and §6.3).
type jwk struct {
	KTY string   `json:"kty"`
	CRV string   `json:"crv,omitempty"`
	X   string   `json:"x,omitempty"`
	Y   string   `json:"y,omitempty"`
	N   string   `json:"n,omitempty"`
	E   string   `json:"e,omitempty"`
	KID string   `json:"kid"`
	Use string   `json:"use"`
	Alg string   `json:"alg"`
	X5C []string `json:"x5c,omitempty"`
	X5T string   `json:"x5t#S256,omitempty"`

	CRLVersion uint64 `json:"crlVersion,omitempty"` // SMART Health Cards: counter of the key's card revocation list
}

// JWKS writes the keys for HCERT content as a JWK set (RFC 7517 §5), sorted by key id.
// Keys for other purposes are not in it: a reader of such a set asks no key what it is
// for. The kid is the HCERT key id in standard base64, as verifiers of health certificates
// look it up; x5c is the DSC and its CSCA. The same list gives the same bytes.
func (l *List) JWKS() ([]byte, error) {
	keys := []jwk{}
	for _, entry := range l.Entries() {
		if !entry.isHCERT() {
			continue
		}
		key, err := newJWK(entry)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return encodeKeys(keys)
}

// SHCKeys writes the keys for SMART Health Cards as the JWK set that an issuer serves
// (SMART Health Cards Framework, "Determining keys associated with an issuer"), sorted by
// the key id of the certificate. The kid is the thumbprint of the key (RFC 7638). A key
// has x5c only if its certificate names the issuer's URL, as readers check that; a key
// with several certificates is there once for each.
func (l *List) SHCKeys(issuer string, lists CardLists) ([]byte, error) {
	keys := []jwk{}
	for _, entry := range l.Entries() {
		if !entry.Allows(UsageSHC) {
			continue
		}
		key, err := newJWK(entry)
		if err != nil {
			return nil, err
		}
		key.KID, key.X5T = key.thumbprint(), ""
		key.CRLVersion = lists.version(key.KID)
		if !namesURL(entry.DSC, issuer) {
			key.X5C = nil
		}
		if !slices.ContainsFunc(keys, func(k jwk) bool { return k.KID == key.KID && slices.Equal(k.X5C, key.X5C) }) {
			keys = append(keys, key)
		}
	}
	return encodeKeys(keys)
}

// CardLists gives the counter of the card revocation list of a key, by its thumbprint; false
// if there is no list. Nil: no key has one.
type CardLists func(thumbprint string) (uint64, bool)

// version is 0 where there is no list.
func (c CardLists) version(thumbprint string) uint64 {
	if c == nil {
		return 0
	}
	version, _ := c(thumbprint)
	return version
}

// cardVersions are the counters of the keys for SMART Health Cards.
func (l *List) cardVersions(lists CardLists) map[string]uint64 {
	versions := map[string]uint64{}
	for _, thumbprint := range l.cards {
		versions[thumbprint] = lists.version(thumbprint)
	}
	return versions
}

func encodeKeys(keys []jwk) ([]byte, error) {
	return encodeJSON(struct {
		Keys []jwk `json:"keys"`
	}{keys})
}

// thumbprint names a key on P-256 by what it is (RFC 7638 §3).
func (k jwk) thumbprint() string {
	members, _ := json.Marshal(struct { // strings always marshal
		CRV string `json:"crv"`
		KTY string `json:"kty"`
		X   string `json:"x"`
		Y   string `json:"y"`
	}{k.CRV, k.KTY, k.X, k.Y})
	sum := sha256.Sum256(members)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// namesURL reports whether a certificate has the URL as subject alternative name.
func namesURL(certificate *x509.Certificate, url string) bool {
	for _, uri := range certificate.URIs {
		if url != "" && uri.String() == url {
			return true
		}
	}
	return false
}

func newJWK(entry Entry) (jwk, error) {
	thumbprint := sha256.Sum256(entry.DSC.Raw)
	key := jwk{
		KID: base64.StdEncoding.EncodeToString(entry.KID),
		Use: "sig",
		X5C: []string{base64.StdEncoding.EncodeToString(entry.DSC.Raw)},
		X5T: base64.RawURLEncoding.EncodeToString(thumbprint[:]),
	}
	if entry.CSCA != nil {
		key.X5C = append(key.X5C, base64.StdEncoding.EncodeToString(entry.CSCA.Raw))
	}
	switch public := entry.DSC.PublicKey.(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 0x04, x, y
		if err != nil {
			return jwk{}, fmt.Errorf("trust: a listed key is not a point of its curve: %w", err)
		}
		half := len(point) / 2 // coordinates keep their leading zeros (RFC 7518 §6.2.1.2)
		key.KTY, key.CRV, key.Alg = "EC", public.Curve.Params().Name, "ES256"
		key.X = base64.RawURLEncoding.EncodeToString(point[1 : 1+half])
		key.Y = base64.RawURLEncoding.EncodeToString(point[1+half:])
	case *rsa.PublicKey:
		key.KTY, key.Alg = "RSA", "PS256"
		key.N = base64.RawURLEncoding.EncodeToString(public.N.Bytes())
		key.E = base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())
	default:
		return jwk{}, fmt.Errorf("trust: a listed key is neither EC nor RSA")
	}
	return key, nil
}

// AnchorsPEM writes the CSCAs as PEM (RFC 7468 §5), sorted by key id.
func (l *List) AnchorsPEM() []byte { return encodePEM(l.Anchors()) }

// SignersPEM writes the DSCs for HCERT content as PEM, sorted by key id. As in JWKS, keys
// for other purposes are not in it: nothing in the certificate of a key for documents, and
// nothing in PEM, keeps a reader from believing health certificates that it signed.
func (l *List) SignersPEM() []byte {
	var certificates []*x509.Certificate
	for _, entry := range l.Entries() {
		if entry.isHCERT() {
			certificates = append(certificates, entry.DSC)
		}
	}
	return encodePEM(certificates)
}

func encodePEM(certificates []*x509.Certificate) []byte {
	var out []byte
	for _, certificate := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return out
}
