package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// Errors of a log.
var (
	ErrLocked = errors.New("audit: another process holds the log")
	ErrClosed = errors.New("audit: the log is closed")
	ErrBroken = errors.New("audit: the log stopped after a failure; open it again")
)

// file is what the log does with its two files.
type file interface {
	Write([]byte) (int, error)
	WriteAt([]byte, int64) (int, error)
	ReadAt([]byte, int64) (int, error)
	Truncate(int64) error
	Sync() error
	Close() error
	Stat() (os.FileInfo, error)
}

const (
	maxGroup      = 1024    // entries that share a sync
	maxGroupBytes = 1 << 20 // of their lines, more by at most one line
)

// Log is an open log. It is safe for concurrent use.
type Log struct {
	dir         string
	options     Options
	entries     file
	checkpoints file
	unlock      func() error

	mu     sync.RWMutex // held for reading while an append goes into the queue
	closed bool
	queue  chan *pending
	done   chan struct{}
	broken atomic.Bool
	result error // of Close
	once   sync.Once

	// Only the writing goroutine uses these after Open.
	seq     uint64
	head    digest
	length  int64      // of all lines, those of closed segments included
	base    Checkpoint // where the open segment begins
	last    Checkpoint // the last one stored
	signing chan point // nil while no signature is under way
	retryAt uint64     // after a failed signature: no further one before this entry
}

// pending is an entry on its way.
type pending struct {
	line    line
	claimed atomic.Bool // by the writer, or by the caller to give it up
	receipt Receipt
	result  chan error
}

// Append writes e and returns when it is durable. When ctx ends while e still waits,
// nothing is written and the error is ctx.Err(). After any error but that, *EntryError
// and ErrClosed the entry may or may not be found in the log when it is opened again.
func (l *Log) Append(ctx context.Context, e Entry) (Receipt, error) {
	text, err := check(e, l.options.Clock())
	if err != nil {
		return Receipt{}, err
	}
	p := &pending{line: text, result: make(chan error, 1)}
	if err := l.enter(ctx, p); err != nil {
		return Receipt{}, err
	}
	select {
	case err = <-p.result:
	case <-ctx.Done():
		if p.claimed.CompareAndSwap(false, true) {
			return Receipt{}, ctx.Err()
		}
		err = <-p.result
	}
	if err != nil {
		return Receipt{}, err
	}
	return p.receipt, nil
}

func (l *Log) enter(ctx context.Context, p *pending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.closed:
		return ErrClosed
	case l.broken.Load():
		return ErrBroken
	}
	select {
	case l.queue <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what is waiting and a last checkpoint and releases the directory. It
// returns the first failure of the log's life, if there was one.
func (l *Log) Close() error {
	l.once.Do(func() {
		l.mu.Lock()
		l.closed = true
		close(l.queue)
		l.mu.Unlock()
		<-l.done
		l.finish()
		l.result = errors.Join(l.result, bare(l.entries.Close()), bare(l.checkpoints.Close()), l.unlock())
	})
	return l.result
}

// run is the writing goroutine.
func (l *Log) run() {
	defer close(l.done)
	for {
		select {
		case p, open := <-l.queue:
			if !open {
				return
			}
			if !p.claimed.CompareAndSwap(false, true) {
				continue
			}
			// The callers answered last are about to come back: let them run first.
			runtime.Gosched()
			l.write(p)
		case p := <-l.signing:
			l.signing = nil
			_ = l.store(p) // a failure is kept and answered with the next entry
		}
	}
}

// write takes p and what else is waiting, writes the lines with one write and one sync,
// and answers.
func (l *Log) write(p *pending) {
	var group []*pending
	var text []byte
	seq, head := l.seq, l.head
	for ; p != nil; p = l.waiting(len(group), len(text)) {
		p.line.Seq, p.line.Prev = seq+1, head.String()
		b := p.line.encode()
		seq, head = seq+1, sha256.Sum256(b)
		p.receipt = Receipt{Seq: seq, Hash: append([]byte(nil), head[:]...)}
		text = append(append(text, b...), '\n')
		group = append(group, p)
	}
	err := l.persist(text)
	if err == nil {
		l.seq, l.head = seq, head
		l.length += int64(len(text))
	}
	for _, p := range group {
		p.result <- err
	}
	if err == nil {
		l.cover()
	}
}

// waiting takes one more entry if there is one and the group has room.
func (l *Log) waiting(entries, bytes int) *pending {
	for entries < maxGroup && bytes < maxGroupBytes {
		select {
		case p, open := <-l.queue:
			if !open {
				return nil
			}
			if p.claimed.CompareAndSwap(false, true) {
				return p
			}
		default:
			return nil
		}
	}
	return nil
}

// persist appends text to the entries and syncs. The first failure is the last attempt.
func (l *Log) persist(text []byte) error {
	if l.broken.Load() {
		return ErrBroken
	}
	return l.fail(appendSynced(l.entries, text))
}

// fail stops the log when err is not nil. The first failure is the one that is kept.
func (l *Log) fail(err error) error {
	if err == nil {
		return nil
	}
	if !l.broken.Swap(true) {
		l.result = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return l.result
}

func appendSynced(f file, b []byte) error {
	if _, err := f.Write(b); err != nil {
		return fmt.Errorf("audit: write: %w", bare(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("audit: sync: %w", bare(err))
	}
	return nil
}

// bare strips the path from a file error.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
