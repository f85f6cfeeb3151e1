package revocation

import (
	"cmp"
	"context"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Names of the files of a generation that are not artefacts.
const (
	fileManifest = "manifest.jws"
	fileBatches  = "batches.dat" // the batches one after the other
	fileState    = "state.json"
	// fileBatchList is an artefact.
	fileBatchList = "batches.json"
)

// build writes the lists of a collection into a directory.
type build struct {
	ctx       context.Context // checked between lists: a build of millions takes a while
	dir       string
	country   string
	all       *collection
	last      state  // of the generation before
	floor     uint64 // below every counter
	state     state
	artefacts []revocation.Artefact
}

// lists writes everything and gives the claims, all but the sequence.
func (b *build) lists() (revocation.Claims, error) {
	for _, step := range []func() error{b.filters, b.slices, b.who, b.batches, b.crls} {
		if err := b.ctx.Err(); err != nil {
			return revocation.Claims{}, err
		}
		if err := step(); err != nil {
			return revocation.Claims{}, err
		}
	}
	slices.SortFunc(b.artefacts, func(x, y revocation.Artefact) int { return cmp.Compare(x.Name, y.Name) })
	lookups := 0
	for _, a := range b.artefacts {
		if a.Kind == revocation.KindFilter {
			lookups += len(a.HashTypes)
		}
	}
	return revocation.Claims{
		Country: b.country, Revocations: b.all.count,
		FalsePositiveRate: revocation.CombinedFPR(lookups), Artefacts: b.artefacts,
	}, nil
}

func (b *build) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

// filters writes one filter for each period in which certificates expire.
func (b *build) filters() error {
	var builder revocation.FilterBuilder
	for period, until := range b.all.periods {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		keys, types := b.all.filterKeys(uint16(period))
		if len(keys) == 0 {
			continue
		}
		raw, err := builder.Build(types, until, keys)
		if err != nil {
			return err
		}
		filter, err := revocation.ParseFilter(raw)
		if err != nil {
			return err
		}
		name := revocation.FilterName(until)
		digest, size, err := writeBytes(b.path(name), raw)
		if err != nil {
			return err
		}
		b.artefacts = append(b.artefacts, revocation.Artefact{
			Name: name, Kind: revocation.KindFilter, SHA256: digest, Size: size, Count: int64(filter.Count),
			HashTypes: types, FalsePositiveRate: revocation.FilterFPR, Expires: &until,
		})
	}
	return nil
}

// filterKeys gives the keys of a period's filter and the types of their hashes.
func (c *collection) filterKeys(period uint16) ([]uint64, []revocation.HashType) {
	var keys []uint64
	found := map[revocation.HashType]bool{}
	for _, chunks := range c.groups {
		for r := range each(chunks) {
			if r.period != period || r.byRID {
				continue
			}
			kind, hash := r.listed()
			keys, found[kind] = append(keys, revocation.FilterKey(hash)), true
		}
	}
	if rids := c.ridKeys[period]; len(rids) > 0 {
		keys, found[revocation.HashRID] = append(keys, rids...), true
	}
	var types []revocation.HashType
	for _, t := range append(revocation.ListedTypes(), revocation.HashRID) {
		if found[t] {
			types = append(types, t)
		}
	}
	return keys, types
}

func each(chunks [][]record) iter.Seq[record] {
	return func(yield func(record) bool) {
		for _, chunk := range chunks {
			for _, r := range chunk {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// slices writes the exact list of each key.
func (b *build) slices() error {
	keys := b.all.keys()
	for len(keys) > 0 {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		kid, same := keys[0].kid, 1 // several classes may share a key id
		for same < len(keys) && keys[same].kid == kid {
			same++
		}
		list := newExactList(kid)
		for _, key := range keys[:same] {
			for r := range each(b.all.groups[key]) {
				list.add(r.listed())
			}
		}
		artefact, err := list.write(b.path(revocation.SlicesName(kid)))
		if err != nil {
			return err
		}
		b.artefacts, keys = append(b.artefacts, artefact), keys[same:]
	}
	return nil
}

// who writes the list for the WHO's participants.
func (b *build) who() error {
	count := int64(0)
	keys := func(yield func(revocation.WHOKey) bool) {
		for key := range b.whoKeys() {
			count += int64(len(key.Hashes))
			if !yield(key) {
				return
			}
		}
	}
	const name = "who.json"
	digest, size, err := writeList(b.path(name), func(w io.Writer) error { return revocation.EncodeWHO(w, b.country, keys) })
	b.artefacts = append(b.artefacts, revocation.Artefact{Name: name, Kind: revocation.KindWHO, SHA256: digest, Size: size, Count: count})
	return err
}

func (b *build) whoKeys() iter.Seq[revocation.WHOKey] {
	return func(yield func(revocation.WHOKey) bool) {
		var key revocation.WHOKey
		flush := func() bool {
			key.Hashes = settled(key.Hashes)
			return len(key.Hashes) == 0 || yield(key)
		}
		for _, group := range b.all.keys() {
			if group.class == classCard {
				continue
			}
			if group.kid != key.KID {
				if !flush() {
					return
				}
				key = revocation.WHOKey{KID: group.kid}
			}
			for r := range each(b.all.groups[group]) {
				if !r.signature.IsZero() {
					key.Hashes = append(key.Hashes, r.signature)
				}
			}
		}
		flush()
	}
}

// crls writes the card revocation list of each key that has one. Its counter is the number of
// revocations on it, so that publishers with the same revocations state the same; it grows at
// least by one whenever the list changes, and is never below the floor.
func (b *build) crls() error {
	b.state.CRLs = maps.Clone(b.last.CRLs)
	if b.state.CRLs == nil {
		b.state.CRLs = map[string]crlState{}
	}
	for _, thumbprint := range slices.Sorted(maps.Keys(b.all.rids)) {
		rids := b.all.rids[thumbprint]
		digest, err := digestOfRIDs(thumbprint, rids)
		if err != nil {
			return err
		}
		now := crlState{CTR: uint64(len(rids)), Content: digest}
		if before, ok := b.last.CRLs[thumbprint]; ok && before.Content == digest {
			now.CTR = before.CTR
		} else if ok {
			now.CTR = max(now.CTR, before.CTR+1)
		}
		now.CTR = max(now.CTR, b.floor)
		raw, err := revocation.EncodeCRL(thumbprint, now.CTR, rids)
		if err != nil {
			return err
		}
		name := revocation.CRLName(thumbprint)
		sum, size, err := writeBytes(b.path(name), raw)
		if err != nil {
			return err
		}
		b.state.CRLs[thumbprint] = now
		b.artefacts = append(b.artefacts, revocation.Artefact{
			Name: name, Kind: revocation.KindCRL, SHA256: sum, Size: size, Count: int64(len(rids)), KID: thumbprint, CTR: now.CTR,
		})
	}
	return nil
}
