package mllp

import (
	"bufio"
	"errors"
	"io"
)

// The framing: <SB> message <EB> <CR>.
const (
	startBlock     = 0x0b
	endBlock       = 0x1c
	carriageReturn = 0x0d
	lineFeed       = 0x0a
)

var (
	errFraming = errors.New("mllp: bytes outside of a frame, or a frame inside of another")
	errTooLong = errors.New("mllp: the message is longer than allowed")
)

// keptScratch is what a connection keeps between messages, in bytes.
const keptScratch = 64 << 10

// reader takes frames off a connection.
type reader struct {
	from    *bufio.Reader
	limit   int
	begun   func() // hears that the first byte of a frame is there
	scratch []byte
}

// next gives the content of the next frame, valid until the call after it. io.EOF means that
// the peer ended the connection between two frames, io.ErrUnexpectedEOF inside of one. With
// errTooLong comes one byte more than allowed.
func (r *reader) next() ([]byte, error) {
	if err := r.start(); err != nil {
		return nil, err
	}
	r.begun()
	if cap(r.scratch) > keptScratch {
		r.scratch = nil
	}
	r.scratch = r.scratch[:0]
	for {
		b, err := r.from.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case b == startBlock:
			return nil, errFraming
		case b == endBlock:
			return r.scratch, r.end()
		}
		if r.scratch = append(r.scratch, b); len(r.scratch) > r.limit {
			return r.scratch, errTooLong
		}
	}
}

// start skips line ends, which some senders put between frames, up to the start block.
func (r *reader) start() error {
	for {
		b, err := r.from.ReadByte()
		switch {
		case err != nil:
			return err
		case b == startBlock:
			return nil
		case b != carriageReturn && b != lineFeed:
			return errFraming
		}
	}
}

func (r *reader) end() error {
	b, err := r.from.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case b != carriageReturn:
		return errFraming
	}
	return nil
}

// frame wraps an answer.
func frame(message []byte) []byte {
	out := make([]byte, 0, len(message)+3)
	out = append(out, startBlock)
	out = append(out, message...)
	return append(out, endBlock, carriageReturn)
}
