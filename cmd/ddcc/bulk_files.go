package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

// bulkState is what the progress file holds: how far the outputs are complete.
type bulkState struct {
	Input    string           `json:"input"` // size and beginning of the file it is about
	Route    string           `json:"route"`
	Line     int              `json:"line"` // last one with a result
	Sizes    map[string]int64 `json:"sizes"`
	Issued   int              `json:"issued"`
	Replayed int              `json:"replayed"` // of the issued: the gateway had them
	Failed   int              `json:"failed"`
}

// bulkFiles are the outputs beside a file: results, errors and, if asked for, documents.
// The progress file is moved forward only when the outputs are on disk; what they hold
// beyond it is cut off at the next start and made again.
type bulkFiles struct {
	state    bulkState
	progress string
	files    map[string]*os.File
	writers  map[string]*bufio.Writer
	since    int       // lines that are not on record
	at       time.Time // of the last record
}

// Names of the outputs.
const (
	outResults   = "results"
	outErrors    = "errors"
	outDocuments = "documents"
)

func openBulkFiles(base, input, route string, documents bool) (*bulkFiles, error) {
	names := []string{outResults, outErrors}
	if documents {
		names = append(names, outDocuments)
	}
	b := &bulkFiles{
		progress: base + ".progress.json", files: map[string]*os.File{}, writers: map[string]*bufio.Writer{}, at: time.Now(),
		state: bulkState{Input: input, Route: route, Sizes: map[string]int64{}},
	}
	if err := b.resume(input, route); err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := os.OpenFile(base+"."+name+".ndjson", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(usage("%v", err), b.close())
		}
		b.files[name], b.writers[name] = f, bufio.NewWriterSize(f, 256<<10)
		if err := f.Truncate(b.state.Sizes[name]); err != nil {
			return nil, errors.Join(err, b.close())
		}
		if _, err := f.Seek(0, io.SeekEnd); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	return b, nil
}

// resume takes the state of an earlier run up, if there is one about the same file.
func (b *bulkFiles) resume(input, route string) error {
	raw, err := os.ReadFile(b.progress)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usage("%v", err)
	}
	var found bulkState
	if err := json.Unmarshal(raw, &found); err != nil {
		return usage("%s: %v", b.progress, err)
	}
	if found.Input != input || found.Route != route {
		return usage("%s is about another file, or other formats; remove it to begin anew", b.progress)
	}
	b.state = found
	return nil
}

// inputName tells a file from another of the same name: by its size and its beginning.
func inputName(path string) (name string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, usage("%v", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	if _, err := io.CopyN(h, f, 1<<20); err != nil && !errors.Is(err, io.EOF) {
		return "", 0, err
	}
	return fmt.Sprintf("%s %d %s", filepath.Base(path), info.Size(), hex.EncodeToString(h.Sum(nil))), info.Size(), nil
}

// Records of progress are made after so many lines, or so much time.
const (
	recordLines = 500
	recordTime  = time.Second
)

// add writes a result.
func (b *bulkFiles) add(r bulkResult) error {
	name := outResults
	switch {
	case r.failed():
		name = outErrors
		b.state.Failed++
	case r.Status == 200:
		b.state.Replayed++
		fallthrough
	default:
		b.state.Issued++
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := b.write(name, line); err != nil {
		return err
	}
	if b.writers[outDocuments] != nil && !r.failed() {
		if err := b.write(outDocuments, r.document); err != nil {
			return err
		}
	}
	b.state.Line = r.Line
	if b.since++; b.since < recordLines && time.Since(b.at) < recordTime {
		return nil
	}
	return b.record()
}

func (b *bulkFiles) write(name string, line []byte) error {
	n, err := b.writers[name].Write(append(line, '\n'))
	b.state.Sizes[name] += int64(n)
	return err
}

// record puts everything on disk, then says so.
func (b *bulkFiles) record() error {
	for name, w := range b.writers {
		if err := errors.Join(w.Flush(), b.files[name].Sync()); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(b.state)
	if err != nil {
		return err
	}
	b.since, b.at = 0, time.Now()
	return durable.Replace(b.progress, raw)
}

func (b *bulkFiles) close() error {
	var err error
	for _, f := range b.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// end is the end of the input: the progress file has done its work.
func (b *bulkFiles) end() error {
	if err := b.record(); err != nil {
		return err
	}
	return os.Remove(b.progress)
}
