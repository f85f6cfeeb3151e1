package audit

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Checkpoint is a signed statement about the first Size entries of a log.
type Checkpoint struct {
	Origin    string    `json:"origin"` // which log
	Size      uint64    `json:"size"`   // number of entries
	Bytes     int64     `json:"bytes"`  // length of their lines, line feeds included
	Head      string    `json:"head"`   // hex SHA-256 of the last line; 64 zeros when empty
	Time      time.Time `json:"time"`
	KeyID     string    `json:"key"`       // hex, first 8 bytes of SHA-256 of the SubjectPublicKeyInfo
	Signature []byte    `json:"signature"` // Ed25519, or ECDSA in ASN.1 over SHA-256
}

// message is what is signed: a label of its own, so that no other signature of the same
// key can pass for a checkpoint, then one field a line. Origin holds no control character.
func (c Checkpoint) message() []byte {
	return fmt.Appendf(nil, "trusted-party audit checkpoint 1\n%s\n%d\n%d\n%s\n%s\n%s\n",
		c.Origin, c.Size, c.Bytes, c.Head, c.Time.Format(time.RFC3339), c.KeyID)
}

// head is the digest of the last line.
func (c Checkpoint) head() (digest, bool) {
	b, err := hex.DecodeString(c.Head)
	if err != nil || len(b) != sha256.Size {
		return digest{}, false
	}
	return digest(b), true
}

// sign fills KeyID and Signature.
func (c *Checkpoint) sign(signer crypto.Signer) error {
	id, err := keyID(signer.Public())
	if err != nil {
		return err
	}
	c.KeyID = id
	switch signer.Public().(type) {
	case ed25519.PublicKey:
		c.Signature, err = signer.Sign(rand.Reader, c.message(), crypto.Hash(0))
	default:
		sum := sha256.Sum256(c.message())
		c.Signature, err = signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	return err
}

// verify checks the signature against the key among keys that KeyID names.
func (c Checkpoint) verify(keys []crypto.PublicKey) error {
	for _, key := range keys {
		id, err := keyID(key)
		if err != nil {
			return err
		}
		if id != c.KeyID {
			continue
		}
		if !valid(key, c.message(), c.Signature) {
			return errors.New("audit: the signature of a checkpoint is wrong")
		}
		return nil
	}
	return errors.New("audit: a checkpoint is signed with an unknown key")
}

func valid(key crypto.PublicKey, message, signature []byte) bool {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(k, sum[:], signature)
	}
	return false
}

// keyID also refuses the kinds of keys this package cannot verify.
func keyID(key crypto.PublicKey) (string, error) {
	switch key.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
	default:
		return "", errors.New("audit: checkpoint keys are Ed25519 or ECDSA")
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", errors.New("audit: a checkpoint key is not usable")
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:8]), nil
}

// readCheckpoints returns the checkpoints in b and the length of their complete lines.
// It checks form and order; signatures are the caller's.
func readCheckpoints(b []byte) ([]Checkpoint, int64, error) {
	var list []Checkpoint
	var length int64
	for {
		text, rest, complete := bytes.Cut(b, []byte{'\n'})
		if !complete {
			return list, length, nil
		}
		var c Checkpoint
		if err := canonical(text, &c); err != nil {
			return list, length, fmt.Errorf("audit: checkpoint %d cannot be read", len(list)+1)
		}
		if n := len(list); n > 0 && (c.Size < list[n-1].Size || c.Bytes < list[n-1].Bytes || c.Origin != list[n-1].Origin) {
			return list, length, fmt.Errorf("audit: checkpoint %d does not follow the one before", n+1)
		}
		list = append(list, c)
		length += int64(len(text)) + 1
		b = rest
	}
}
