package tabular

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// CSV reads one event a row (RFC 4180, UTF-8; comma, semicolon or tab, as the header has
// it). The header names the questions of one of WHO's questionnaires by their linkId; the
// parts of a coding are columns of their own (vaccine.code, vaccine.system,
// vaccine.display), or one column with system|code.
type CSV struct {
	in      *csv.Reader
	source  *metered
	columns columns
}

// NewCSV reads the header of r. Errors: fault.Malformed with every column that is wrong.
func NewCSV(r io.Reader) (*CSV, error) {
	source := &metered{in: bufio.NewReaderSize(r, 64<<10)}
	header, err := source.header()
	if err != nil {
		return nil, err
	}
	names, separator := splitHeader(header)
	columns, err := parseColumns(names)
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(source)
	in.Comma, in.FieldsPerRecord, in.ReuseRecord = separator, -1, true
	return &CSV{in: in, source: source, columns: columns}, nil
}

var errRow = file(RuleLine, "A row is longer than 512 KiB, or a quotation mark is never closed.", "Close the quotation mark, or double it inside a value.")

// Next implements Reader.
func (c *CSV) Next() (Record, error) {
	c.source.allowed = MaxLine + csvBuffer
	row, err := c.in.Read()
	var broken *csv.ParseError
	switch {
	case errors.Is(err, errTooMuch):
		return Record{}, errRow
	case errors.As(err, &broken):
		return unreadable(broken.StartLine+1, "The row is not well-formed.", "Put values with quotation marks into quotation marks, and double those inside."), nil
	case err != nil:
		return Record{}, err
	}
	line, _ := c.in.FieldPos(0)
	line++ // the header
	if len(row) != len(c.columns.list) {
		return unreadable(line, "The row has another number of values than the header has columns.", "Send a value, or nothing between separators, for each column."), nil
	}
	resource, issues := c.columns.resource(row)
	return Record{Line: line, Resource: resource, Issues: issues}, nil
}

// csvBuffer is what a csv.Reader reads ahead.
const csvBuffer = 4096

var errTooMuch = errors.New("tabular: too much for one row")

// metered stops a reader that wants more than one row can have.
type metered struct {
	in      *bufio.Reader
	allowed int
}

// Read implements io.Reader.
func (m *metered) Read(p []byte) (int, error) {
	if m.allowed <= 0 {
		return 0, errTooMuch
	}
	n, err := m.in.Read(p[:min(len(p), m.allowed)])
	m.allowed -= n
	return n, err
}

// header takes the first line off.
func (m *metered) header() (string, error) {
	var line []byte
	for len(line) <= MaxLine {
		part, err := m.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		}
		return string(bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))), nil
	}
	return "", file(RuleColumn, "The first line is longer than 512 KiB.", "Send a header with one name a column.")
}

// splitHeader finds the separator: the one that gives the most columns.
func splitHeader(header string) (names []string, separator rune) {
	for _, s := range []rune{',', ';', '\t'} {
		if split := strings.Split(header, string(s)); separator == 0 || len(split) > len(names) {
			names, separator = split, s
		}
	}
	for i, n := range names {
		names[i] = strings.Trim(strings.TrimSpace(n), `"`)
	}
	return names, separator
}
