package reader

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"
)

// maxPayload is the largest payload that is read, in bytes: some thirty times the largest
// real one, and what a decompression bomb can cost at most.
const maxPayload = 64 << 10

var (
	errTooLarge     = errors.New("the content is larger than 64 KiB")
	errTrailingData = errors.New("there are bytes after the DEFLATE stream")
)

// inflater is a DEFLATE reader with its input; resetting it saves 40 KiB a card.
type inflater struct {
	in    bytes.Reader
	flate io.ReadCloser
}

var inflaters sync.Pool

// inflate decompresses one raw DEFLATE stream (RFC 1951). Nothing may follow it, except,
// and then hasTrailer is true, the CRC-32 and length with which gzip ends (RFC 1952 §2.3.1).
func inflate(data []byte) (content []byte, hasTrailer bool, err error) {
	f, ok := inflaters.Get().(*inflater)
	if !ok {
		f = &inflater{}
	}
	defer inflaters.Put(f)
	f.in.Reset(data)
	if resetter, ok := f.flate.(flate.Resetter); ok {
		if err := resetter.Reset(&f.in, nil); err != nil {
			return nil, false, err
		}
	} else {
		f.flate = flate.NewReader(&f.in)
	}
	out := bytes.NewBuffer(make([]byte, 0, 4*min(len(data), maxPayload/4)))
	n, err := out.ReadFrom(io.LimitReader(f.flate, maxPayload+1))
	rest := data[len(data)-f.in.Len():]
	switch {
	case err != nil:
		return nil, false, err
	case n > maxPayload:
		return nil, false, errTooLarge
	case len(rest) == 0:
		return out.Bytes(), false, nil
	case !isTrailer(rest, out.Bytes()):
		return nil, false, errTrailingData
	}
	return out.Bytes(), true, nil
}

func isTrailer(rest, content []byte) bool {
	const size = 8
	return len(rest) == size &&
		binary.LittleEndian.Uint32(rest) == crc32.ChecksumIEEE(content) &&
		binary.LittleEndian.Uint32(rest[4:]) == uint32(len(content))
}
