package reader

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

const (
	maxKeySet = 1 << 20
	maxKeys   = 256
)

// Key is one usable key of an issuer's JWK set.
type Key struct {
	KID        string
	Public     *ecdsa.PublicKey
	CRLVersion int64  // counter of the revocation list for cards under this key; 0: there is none
	Issuer     string // the URL in the certificate of the key, which must equal iss; "" without x5c
}

// jwk has the members of one key as they came.
type jwk map[string]json.RawMessage

// text gives a member that must be a string; "" if it is none.
func (k jwk) text(name string) string {
	var text string
	if json.Unmarshal(k[name], &text) != nil {
		return ""
	}
	return text
}

// CheckKeys reads an issuer's JWK set (SMART Health Cards Framework, "Determining keys
// associated with an issuer"). It gives the keys that break no rule, and what is wrong
// with the others; every Problem is an error. Several entries may share a key when it has
// several certificates. Whether a certificate chain leads to a trusted root and has not
// expired is decided above.
func CheckKeys(jwks []byte) ([]Key, []Problem) {
	c := &checker{}
	list, detail := keySet(jwks)
	if detail != "" {
		c.fail(RuleJWKS, "", detail)
	}
	var keys []Key
	for i, raw := range list {
		before := len(c.problems)
		key := c.checkKey(fmt.Sprintf("keys[%d]", i), raw)
		if len(c.problems) == maxProblems {
			break // the problems of this or a later key may not have been noted
		}
		if len(c.problems) == before {
			keys = append(keys, key)
		}
	}
	return keys, c.problems
}

func keySet(raw []byte) (keys []jwk, problem string) {
	if len(raw) > maxKeySet {
		return nil, "the key set is larger than 1 MiB"
	}
	if strictjson.Check(raw, maxDepth) != nil {
		return nil, "the key set is not one JSON value without repeated names"
	}
	var set map[string]json.RawMessage
	if json.Unmarshal(raw, &set) != nil || json.Unmarshal(set["keys"], &keys) != nil || len(keys) == 0 || len(keys) > maxKeys {
		return nil, "the key set must be an object with 1 to 256 keys"
	}
	return keys, ""
}

func (c *checker) checkKey(path string, raw jwk) Key {
	for _, rule := range []struct {
		rule       Rule
		name, want string
	}{
		{RuleKeyType, "kty", "EC"}, {RuleKeyUse, "use", "sig"}, {RuleKeyAlg, "alg", "ES256"}, {RuleKeyCurve, "crv", "P-256"},
	} {
		if raw.text(rule.name) != rule.want {
			c.fail(rule.rule, path+"."+rule.name, "must be "+rule.want)
		}
	}
	if _, private := raw["d"]; private {
		c.fail(RulePrivateKey, path+".d", "the private key is published; revoke the key")
	}
	key := Key{KID: raw.text("kid")}
	c.setPoint(path, raw, &key)
	if version, present := raw["crlVersion"]; present {
		if json.Unmarshal(version, &key.CRLVersion) != nil || key.CRLVersion < 1 {
			c.fail(RuleCRLVersion, path+".crlVersion", "must be an integer from 1")
		}
	}
	if chain, present := raw["x5c"]; present {
		c.checkChain(path+".x5c", chain, &key)
	}
	return key
}

// setPoint reads the key itself and compares its name with its thumbprint.
func (c *checker) setPoint(path string, raw jwk, key *Key) {
	x, okX := coordinate(raw.text("x"))
	y, okY := coordinate(raw.text("y"))
	if !okX || !okY {
		c.fail(RuleKeyPoint, path, "x and y must be 32 bytes in base64url each")
		return
	}
	point := append(append([]byte{4}, x...), y...)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		c.fail(RuleKeyPoint, path, "x and y must be a point of P-256")
		return
	}
	key.Public = public
	if key.KID != thumbprint(raw.text("x"), raw.text("y")) {
		c.fail(RuleKID, path+".kid", "must be the SHA-256 thumbprint of the key in base64url (RFC 7638)")
	}
}

func coordinate(text string) ([]byte, bool) {
	if !isBase64URL(text) {
		return nil, false
	}
	content, err := base64URL.DecodeString(text)
	return content, err == nil && len(content) == half
}

// thumbprint is the name of a key with these coordinates (RFC 7638 §3.1).
func thumbprint(x, y string) string {
	var jwk bytes.Buffer
	for _, part := range []string{`{"crv":"P-256","kty":"EC","x":"`, x, `","y":"`, y, `"}`} {
		jwk.WriteString(part)
	}
	digest := sha256.Sum256(jwk.Bytes())
	return base64URL.EncodeToString(digest[:])
}
