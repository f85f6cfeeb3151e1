package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small closes a segment after five entries or so and covers every second.
func small() Options {
	o := options()
	o.EveryN, o.SegmentBytes = 2, 1400
	return o
}

// rotated is a log of n entries in several segments, closed as a signer closes it.
func rotated(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, dir, small())
	add(t, l, n)
	closed(t, l)
	return dir
}

func segmentsOf(t testing.TB, dir string) []uint64 {
	t.Helper()
	list, err := closedSegments(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSegmentsAreOneLog(t *testing.T) {
	t.Parallel()
	const n = 33
	dir := rotated(t, n)
	closedOnes := segmentsOf(t, dir)
	if len(closedOnes) < 4 || closedOnes[0] != 1 {
		t.Fatalf("closed segments %v, want some from entry 1", closedOnes)
	}
	for _, first := range closedOnes {
		for _, name := range []string{closedEntries, closedCheckpoints} {
			if info, err := os.Stat(filepath.Join(dir, fmt.Sprintf(name, first))); err != nil || info.Mode().Perm() != 0o400 {
				t.Errorf("segment %d: %v, %v; want read-only", first, info, err)
			}
		}
	}
	var seen []uint64
	check := Check{Keys: keys(), Visit: func(r Record) error { seen = append(seen, r.Seq); return nil }}
	r, err := check.Verify(dir)
	if err != nil || !r.OK() || r.Entries != n || r.Covered != n || r.First != 1 || r.Segments != len(closedOnes)+1 {
		t.Errorf("report %+v, %v", r, err)
	}
	if len(seen) != n || !slices.IsSorted(seen) {
		t.Errorf("visited %v", seen)
	}
	l := open(t, dir, small())
	if rec, err := l.Append(context.Background(), Entry{Action: "a"}); err != nil || rec.Seq != n+1 {
		t.Errorf("receipt after reopening %+v, %v", rec, err)
	}
}

// TestOpenReadsTheOpenSegmentAlone damages everything before it, which start-up must not
// read and Verify must find.
func TestOpenReadsTheOpenSegmentAlone(t *testing.T) {
	t.Parallel()
	dir := rotated(t, 33)
	list := segmentsOf(t, dir)
	for _, first := range list {
		overwrite(t, dir, fmt.Sprintf(closedEntries, first), func([]byte) []byte { return []byte("gone\n") })
	}
	closed(t, open(t, dir, small()))
	if r := verify(t, dir); r.OK() || r.Findings[0].File != fmt.Sprintf(closedEntries, 1) {
		t.Errorf("report %+v", r)
	}
}

// TestCrashInRotation takes a log back to each step of a rotation.
func TestCrashInRotation(t *testing.T) {
	t.Parallel()
	steps := map[string]func(t *testing.T, dir string, last uint64){
		"entries moved": func(t *testing.T, dir string, last uint64) {
			remove(t, dir, entriesFile, checkpointsFile)
			rename(t, dir, fmt.Sprintf(closedCheckpoints, last), checkpointsFile)
		},
		"both moved": func(t *testing.T, dir string, _ uint64) { remove(t, dir, entriesFile, checkpointsFile) },
		"one created": func(t *testing.T, dir string, _ uint64) {
			remove(t, dir, checkpointsFile)
		},
		"both created": func(t *testing.T, dir string, _ uint64) {
			overwrite(t, dir, checkpointsFile, func([]byte) []byte { return nil })
		},
		"checkpoint torn": func(t *testing.T, dir string, _ uint64) {
			overwrite(t, dir, checkpointsFile, func(b []byte) []byte { return b[:40] })
		},
	}
	for name, undo := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := open(t, dir, small())
			n := uint64(0)
			for len(segmentsOf(t, dir)) < 2 { // the rotation is over when the next append is answered
				add(t, l, 1)
				n++
			}
			closed(t, l)
			size := len(readLines(t, dir, entriesFile)[0])
			if size > 0 { // the append that saw the rotation
				overwrite(t, dir, entriesFile, func([]byte) []byte { return nil })
				overwrite(t, dir, checkpointsFile, func(b []byte) []byte { return b[:bytes.IndexByte(b, '\n')+1] })
				n--
			}
			list := segmentsOf(t, dir)
			undo(t, dir, list[len(list)-1])
			if r := verify(t, dir); !r.OK() || r.Entries != n {
				t.Errorf("after the crash, %d entries: %+v", n, r)
			}
			l = open(t, dir, small())
			add(t, l, 9)
			closed(t, l)
			if r := verify(t, dir); !r.OK() || r.Entries != n+9 || r.Covered != n+9 || r.Segments < 4 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// TestFailureInRotation fails the files of the next segment.
func TestFailureInRotation(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(name string, opened int) bool{
		"entries":     func(name string, opened int) bool { return name == entriesFile && opened > 2 },
		"checkpoints": func(name string, opened int) bool { return name == checkpointsFile && opened > 2 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := small()
			opened := 0
			o.openFile = func(path string) (file, error) {
				if opened++; fails(filepath.Base(path), opened) {
					return nil, errors.New("no space left on device")
				}
				return openFile(path)
			}
			l := open(t, dir, o)
			var acknowledged uint64
			for range 20 {
				if rec, err := l.Append(context.Background(), Entry{Action: "a", Subject: strings.Repeat("s", 150)}); err == nil {
					acknowledged = rec.Seq
				}
			}
			if err := l.Close(); !errors.Is(err, ErrBroken) || acknowledged == 0 || acknowledged == 20 {
				t.Errorf("%d acknowledged, close: %v", acknowledged, err)
			}
			l = open(t, dir, small())
			add(t, l, 9)
			closed(t, l)
			if r := verify(t, dir); !r.OK() || r.Entries < acknowledged+9 {
				t.Errorf("report %+v after %d acknowledged", r, acknowledged)
			}
		})
	}
}

func TestRotationOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, small())
	path := filepath.Join(dir, fmt.Sprintf(closedEntries, 1))
	if err := os.WriteFile(path, []byte("kept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		_, _ = l.Append(context.Background(), Entry{Action: "a", Subject: strings.Repeat("s", 150)})
	}
	if err := l.Close(); !errors.Is(err, ErrBroken) {
		t.Errorf("close: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "kept\n" {
		t.Errorf("%q, %v; want the file that was there", b, err)
	}
}

// archive moves all segments but the last n closed ones elsewhere.
func archive(t testing.TB, dir string, n int) (to string) {
	t.Helper()
	to = t.TempDir()
	list := segmentsOf(t, dir)
	for _, first := range list[:len(list)-n] {
		for _, name := range []string{closedEntries, closedCheckpoints} {
			name = fmt.Sprintf(name, first)
			if err := os.Rename(filepath.Join(dir, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

func TestArchivedSegments(t *testing.T) {
	t.Parallel()
	for _, kept := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(kept), func(t *testing.T) {
			t.Parallel()
			dir := rotated(t, 40+kept%2) // once with an empty open segment
			older := archive(t, dir, kept)
			past := verify(t, older)
			if !past.OK() || past.Covered != past.Entries || past.First != 1 {
				t.Fatalf("the archive: %+v", past)
			}
			if r := verify(t, dir); len(r.Findings) != 1 || r.Findings[0].Kind != Removed || r.First != past.Entries+1 {
				t.Errorf("older segments missing without a word: %+v", r)
			}
			covers := lastOf(t, older)
			r, err := Check{Keys: keys(), Archived: &covers}.Verify(dir)
			if err != nil || !r.OK() || r.First != past.Entries+1 || r.Entries+past.Entries != r.Covered || r.Covered < 40 {
				t.Errorf("%+v, %v; want a whole rest", r, err)
			}
			// A segment that is neither here nor there.
			list := segmentsOf(t, older)
			remove(t, older, fmt.Sprintf(closedEntries, list[len(list)-1]), fmt.Sprintf(closedCheckpoints, list[len(list)-1]))
			covers = lastOf(t, older)
			r, err = Check{Keys: keys(), Archived: &covers}.Verify(dir)
			if err != nil || len(r.Findings) != 1 || r.Findings[0].Kind != Removed {
				t.Errorf("%+v, %v; want a gap", r, err)
			}
			l := open(t, dir, small())
			add(t, l, 9) // the log goes on without its archive
		})
	}
}

func TestSegmentTamperedWith(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(t *testing.T, dir string, list []uint64) Kind{
		"in the middle removed": func(t *testing.T, dir string, list []uint64) Kind {
			remove(t, dir, fmt.Sprintf(closedEntries, list[1]), fmt.Sprintf(closedCheckpoints, list[1]))
			return Removed
		},
		"entries removed": func(t *testing.T, dir string, list []uint64) Kind {
			remove(t, dir, fmt.Sprintf(closedEntries, list[1]))
			return Removed
		},
		"checkpoints removed": func(t *testing.T, dir string, list []uint64) Kind {
			remove(t, dir, fmt.Sprintf(closedCheckpoints, list[1]))
			return BadCheckpoint
		},
		"open entries removed": func(t *testing.T, dir string, _ []uint64) Kind {
			remove(t, dir, entriesFile)
			return Truncated
		},
		"swapped": func(t *testing.T, dir string, list []uint64) Kind {
			a, b := fmt.Sprintf(closedEntries, list[0]), fmt.Sprintf(closedEntries, list[1])
			rename(t, dir, a, "x")
			rename(t, dir, b, a)
			rename(t, dir, "x", b)
			return Reordered
		},
		"line appended": func(t *testing.T, dir string, list []uint64) Kind {
			overwrite(t, dir, fmt.Sprintf(closedEntries, list[1]), func(b []byte) []byte {
				lines := bytes.SplitAfter(b, []byte("\n"))
				return append(b, lines[0]...)
			})
			return Inserted
		},
		"torn": func(t *testing.T, dir string, list []uint64) Kind {
			overwrite(t, dir, fmt.Sprintf(closedEntries, list[1]), func(b []byte) []byte { return append(b, "{"...) })
			return Changed
		},
		"checkpoints torn": func(t *testing.T, dir string, list []uint64) Kind {
			overwrite(t, dir, fmt.Sprintf(closedCheckpoints, list[1]), func(b []byte) []byte { return append(b, "{"...) })
			return BadCheckpoint
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := rotated(t, 33)
			kind := tamper(t, dir, segmentsOf(t, dir))
			if r := verify(t, dir); r.OK() || r.Findings[0].Kind != kind {
				t.Errorf("findings %+v, want %s", r.Findings, kind)
			}
		})
	}
}

// A forged line behind the checkpoint that ended a segment would be an uncovered tail
// anywhere else.
func TestArchiveEndsWithItsCheckpoint(t *testing.T) {
	t.Parallel()
	dir := rotated(t, 42)
	older := archive(t, dir, 0)
	list := segmentsOf(t, older)
	next := readLines(t, dir, entriesFile)[0]
	overwrite(t, older, fmt.Sprintf(closedEntries, list[len(list)-1]), func(b []byte) []byte { return append(b, next+"\n"...) })
	if r := verify(t, older); len(r.Findings) != 1 || r.Findings[0].Kind != Inserted {
		t.Errorf("report %+v", r)
	}
}

func overwrite(t testing.TB, dir, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(path, 0o600)
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func rename(t testing.TB, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}
