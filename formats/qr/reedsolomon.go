package qr

import (
	"encoding/binary"
	"sync"

	"rsc.io/qr/coding"
	"rsc.io/qr/gf256"
)

// maxCheckBytes is the largest number of error correction codewords a block has
// (ISO/IEC 18004 Table 9).
const maxCheckBytes = 30

// remainder is a polynomial of up to 32 coefficients over GF(256), highest first, in
// the byte order of a big-endian number.
type remainder [4]uint64

// rsTable holds, for each byte b, the remainder of b·x^n divided by the generator
// polynomial of degree n. With it, division takes one look-up for each data byte.
type rsTable [256]remainder

// rsTables holds the tables by number of check bytes, each built on first use.
var rsTables [maxCheckBytes + 1]struct {
	once  sync.Once
	table *rsTable
}

func rsTableFor(checkBytes int) *rsTable {
	slot := &rsTables[checkBytes]
	slot.once.Do(func() { slot.table = newRSTable(checkBytes) })
	return slot.table
}

func newRSTable(checkBytes int) *rsTable {
	t := new(rsTable)
	encoder := gf256.NewRSEncoder(coding.Field, checkBytes)
	for b := range t {
		var check [32]byte
		encoder.ECC([]byte{byte(b)}, check[:checkBytes])
		for i := range t[b] {
			t[b][i] = binary.BigEndian.Uint64(check[8*i:])
		}
	}
	return t
}

// check gives the error correction codewords of one block (ISO/IEC 18004 §7.5.2),
// followed by zeros.
func (t *rsTable) check(data []byte) (check [32]byte) {
	var r remainder
	for _, b := range data {
		row := &t[b^byte(r[0]>>56)]
		r[0] = (r[0]<<8 | r[1]>>56) ^ row[0]
		r[1] = (r[1]<<8 | r[2]>>56) ^ row[1]
		r[2] = (r[2]<<8 | r[3]>>56) ^ row[2]
		r[3] = r[3]<<8 ^ row[3]
	}
	for i, word := range r {
		binary.BigEndian.PutUint64(check[8*i:], word)
	}
	return check
}
