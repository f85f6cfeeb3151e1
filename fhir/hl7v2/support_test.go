package hl7v2_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

var update = flag.Bool("update", false, "write the golden files")

// sample reads a message of testdata; its lines end with CR, as the standard says.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(bytes.TrimSpace(raw), []byte("\n"), []byte("\r"))
}

// parsed reads a message that has to be readable.
func parsed(t testing.TB, raw []byte) hl7v2.Message {
	t.Helper()
	m, findings := hl7v2.Parse(raw)
	if len(findings) > 0 {
		t.Fatalf("findings: %+v", findings)
	}
	return m
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s", name, got)
	}
}

func indented(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// places writes findings so that a test can compare them.
func places(findings []hl7v2.Finding) string {
	var all []string
	for _, f := range findings {
		severity := string(f.Severity)
		if severity == "" {
			severity = "error"
		}
		all = append(all, f.At.String()+" "+string(f.Code)+" "+f.Rule+" "+severity)
	}
	return strings.Join(all, "\n")
}

// instant is when acknowledgements are written.
var instant = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

const head = "MSH|^~\\&|App|Fac|||20261110||VXU^V04|C1|P|2.5.1\r"
