package revocation_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// list makes the slices of a list with their paths, and its root.
func list(t testing.TB, depth int, kid revocation.KID, hashes []revocation.Hash) ([][]byte, [32]byte) {
	t.Helper()
	count := 1 << (8 * depth)
	parts := make([]revocation.Slice, count)
	leaves := make([][32]byte, count)
	for i := range parts {
		parts[i].KID, parts[i].Prefix = kid, []byte{byte(i >> 8), byte(i)}[2-depth:]
	}
	for _, h := range sorted(hashes) {
		at := int(h[0])
		if depth == 2 {
			at = at<<8 | int(h[1])
		}
		parts[at].Hashes[0] = append(parts[at].Hashes[0], h)
	}
	for i, s := range parts {
		leaves[i] = revocation.LeafHash(s.AppendBody(nil))
	}
	tree := revocation.NewTree(leaves)
	out := make([][]byte, count)
	for i, s := range parts {
		out[i] = s.AppendBody(nil)
		for _, n := range revocation.PathNodes(depth, i) {
			out[i] = append(out[i], tree[n][:]...)
		}
	}
	return out, tree.Root()
}

func TestSlicesProveThemselves(t *testing.T) {
	t.Parallel()
	hashes := hashesOf(0, 3000)
	for depth := 1; depth <= revocation.MaxDepth; depth++ {
		raws, root := list(t, depth, revocation.KID{1}, hashes)
		found := 0
		for i, raw := range raws {
			s, err := revocation.ParseSlice(raw)
			if err != nil || s.Root() != root {
				t.Fatalf("depth %d, slice %d: %v", depth, i, err)
			}
			found += len(s.Hashes[0])
			for _, h := range s.Hashes[0] {
				if !s.Contains(revocation.HashSignature, h) || s.Contains(revocation.HashUCI, h) || s.Contains(revocation.HashRID, h) {
					t.Fatal("a slice does not know what it lists")
				}
			}
			if s.Contains(revocation.HashSignature, hashOf(1<<40+i)) {
				t.Fatal("a slice lists what was never revoked")
			}
		}
		if found != len(hashes) {
			t.Errorf("depth %d: %d hashes", depth, found)
		}
	}
}

// TestNoOtherSliceHasTheRoot: nobody can leave a hash out, add one, or show another slice.
func TestNoOtherSliceHasTheRoot(t *testing.T) {
	t.Parallel()
	raws, root := list(t, 1, revocation.KID{1}, hashesOf(0, 3000))
	raw := raws[7]
	for i := range raw {
		bad := slices.Clone(raw)
		bad[i] ^= 1
		if s, err := revocation.ParseSlice(bad); err == nil && s.Root() == root {
			t.Fatalf("a change of byte %d is not noticed", i)
		}
	}
	fewer, _ := list(t, 1, revocation.KID{1}, hashesOf(1, 3000))
	h := hashOf(0)
	s, err := revocation.ParseSlice(fewer[h[0]])
	must(t, err)
	if s.Root() == root || s.Contains(revocation.HashSignature, h) {
		t.Error("a list without one hash has the same root")
	}
	moved, err := revocation.ParseSlice(raws[8])
	must(t, err)
	moved.Prefix = []byte{7}
	if moved.Root() == root {
		t.Error("a slice proves itself in another place")
	}
}

func TestBadSlicesAreRefused(t *testing.T) {
	t.Parallel()
	raws, _ := list(t, 1, revocation.KID{1}, hashesOf(0, 3000))
	put := func(at int, v uint32) []byte {
		bad := slices.Clone(raws[7])
		binary.LittleEndian.PutUint32(bad[at:], v)
		return bad
	}
	swapped := slices.Clone(raws[7])
	copy(swapped[28:], raws[7][44:60])
	copy(swapped[44:], raws[7][28:44])
	for name, raw := range map[string][]byte{
		"empty": nil, "header alone": raws[7][:28], "cut": raws[7][:len(raws[7])-1], "longer": append(slices.Clone(raws[7]), 0), "magic": put(0, 0), "version": put(4, 0x0102),
		"depth 0": bytes.Replace(raws[7], []byte("TRVS\x01\x01"), []byte("TRVS\x01\x00"), 1), "depth 3": bytes.Replace(raws[7], []byte("TRVS\x01\x01"), []byte("TRVS\x01\x03"), 1),
		"count": put(16, 0xffffffff), "counts": put(20, 0xffffffff), "unsorted": swapped, "second byte": func() []byte { b := slices.Clone(raws[7]); b[15] = 1; return b }(),
		"other prefix": func() []byte { b := slices.Clone(raws[7]); b[14] = 8; return b }(), "large": make([]byte, revocation.MaxSliceBytes+1),
	} {
		if _, err := revocation.ParseSlice(raw); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{0: 1, 1: 1, 256_000: 1, 256_001: 2, revocation.BudgetRevocations: 2} {
		if got := revocation.DepthFor(count); got != want {
			t.Errorf("%d hashes: depth %d", count, got)
		}
	}
}

func FuzzParseSlice(f *testing.F) {
	raws, _ := list(f, 1, revocation.KID{1}, hashesOf(0, 300))
	f.Add(raws[0])
	f.Add(raws[255])
	raws, _ = list(f, 2, revocation.KID{1}, hashesOf(0, 10))
	f.Add(raws[0])
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := revocation.ParseSlice(raw)
		if err != nil {
			return
		}
		s.Root()
		again := s.AppendBody(nil)
		for _, node := range s.Path {
			again = append(again, node[:]...)
		}
		if !bytes.Equal(again, raw) {
			t.Error("a slice has two encodings")
		}
	})
}
