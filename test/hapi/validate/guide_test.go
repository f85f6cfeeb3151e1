package validate

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// TestGuidesAreLoaded: the validator holds resources against the profiles of a package.
func TestGuidesAreLoaded(t *testing.T) {
	t.Parallel()
	const profile = `{"resourceType":"StructureDefinition","id":"born","url":"urn:specimen:born","name":"Born","status":"active","fhirVersion":"4.0.1","kind":"resource","abstract":false,` +
		`"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",` +
		`"differential":{"element":[{"id":"Patient","path":"Patient"},{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}`
	v := hapi.StartValidator(t, guide(t, map[string]string{
		"package/package.json":                  `{"name":"specimen.guide","version":"1.0.0","fhirVersions":["4.0.1"],"dependencies":{"hl7.fhir.r4.core":"4.0.1"}}`,
		"package/StructureDefinition-born.json": profile,
	}))
	for birthDate, wrong := range map[string]bool{`,"birthDate":"1990-01-01"`: false, "": true} {
		found, err := v.Validate([]byte(`{"resourceType":"Patient","meta":{"profile":["urn:specimen:born"]}` + birthDate + `}`))
		if err != nil {
			t.Fatal(err)
		}
		said := false
		for _, f := range found {
			said = said || f.Severity == hapi.SeverityError && strings.Contains(f.Text, "Patient.birthDate: minimum required = 1")
		}
		if said != wrong {
			t.Errorf("%q: %+v", birthDate, found)
		}
	}
}

// guide writes a package of definitions.
func guide(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guide.tgz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
