package revocation_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/FastFilter/xorfilter"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

var signatures = []revocation.HashType{revocation.HashSignature}

func keysOf(hashes []revocation.Hash) []uint64 {
	keys := make([]uint64, len(hashes))
	for i, h := range hashes {
		keys[i] = revocation.FilterKey(h)
	}
	return keys
}

func buildFilter(t testing.TB, hashes []revocation.Hash) []byte {
	t.Helper()
	var b revocation.FilterBuilder
	raw, err := b.Build(signatures, until, keysOf(hashes))
	must(t, err)
	return raw
}

// TestFilterFindsAll: every size, repeated hashes included; nothing that was put in is missed.
func TestFilterFindsAll(t *testing.T) {
	t.Parallel()
	var b revocation.FilterBuilder
	rapid.Check(t, func(r *rapid.T) {
		n, from := rapid.IntRange(1, 5000).Draw(r, "hashes"), rapid.IntRange(0, 1<<30).Draw(r, "from")
		hashes := hashesOf(from, from+n)
		hashes = append(hashes, hashes[:rapid.IntRange(0, n).Draw(r, "repeated")]...)
		raw, err := b.Build(signatures, until, keysOf(hashes))
		if err != nil {
			r.Fatal(err)
		}
		f, err := revocation.ParseFilter(raw)
		if err != nil || f.Count != n || !f.Until.Equal(until) || !slices.Equal(f.Types, signatures) {
			r.Fatalf("%+v, %v", f, err)
		}
		for i, h := range hashes {
			if !f.Contains(h) {
				r.Fatalf("hash %d of %d is missed", i, n)
			}
		}
	})
}

// TestFilterReadsAsTheLibraryDoes: our reader and the library that builds agree, also about
// what is not in the filter.
func TestFilterReadsAsTheLibraryDoes(t *testing.T) {
	t.Parallel()
	keys := keysOf(hashesOf(0, 30_000))
	slices.Sort(keys)
	library, err := xorfilter.NewBinaryFuse[uint16](slices.Clone(keys))
	must(t, err)
	f, err := revocation.ParseFilter(buildFilter(t, hashesOf(0, 30_000)))
	must(t, err)
	hits := 0
	for i := range 2_000_000 {
		h := hashOf(i)
		if f.Contains(h) != library.Contains(revocation.FilterKey(h)) {
			t.Fatalf("hash %d: the readers differ", i)
		}
		if i >= 30_000 && f.Contains(h) {
			hits++
		}
	}
	if hits == 0 {
		t.Error("no false positive: the comparison shows nothing")
	}
}

// TestFalsePositiveRate measures 3,000,000 hashes that are not in a filter of 1,000,000.
func TestFalsePositiveRate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a filter of a million in -short")
	}
	const in, asked = 1_000_000, 3_000_000
	raw := buildFilter(t, hashesOf(0, in))
	f, err := revocation.ParseFilter(raw)
	must(t, err)
	for i := range in {
		if !f.Contains(hashOf(i)) {
			t.Fatalf("hash %d is missed", i)
		}
	}
	hits := 0
	for i := in; i < in+asked; i++ {
		if f.Contains(hashOf(i)) {
			hits++
		}
	}
	rate := float64(hits) / asked
	t.Logf("%d bytes, %.2f bits a hash; measured rate %.3g, stated %.3g", len(raw), 8*float64(len(raw))/in, rate, revocation.FilterFPR)
	if rate > 1.5*revocation.FilterFPR || rate < revocation.FilterFPR/1.5 {
		t.Errorf("measured %.3g, stated %.3g", rate, revocation.FilterFPR)
	}
}

func TestFilterIsTheSameForTheSameSet(t *testing.T) {
	t.Parallel()
	one, other := hashesOf(0, 1000), hashesOf(0, 1000)
	slices.Reverse(other)
	if !bytes.Equal(buildFilter(t, one), buildFilter(t, other)) {
		t.Error("the order of revocations shows")
	}
	var b revocation.FilterBuilder
	for _, tc := range []struct {
		types []revocation.HashType
		keys  []uint64
	}{{nil, []uint64{1}}, {signatures, nil}, {[]revocation.HashType{"X"}, []uint64{1}}} {
		if _, err := b.Build(tc.types, until, tc.keys); err == nil {
			t.Errorf("%v of %d is built", tc.types, len(tc.keys))
		}
	}
	raw, err := b.Build([]revocation.HashType{revocation.HashSignature, revocation.HashRID}, revocation.Never, []uint64{7})
	must(t, err)
	f, err := revocation.ParseFilter(raw)
	if err != nil || !f.Holds(revocation.HashRID) || f.Holds(revocation.HashUCI) || !f.Until.Equal(revocation.Never) {
		t.Errorf("%+v, %v", f, err)
	}
}

// seal replaces the checksum, as somebody who forges a filter can.
func seal(raw []byte) []byte {
	sum := sha256.Sum256(raw[:len(raw)-32])
	return append(slices.Clone(raw[:len(raw)-32]), sum[:]...)
}

// TestForgedFiltersAreRefused: no header makes the reader look outside of the fingerprints.
func TestForgedFiltersAreRefused(t *testing.T) {
	t.Parallel()
	good := buildFilter(t, hashesOf(0, 100))
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1
		if _, err := revocation.ParseFilter(bad); err == nil {
			t.Fatalf("a change of byte %d is not noticed", i)
		}
	}
	put := func(at int, v uint32) []byte {
		bad := slices.Clone(good)
		binary.LittleEndian.PutUint32(bad[at:], v)
		return seal(bad)
	}
	for name, raw := range map[string][]byte{
		"empty": nil, "short": good[:79], "cut": seal(good[:len(good)-2]), "longer": seal(append(slices.Clone(good), 0, 0)),
		"version": put(4, 2), "no count": put(8, 0), "segment 0": put(12, 0), "segment 3": put(12, 3), "segment 2^31": put(12, 1<<31),
		"segments 0": put(16, 0), "segments": put(16, 1<<30), "reserved": put(20, 1), "until": put(36, 1<<31), "rate": put(44, 0),
	} {
		if _, err := revocation.ParseFilter(raw); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	if _, err := revocation.ParseFilter(seal(good)); err != nil {
		t.Error(err)
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add(buildFilter(f, hashesOf(0, 1)), uint64(1))
	f.Add(buildFilter(f, hashesOf(0, 50)), uint64(1<<63))
	f.Fuzz(func(_ *testing.T, raw []byte, key uint64) {
		for _, candidate := range [][]byte{raw, append(slices.Clone(raw), make([]byte, 32)...)} {
			if len(candidate) < 32 {
				continue
			}
			filter, err := revocation.ParseFilter(seal(candidate))
			if err != nil {
				continue
			}
			var h revocation.Hash
			for range 64 { // no key reaches outside
				binary.BigEndian.PutUint64(h[:], key)
				filter.Contains(h)
				key = key*0x9e3779b97f4a7c15 + 1
			}
		}
	})
}

// The budget: ten million revocations in one filter, the worst case of memory and time.
func BenchmarkFilterBuild10M(b *testing.B) {
	all := keysOf(hashesOf(0, revocation.BudgetRevocations))
	for b.Loop() {
		var builder revocation.FilterBuilder
		raw, err := builder.Build(signatures, until, slices.Clone(all))
		must(b, err)
		if len(raw) > revocation.BudgetFilters {
			b.Fatalf("%d bytes, over the budget of %d", len(raw), revocation.BudgetFilters)
		}
		b.ReportMetric(float64(len(raw))/(1<<20), "MiB")
		b.ReportMetric(8*float64(len(raw))/revocation.BudgetRevocations, "bits/revocation")
	}
}

func BenchmarkFilterLookup10M(b *testing.B) {
	f, err := revocation.ParseFilter(buildFilter(b, hashesOf(0, revocation.BudgetRevocations)))
	must(b, err)
	hits := 0
	const asked = 20_000_000
	for i := range asked {
		if f.Contains(hashOf(revocation.BudgetRevocations + i)) {
			hits++
		}
	}
	strangers := hashesOf(1<<40, 1<<40+1<<16)
	for i := 0; b.Loop(); i++ {
		f.Contains(strangers[i&(1<<16-1)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lookups/s")
	b.ReportMetric(float64(hits)/asked/revocation.FilterFPR, "measured/stated-FPR")
}
