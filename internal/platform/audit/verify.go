package audit

import (
	"bufio"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Kind is what was done to a log.
type Kind string

// The kinds of findings.
const (
	Changed       Kind = "changed"    // a line is not the one that was written
	Removed       Kind = "removed"    // entries are missing before the line
	Inserted      Kind = "inserted"   // the line does not belong there
	Reordered     Kind = "reordered"  // the line belongs further up
	Truncated     Kind = "truncated"  // the log ends before its last checkpoint
	BadCheckpoint Kind = "checkpoint" // checkpoints.jsonl is at fault
)

// Finding is one contradiction. It never quotes an entry.
type Finding struct {
	Line   uint64 // from 1, of audit.jsonl; of checkpoints.jsonl for BadCheckpoint
	Kind   Kind
	Detail string
}

// Report is the result of Verify.
type Report struct {
	Origin      string
	Entries     uint64 // lines read
	Checkpoints int    // with a good signature
	Covered     uint64 // entries under the last of them
	Torn        int    // bytes of an incomplete last line: a crash, or a write under way
	Findings    []Finding
}

// OK reports whether nothing contradicts the log.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// maxFindings bounds a report; the first findings matter.
const maxFindings = 100

// Verify reads the whole log in dir, without a lock and without the service, and checks
// it against its chain and its checkpoints. pub is the key of the checkpoints, former are
// those it replaced. An error means that the log could not be read; a log that was
// tampered with gives a report with findings.
func Verify(dir string, pub crypto.PublicKey, former ...crypto.PublicKey) (Report, error) {
	v := verifier{prev: digest{}, expect: 1, missing: map[uint64]int{}}
	// Checkpoints first: a running log may write more entries meanwhile, never fewer.
	if err := v.readCheckpoints(filepath.Join(dir, checkpointsFile), append([]crypto.PublicKey{pub}, former...)); err != nil {
		return Report{}, err
	}
	if err := v.readEntries(filepath.Join(dir, entriesFile)); err != nil {
		return Report{}, err
	}
	v.end()
	return v.report, nil
}

type verifier struct {
	report  Report
	signed  []Checkpoint   // with a good signature, not yet met
	last    Checkpoint     // the largest of them
	agreed  uint64         // entries under the last checkpoint that matched
	prev    digest         // of the last line in order
	expect  uint64         // seq of the next
	relink  bool           // the next line cannot be chained to the one before
	missing map[uint64]int // seq to the finding that misses it
}

func (v *verifier) find(line uint64, kind Kind, format string, args ...any) int {
	if len(v.report.Findings) < maxFindings {
		v.report.Findings = append(v.report.Findings, Finding{line, kind, fmt.Sprintf(format, args...)})
	}
	return len(v.report.Findings) - 1
}

func (v *verifier) readCheckpoints(name string, keys []crypto.PublicKey) error {
	for _, key := range keys {
		if _, err := keyID(key); err != nil {
			return err
		}
	}
	torn, err := eachLine(name, func(n uint64, text []byte) {
		var c Checkpoint
		if err := canonical(text, &c); err != nil {
			v.find(n, BadCheckpoint, "cannot be read")
			return
		}
		if err := c.verify(keys); err != nil {
			v.find(n, BadCheckpoint, "has a wrong signature or an unknown key")
			return
		}
		if v.report.Checkpoints > 0 && (c.Size < v.last.Size || c.Bytes < v.last.Bytes || c.Origin != v.last.Origin) {
			v.find(n, BadCheckpoint, "does not follow the one before")
			return
		}
		v.report.Checkpoints++
		v.report.Origin, v.report.Covered, v.last = c.Origin, c.Size, c
		v.signed = append(v.signed, c)
	})
	if err == nil && v.report.Checkpoints == 0 && torn == 0 {
		v.find(1, BadCheckpoint, "there is none with a good signature")
	}
	return err
}

func (v *verifier) readEntries(name string) (err error) {
	v.report.Torn, err = eachLine(name, v.entry)
	return err
}

func (v *verifier) entry(n uint64, text []byte) {
	v.report.Entries = n
	l, err := decode(text)
	switch {
	case err != nil:
		v.find(n, Changed, "is not an entry in canonical form")
		v.expect, v.relink = v.expect+1, true
		return
	case l.Seq < v.expect:
		v.misplaced(n, l.Seq)
		return
	case l.Seq > v.expect:
		at := v.find(n, Removed, "entries %d to %d are missing before it", v.expect, l.Seq-1)
		for s := v.expect; s < l.Seq && len(v.missing) < maxFindings; s++ {
			v.missing[s] = at
		}
	case l.Prev != v.prev.String() && !v.relink:
		v.find(max(n, 2)-1, Changed, "is not the entry the next one was chained to")
	}
	v.prev, v.expect, v.relink = sha256.Sum256(text), l.Seq+1, false
	v.compare(n, l.Seq)
}

// misplaced reports an entry whose number is too small. The chain goes on without it.
func (v *verifier) misplaced(n, seq uint64) {
	at, missed := v.missing[seq]
	if !missed {
		v.find(n, Inserted, "an entry with number %d has been read before", seq)
		return
	}
	delete(v.missing, seq)
	if at < len(v.report.Findings) {
		v.report.Findings[at] = Finding{n, Reordered, fmt.Sprintf("entry %d belongs further up", seq)}
	}
}

// compare checks the checkpoints signed over seq entries.
func (v *verifier) compare(n, seq uint64) {
	for len(v.signed) > 0 && v.signed[0].Size <= seq {
		c := v.signed[0]
		v.signed = v.signed[1:]
		if c.Size != seq {
			continue
		}
		if c.Head != v.prev.String() {
			v.find(n, Changed, "lines %d to %d are not what the checkpoint over %d entries was signed over", v.agreed+1, n, seq)
			v.signed = nil // the later ones differ for the same reason
			return
		}
		v.agreed = seq
	}
}

func (v *verifier) end() {
	if v.last.Size >= v.expect {
		v.find(v.report.Entries+1, Truncated, "the log ends with entry %d, its last checkpoint covers %d", v.expect-1, v.last.Size)
	}
}

// eachLine calls use for each complete line of a file, counting from 1, and returns the
// length of an incomplete last one. A line that is too long arrives cut.
func eachLine(name string, use func(n uint64, text []byte)) (torn int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, fmt.Errorf("audit: open: %w", bare(err))
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, maxLine+1)
	for n := uint64(1); ; n++ {
		text, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			use(n, text) // cannot be canonical
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
		use(n, text[:len(text)-1])
	}
}
