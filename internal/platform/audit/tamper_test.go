package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"
)

// image is the content of a log's files by name.
type image map[string][]byte

func imageOf(t testing.TB, dir string) image {
	t.Helper()
	files := image{}
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Name() == lockFile {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name()] = b
	}
	return files
}

func (m image) names() []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}

// with is a copy in which one file has another content.
func (m image) with(name string, b []byte) image {
	changed := image{}
	for k, v := range m {
		changed[k] = v
	}
	changed[name] = b
	return changed
}

// tamperBench is a directory that images are written into and verified in.
type tamperBench struct {
	dir     string
	written image
	hashes  [][]byte // of the true entries
	witness Checkpoint
}

func newTamperBench(t testing.TB, dir string) (*tamperBench, image) {
	b := &tamperBench{dir: t.TempDir(), written: image{}, witness: lastOf(t, dir)}
	check := Check{Keys: keys(), Visit: func(r Record) error { b.hashes = append(b.hashes, r.Hash); return nil }}
	if r, err := check.Verify(dir); err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	return b, imageOf(t, dir)
}

func (b *tamperBench) write(t fataler, m image) {
	for name := range b.written {
		if _, ok := m[name]; !ok {
			if err := os.Remove(filepath.Join(b.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range m {
		if before, ok := b.written[name]; ok && bytes.Equal(before, text) {
			continue
		}
		if err := os.WriteFile(filepath.Join(b.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.written = m
}

type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// found verifies m twice, alone and against the witness, and insists on what a clean
// report promises: every covered entry, and every entry under the witness, is the one that
// was written. It returns whether each of them found something.
func (b *tamperBench) found(t fataler, what string, m image) (alone, witnessed bool) {
	b.write(t, m)
	for i, witness := range []*Checkpoint{nil, &b.witness} {
		var seen [][]byte
		check := Check{Keys: keys(), Witness: witness, Visit: func(r Record) error { seen = append(seen, r.Hash); return nil }}
		r, err := check.Verify(b.dir)
		clean := err == nil && r.OK()
		if i == 0 {
			alone = !clean
		}
		if !clean {
			return alone, true // what the log shows alone it shows with a witness too
		}
		promised := r.Covered
		if witness != nil {
			promised = max(promised, witness.Size)
		}
		if uint64(len(seen)) < promised || !slices.EqualFunc(seen[:promised], b.hashes[:promised], bytes.Equal) {
			t.Fatalf("%s: a clean report over entries that were not written: %+v", what, r)
		}
	}
	return alone, false
}

// TestEveryChangedByteIsFound flips one bit of every byte of a log whose entries are all
// covered. The last checkpoint of the open segment is only a claim less: without it the
// entries still hang together, and the witness tells.
func TestEveryChangedByteIsFound(t *testing.T) {
	t.Parallel()
	b, m := newTamperBench(t, tamperLog(t, 5))
	for _, name := range m.names() {
		text := m[name]
		for i := range text {
			changed := bytes.Clone(text)
			changed[i] ^= 1 << (i % 8)
			what := fmt.Sprintf("%s, byte %d", name, i)
			last := name == entriesFile || name == checkpointsFile
			alone, witnessed := b.found(t, what, m.with(name, changed))
			switch {
			case !witnessed && name != checkpointsFile:
				t.Errorf("%s: not found with a witness", what)
			case !alone && !(last && i == len(text)-1): // its last line feed: a torn line
				t.Errorf("%s: not found", what)
			}
		}
	}
}

// TestEveryChangedLineIsFound removes, doubles, swaps and empties every line.
func TestEveryChangedLineIsFound(t *testing.T) {
	t.Parallel()
	b, m := newTamperBench(t, tamperLog(t, 8))
	for _, name := range m.names() {
		lines := bytes.SplitAfter(m[name], []byte("\n"))
		lines = lines[:len(lines)-1]
		entries := name[0] == 'a'
		try := func(what string, mustFind bool, changed ...[]byte) {
			t.Helper()
			what = fmt.Sprintf("%s of %s", what, name)
			alone, witnessed := b.found(t, what, m.with(name, bytes.Join(changed, nil)))
			if mustFind && !alone {
				t.Errorf("%s: not found", what)
			}
			if entries && !witnessed {
				t.Errorf("%s: not found with a witness", what)
			}
		}
		for i := range lines {
			// One checkpoint less or twice the same says nothing wrong.
			try(fmt.Sprintf("line %d removed", i+1), entries, slices.Delete(slices.Clone(lines), i, i+1)...)
			try(fmt.Sprintf("line %d doubled", i+1), entries, slices.Insert(slices.Clone(lines), i, lines[i])...)
			for j := range i {
				swapped := slices.Clone(lines)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				try(fmt.Sprintf("lines %d and %d swapped", j+1, i+1), !bytes.Equal(lines[i], lines[j]) && (entries || sizesDiffer(t, lines[i], lines[j])), swapped...)
			}
		}
	}
}

func sizesDiffer(t *testing.T, a, b []byte) bool {
	t.Helper()
	first, err := ParseCheckpoint(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ParseCheckpoint(b)
	if err != nil {
		t.Fatal(err)
	}
	return first.Size != second.Size
}

// TestEveryTruncationIsFound cuts each file at each byte, alone and then all behind it.
func TestEveryTruncationIsFound(t *testing.T) {
	t.Parallel()
	b, m := newTamperBench(t, tamperLog(t, 5))
	for _, name := range m.names() {
		for i := range m[name] {
			what := fmt.Sprintf("%s cut at %d", name, i)
			alone, witnessed := b.found(t, what, m.with(name, m[name][:i]))
			if !alone && name != checkpointsFile {
				t.Errorf("%s: not found", what)
			}
			if !witnessed && name != checkpointsFile {
				t.Errorf("%s: not found with a witness", what)
			}
		}
	}
}

// TestTamperingIsFoundOrHarmless applies several changes at once, to logs with and without
// an uncovered tail. Whatever a clean report covers is what was written (see found).
func TestTamperingIsFoundOrHarmless(t *testing.T) {
	t.Parallel()
	full, fullImage := newTamperBench(t, tamperLog(t, 8))
	tail, tailImage := newTamperBench(t, tamperLog(t, 8))
	points := bytes.SplitAfter(tailImage[checkpointsFile], []byte("\n"))
	tailImage[checkpointsFile] = points[0] // as a crash leaves it
	rapid.Check(t, func(t *rapid.T) {
		b, m := full, fullImage
		if rapid.Bool().Draw(t, "tail") {
			b, m = tail, tailImage
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			name := rapid.SampledFrom(m.names()).Draw(t, "file")
			m = m.with(name, change(t, m, name))
		}
		b.found(t, "several changes", m)
	})
}

// change does one thing to a file that somebody with write access could do.
func change(t *rapid.T, m image, name string) []byte {
	text := bytes.Clone(m[name])
	if len(text) == 0 {
		return text
	}
	at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
	lines := bytes.SplitAfter(text, []byte("\n"))
	line := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
	switch rapid.SampledFrom([]string{"flip", "cut", "remove", "double", "transplant", "insert"}).Draw(t, "what") {
	case "flip":
		text[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return text
	case "cut":
		return text[:at]
	case "remove":
		return bytes.Join(slices.Delete(lines, line, line+1), nil)
	case "double":
		return bytes.Join(slices.Insert(lines, line, lines[line]), nil)
	case "transplant":
		other := bytes.SplitAfter(m[rapid.SampledFrom(m.names()).Draw(t, "from")], []byte("\n"))
		return bytes.Join(slices.Insert(lines, line, other[rapid.IntRange(0, len(other)-1).Draw(t, "other")]), nil)
	default:
		return slices.Insert(text, at, rapid.SliceOfN(rapid.Byte(), 1, 4).Draw(t, "bytes")...)
	}
}

// tamperLog is a short log of short entries with a segment boundary in it.
func tamperLog(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	o := options()
	o.Origin, o.EveryN, o.SegmentBytes = "o", 3, 600
	l := open(t, dir, o)
	for range n {
		if _, err := l.Append(context.Background(), Entry{Action: "a", Attributes: map[string]string{"k": "v"}}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, l)
	if len(segmentsOf(t, dir)) == 0 {
		t.Fatal("one segment only")
	}
	return dir
}
