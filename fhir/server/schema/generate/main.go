// Command generate writes the tables of package schema from the npm package
// hl7.fhir.r4.examples 4.0.1 (CC0-1.0), unpacked: go run ./generate DIR, in the folder
// of package schema, with DIR the folder that holds StructureDefinition-Patient.json.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type definition struct {
	ID         string
	Kind       string
	Abstract   bool
	Derivation string
	Type       string
	Snapshot   struct{ Element []element }
}

type element struct {
	Path             string
	Min              int
	Max              string
	IsSummary        bool
	ContentReference string
	Type             []struct {
		Code      string
		Extension []struct {
			URL      string
			ValueURL string
		}
	}
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: generate DIR")
	}
	if err := structures(args[0]); err != nil {
		return err
	}
	return compartment(args[0])
}

// structures writes r4.txt: a block for each type and backbone element, a line for each
// element of it.
func structures(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "StructureDefinition-*.json"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	var out bytes.Buffer
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var d definition
		if err := json.Unmarshal(raw, &d); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if d.ID != d.Type || d.Derivation == "constraint" || d.Kind != "resource" && d.Kind != "complex-type" {
			continue
		}
		write(&out, d)
	}
	return os.WriteFile("r4.txt", out.Bytes(), 0o600)
}

func write(out *bytes.Buffer, d definition) {
	blocks := map[string]*bytes.Buffer{}
	var order []string
	for _, e := range d.Snapshot.Element[1:] {
		at := strings.LastIndexByte(e.Path, '.')
		parent, name := e.Path[:at], e.Path[at+1:]
		if blocks[parent] == nil {
			blocks[parent] = &bytes.Buffer{}
			order = append(order, parent)
		}
		fmt.Fprintf(blocks[parent], "%s %s%s %s\n", name, cardinality(e), summary(e), typesOf(e, d))
	}
	for i, name := range order {
		mark := ""
		if i == 0 && d.Kind == "resource" && !d.Abstract {
			mark = " resource"
		}
		fmt.Fprintf(out, "#%s%s\n%s", name, mark, blocks[name])
	}
}

func cardinality(e element) string {
	switch {
	case e.Max == "1" && e.Min == 0:
		return "?"
	case e.Max == "1":
		return "1"
	case e.Min == 0:
		return "*"
	default:
		return "+"
	}
}

func summary(e element) string {
	if e.IsSummary {
		return "s"
	}
	return ""
}

func typesOf(e element, d definition) string {
	if e.ContentReference != "" {
		return "@" + strings.TrimPrefix(e.ContentReference, "#")
	}
	var out []string
	for _, t := range e.Type {
		code := t.Code
		for _, x := range t.Extension {
			if strings.HasSuffix(x.URL, "structuredefinition-fhir-type") {
				code = x.ValueURL
			}
		}
		prefix := e.Path + "."
		if slices.ContainsFunc(d.Snapshot.Element, func(c element) bool { return strings.HasPrefix(c.Path, prefix) }) {
			code = "@" + e.Path
		}
		out = append(out, code)
	}
	return strings.Join(out, "|")
}

// compartment writes patient.txt: a line for each type of the Patient compartment with the
// search parameters that put a resource into it.
func compartment(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "CompartmentDefinition-patient.json"))
	if err != nil {
		return err
	}
	var d struct {
		Resource []struct {
			Code  string
			Param []string
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	var out bytes.Buffer
	for _, r := range d.Resource {
		if len(r.Param) > 0 {
			fmt.Fprintf(&out, "%s %s\n", r.Code, strings.Join(r.Param, " "))
		}
	}
	return os.WriteFile("patient.txt", out.Bytes(), 0o600)
}
