package dcc

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// payload is one decoded certificate of the vectors and what its publisher says of it.
type payload struct {
	name    string // e.g. "NL/208-NL-recovery.json"
	content []byte
	invalid bool // the publisher expects the schema validation to fail
}

// schemaFiles are the files of the schema's repository.
func schemaFiles(t testing.TB) []payload {
	t.Helper()
	var all []payload
	for _, pattern := range [][]string{{"examples", "*", "*.json"}, {"test", "valid", "*.json"}, {"test", "invalid", "*.json"}} {
		for _, file := range vectors.Files(t, append([]string{"eu-dcc-schema"}, pattern...)...) {
			name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
			all = append(all, payload{name: name, content: read(t, file), invalid: pattern[1] == "invalid"})
		}
	}
	return all
}

// stateFiles are the payloads of eu-dgc-testdata, and the number of files; some negative
// cases have no payload.
func stateFiles(t testing.TB) (all []payload, files int) {
	t.Helper()
	root := vectors.Files(t, "eu-dgc-testdata")[0]
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".json" {
			return err
		}
		files++
		var document struct {
			JSON            json.RawMessage
			EXPECTEDRESULTS struct {
				EXPECTEDSCHEMAVALIDATION *bool
			}
		}
		if err := json.Unmarshal(read(t, file), &document); err != nil {
			return err
		}
		if len(document.JSON) == 0 || document.JSON[0] != '{' {
			return nil
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		expected := document.EXPECTEDRESULTS.EXPECTEDSCHEMAVALIDATION
		all = append(all, payload{
			name:    strings.NewReplacer("2DCode/raw/", "", "2DCode/Raw/", "").Replace(filepath.ToSlash(name)),
			content: document.JSON, invalid: expected != nil && !*expected,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, files
}

// read drops the byte order mark that a few files have.
func read(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimPrefix(content, []byte("\ufeff"))
}

// decode gives content as encoding/json does; with numbers as text if exact.
func decode(t testing.TB, content []byte, exact bool) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	if exact {
		decoder.UseNumber()
	}
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err)
	}
	return object
}
