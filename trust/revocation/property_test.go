package revocation_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

var allKinds = []string{format.KindFilter, format.KindSlices, format.KindCRL, format.KindWHO, format.KindBatches}

// anyEntry draws a revocation of any format with any of its identities; n makes it unique.
func anyEntry(r *rapid.T, n int) format.Entry {
	e := dcc(n)
	e.Format = rapid.SampledFrom([]string{format.FormatWHO, format.FormatDCC, format.FormatDCCRecovery, format.FormatICVP, format.FormatVDSNC, format.FormatSHC}).Draw(r, "format")
	e.ExpiresAt = rapid.SampledFrom([]time.Time{{}, begin.AddDate(0, 1, 0), begin.AddDate(1, 3, 0), begin.AddDate(8, 0, 0), begin.AddDate(900, 0, 0)}).Draw(r, "expiry")
	have := rapid.IntRange(1, 7).Draw(r, "hashes")
	if have&1 == 0 {
		e.Signature = format.Hash{}
	}
	if have&2 == 0 {
		e.UCI = format.Hash{}
	}
	if have&4 == 0 {
		e.CountryUCI = format.Hash{}
	}
	if e.Format == format.FormatSHC {
		e.KID, e.SHCKID = nil, thumbprint
		e.RID = rapid.SampledFrom([]string{"", card(n).RID, card(n).RID + ".1800000000"}).Draw(r, "rid")
	}
	return e
}

// TestEveryRevocationIsOnEveryList: whatever is revoked is found by the filter alone, with the
// slices, and on each list that is for its format; what is not revoked is on no exact list.
func TestEveryRevocationIsOnEveryList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.publisher(t)
	next := 0
	rapid.Check(t, func(r *rapid.T) {
		var entries []format.Entry
		for range rapid.IntRange(0, 60).Draw(r, "entries") {
			entries = append(entries, anyEntry(r, next))
			next++
		}
		s.set(func() {
			s.entries, s.page = entries, rapid.IntRange(1, 20).Draw(r, "page")
			s.now = s.now.Add(time.Second)
		})
		s.signer.cards = nil // another registry each time
		publication := published(t, p)
		all := mirror(t, publication, allKinds...)
		exact, err := revocation.Load(all.fs(), s.list, s.clock())
		must(t, err)
		rough, err := revocation.Load(mirror(t, publication, format.KindFilter).fs(), s.list, s.clock())
		must(t, err)
		batches, who := batchHashes(t, publication), whoHashes(t, all["who.json"])
		for _, e := range entries {
			id := identityOf(e)
			if v := exact.Check(id); !v.Revoked || v.Certainty != revocation.Exact {
				r.Fatalf("%s: %+v with all lists", e.Format, v)
			}
			if v := rough.Check(id); !v.Revoked || v.Certainty != revocation.FromFilter {
				r.Fatalf("%s: %+v with the filter alone", e.Format, v)
			}
			for kind, h := range map[format.HashType]format.Hash{format.HashSignature: e.Signature, format.HashUCI: e.UCI, format.HashCountryUCI: e.CountryUCI} {
				if want := !h.IsZero() && format.IsHCERT(e.Format); batches[kind][h] != want {
					r.Fatalf("%s: in the batches of %s: %t", e.Format, kind, !want)
				}
			}
			if want := !e.Signature.IsZero() && e.Format != format.FormatSHC; who[e.Signature] != want {
				r.Fatalf("%s: on the list for the WHO: %t", e.Format, !want)
			}
		}
		for i := range 300 {
			good := dcc(1<<41 + i)
			if v := exact.Check(identityOf(good)); v.Revoked || v.Certainty != revocation.Exact {
				r.Fatalf("%+v for what is not revoked", v)
			}
			if batches[format.HashSignature][good.Signature] || batches[format.HashUCI][good.UCI] || who[good.Signature] {
				r.Fatal("what is not revoked is on an exact list")
			}
		}
	})
}

func batchHashes(t testing.TB, p *revocation.Publication) map[format.HashType]map[format.Hash]bool {
	t.Helper()
	out := map[format.HashType]map[format.Hash]bool{format.HashSignature: {}, format.HashUCI: {}, format.HashCountryUCI: {}}
	for _, change := range allChanges(p) {
		if change.Deleted {
			continue
		}
		raw, known, deleted := p.Batch(change.ID)
		if !known || deleted {
			t.Fatal("a listed batch is not there")
		}
		b, err := format.ParseBatch(read(t, raw))
		must(t, err)
		for _, h := range b.Entries {
			out[b.HashType][h] = true
		}
	}
	return out
}

// allChanges walks the list of batches as a reader does.
func allChanges(p *revocation.Publication) []revocation.BatchChange {
	var out []revocation.BatchChange
	since := time.Time{}
	for {
		page, more := p.BatchChanges(since)
		if out = append(out, page...); !more {
			return out
		}
		since = page[len(page)-1].Date
	}
}

func whoHashes(t testing.TB, raw []byte) map[format.Hash]bool {
	t.Helper()
	list, err := format.ParseWHO(raw)
	must(t, err)
	out := map[format.Hash]bool{}
	for _, key := range list.Keys {
		for _, h := range key.Hashes {
			out[h] = true
		}
	}
	return out
}

// TestListsFollowTheSetAlone: publishers that read the same revocations in another order
// publish the same bytes, so nothing shows which hashes belong together.
func TestListsFollowTheSetAlone(t *testing.T) {
	t.Parallel()
	var entries []format.Entry
	for i := range 2500 {
		entries = append(entries, dcc(i), card(i))
	}
	one := newSite(t, entries...)
	other := newSite(t, append(slices.Clone(entries), entries[:100]...)...)
	slices.Reverse(other.entries)
	a, b := mirror(t, published(t, one.publisher(t)), allKinds...), mirror(t, published(t, other.publisher(t)), allKinds...)
	for name, content := range a {
		if name != "manifest.jws" && !bytes.HasPrefix([]byte(name), []byte("crl/")) && !bytes.Equal(content, b[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d and %d lists", len(a), len(b))
	}
}
