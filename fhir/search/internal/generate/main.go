// Command generate writes the tables of package search from the official FHIR R4
// definitions: the search parameters, and the types of the elements their expressions
// walk through.
//
// Source: npm package hl7.fhir.r4.examples, version 4.0.1 (CC0), unpacked. The tables depend
// on nothing else, so that the same package gives the same bytes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	from := flag.String("package", "", "folder of the unpacked package hl7.fhir.r4.examples 4.0.1")
	to := flag.String("out", "data", "folder to write parameters.tsv and elements.tsv to")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	structures, err := readAll[structure](from, "StructureDefinition-*.json")
	if err != nil {
		return err
	}
	parameters, err := readAll[parameter](from, "SearchParameter-*.json")
	if err != nil {
		return err
	}
	sets, err := readAll[valueSet](from, "ValueSet-*.json")
	if err != nil {
		return err
	}
	rows := parameterRows(parameters, concrete(structures))
	elements := elementRows(structures, systems(sets), words(rows))
	if err := write(filepath.Join(to, "parameters.tsv"), parameterLines(rows)); err != nil {
		return err
	}
	return write(filepath.Join(to, "elements.tsv"), elements)
}

// readAll decodes the files of one pattern; a package without any is not the package.
func readAll[T any](folder, pattern string) ([]T, error) {
	names, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no %s in %q: give the unpacked package with -package", pattern, folder)
	}
	sort.Strings(names)
	all := make([]T, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &all[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return all, nil
}

func write(name string, lines []string) error {
	sort.Strings(lines)
	return os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
