package revocation

import (
	"crypto/sha256"
	"encoding/base64"
)

// HashSize is the length of the hashes on all lists, in bytes.
const HashSize = 16

// Hash identifies a revoked certificate: the first 16 bytes of a SHA-256. The zero value
// means that there is none.
type Hash [HashSize]byte

// IsZero reports whether there is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// Base64 is the hash as batches and lists write it: standard alphabet, padded, 24 characters.
func (h Hash) Base64() string { return base64.StdEncoding.EncodeToString(h[:]) }

// HashType says what a hash is of, in the words of the EU's batch lists.
type HashType string

// The hash types. HashRID is ours and in filters alone: the revocation id of a SMART Health
// Card under its key.
const (
	HashSignature  HashType = "SIGNATURE"
	HashUCI        HashType = "UCI"
	HashCountryUCI HashType = "COUNTRYCODEUCI"
	HashRID        HashType = "RID"
)

// ListedTypes gives the hash types of batches and slices, in the order of the slices.
func ListedTypes() []HashType { return []HashType{HashSignature, HashUCI, HashCountryUCI} }

// Lengths of the signatures that are hashed, in bytes.
const (
	sizeES256 = 64
	minRSA    = 256 // 2048 bits
	maxRSA    = 512 // 4096 bits
)

// SignatureHash is the hash of type SIGNATURE. Of an ES256 signature, which is r and s, it
// takes r alone: anybody can turn s into another that verifies. Of a PS256 signature it takes
// all. The signature is the raw one of the COSE message, of the JWS or of the seal. Another
// algorithm, or a signature of another length than the algorithm's, gives no hash.
func SignatureHash(alg string, signature []byte) Hash {
	switch {
	case alg == "ES256" && len(signature) == sizeES256:
		return shorten(signature[:sizeES256/2])
	case alg == "PS256" && len(signature) >= minRSA && len(signature) <= maxRSA:
		return shorten(signature)
	}
	return Hash{}
}

// UCIHash is the hash of type UCI: of the certificate identifier exactly as it stands in the
// certificate, with its prefix and its checksum. The UVCI or UTCI of a VDS-NC goes the same
// way. No identifier gives no hash.
func UCIHash(ci string) Hash {
	if ci == "" {
		return Hash{}
	}
	return shorten([]byte(ci))
}

// CountryUCIHash is the hash of type COUNTRYCODEUCI: of the issuing country (alpha-2, the
// issuer of the CWT) directly followed by the identifier. If one is missing there is no hash.
func CountryUCIHash(country, ci string) Hash {
	if country == "" || ci == "" {
		return Hash{}
	}
	return shorten([]byte(country + ci))
}

// RIDHash stands for a revocation id in filters: of the thumbprint of the card's key, a dot
// and the id without its timestamp. If one is missing there is no hash.
func RIDHash(shcKID, rid string) Hash {
	if shcKID == "" || rid == "" {
		return Hash{}
	}
	return shorten([]byte(shcKID + "." + rid))
}

func shorten(content []byte) Hash {
	sum := sha256.Sum256(content)
	return Hash(sum[:HashSize])
}
