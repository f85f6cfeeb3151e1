package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// One signature in keptSignature is verified after the rounds.
const keptSignature = 32

// signatures makes signatures of digests that all differ, one a call as certificates are
// signed, and keeps some to be verified.
type signatures struct {
	key    keystore.Key
	public *ecdsa.PublicKey
	made   atomic.Uint64

	mu   sync.Mutex
	kept []signedDigest
}

type signedDigest struct {
	digest    keystore.Digest
	signature keystore.Signature
}

// sign makes the next signature.
func (s *signatures) sign(ctx context.Context) error {
	n := s.made.Add(1)
	var digest keystore.Digest
	binary.BigEndian.PutUint64(digest[:], n)
	signature, err := s.key.Sign(ctx, digest)
	if err != nil {
		return err
	}
	if n%keptSignature == 0 {
		s.mu.Lock()
		s.kept = append(s.kept, signedDigest{digest, signature})
		s.mu.Unlock()
	}
	return nil
}

// verifySignatures verifies what was kept and forgets it; it gives how many there were.
func verifySignatures(all ...*signatures) (checked int, err error) {
	for _, s := range all {
		s.mu.Lock()
		kept := s.kept
		s.kept = nil
		s.mu.Unlock()
		for _, k := range kept {
			if !ecdsa.VerifyASN1(s.public, k.digest[:], k.signature.ASN1()) {
				return checked, errors.New("a signature does not verify")
			}
			checked++
		}
		if len(kept) == 0 {
			return checked, errors.New("no signature was kept to be verified")
		}
	}
	return checked, nil
}

// durations collects from several goroutines.
type durations struct {
	mu  sync.Mutex
	all []time.Duration
}

func (d *durations) add(one time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

// batchWaits collects what a coalescing store observes.
type batchWaits struct {
	mu  sync.Mutex
	now waitsOfBatches
}

// waitsOfBatches holds a wait for every digest: that of the first of its batch, which is
// the longest.
type waitsOfBatches struct {
	batches int
	waits   []time.Duration
}

// observe is told of every batch.
func (w *batchWaits) observe(digests int, wait, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.batches++
	for range digests {
		w.now.waits = append(w.now.waits, wait)
	}
}

// take gives what came since it was last asked.
func (w *batchWaits) take() waitsOfBatches {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.now
	w.now = waitsOfBatches{}
	return taken
}

// size is the average of digests in a batch.
func (w waitsOfBatches) size() float64 { return float64(len(w.waits)) / float64(max(w.batches, 1)) }
