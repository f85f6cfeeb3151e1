package audit

import (
	"fmt"
	"time"
)

// point is a checkpoint that was to be signed, or why it was not.
type point struct {
	Checkpoint
	err error
}

// state is the present state, not yet signed. Its entries are synced.
func (l *Log) state() Checkpoint {
	return Checkpoint{
		Origin: l.options.Origin, Size: l.seq, Bytes: l.length, Head: l.head.String(),
		Time: l.options.Clock().UTC().Truncate(time.Second),
	}
}

// checkpoint signs and stores the present state.
func (l *Log) checkpoint() error {
	c := l.state()
	return l.store(point{c, c.sign(l.options.Signer)})
}

// cover closes a segment that is long enough and sees to it that the entries come under a
// checkpoint: beside the writing as long as few are uncovered, else before anything goes on.
func (l *Log) cover() {
	if l.length-l.base.Bytes >= l.options.SegmentBytes && l.seq >= l.retryAt {
		l.rotate()
	}
	if l.uncovered() >= l.options.EveryN && l.seq >= l.retryAt {
		l.startSigning()
	}
	for l.uncovered() >= l.options.MaxUncovered && !l.broken.Load() {
		l.startSigning()
		_ = l.fail(l.awaitSigning()) // remembered: every later call refuses
	}
}

func (l *Log) uncovered() uint64 { return l.seq - l.last.Size }

// startSigning signs the present state in a goroutine of its own, one at a time.
func (l *Log) startSigning() {
	if l.signing != nil {
		return
	}
	c, done := l.state(), make(chan point, 1)
	l.signing = done
	go func() {
		err := c.sign(l.options.Signer)
		done <- point{c, err}
	}()
}

// awaitSigning stores the checkpoint that is being signed, if there is one.
func (l *Log) awaitSigning() error {
	if l.signing == nil {
		return nil
	}
	p := <-l.signing
	l.signing = nil
	return l.store(p)
}

// store appends a signed checkpoint. A signature that failed is tried again some entries
// later and is no failure of the log; a failed write is the end of it.
func (l *Log) store(p point) error {
	if p.err != nil {
		l.retryAt = l.seq + max(1, l.options.EveryN/10)
		l.options.Unsigned(p.err)
		return fmt.Errorf("audit: sign a checkpoint: %w", p.err)
	}
	if l.broken.Load() {
		return ErrBroken
	}
	if err := l.fail(l.writeCheckpoint(l.checkpoints, p.Checkpoint)); err != nil {
		return err
	}
	l.last, l.retryAt = p.Checkpoint, 0
	return nil
}

func (l *Log) writeCheckpoint(f file, c Checkpoint) error {
	b, err := c.Line()
	if err != nil {
		return err
	}
	return appendSynced(f, append(b, '\n'))
}

// finish brings what was written under a last checkpoint.
func (l *Log) finish() {
	_ = l.awaitSigning() // tried again below
	if !l.broken.Load() && l.uncovered() > 0 {
		_ = l.fail(l.checkpoint()) // remembered
	}
}
