package hcert

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"runtime"
)

// contextIdentifier is the prefix of every text, version 1 (HCERT specification §4.3).
const contextIdentifier = "HC1:"

// Limits of a text, in characters, from the alphanumeric capacity of a QR code of
// version 25 (ISO/IEC 18004 table 7), the largest one that phones read from paper with
// ease: at error correction level Q, which is to be preferred, and at level M.
const (
	MaxTextQ = 1041
	MaxTextM = 1451
)

// maxMessage is the size of a COSE message, in bytes, that readers agree to inflate.
const maxMessage = 64 << 10

// ErrTooLong means that no QR code of version 25 can carry the text. The cure is shorter
// content: no displays, no optional members.
var ErrTooLong = errors.New("hcert: the text would not fit into a QR code of version 25 at level M")

// compressor is one zlib writer with its buffer; resetting it is much cheaper than
// making one.
type compressor struct {
	out  bytes.Buffer
	zlib *zlib.Writer
}

// compressors keeps as many as can work at a time. It is no sync.Pool, which a garbage
// collection empties: a new writer costs more than the compression it is made for.
var compressors = make(chan *compressor, runtime.GOMAXPROCS(0))

// Text compresses a COSE message (zlib, RFC 1950, best compression), encodes it in
// Base45 (RFC 9285) and puts "HC1:" in front. All characters are in the alphanumeric set
// of QR codes. A result of more than MaxTextM characters is ErrTooLong.
func Text(coseBytes []byte) (string, error) {
	if len(coseBytes) > maxMessage {
		return "", ErrTooLong
	}
	c, err := newCompressor()
	if err != nil {
		return "", err
	}
	defer c.release()
	compressed, err := c.compress(coseBytes)
	if err != nil {
		return "", fmt.Errorf("hcert: compress: %w", err)
	}
	size := len(contextIdentifier) + base45Len(len(compressed))
	if size > MaxTextM {
		return "", ErrTooLong
	}
	text := append(make([]byte, 0, size), contextIdentifier...)
	return string(appendBase45(text, compressed)), nil
}

func newCompressor() (*compressor, error) {
	select {
	case c := <-compressors:
		return c, nil
	default:
	}
	c := &compressor{}
	w, err := zlib.NewWriterLevel(&c.out, zlib.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("hcert: zlib: %w", err)
	}
	c.zlib = w
	return c, nil
}

// release keeps c for the next text if there is room.
func (c *compressor) release() {
	select {
	case compressors <- c:
	default:
	}
}

// compress gives bytes that are valid until the next call.
func (c *compressor) compress(data []byte) ([]byte, error) {
	c.out.Reset()
	c.zlib.Reset(&c.out)
	if _, err := c.zlib.Write(data); err != nil {
		return nil, err
	}
	if err := c.zlib.Close(); err != nil {
		return nil, err
	}
	return c.out.Bytes(), nil
}
