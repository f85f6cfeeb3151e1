package revocation

import "sort"

// Split cuts hashes, sorted and without repetition, into parts that a batch can hold. A part
// holds all hashes that begin with the same bits: the cut follows the hashes alone, so a new
// revocation changes one part and leaves all others as devices have them, and what was
// revoked together does not stand together.
func Split(hashes []Hash) [][]Hash {
	if len(hashes) == 0 {
		return nil
	}
	return split(nil, hashes, 0)
}

func split(parts [][]Hash, hashes []Hash, bit int) [][]Hash {
	switch {
	case len(hashes) == 0:
		return parts
	case len(hashes) <= MaxBatchEntries || bit == 8*HashSize:
		return append(parts, hashes)
	}
	ones := sort.Search(len(hashes), func(i int) bool { return hashes[i][bit/8]>>(7-bit%8)&1 == 1 })
	parts = split(parts, hashes[:ones], bit+1)
	return split(parts, hashes[ones:], bit+1)
}
