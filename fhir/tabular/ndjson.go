package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// NDJSON reads one resource a line. Empty lines count, and are no records.
type NDJSON struct {
	in   *bufio.Reader
	line int
}

// NewNDJSON reads r (FHIR Bulk Data Access, application/fhir+ndjson: UTF-8, lines end with
// LF or CRLF). A byte order mark in front is skipped.
func NewNDJSON(r io.Reader) *NDJSON {
	return &NDJSON{in: bufio.NewReaderSize(r, 64<<10)}
}

// Next implements Reader.
func (n *NDJSON) Next() (Record, error) {
	for {
		line, long, err := n.read()
		switch {
		case err != nil:
			return Record{}, err
		case long:
			return unreadable(n.line, "The line is longer than 512 KiB.", "Send one event a line."), nil
		case len(line) == 0:
			continue
		}
		return Record{Line: n.line, Resource: line}, nil
	}
}

// read gives the next line without white space around it, and whether it was too long to be
// kept. The error is io.EOF only behind the last line.
func (n *NDJSON) read() (line []byte, long bool, err error) {
	n.line++
	for {
		part, err := n.in.ReadSlice('\n')
		if !long {
			line = append(line, part...)
		}
		if len(line) > MaxLine {
			line, long = nil, true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long), err == nil:
			return n.clean(line), long, nil
		}
		return nil, false, err
	}
}

func (n *NDJSON) clean(line []byte) []byte {
	if n.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.TrimSpace(line)
}
