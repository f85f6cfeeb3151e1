package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTablesAreWhatThePackageSays makes the tables again from the package, where it has been
// fetched (make test-hapi does).
func TestTablesAreWhatThePackageSays(t *testing.T) {
	t.Parallel()
	const archive = "../../../../.tools/hl7.fhir.r4.examples-4.0.1.tgz"
	from, to := t.TempDir(), t.TempDir()
	if err := unpack(archive, from); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there: npm pack hl7.fhir.r4.examples@4.0.1 fetches it", archive)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := run(from, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parameters.tsv", "elements.tsv"} {
		made, err := os.ReadFile(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(filepath.Join("../../data", name))
		if err != nil || string(made) != string(committed) {
			t.Errorf("%s is not what the generator makes: go generate ./fhir/search (%v)", name, err)
		}
	}
}

// unpack writes the definitions of an npm package.
func unpack(file, folder string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Base(header.Name)
		if kind, _, _ := strings.Cut(name, "-"); kind != "SearchParameter" && kind != "StructureDefinition" && kind != "ValueSet" {
			continue
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			return err
		}
	}
}

func TestNoPackageIsAnError(t *testing.T) {
	t.Parallel()
	if err := run(t.TempDir(), t.TempDir()); err == nil {
		t.Error("tables were made of nothing")
	}
}
