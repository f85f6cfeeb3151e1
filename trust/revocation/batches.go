package revocation

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// deletedFor is how long a batch that is gone is listed as deleted: twice the seven days that
// the EU's gateway promises, as it does itself.
const deletedFor = 14 * 24 * time.Hour

// BatchPage is how many changes of batches one answer lists, as in the EU's gateway.
const BatchPage = 1000

// state is what a generation keeps beside its lists.
type state struct {
	Batches []batchState        `json:"batches"` // by date and id
	CRLs    map[string]crlState `json:"crls"`    // by thumbprint
}

// batchState is what became of a batch, and where it stands in the file.
type batchState struct {
	ID      string    `json:"id"`
	Date    time.Time `json:"date"` // of the last change; see dated
	Deleted bool      `json:"deleted,omitempty"`
	From    int64     `json:"from"`
	Size    int64     `json:"size"`
}

type crlState struct {
	CTR     uint64 `json:"ctr"`
	Content string `json:"content"` // digest of the list but for its counter
}

// digestOfRIDs identifies the content of a card revocation list.
func digestOfRIDs(thumbprint string, rids []string) (string, error) {
	raw, err := revocation.EncodeCRL(thumbprint, 1, rids)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

// batches writes the EU's batches and the list of them: for each key, each type of hash and
// each period, so that a batch says nothing about a single certificate.
func (b *build) batches() error {
	file, err := createList(b.path(fileBatches))
	if err != nil {
		return err
	}
	writer := batchWriter{file: file, country: b.country, from: map[string]int64{}}
	err = writer.all(b)
	_, failed := file.finish()
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	slices.SortFunc(writer.refs, func(x, y revocation.BatchRef) int { return cmp.Compare(x.ID, y.ID) })
	raw, err := revocation.EncodeBatchList(b.country, writer.refs)
	if err != nil {
		return err
	}
	const name = fileBatchList
	digest, size, err := writeBytes(b.path(name), raw)
	b.state.Batches = nextBatches(b.last.Batches, writer.refs, writer.from, b.all.now)
	b.artefacts = append(b.artefacts, revocation.Artefact{
		Name: name, Kind: revocation.KindBatches, SHA256: digest, Size: size, Count: int64(len(writer.refs)),
	})
	return err
}

type batchWriter struct {
	file    *listFile
	country string
	refs    []revocation.BatchRef
	from    map[string]int64 // where each batch begins, by id
}

func (w *batchWriter) all(b *build) error {
	for _, group := range b.all.keys() {
		if group.class != classHCERT {
			continue
		}
		for _, t := range revocation.ListedTypes() {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			byPeriod := make([][]revocation.Hash, len(b.all.periods))
			for r := range each(b.all.groups[group]) {
				if h := r.of(t); !h.IsZero() {
					byPeriod[r.period] = append(byPeriod[r.period], h)
				}
			}
			for period, hashes := range byPeriod {
				if err := w.write(group.kid, t, b.all.periods[period], settled(hashes)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *batchWriter) write(kid revocation.KID, t revocation.HashType, expires time.Time, hashes []revocation.Hash) error {
	for _, part := range revocation.Split(hashes) {
		raw, err := revocation.Batch{Country: w.country, Expires: expires, KID: kid[:], HashType: t, Entries: part}.Encode()
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		ref := revocation.BatchRef{
			ID: revocation.BatchID(raw), SHA256: hex.EncodeToString(sum[:]), Size: len(raw), Count: len(part),
			KID: kid.Base64(), HashType: t, Expires: expires,
		}
		w.refs, w.from[ref.ID] = append(w.refs, ref), w.file.size
		if _, err := w.file.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// nextBatches carries the history on: what is new and what is gone gets a date.
func nextBatches(last []batchState, refs []revocation.BatchRef, from map[string]int64, now time.Time) []batchState {
	listed := make(map[string]revocation.BatchRef, len(refs))
	for _, ref := range refs {
		listed[ref.ID] = ref
	}
	var kept, changed []batchState
	newest := time.Time{}
	for _, s := range last {
		if s.Date.After(newest) {
			newest = s.Date
		}
		ref, there := listed[s.ID]
		switch {
		case there:
			s.From, s.Size = from[s.ID], int64(ref.Size)
			delete(listed, s.ID)
			if s.Deleted {
				s.Deleted = false
				changed = append(changed, s)
				continue
			}
			kept = append(kept, s)
		case !s.Deleted:
			changed = append(changed, batchState{ID: s.ID, Deleted: true})
		case now.Before(s.Date.Add(deletedFor)):
			kept = append(kept, s)
		}
	}
	for id, ref := range listed {
		changed = append(changed, batchState{ID: id, From: from[id], Size: int64(ref.Size)})
	}
	out := append(kept, dated(changed, newest, now)...)
	slices.SortFunc(out, compareStates)
	return out
}

// dated gives each change its date. A reader comes back with the last date it saw, or with
// its own clock, and is told what is later. Therefore a date is never before the publication,
// always later than those of earlier publications, and shared by no more changes than one
// answer lists.
func dated(changed []batchState, newest, now time.Time) []batchState {
	slices.SortFunc(changed, func(a, b batchState) int { return cmp.Compare(a.ID, b.ID) })
	date := now.UTC().Truncate(time.Second).Add(2 * time.Second)
	if !date.After(newest) {
		date = newest.Add(time.Second)
	}
	for i := range changed {
		changed[i].Date = date.Add(time.Duration(i/BatchPage) * time.Second)
	}
	return changed
}

func compareStates(a, b batchState) int {
	return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.ID, b.ID))
}

// pageAfter gives the first states with a later date, never a part of those of one date.
func pageAfter(states []batchState, since time.Time) (page []batchState, more bool) {
	from, _ := slices.BinarySearchFunc(states, since, func(s batchState, t time.Time) int {
		if s.Date.After(t) {
			return 1
		}
		return -1
	})
	rest := states[from:]
	if len(rest) <= BatchPage {
		return rest, false
	}
	end := BatchPage
	for end > 0 && rest[end-1].Date.Equal(rest[end].Date) {
		end--
	}
	return rest[:end], true
}
