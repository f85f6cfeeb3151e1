package shc

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflaters keeps compressors, each some hundred KiB, from card to card.
var deflaters sync.Pool

// deflate gives the raw DEFLATE stream (RFC 1951) of data at the best compression: every
// byte saved is a step towards a higher level of error correction. BenchmarkDeflate shows
// why it uses the writer it does.
func deflate(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, ok := deflaters.Get().(*flate.Writer)
	if ok {
		w.Reset(&out)
	} else {
		var err error
		if w, err = flate.NewWriter(&out, flate.BestCompression); err != nil {
			return nil, err
		}
	}
	defer deflaters.Put(w)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
