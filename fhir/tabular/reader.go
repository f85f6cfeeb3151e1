package tabular

import (
	"errors"
	"io"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// MaxLine is the longest line, or row of a CSV, in bytes.
const MaxLine = 512 << 10

// Record is one line of a file.
type Record struct {
	Line     int           // from 1 on, as an editor counts; of a row that spans lines, the first
	Resource []byte        // FHIR JSON; nil when the line cannot be read
	Issues   []fault.Issue // why not
}

// Reader gives the records of a file in order.
type Reader interface {
	// Next gives the next record, io.EOF behind the last. Any other error means that the
	// rest of the file cannot be read: a *fault.Error of kind Malformed about the file, or
	// the error of the underlying reader.
	Next() (Record, error)
}

// Rules of findings about lines.
const (
	RuleLine   = "line"   // too long, or not well-formed
	RuleColumn = "column" // of the header of a CSV
)

func unreadable(line int, detail, fix string) Record {
	return Record{Line: line, Issues: []fault.Issue{{Path: "line", Rule: RuleLine, Detail: detail, Fix: fix}}}
}

// file is a refusal of the file as a whole.
func file(rule, detail, fix string) error {
	return fault.New(fault.Malformed, "file", "The file cannot be read.").With(fault.Issue{Path: "file", Rule: rule, Detail: detail, Fix: fix})
}

// Forms of files by media type.
const (
	TypeNDJSON = "application/fhir+ndjson"
	TypeCSV    = "text/csv"
)

var errForm = errors.New("tabular: no such form of a file")

// New opens a file by its media type, one of the constants.
func New(mediaType string, r io.Reader) (Reader, error) {
	switch mediaType {
	case TypeNDJSON:
		return NewNDJSON(r), nil
	case TypeCSV:
		return NewCSV(r)
	}
	return nil, errForm
}
