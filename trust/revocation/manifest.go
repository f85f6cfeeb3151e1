package revocation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Keys finds the keys that may sign a manifest; *trust.List does.
type Keys interface {
	Lookup(kid []byte) []trust.Entry
}

// Bounds of a signed manifest.
const (
	maxJWS    = 4 << 20 // characters
	maxHeader = 256     // characters
	maxSkew   = 5 * time.Minute
)

// Errors of VerifyManifest, beside those of revocation.ParseManifest.
var (
	ErrForm      = fault.New(fault.Malformed, "revocation-manifest-form", "The signed manifest is not a compact JWS in the documented form.")
	ErrSignature = fault.New(fault.Rule, "revocation-manifest-signature", "The manifest is not signed by a key of the trust list that may sign it.")
	ErrEarly     = fault.New(fault.Rule, "revocation-manifest-early", "The manifest comes from the future; compare the clocks.")
	// ErrStale reports a manifest beyond its next update: newer revocations are not in it.
	ErrStale = fault.New(fault.Rule, "revocation-stale", "The revocation lists are older than they say they may be.")
)

// jwsHeader is the whole header: nothing may be missing and nothing may be added.
type jwsHeader struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
	KID string `json:"kid"`
}

// VerifyManifest reads a signed manifest. The key must be on the trust list with the usage
// trustlist, in whatever state: the verifier's list may be from before the key became active.
// Both its certificates must have been valid when it signed, and at now the manifest must not
// come from the future. Whether it is stale is Stale's to say.
func VerifyManifest(jws []byte, keys Keys, now time.Time) (revocation.Manifest, error) {
	header, payload, signature, err := splitJWS(jws)
	if err != nil {
		return revocation.Manifest{}, err
	}
	kid, err := base64.StdEncoding.Strict().DecodeString(header.KID)
	if err != nil || header.Alg != "ES256" || header.Typ != revocation.ManifestType {
		return revocation.Manifest{}, ErrForm
	}
	entry, ok := signerOf(keys, kid, jws[:bytes.LastIndexByte(jws, '.')], signature)
	if !ok {
		return revocation.Manifest{}, ErrSignature
	}
	m, err := revocation.ParseManifest(payload) // strangers' bytes are not parsed further
	switch {
	case err != nil:
		return revocation.Manifest{}, err
	case !validAt(entry, m.IssuedAt), !slices.Contains(entry.DSC.Subject.Country, m.Country):
		return revocation.Manifest{}, ErrSignature // nobody speaks for the certificates of another country
	case now.Add(maxSkew).Before(m.IssuedAt):
		return revocation.Manifest{}, ErrEarly
	}
	return m, nil
}

// Stale gives ErrStale when a manifest is beyond its next update.
func Stale(m revocation.Manifest, now time.Time) error {
	if !now.Before(m.NextUpdate) {
		return ErrStale
	}
	return nil
}

// signerOf finds the key that made the signature among those that may.
func signerOf(keys Keys, kid, input, signature []byte) (trust.Entry, bool) {
	for _, entry := range keys.Lookup(kid) {
		if entry.Allows(trust.UsageTrustList) && verifyES256(entry, input, signature) {
			return entry, true
		}
	}
	return trust.Entry{}, false
}

func verifyES256(entry trust.Entry, input, signature []byte) bool {
	key, ok := entry.DSC.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256(input)
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

func validAt(entry trust.Entry, at time.Time) bool {
	inside := !at.Before(entry.DSC.NotBefore) && !at.After(entry.DSC.NotAfter)
	if entry.CSCA != nil {
		inside = inside && !at.Before(entry.CSCA.NotBefore) && !at.After(entry.CSCA.NotAfter)
	}
	return inside
}

// splitJWS takes the compact form apart (RFC 7515 §7.1).
func splitJWS(jws []byte) (header jwsHeader, payload, signature []byte, err error) {
	parts := bytes.SplitN(jws, []byte("."), 4)
	if len(jws) > maxJWS || len(parts) != 3 || len(parts[0]) > maxHeader {
		return jwsHeader{}, nil, nil, ErrForm
	}
	var raw [3][]byte
	for i, part := range parts {
		raw[i], err = base64.RawURLEncoding.Strict().AppendDecode(nil, part)
		if err != nil || len(part) != base64.RawURLEncoding.EncodedLen(len(raw[i])) { // Go skips line feeds
			return jwsHeader{}, nil, nil, ErrForm
		}
	}
	if strictjson.Check(raw[0], 1) != nil || json.Unmarshal(raw[0], &header, json.RejectUnknownMembers(true)) != nil {
		return jwsHeader{}, nil, nil, ErrForm
	}
	return header, raw[1], raw[2], nil
}
