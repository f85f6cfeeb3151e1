package trust

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
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
	X5C []string `json:"x5c"`
	X5T string   `json:"x5t#S256"`
}

// JWKS writes the keys of the list as a JWK set (RFC 7517 §5), sorted by key id. The
// kid is the HCERT key id in standard base64, as verifiers of health certificates look
// it up; x5c is the DSC and its CSCA. The same list gives the same bytes.
func (l *List) JWKS() ([]byte, error) {
	keys := []jwk{}
	for _, entry := range l.Entries() {
		key, err := newJWK(entry)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	raw, err := json.Marshal(struct {
		Keys []jwk `json:"keys"`
	}{keys})
	if err != nil {
		return nil, fmt.Errorf("trust: encode JWK set: %w", err)
	}
	return append(raw, '\n'), nil
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
		const half = 32              // coordinates keep their leading zeros (RFC 7518 §6.2.1.2)
		point, err := public.Bytes() // 0x04, x, y
		if err != nil || len(point) != 1+2*half {
			return jwk{}, fmt.Errorf("trust: a listed key is not a point of P-256")
		}
		key.KTY, key.CRV, key.Alg = "EC", "P-256", "ES256"
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
func (l *List) AnchorsPEM() []byte {
	var out []byte
	for _, csca := range l.Anchors() {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: csca.Raw})...)
	}
	return out
}
