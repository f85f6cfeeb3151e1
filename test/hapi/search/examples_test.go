package search

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// The package of the official examples, CC0.
const (
	examplesPackage = "hl7.fhir.r4.examples@4.0.1"
	examplesFile    = "hl7.fhir.r4.examples-4.0.1.tgz"
	tools           = "../../../.tools"
)

// leftOut are types that are definitions, of which there are thousands, or that HAPI keeps
// for itself: a SearchParameter would change what it searches by, a Subscription what it does.
var leftOut = []string{
	"SearchParameter", "StructureDefinition", "CodeSystem", "ValueSet", "ConceptMap", "OperationDefinition",
	"Subscription", "Parameters", "OperationOutcome", "Binary", "ImplementationGuide",
}

// maxExample leaves out a few large artefacts that make HAPI slow and are found by little.
const maxExample = 200 << 10

// keptOf are a few of those definitions, for parameters of type uri.
const keptOf, keptDefinitions = "ValueSet", 25

// example is one official example.
type example struct {
	typ, id string
	raw     []byte
}

func (e example) name() string { return e.typ + "/" + e.id }

// examples reads the package, fetching it once.
func examples(t *testing.T) []example {
	t.Helper()
	file := filepath.Join(tools, examplesFile)
	if _, err := os.Stat(file); err != nil {
		if err := fetch(t, file); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("the official examples are needed: %v", err)
		} else if err != nil {
			t.Skipf("the official examples cannot be fetched: %v", err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	definitions := 0
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(header.Name) != ".json" || header.Size > maxExample {
			continue
		}
		raw, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		var head struct{ ResourceType, ID string }
		if json.Unmarshal(raw, &head) != nil || !search.IsType(head.ResourceType) || head.ID == "" {
			continue
		}
		if head.ResourceType == keptOf {
			definitions++
		}
		if slices.Contains(leftOut, head.ResourceType) && (head.ResourceType != keptOf || definitions > keptDefinitions) {
			continue
		}
		all = append(all, example{head.ResourceType, head.ID, raw})
	}
	return all
}

// complete adds an empty resource for each that an example refers to and that is not among
// them.
func complete(t *testing.T, all []example) []example {
	t.Helper()
	known := map[string]bool{}
	for _, e := range all {
		known[e.name()] = true
	}
	places := slices.Clone(all)
	for _, e := range all {
		values, err := search.Extract(e.typ, e.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			stub := empty(v.TargetType, v.TargetID)
			if v.TargetID != "" && v.URL == "" && !known[stub.name()] && !slices.Contains(leftOut, v.TargetType) {
				known[stub.name()] = true
				places = append(places, stub)
			}
		}
	}
	return places
}

func empty(typ, id string) example {
	return example{typ, id, fmt.Appendf(nil, `{"resourceType":%q,"id":%q}`, typ, id)}
}

// fetch moves the package to its place when it is whole: other tests may do the same.
func fetch(t *testing.T, file string) error {
	t.Helper()
	if err := os.MkdirAll(tools, 0o750); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(tools, "examples-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command := exec.CommandContext(t.Context(), "npm", "pack", "--silent", examplesPackage)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return os.Rename(filepath.Join(folder, examplesFile), file)
}
