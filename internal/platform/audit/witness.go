package audit

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxCheckpointFile bounds what ParseCheckpoint reads of a file.
const maxCheckpointFile = 64 << 20

// LastCheckpoint returns the latest checkpoint of the log in dir. Kept where nobody who
// can write to dir can reach it, it later shows as Check.Witness that nothing was cut off.
func LastCheckpoint(dir string, keys ...crypto.PublicKey) (Checkpoint, error) {
	w, err := openView(dir, nil)
	if err != nil {
		return Checkpoint{}, err
	}
	defer w.close()
	for _, s := range slices.Backward(w.segments) {
		var last Checkpoint
		_, err := s.checkpoints.eachLine(func(n uint64, text []byte) error {
			if err := canonical(text, &last); err != nil {
				return fmt.Errorf("audit: %s, line %d: cannot be read", s.checkpoints.name, n)
			}
			return nil
		})
		if err != nil {
			return Checkpoint{}, err
		}
		if last.KeyID != "" {
			return last, last.verify(keys)
		}
	}
	return Checkpoint{}, errors.New("audit: there is no checkpoint")
}

// ParseCheckpoint reads a checkpoint that was kept: one line, or the last of a file of
// checkpoints. Its signature is checked where it is used.
func ParseCheckpoint(b []byte) (Checkpoint, error) {
	if len(b) > maxCheckpointFile {
		return Checkpoint{}, errors.New("audit: that is too long for checkpoints")
	}
	b = bytes.TrimRight(b, "\r\n")
	text := b[bytes.LastIndexByte(b, '\n')+1:]
	var c Checkpoint
	if err := canonical(text, &c); err != nil || c.KeyID == "" {
		return Checkpoint{}, errors.New("audit: the last line is not a checkpoint")
	}
	return c, nil
}

// Line is the checkpoint as it stands in the log and as ParseCheckpoint reads it.
func (c Checkpoint) Line() ([]byte, error) { return json.Marshal(c) }
