package interop

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// page is where the results are published, between these two lines.
const (
	begin = "<!-- results: written by go test -update -->"
	end   = "<!-- end of results -->"
)

// licences of the peers, as their packages state them.
var licences = map[string]string{
	"@pathcheck/dcc-sdk": "GPL-3.0-only, test peer only", "@pathcheck/shc-sdk": "GPL-3.0-only, test peer only",
	"cose-java": "BSD-3-Clause", "dgc-create-validate": "MIT", "hapi-fhir-validation": "Apache-2.0",
	"ajv": "MIT", "canonicalize": "Apache-2.0", "cose-js": "Apache-2.0", "fhir": "ISC", "jose": "MIT",
	"jsonld": "BSD-3-Clause", "jsqr": "Apache-2.0",
	"cwt": "MIT", "fhir.resources": "BSD-3-Clause", "jsonschema": "MIT", "jwcrypto": "LGPL-3.0-or-later", "pycose": "BSD-3-Clause",
	"rfc8785": "Apache-2.0", "zxing-cpp": "Apache-2.0",
}

// published holds the results against those of the page, or writes them there.
func published(t *testing.T, table []row, results []string) {
	t.Helper()
	page := filepath.Join("..", "..", "docs", "interoperability.md")
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(raw), begin)
	old, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines around the results", page)
	}
	now := "\n" + render(t, table, results)
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+now+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if undated(old) != undated(now) {
		t.Errorf("%s is out of date; run make test-interop TESTFLAGS=-update, and read what changed", page)
	}
}

var date = regexp.MustCompile(`\| \d{4}-\d{2}-\d{2} \|`)

func undated(table string) string { return date.ReplaceAllString(table, "|") }

func render(t *testing.T, table []row, results []string) string {
	t.Helper()
	versions := versionsOf(t)
	var b strings.Builder
	b.WriteString("| format | peer | version | licence | direction | what was checked | result | date |\n|---|---|---|---|---|---|---|---|\n")
	for i, r := range table {
		if versions[r.peer] == "" || licences[r.peer] == "" {
			t.Fatalf("version or licence of %s is not known", r.peer)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s | %s |\n",
			r.format, r.peer, versions[r.peer], licences[r.peer], r.direction, r.checked, results[i], time.Now().UTC().Format(time.DateOnly))
	}
	return b.String()
}

// versionsOf gives the versions in the three lists of packages.
func versionsOf(t *testing.T) map[string]string {
	t.Helper()
	var npm struct{ Dependencies map[string]string }
	if err := json.Unmarshal(list(t, "package.json"), &npm); err != nil {
		t.Fatal(err)
	}
	var maven struct {
		Dependencies []struct {
			ArtifactID string `xml:"artifactId"`
			Version    string `xml:"version"`
		} `xml:"dependencies>dependency"`
	}
	if err := xml.Unmarshal(list(t, "pom.xml"), &maven); err != nil {
		t.Fatal(err)
	}
	out := npm.Dependencies
	for _, d := range maven.Dependencies {
		out[d.ArtifactID] = d.Version
	}
	for line := range strings.Lines(string(list(t, "requirements.txt"))) {
		if name, version, found := strings.Cut(strings.TrimSpace(line), "=="); found {
			out[name] = version
		}
	}
	return out
}

func list(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
