package transaction

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// digests lends keyed hashes: making one costs more than using it on a usual body.
type digests struct{ pool sync.Pool }

func newDigests(key []byte) *digests {
	return &digests{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (d *digests) take() hash.Hash {
	h, _ := d.pool.Get().(hash.Hash) // the pool has nothing else
	h.Reset()
	return h
}

// Meter measures one body as it passes. It is not safe for concurrent use, and of no use
// after its record was taken.
type Meter struct {
	digests *digests
	size    int64
	digest  hash.Hash // nil before the first byte
	keep    bool
	over    bool
	kept    []byte
}

// Write takes bytes that passed; it cannot fail.
func (m *Meter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if m.digest == nil {
		m.digest = m.digests.take()
	}
	m.size += int64(len(p))
	m.digest.Write(p)
	switch {
	case !m.keep || m.over:
	case m.size > MaxBody:
		m.over, m.kept = true, nil
	default:
		m.kept = append(m.kept, p...)
	}
	return len(p), nil
}

// body ends the measuring and describes what passed. withheld says that it may not be kept.
func (m *Meter) body(withheld bool) Body {
	b := Body{Size: m.size}
	if m.digest == nil {
		return b
	}
	b.Digest = hex.EncodeToString(m.digest.Sum(nil))
	m.digests.pool.Put(m.digest)
	m.digest = nil
	switch {
	case !m.keep:
	case withheld:
		b.Kept = BodyWithheld
	case m.over:
		b.Kept = BodyTooLarge
	default:
		b.Kept = BodySealed
	}
	return b
}
