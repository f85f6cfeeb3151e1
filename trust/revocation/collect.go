package revocation

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Source gives every revocation, page by page: at most limit entries behind the position
// after (empty: from the first), and the position of the next page, empty behind the last.
type Source interface {
	Revoked(ctx context.Context, after string, limit int) (entries []revocation.Entry, next string, err error)
}

// pageSize is how many entries are asked for at once.
const pageSize = 1000

// grace is how long a revocation outlives its certificate: clocks and time zones differ.
const grace = 24 * time.Hour

// chunkSize is how many records are allocated at once, so that growing copies nothing.
const chunkSize = 4096

// record is a revocation without what its group says.
type record struct {
	signature, uci, country revocation.Hash
	period                  uint16 // index of collection.periods
	byRID                   bool   // the filter has its revocation id
}

// class says which lists a certificate is for.
type class uint8

const (
	classHCERT class = iota // EU batches, WHO list, slices
	classSeal               // VDS-NC: WHO list, slices
	classCard               // SMART Health Card: card revocation list, slices
)

// groupKey is what the records of a group have in common.
type groupKey struct {
	kid   revocation.KID
	class class
}

// collection is a whole set of revocations, as compact as the lists need it.
type collection struct {
	now     time.Time
	groups  map[groupKey][][]record
	periods []time.Time         // ends
	rids    map[string][]string // by thumbprint, as on card revocation lists
	ridKeys map[uint16][]uint64 // filter keys of revocation ids, by period
	count   int64               // of revocations on the lists
	refused int                 // entries that cannot be published
	refusal error               // why the first of them cannot
	walk    hash.Hash           // of everything that was added, in its order
	line    []byte              // the buffer of walk
}

var errPosition = errors.New("revocation: the source does not move on")

// collect reads the source from its beginning.
func collect(ctx context.Context, source Source, now time.Time) (*collection, error) {
	c := &collection{now: now, groups: map[groupKey][][]record{}, rids: map[string][]string{}, ridKeys: map[uint16][]uint64{}, walk: sha256.New()}
	for after := ""; ; {
		entries, next, err := source.Revoked(ctx, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("revocation: read revocations: %w", err)
		}
		for _, e := range entries {
			c.add(e)
		}
		if next == "" {
			return c, nil
		}
		if next == after {
			return nil, errPosition
		}
		after = next
	}
}

func (c *collection) add(e revocation.Entry) {
	if err := e.Check(); err != nil {
		if c.refused == 0 {
			c.refusal = err
		}
		c.refused++
		return
	}
	if e.RID != "" { // whatever its expiry: the counter of the list follows their number
		c.rids[e.SHCKID] = append(c.rids[e.SHCKID], e.RID)
		c.remember([]byte(e.SHCKID), []byte(e.RID))
	}
	if !e.ExpiresAt.IsZero() && c.now.After(e.ExpiresAt.Add(grace)) {
		return
	}
	c.count++
	period := c.period(e.ExpiresAt)
	c.remember([]byte(revocation.PeriodName(c.periods[period])))
	kind, h := e.FilterHash()
	if kind == revocation.HashRID {
		c.ridKeys[period] = append(c.ridKeys[period], revocation.FilterKey(h))
	}
	if _, listed := e.ListHash(); listed.IsZero() {
		return
	}
	key := groupKey{e.ListKID(), classOf(e.Format)}
	c.remember(key.kid[:], []byte{byte(key.class)}, e.Signature[:], e.UCI[:], e.CountryUCI[:])
	chunks := c.groups[key]
	if n := len(chunks); n == 0 || len(chunks[n-1]) == cap(chunks[n-1]) {
		chunks = append(chunks, make([]record, 0, capacityAfter(chunks)))
	}
	last := &chunks[len(chunks)-1]
	*last = append(*last, record{e.Signature, e.UCI, e.CountryUCI, period, kind == revocation.HashRID})
	c.groups[key] = chunks
}

// remember takes parts, each with its length, into the digest of the walk.
func (c *collection) remember(parts ...[]byte) {
	c.line = c.line[:0]
	for _, part := range parts {
		c.line = append(append(c.line, byte(len(part))), part...)
	}
	c.walk.Write(c.line)
}

// digest tells two walks apart: another one means other lists, or the same in another order.
func (c *collection) digest() [sha256.Size]byte { return [sha256.Size]byte(c.walk.Sum(nil)) }

// capacityAfter lets groups of a few records stay small.
func capacityAfter(chunks [][]record) int {
	if len(chunks) == 0 {
		return 16
	}
	return min(chunkSize, 2*cap(chunks[len(chunks)-1]))
}

func classOf(format string) class {
	switch {
	case revocation.IsHCERT(format):
		return classHCERT
	case format == revocation.FormatSHC:
		return classCard
	default:
		return classSeal
	}
}

// farAhead bounds the number of periods, in years: what expires later never does.
const farAhead = 50

// period gives the index of the period in which a certificate expires.
func (c *collection) period(expires time.Time) uint16 {
	end := revocation.PeriodEnd(expires)
	if end.After(c.now.AddDate(farAhead, 0, 0)) {
		end = revocation.Never
	}
	at := slices.IndexFunc(c.periods, end.Equal)
	if at < 0 {
		at, c.periods = len(c.periods), append(c.periods, end)
	}
	return uint16(at)
}

// keys gives the groups in the order of their key ids.
func (c *collection) keys() []groupKey {
	return slices.SortedFunc(maps.Keys(c.groups), func(a, b groupKey) int {
		return cmp.Or(slices.Compare(a.kid[:], b.kid[:]), cmp.Compare(a.class, b.class))
	})
}

// of gives one type of hash of a record; zero: none.
func (r record) of(t revocation.HashType) revocation.Hash {
	switch t {
	case revocation.HashSignature:
		return r.signature
	case revocation.HashUCI:
		return r.uci
	default:
		return r.country
	}
}

// listed gives the hash that slices have of the record; see Entry.ListHash.
func (r record) listed() (revocation.HashType, revocation.Hash) {
	for _, t := range revocation.ListedTypes() {
		if h := r.of(t); !h.IsZero() {
			return t, h
		}
	}
	return "", revocation.Hash{}
}

// settled sorts hashes and drops repetitions.
func settled(hashes []revocation.Hash) []revocation.Hash {
	slices.SortFunc(hashes, revocation.CompareHashes)
	return slices.Compact(hashes)
}
