package validate

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{root}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// files gives the files of a folder by name.
func files(t *testing.T, extension string, folder ...string) map[string][]byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(append(append([]string{root}, folder...), "*"+extension)...))
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, no %s in %s", err, extension, folder)
	}
	out := map[string][]byte{}
	for _, file := range found {
		out[strings.TrimSuffix(filepath.Base(file), extension)] = read(t, strings.TrimPrefix(file, root))
	}
	return out
}

// TestClinicalDocuments validates what becomes of C-CDA: our samples, and public ones where
// they are (see fhir/ccda).
func TestClinicalDocuments(t *testing.T) {
	t.Parallel()
	for name, sample := range files(t, ".xml", "fhir", "ccda", "testdata") {
		converted(t, name, sample, ccda.Options{}, ccda.Options{Type: ccda.Document}, ccda.Options{Type: ccda.Transaction, IDKey: []byte("specimen")}, ccda.Options{Vaccinations: true})
	}
	public, err := filepath.Glob(filepath.Join(root, ".tools", "ccda", "*.tgz"))
	if err != nil || len(public) == 0 {
		t.Log("the public samples are not here: go test ./fhir/ccda says how to get them")
		return
	}
	for name, sample := range unpacked(t, public[0]) {
		converted(t, path.Base(name), sample, ccda.Options{Type: ccda.Transaction})
	}
}

// converted validates a document in the forms it is converted to.
func converted(t *testing.T, name string, sample []byte, forms ...ccda.Options) {
	t.Helper()
	for _, o := range forms {
		result, err := ccda.Convert(sample, o)
		if fault.KindOf(err) == fault.Rule {
			continue // it has no patient or, for a document, no identifier or time
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		valid(t, fmt.Sprintf("%s as %s, vaccinations alone %t", name, o.Type, o.Vaccinations), result.Bundle)
	}
}

// unpacked gives the documents in a package of npm.
func unpacked(t *testing.T, file string) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out, archive := map[string][]byte{}, tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(header.Name) != ".xml" {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("ClinicalDocument")) {
			out[header.Name] = content
		}
	}
}

// TestMessages validates what becomes of HL7 v2: vaccinations, and every event of a visit.
func TestMessages(t *testing.T) {
	t.Parallel()
	options := hl7v2.Options{Sender: "clinic-1", HCIDType: "HC", Systems: map[string]string{"Civil Registry": "urn:specimen:civil"}}
	for name, sample := range files(t, ".hl7", "fhir", "hl7v2", "testdata") {
		raw := bytes.ReplaceAll(bytes.TrimSpace(sample), []byte("\n"), []byte("\r"))
		switch {
		case strings.HasPrefix(name, "vxu"):
			v, _ := hl7v2.ReadVaccinations(parsed(t, raw), options)
			bundle, _ := v.Bundle(func(hl7v2.Dose) bool { return true })
			valid(t, name, bundle)
		case strings.HasPrefix(name, "adt"):
			for n := range 31 {
				event := fmt.Sprintf("A%02d", n+1)
				m := parsed(t, bytes.ReplaceAll(raw, []byte("A01"), []byte(event)))
				if len(hl7v2.CheckEvent(m.Header)) > 0 {
					continue
				}
				bundle, _, _ := hl7v2.ReadAdmission(m, options)
				valid(t, name+" "+event, bundle)
			}
		}
	}
}

func parsed(t *testing.T, raw []byte) hl7v2.Message {
	t.Helper()
	m, findings := hl7v2.Parse(raw)
	if hl7v2.HasErrors(findings) {
		t.Fatalf("%+v", findings)
	}
	return m
}

// TestRows validates the QuestionnaireResponses that rows of a CSV become.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"name,birthDate,sex,vaccine,vaccine.system,brand.code,brand.display,lot,date,dose,country,centre,pha,hcid\n" +
			"Ada Specimen,1990-01-01,female,XM0GQ8,http://id.who.int/icd11/mms,XM8NQ0,Specimen,L1,2026-01-01,1,CHE,Centre,moh,ROW-1\n",
		"name,pathogen,date,centre,result\nAda Specimen,XN109,2026-10-01T08:00:00Z,Lab,QA02\n",
	} {
		r, err := tabular.NewCSV(strings.NewReader(file))
		if err != nil {
			t.Fatalf("%v %+v", err, fault.From(err).Issues)
		}
		record, err := r.Next()
		if err != nil || record.Resource == nil {
			t.Fatalf("%v %+v", err, record.Issues)
		}
		valid(t, "a row", record.Resource)
	}
}
