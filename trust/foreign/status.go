package foreign

import (
	"maps"
	"slices"
	"time"
)

// Report says what an import gave.
type Report struct {
	Entries   int       // DSCs in the trust list
	Anchors   int       // CSCAs
	Keys      int       // without certificate
	Countries []string  // that the DSCs speak for, sorted
	Created   time.Time // as the document's proof says; zero: it has none
	Skipped   []Skip
}

func newReport(s Snapshot) Report {
	countries := map[string]bool{}
	for _, entry := range s.Entries {
		countries[entry.Country] = true
	}
	return Report{
		Entries: len(s.Entries), Anchors: len(s.Anchors), Keys: len(s.Keys),
		Countries: slices.Sorted(maps.Keys(countries)), Created: s.Created, Skipped: s.Skipped,
	}
}

// Inspect parses and authenticates one document without a store, e.g. for the operator's
// tool. After errEmpty the report still says what was skipped.
func Inspect(raw []byte, source Source) (Report, error) {
	snapshot, err := Parse(raw, source)
	return newReport(snapshot), err
}

// Status of one source.
type Status struct {
	Name     string
	Format   Format
	Imported time.Time      // last good document, UTC; zero: none
	Tried    time.Time      // last attempt, UTC; zero: none
	Stale    bool           // there is no document, or it is past its age limit: the source is silent
	Entries  int            // of the last good document
	Keys     int            // likewise
	Skipped  map[string]int // likewise, by reason
	Failure  error          // of the last attempt; nil after a success
}

// Status lists the sources by name.
func (s *Store) Status() []Status {
	now := s.config.Now()
	out := make([]Status, 0, len(s.sources))
	for _, name := range s.names() {
		k := s.sources[name]
		_, until := k.fresh(now)
		k.mu.Lock()
		out = append(out, Status{
			Name: name, Format: k.source.Format, Imported: k.at, Tried: k.tried, Stale: until.IsZero(),
			Entries: len(k.snapshot.Entries), Keys: len(k.snapshot.Keys), Skipped: k.snapshot.Reasons(), Failure: k.failure,
		})
		k.mu.Unlock()
	}
	return out
}
