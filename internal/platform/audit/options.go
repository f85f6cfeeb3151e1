package audit

import (
	"crypto"
	"errors"
	"strings"
	"time"
	"unicode"
)

// Options of a log.
type Options struct {
	Origin string             // names this log in its checkpoints; required, no control characters
	Signer crypto.Signer      // signs checkpoints, Ed25519 or ECDSA; required; used by one goroutine at a time
	Former []crypto.PublicKey // earlier signers, to open a log after a change of the key
	Clock  func() time.Time   // default time.Now

	EveryN uint64 // entries between checkpoints; default 1000
	// MaxUncovered is how many entries may stand behind the last checkpoint while its key is
	// away, give or take one group: with more the log stops. Default and least EveryN: the log
	// stops at the first signature that fails.
	MaxUncovered uint64
	// Unsigned hears of each failed signature of a checkpoint, from the goroutine that
	// writes. Default: nobody.
	Unsigned func(error)
	// SegmentBytes is the length of the entries from which on a segment is closed; default
	// 256 MiB.
	SegmentBytes int64

	openFile func(name string) (file, error)
}

func checkOptions(o *Options) error {
	if o.Origin == "" || len(o.Origin) > maxField || strings.ContainsFunc(o.Origin, unicode.IsControl) {
		return errors.New("audit: the origin must be a short text without control characters")
	}
	if o.Signer == nil {
		return errors.New("audit: a signer for checkpoints is required")
	}
	if _, err := keyID(o.Signer.Public()); err != nil {
		return err
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.EveryN == 0 {
		o.EveryN = 1000
	}
	o.MaxUncovered = max(o.MaxUncovered, o.EveryN)
	if o.Unsigned == nil {
		o.Unsigned = func(error) {}
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 256 << 20
	}
	return nil
}
