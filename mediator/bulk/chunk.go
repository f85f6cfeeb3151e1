package bulk

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/klauspost/compress/flate"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Limits of a chunk: how much is done again after a crash, and held in memory.
const (
	chunkRecords = 256
	leastRecords = 16
	chunkTime    = 5 * time.Second // of an issuer's rate; less than leaseTime
	chunkBytes   = 1 << 20
	maxChunk     = chunkBytes + 2*tabular.MaxLine // unpacked, with the frame of the last line
)

// chunk is a run of lines.
type chunk struct {
	most    int // lines
	records []line
	size    int
}

// chunkOf is an empty chunk of an issuer. One that is slow by its rate has short ones, so
// that a stop costs little and progress shows.
func chunkOf(by mediator.IssuerPolicy) chunk {
	if by.Rate <= 0 || by.Rate*chunkTime.Seconds() >= chunkRecords {
		return chunk{most: chunkRecords}
	}
	return chunk{most: max(leastRecords, int(by.Rate*chunkTime.Seconds()))}
}

// line is a record as it is kept.
type line struct {
	Line     int           `json:"line"`
	Resource []byte        `json:"resource,omitempty"` // as bytes: it need not be JSON
	Issues   []fault.Issue `json:"issues,omitempty"`
}

func (c *chunk) add(r tabular.Record) {
	c.records = append(c.records, line(r))
	c.size += len(r.Resource)
}

func (c *chunk) full() bool { return len(c.records) >= c.most || c.size >= chunkBytes }

// pack is the stored form: JSON, deflated. Lines of one file resemble each other.
func (c *chunk) pack() ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(w).Encode(c.records); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func unpack(stored []byte) ([]line, error) {
	var records []line
	// Base64 of the resources makes the JSON a third larger.
	err := json.NewDecoder(io.LimitReader(flate.NewReader(bytes.NewReader(stored)), 2*maxChunk)).Decode(&records)
	return records, err
}
