package reader

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"sync"
)

// maxMessage is the largest COSE message that is read, in bytes: some fifty times the
// largest real one, and what a zip bomb can cost at most.
const maxMessage = 64 << 10

var (
	errNotZlib      = errors.New("the data do not begin like a zlib stream")
	errTooLarge     = errors.New("the content is larger than 64 KiB")
	errTrailingData = errors.New("there are bytes after the zlib stream")
)

// inflater is a zlib reader with its input; resetting it saves 40 KiB a certificate.
type inflater struct {
	in   bytes.Reader
	zlib io.ReadCloser
}

var inflaters sync.Pool

// inflate decompresses one zlib stream (RFC 1950), checksum included, and nothing after it.
func inflate(data []byte) ([]byte, error) {
	const deflate32K = 0x78 // the only method and window in use; raw data start otherwise
	if len(data) == 0 || data[0] != deflate32K {
		return nil, errNotZlib
	}
	f, ok := inflaters.Get().(*inflater)
	if !ok {
		f = &inflater{}
	}
	defer inflaters.Put(f)
	return f.inflate(data)
}

func (f *inflater) inflate(data []byte) ([]byte, error) {
	f.in.Reset(data)
	if err := f.reset(); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, 2*len(data)))
	n, err := out.ReadFrom(io.LimitReader(f.zlib, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if n > maxMessage {
		return nil, errTooLarge
	}
	if f.in.Len() > 0 {
		return nil, errTrailingData
	}
	return out.Bytes(), nil
}

func (f *inflater) reset() error {
	if resetter, ok := f.zlib.(zlib.Resetter); ok {
		return resetter.Reset(&f.in, nil)
	}
	r, err := zlib.NewReader(&f.in)
	if err != nil {
		return err
	}
	f.zlib = r
	return nil
}
