package issuance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// The stored form of an issued certificate is a DEFLATE stream (RFC 1951) of its fields as
// one line of JSON, then the document byte for byte as it was signed. Compression halves
// what every issue writes to disk; level 1 costs less than the writing it saves.

// maxUnpacked bounds what is inflated, in bytes; a document is about 12 KiB.
const maxUnpacked = 8 << 20

var errPacked = errors.New("issuance: a stored certificate cannot be read")

var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic("issuance: " + err.Error()) // a constant level: impossible
	}
	return w
}}

func pack(in Issued) ([]byte, error) {
	fields, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	w, ok := packers.Get().(*flate.Writer)
	if !ok {
		return nil, errPacked
	}
	defer packers.Put(w)
	var out bytes.Buffer
	out.Grow((len(fields) + len(in.Document)) / 2)
	w.Reset(&out)
	for _, part := range [][]byte{fields, {'\n'}, in.Document} {
		if _, err := w.Write(part); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func unpack(stored []byte) (Issued, error) {
	r := flate.NewReader(bytes.NewReader(stored))
	plain, err := io.ReadAll(io.LimitReader(r, maxUnpacked))
	if err != nil {
		return Issued{}, errors.Join(errPacked, err)
	}
	fields, document, ok := bytes.Cut(plain, []byte{'\n'})
	if !ok {
		return Issued{}, errPacked
	}
	var out Issued
	if err := json.Unmarshal(fields, &out); err != nil {
		return Issued{}, errors.Join(errPacked, err)
	}
	out.Document = document
	return out, nil
}
