package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

// The files of a log. A closed segment is the same pair of files named after the number of
// its first entry; the zeros make names sort by it.
const (
	entriesFile     = "audit.jsonl"
	checkpointsFile = "checkpoints.jsonl"
	lockFile        = "lock"

	closedEntries     = "audit-%012d.jsonl"
	closedCheckpoints = "checkpoints-%012d.jsonl"
	closedMode        = 0o400
)

var closedName = regexp.MustCompile(`^(?:audit|checkpoints)-(\d{12,20})\.jsonl$`)

// closedSegments returns the first entries of the closed segments in dir, in order.
func closedSegments(dir string) ([]uint64, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: read the directory: %w", bare(err))
	}
	var list []uint64
	for _, f := range all {
		m := closedName.FindStringSubmatch(f.Name())
		if m == nil {
			continue
		}
		first, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil || first == 0 {
			continue
		}
		list = append(list, first)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// rotate closes the open segment and begins the next. It needs a checkpoint over exactly
// the entries so far; while the key is away the segment grows on.
func (l *Log) rotate() {
	_ = l.awaitSigning() // tried again at once
	if l.broken.Load() || l.uncovered() > 0 && l.checkpoint() != nil {
		return
	}
	_ = l.fail(l.nextSegment()) // remembered: every later call refuses
}

// nextSegment moves the open files aside and starts new ones with the checkpoint that
// ended the old. A crash in between leaves what Open finishes.
func (l *Log) nextSegment() error {
	first := l.base.Size + 1
	for active, closed := range map[string]string{entriesFile: closedEntries, checkpointsFile: closedCheckpoints} {
		switch _, err := os.Lstat(filepath.Join(l.dir, fmt.Sprintf(closed, first))); {
		case err == nil:
			return fmt.Errorf("audit: a closed segment has the name that %s is about to get", active)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("audit: read the directory: %w", bare(err))
		}
	}
	if err := moveAside(l.dir, entriesFile, fmt.Sprintf(closedEntries, first)); err != nil {
		return err
	}
	if err := moveAside(l.dir, checkpointsFile, fmt.Sprintf(closedCheckpoints, first)); err != nil {
		return err
	}
	before := []file{l.entries, l.checkpoints}
	entries, checkpoints, err := openFiles(l.dir, l.options.openFile)
	if err != nil {
		return err
	}
	l.entries, l.checkpoints, l.base = entries, checkpoints, l.last
	for _, f := range before {
		if err := f.Close(); err != nil {
			return fmt.Errorf("audit: close: %w", bare(err))
		}
	}
	return l.writeCheckpoint(checkpoints, l.base)
}

// finishRotation completes what a crash interrupted between the two files of a segment.
func finishRotation(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, entriesFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	list, err := closedSegments(dir)
	if err != nil || len(list) == 0 {
		return err
	}
	first := list[len(list)-1]
	if _, err := os.Lstat(filepath.Join(dir, fmt.Sprintf(closedCheckpoints, first))); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err = moveAside(dir, checkpointsFile, fmt.Sprintf(closedCheckpoints, first))
	if errors.Is(err, fs.ErrNotExist) {
		return &ChainError{Reason: "the files of a closed segment are missing"}
	}
	return err
}

// moveAside gives a file of the open segment its name for good and makes it read-only.
func moveAside(dir, active, closed string) error {
	name := filepath.Join(dir, closed)
	if err := os.Rename(filepath.Join(dir, active), name); err != nil {
		var le *os.LinkError
		if errors.As(err, &le) {
			err = le.Err
		}
		return fmt.Errorf("audit: close a segment: %w", err)
	}
	if err := durable.SyncDir(dir); err != nil {
		return fmt.Errorf("audit: sync: %w", bare(err))
	}
	if err := os.Chmod(name, closedMode); err != nil {
		return fmt.Errorf("audit: close a segment: %w", bare(err))
	}
	return nil
}

// openFiles opens or creates the files of the open segment.
func openFiles(dir string, open func(name string) (file, error)) (entries, checkpoints file, err error) {
	if entries, err = open(filepath.Join(dir, entriesFile)); err != nil {
		return nil, nil, fmt.Errorf("audit: open: %w", bare(err))
	}
	checkpoints, err = open(filepath.Join(dir, checkpointsFile))
	if err == nil {
		if err = durable.SyncDir(dir); err == nil {
			return entries, checkpoints, nil
		}
		err = errors.Join(err, bare(checkpoints.Close()))
	}
	return nil, nil, errors.Join(fmt.Errorf("audit: open: %w", bare(err)), bare(entries.Close()))
}
