package audit

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// verifier reads a log segment by segment.
type verifier struct {
	check   Check
	report  Report
	kept    []Checkpoint   // handed in, not yet met
	signed  []Checkpoint   // with a good signature, not yet met
	last    Checkpoint     // the largest of them
	agreed  uint64         // entries under the last checkpoint that matched
	file    string         // that is being read
	line    uint64         // of it, the last one read
	prev    digest         // of the last line in order
	expect  uint64         // seq of the next
	relink  bool           // the next line cannot be chained to the one before
	missing map[uint64]int // seq to the finding that misses it
}

func (v *verifier) find(line uint64, kind Kind, format string, args ...any) int {
	if len(v.report.Findings) < maxFindings {
		v.report.Findings = append(v.report.Findings, Finding{v.file, line, kind, fmt.Sprintf(format, args...)})
	}
	return len(v.report.Findings) - 1
}

func (v *verifier) segment(i int, s segment) error {
	base, err := v.readCheckpoints(s)
	if err != nil {
		return err
	}
	if i == 0 {
		if err := v.begin(base); err != nil {
			return err
		}
	}
	v.file, v.line = s.entries.name, 0
	v.compare(0) // the checkpoint this segment begins with
	torn, err := s.entries.eachLine(v.entry)
	if err != nil {
		return err
	}
	v.report.Segments++
	if !s.closed {
		v.report.Torn = torn
		return nil
	}
	if torn > 0 {
		v.find(v.line+1, Changed, "a closed segment ends within a line")
	}
	if v.expect-1 > v.last.Size {
		v.find(v.line, Inserted, "is behind the last checkpoint of its closed segment")
	}
	return nil
}

// readCheckpoints queues the checkpoints of a segment and returns the first of them.
func (v *verifier) readCheckpoints(s segment) (base *Checkpoint, err error) {
	v.file = s.checkpoints.name
	torn, err := s.checkpoints.eachLine(func(n uint64, text []byte) error {
		var c Checkpoint
		switch err := canonical(text, &c); {
		case err != nil:
			v.find(n, BadCheckpoint, "cannot be read")
		case c.verify(v.check.Keys) != nil:
			v.find(n, BadCheckpoint, "has a wrong signature or an unknown key")
		case v.report.Checkpoints > 0 && (c.Size < v.last.Size || c.Bytes < v.last.Bytes || c.Origin != v.last.Origin):
			v.find(n, BadCheckpoint, "does not follow the one before")
		default:
			v.report.Checkpoints++
			v.report.Origin, v.report.Covered, v.last = c.Origin, c.Size, c
			v.signed = append(v.signed, c)
			if base == nil {
				base = &c
			}
		}
		return nil
	})
	switch {
	case err != nil:
	case s.closed && torn > 0:
		v.find(1, BadCheckpoint, "the file of a closed segment ends within a line")
	case base == nil && (s.closed || torn == 0 && (v.report.Segments == 0 || s.entries.size > 0)):
		v.find(1, BadCheckpoint, "there is none with a good signature")
	}
	return base, err
}

// begin takes a log up whose older segments are elsewhere, and refuses checkpoints that
// this log cannot be held against.
func (v *verifier) begin(base *Checkpoint) error {
	for _, c := range v.kept {
		if base != nil && c.Origin != base.Origin {
			return fmt.Errorf("audit: the checkpoint handed in belongs to a log of another origin")
		}
	}
	v.report.First = 1
	if base == nil || base.Size == 0 {
		return nil
	}
	head, ok := base.head()
	if !ok {
		v.find(1, BadCheckpoint, "its head is not a digest")
		return nil
	}
	if archived := v.check.Archived; archived == nil || archived.Size < base.Size {
		from := uint64(1)
		if archived != nil {
			from += archived.Size
		}
		v.find(1, Removed, "entries %d to %d are missing before it", from, base.Size)
	}
	if w := v.check.Witness; w != nil && w.Size < base.Size {
		return ErrNotHere
	}
	v.kept = slices.DeleteFunc(v.kept, func(c Checkpoint) bool { return c.Size < base.Size })
	v.prev, v.expect, v.agreed = head, base.Size+1, base.Size
	v.report.First = base.Size + 1
	return nil
}

func (v *verifier) entry(n uint64, text []byte) error {
	v.report.Entries++
	v.line = n
	l, ok := readable(text)
	switch {
	case !ok:
		v.find(n, Changed, "is not an entry in canonical form")
		v.expect, v.relink = v.expect+1, true
		return nil
	case l.Seq < v.expect:
		v.misplaced(n, l.Seq)
		return nil
	case l.Seq > v.expect:
		at := v.find(n, Removed, "entries %d to %d are missing before it", v.expect, l.Seq-1)
		for s := v.expect; s < l.Seq && len(v.missing) < maxFindings; s++ {
			v.missing[s] = at
		}
	case l.Prev != v.prev.String() && !v.relink:
		v.find(max(n, 2)-1, Changed, "is not the entry the next one was chained to")
	}
	v.prev, v.expect, v.relink = sha256.Sum256(text), l.Seq+1, false
	v.compare(n)
	if v.check.Visit == nil {
		return nil
	}
	return v.check.Visit(Record{Receipt{l.Seq, append([]byte(nil), v.prev[:]...)}, l.entry()})
}

func readable(text []byte) (line, bool) {
	l, err := decode(text)
	return l, err == nil
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
		v.report.Findings[at] = Finding{v.file, n, Reordered, fmt.Sprintf("entry %d belongs further up", seq)}
	}
}

// compare checks the checkpoints signed over the entries read so far, of which line n was
// the last.
func (v *verifier) compare(n uint64) {
	read := v.expect - 1
	for len(v.signed) > 0 && v.signed[0].Size <= read {
		c := v.signed[0]
		v.signed = v.signed[1:]
		if c.Size != read {
			continue
		}
		if c.Head != v.prev.String() {
			v.find(max(n, 1), Changed, "lines up to it, entries %d to %d, are not what the checkpoint over %d entries was signed over", v.agreed+1, read, read)
			v.signed = nil // the later ones differ for the same reason
			break
		}
		v.agreed = read
	}
	v.kept = slices.DeleteFunc(v.kept, func(c Checkpoint) bool {
		if c.Size == read && c.Head != v.prev.String() {
			v.rolledBack(c)
		}
		return c.Size == read
	})
}

func (v *verifier) rolledBack(c Checkpoint) {
	file := v.file
	v.file = "" // it is not one line that is wrong
	v.find(0, RolledBack, "the first %d entries are not those the checkpoint handed in was signed over", c.Size)
	v.file = file
}

func (v *verifier) end() {
	if v.last.Size >= v.expect {
		v.find(v.line+1, Truncated, "the log ends with entry %d, its last checkpoint covers %d", v.expect-1, v.last.Size)
	}
	for _, c := range v.kept {
		v.rolledBack(c)
	}
}
