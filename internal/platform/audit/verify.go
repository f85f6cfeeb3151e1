package audit

import (
	"crypto"
	"errors"
	"fmt"
)

// Kind is what was done to a log.
type Kind string

// The kinds of findings.
const (
	Changed       Kind = "changed"     // a line is not the one that was written
	Removed       Kind = "removed"     // entries are missing before the line
	Inserted      Kind = "inserted"    // the line does not belong there
	Reordered     Kind = "reordered"   // the line belongs further up
	Truncated     Kind = "truncated"   // the log ends before its last checkpoint
	RolledBack    Kind = "rolled-back" // the log is not what a checkpoint kept elsewhere was signed over
	BadCheckpoint Kind = "checkpoint"  // a file of checkpoints is at fault
)

// Finding is one contradiction. It never quotes an entry.
type Finding struct {
	File   string // name in the directory; empty for RolledBack
	Line   uint64 // from 1, of File
	Kind   Kind
	Detail string
}

// Report is the result of Verify.
type Report struct {
	Origin      string
	Segments    int    // pairs of files
	First       uint64 // number of the first entry that is here; more than 1 when older segments are elsewhere
	Entries     uint64 // lines read
	Checkpoints int    // with a good signature
	Covered     uint64 // entries under the last of them, counted from the first of all
	Torn        int    // bytes of an incomplete last line: a crash, or a write under way
	Findings    []Finding
}

// OK reports whether nothing contradicts the log.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// maxFindings bounds a report; the first findings matter.
const maxFindings = 100

// Check says what a log is verified against and who listens meanwhile.
type Check struct {
	Keys []crypto.PublicKey // of the checkpoints, those that were replaced included; required
	// Archived is a checkpoint over what was archived: the log need not hold entries up to
	// it and must go on from it without a gap.
	Archived *Checkpoint
	// Witness is a checkpoint kept elsewhere. The log must hold what it was signed over.
	Witness *Checkpoint
	Visit   func(Record) error // hears of each entry in order; an error ends it
	Read    func(bytes int)    // hears how much was read
}

// Record is an entry as it stands in a log.
type Record struct {
	Receipt
	Entry
}

// ErrNotHere says that a checkpoint covers entries in an archive alone.
var ErrNotHere = errors.New("audit: the checkpoint covers only entries that are not here; verify their archive with it")

// Verify reads the whole log in dir, without a lock and without the service, and checks
// it against its chain and its checkpoints. pub is the key of the checkpoints, former are
// those it replaced. An error means that the log could not be read; a log that was
// tampered with gives a report with findings.
func Verify(dir string, pub crypto.PublicKey, former ...crypto.PublicKey) (Report, error) {
	return Check{Keys: append([]crypto.PublicKey{pub}, former...)}.Verify(dir)
}

// Verify is the function Verify with all it can take. Its errors are ErrNotHere, a file
// that cannot be read, a checkpoint in c that is not of this log, and what Visit returned.
// Memory does not grow with the log, but with the longest file of checkpoints.
func (c Check) Verify(dir string) (Report, error) {
	for _, key := range c.Keys {
		if _, err := keyID(key); err != nil {
			return Report{}, err
		}
	}
	v := verifier{check: c, expect: 1, missing: map[uint64]int{}}
	for _, kept := range []*Checkpoint{c.Archived, c.Witness} {
		if kept == nil {
			continue
		}
		if err := kept.verify(c.Keys); err != nil {
			return Report{}, fmt.Errorf("%w: the one handed in", err)
		}
		v.kept = append(v.kept, *kept)
	}
	files, err := openView(dir, c.Read)
	if err != nil {
		return Report{}, err
	}
	defer files.close()
	for i, s := range files.segments {
		if err := v.segment(i, s); err != nil {
			return Report{}, err
		}
	}
	v.end()
	return v.report, nil
}
