package keystore

import (
	"context"
	"crypto/sha256"
	"io"

	"github.com/veraison/go-cose"
)

// COSE gives the key as go-cose wants one. Its signatures are not verified here; see Sign.
func (k Key) COSE(ctx context.Context) cose.Signer { return coseSigner{ctx, k} }

// coseSigner signs a Sig_structure (RFC 9052 §4.4). It carries a context because
// cose.Signer has no place for one; it lives as long as one signature.
type coseSigner struct {
	ctx context.Context
	key Key
}

func (coseSigner) Algorithm() cose.Algorithm { return cose.AlgorithmES256 }

func (s coseSigner) Sign(_ io.Reader, content []byte) ([]byte, error) {
	signature, err := s.key.Sign(s.ctx, sha256.Sum256(content))
	if err != nil {
		return nil, err
	}
	return signature[:], nil
}
