package foreign

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

// keptFile is a document on disk, as it came. Its authenticity is checked again when it is
// read, so the file is trusted for the time of the import alone.
type keptFile struct {
	Version  int    `json:"version"` // 1
	Imported string `json:"imported"`
	Document string `json:"document"` // base64
}

const keptVersion = 1

// maxKept bounds the file: base64 of the largest document and the rest.
const maxKept = MaxBytes/3*4 + 1024

var errKept = errors.New("foreign: the file of the kept document is damaged")

func keptPath(dir, name string) string { return filepath.Join(dir, name+".json") }

// readKept gives the document and the time of its import; the zero time means that there
// is none.
func readKept(dir, name string) ([]byte, time.Time, error) {
	file, err := os.Open(keptPath(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("foreign: open kept document: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxKept+1))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("foreign: read kept document: %w", err)
	}
	if len(raw) > maxKept {
		return nil, time.Time{}, errKept
	}
	var wire keptFile
	if err := json.Unmarshal(raw, &wire, json.RejectUnknownMembers(true)); err != nil || wire.Version != keptVersion {
		return nil, time.Time{}, errKept
	}
	imported, err := time.Parse(time.RFC3339, wire.Imported)
	if err != nil || imported.IsZero() {
		return nil, time.Time{}, errKept
	}
	document, err := base64.StdEncoding.DecodeString(wire.Document)
	if err != nil {
		return nil, time.Time{}, errKept
	}
	return document, imported.UTC(), nil
}

// writeKept replaces the file in one step that survives a crash: afterwards either the old
// document is there or the new one.
func writeKept(dir, name string, document []byte, imported time.Time) error {
	raw, err := json.Marshal(keptFile{
		Version: keptVersion, Imported: imported.Format(time.RFC3339), Document: base64.StdEncoding.EncodeToString(document),
	})
	if err != nil {
		return fmt.Errorf("foreign: encode document: %w", err)
	}
	if err := durable.Replace(keptPath(dir, name), raw); err != nil {
		return fmt.Errorf("foreign: keep document: %w", err)
	}
	return nil
}
