package audit

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ChainError says that the log is not what its chain and checkpoints say. Entry is the
// number of an entry; 0 means that checkpoints.jsonl is at fault.
type ChainError struct {
	Entry  uint64
	Reason string
}

// Error names the entry and the reason.
func (e *ChainError) Error() string {
	if e.Entry == 0 {
		return "audit: checkpoints: " + e.Reason
	}
	return fmt.Sprintf("audit: entry %d: %s", e.Entry, e.Reason)
}

// Open opens or creates the log in dir, which must exist, verifies the open segment from
// its last checkpoint on, cuts off an incomplete last line, and signs a checkpoint.
// Errors: ErrLocked; *ChainError when the log was damaged, run Verify then.
func Open(dir string, o Options) (*Log, error) {
	if err := checkOptions(&o); err != nil {
		return nil, err
	}
	if o.openFile == nil {
		o.openFile = openFile
	}
	unlock, err := lock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	l := &Log{dir: dir, options: o, unlock: unlock, queue: make(chan *pending, maxGroup), done: make(chan struct{})}
	if err := l.open(); err != nil {
		for _, f := range []file{l.entries, l.checkpoints} {
			if f != nil {
				err = errors.Join(err, f.Close())
			}
		}
		return nil, errors.Join(err, unlock())
	}
	go l.run()
	return l, nil
}

func (l *Log) open() (err error) {
	if err := finishRotation(l.dir); err != nil {
		return err
	}
	if l.entries, l.checkpoints, err = openFiles(l.dir, l.options.openFile); err != nil {
		return err
	}
	if err := l.resume(); err != nil {
		return err
	}
	if err := l.readTail(); err != nil {
		return err
	}
	return l.checkpoint()
}

// resume starts from the last checkpoint.
func (l *Log) resume() error {
	text, err := readAll(l.checkpoints)
	if err != nil {
		return err
	}
	list, length, err := readCheckpoints(text)
	if err != nil {
		return chainError(err)
	}
	if length < int64(len(text)) {
		if err := cut(l.checkpoints, length); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		if list, err = l.inherit(); err != nil || len(list) == 0 {
			return err
		}
	}
	l.base, l.last = list[0], list[len(list)-1]
	for _, c := range []Checkpoint{l.base, l.last} {
		if err := l.trust(c); err != nil {
			return err
		}
	}
	return l.resumeAt(l.last)
}

// inherit begins the open segment with the last checkpoint of the closed one before it: a
// crash kept rotation from doing so. There is none in a new log.
func (l *Log) inherit() ([]Checkpoint, error) {
	closed, err := closedSegments(l.dir)
	if err != nil || len(closed) == 0 {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(l.dir, fmt.Sprintf(closedCheckpoints, closed[len(closed)-1])))
	if err != nil {
		return nil, fmt.Errorf("audit: read: %w", bare(err))
	}
	list, _, err := readCheckpoints(text)
	if err != nil {
		return nil, chainError(err)
	}
	if len(list) == 0 {
		return nil, &ChainError{Reason: "those of the last closed segment are missing"}
	}
	last := list[len(list)-1]
	if err := l.trust(last); err != nil {
		return nil, err
	}
	return []Checkpoint{last}, l.writeCheckpoint(l.checkpoints, last)
}

// trust checks that c is a checkpoint of this log.
func (l *Log) trust(c Checkpoint) error {
	if err := c.verify(append([]crypto.PublicKey{l.options.Signer.Public()}, l.options.Former...)); err != nil {
		return chainError(err)
	}
	if c.Origin != l.options.Origin {
		return &ChainError{Reason: "they belong to a log of another origin"}
	}
	return nil
}

// resumeAt takes the state of a checkpoint over, after a look at the entry it names.
func (l *Log) resumeAt(c Checkpoint) error {
	head, ok := c.head()
	if !ok {
		return &ChainError{Reason: "a head is not a digest"}
	}
	l.seq, l.length, l.head = c.Size, c.Bytes, head
	if c.Size == l.base.Size {
		return nil
	}
	text, err := l.lineBefore(c.Bytes-l.base.Bytes, c.Size)
	if err != nil {
		return err
	}
	if entry, err := decode(text); err != nil || entry.Seq != c.Size || sha256.Sum256(text) != l.head {
		return &ChainError{Entry: c.Size, Reason: "is not the entry the last checkpoint was signed over"}
	}
	return nil
}

func chainError(err error) error {
	return &ChainError{Reason: strings.TrimPrefix(err.Error(), "audit: ")}
}

// lineBefore returns the line that ends at offset end, which is the line with number n.
func (l *Log) lineBefore(end int64, n uint64) ([]byte, error) {
	start := max(0, end-maxLine-1)
	b := make([]byte, end-start)
	if _, err := l.entries.ReadAt(b, start); errors.Is(err, io.EOF) {
		return nil, &ChainError{Entry: n, Reason: "is missing; the log is shorter than its last checkpoint"}
	} else if err != nil {
		return nil, fmt.Errorf("audit: read: %w", bare(err))
	}
	b = bytes.TrimSuffix(b, []byte{'\n'})
	return b[bytes.LastIndexByte(b, '\n')+1:], nil
}

// readTail verifies the entries behind the last checkpoint. It writes them once more in
// their place: an earlier sync that failed may have left them in memory alone.
func (l *Log) readTail() error {
	info, err := l.entries.Stat()
	if err != nil {
		return fmt.Errorf("audit: read: %w", bare(err))
	}
	at := l.length - l.base.Bytes
	r := bufio.NewReaderSize(io.NewSectionReader(l.entries, at, info.Size()-at), maxLine+1)
	for {
		b, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return l.finishTail(info.Size())
		case errors.Is(err, bufio.ErrBufferFull):
			return &ChainError{Entry: l.seq + 1, Reason: "is too long"}
		case err != nil:
			return fmt.Errorf("audit: read: %w", bare(err))
		}
		text := b[:len(b)-1]
		entry, err := decode(text)
		if err != nil {
			return &ChainError{Entry: l.seq + 1, Reason: "is not an entry in canonical form"}
		}
		if entry.Seq != l.seq+1 || entry.Prev != l.head.String() {
			return &ChainError{Entry: l.seq + 1, Reason: "does not continue the chain"}
		}
		head := sha256.Sum256(text)
		if _, err := l.entries.WriteAt(b, l.length-l.base.Bytes); err != nil {
			return fmt.Errorf("audit: write: %w", bare(err))
		}
		l.seq, l.head, l.length = entry.Seq, head, l.length+int64(len(b))
	}
}

// finishTail cuts an incomplete last line off and syncs.
func (l *Log) finishTail(size int64) error {
	if end := l.length - l.base.Bytes; size > end {
		return cut(l.entries, end)
	}
	if err := l.entries.Sync(); err != nil {
		return fmt.Errorf("audit: sync: %w", bare(err))
	}
	return nil
}

func cut(f file, length int64) error {
	if err := f.Truncate(length); err != nil {
		return fmt.Errorf("audit: truncate: %w", bare(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("audit: sync: %w", bare(err))
	}
	return nil
}

// appendFile writes at the end of what was read, not at the end of the file: Go forbids
// WriteAt on files opened for appending, and the lock keeps others away.
type appendFile struct{ *os.File }

// Write appends.
func (f appendFile) Write(b []byte) (int, error) {
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func openFile(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return appendFile{f}, nil
}

func readAll(f file) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("audit: read: %w", bare(err))
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("audit: read: %w", bare(err))
	}
	return b, nil
}
