package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// segment is a pair of files of a log that is being verified.
type segment struct {
	entries, checkpoints source
	closed               bool
}

// source is a file as it was when the log was looked at. Closed segments are opened when
// they are read: there may be more of them than a process may have files open.
type source struct {
	dir, name string
	open      *os.File // only of the open segment
	size      int64
	read      func(int)
}

// view is a log at one moment. A running signer may append and rotate meanwhile.
type view struct{ segments []segment }

func (w view) close() {
	for _, s := range w.segments {
		for _, f := range []*os.File{s.entries.open, s.checkpoints.open} {
			if f != nil {
				_ = f.Close() // only read
			}
		}
	}
}

// Size is the length of all files of the log in dir, to show how far Verify is.
func Size(dir string) (int64, error) {
	w, err := openView(dir, nil)
	if err != nil {
		return 0, err
	}
	defer w.close()
	var n int64
	for _, s := range w.segments {
		n += s.entries.size + s.checkpoints.size
	}
	return n, nil
}

// openView opens the open segment and lists the closed ones. When a rotation got between
// the two it looks again.
func openView(dir string, read func(int)) (view, error) {
	if read == nil {
		read = func(int) {}
	}
	for range 10 {
		before, err := closedSegments(dir)
		if err != nil {
			return view{}, err
		}
		w, err := openSegments(dir, before, read)
		if err != nil {
			w.close()
			return view{}, err
		}
		after, err := closedSegments(dir)
		if err == nil && slices.Equal(before, after) {
			return w, nil
		}
		w.close()
		if err != nil {
			return view{}, err
		}
	}
	return view{}, errors.New("audit: the log closes segments faster than they can be listed")
}

func openSegments(dir string, closed []uint64, read func(int)) (w view, err error) {
	// Checkpoints first: a running log may write more entries meanwhile, never fewer.
	active := segment{
		checkpoints: source{dir: dir, name: checkpointsFile, read: read},
		entries:     source{dir: dir, name: entriesFile, read: read},
	}
	if err := errors.Join(active.checkpoints.hold(), active.entries.hold()); err != nil {
		return view{[]segment{active}}, err
	}
	for _, first := range closed {
		s := segment{
			checkpoints: source{dir: dir, name: fmt.Sprintf(closedCheckpoints, first), read: read},
			entries:     source{dir: dir, name: fmt.Sprintf(closedEntries, first), read: read},
			closed:      true,
		}
		if err := errors.Join(s.checkpoints.measure(), s.entries.measure()); err != nil {
			return view{[]segment{active}}, err
		}
		w.segments = append(w.segments, s)
	}
	switch n := len(w.segments); {
	case n == 0 && active.entries.open == nil && active.checkpoints.open == nil:
		return w, fmt.Errorf("audit: open: %w: there is no log", fs.ErrNotExist)
	case active.entries.open == nil && active.checkpoints.open == nil: // an archive
	case n > 0 && active.entries.open == nil && w.segments[n-1].checkpoints.size < 0:
		w.segments[n-1].checkpoints = active.checkpoints // a crash got into the rotation
	default:
		w.segments = append(w.segments, active)
	}
	return w, nil
}

// hold opens a file of the open segment. One that is missing is empty, and what it lacks
// will be found.
func (s *source) hold() error {
	f, err := os.Open(filepath.Join(s.dir, s.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit: open: %w", bare(err))
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // only read
		return fmt.Errorf("audit: open: %w", bare(err))
	}
	s.open, s.size = f, info.Size()
	return nil
}

// measure looks at a file of a closed segment; one that is missing has a size of -1.
func (s *source) measure() error {
	info, err := os.Stat(filepath.Join(s.dir, s.name))
	if errors.Is(err, fs.ErrNotExist) {
		s.size = -1
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit: open: %w", bare(err))
	}
	s.size = info.Size()
	return nil
}

// eachLine calls use for each complete line, counting from 1, and returns the length of
// an incomplete last one. A line that is too long arrives cut.
func (s source) eachLine(use func(n uint64, text []byte) error) (torn int, err error) {
	f := s.open
	if f == nil {
		if s.size <= 0 {
			return 0, nil
		}
		if f, err = os.Open(filepath.Join(s.dir, s.name)); err != nil {
			return 0, fmt.Errorf("audit: open: %w", bare(err))
		}
		defer f.Close()
	}
	return eachLine(&counter{io.LimitReader(f, s.size), s.read}, use)
}

// counter tells how much was read.
type counter struct {
	io.Reader
	read func(int)
}

// Read reads and tells.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.read(n)
	return n, err
}

func eachLine(from io.Reader, use func(n uint64, text []byte) error) (torn int, err error) {
	r := bufio.NewReaderSize(from, maxLine+1)
	for n := uint64(1); ; n++ {
		text, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := use(n, text); err != nil { // cannot be canonical
				return 0, err
			}
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
			if err == nil {
				continue
			}
			text = nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return len(text), nil
		case err != nil:
			return 0, fmt.Errorf("audit: read: %w", bare(err))
		}
		if err := use(n, text[:len(text)-1]); err != nil {
			return 0, err
		}
	}
}
