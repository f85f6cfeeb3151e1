package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ccdaTool(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(streams{context.Background(), strings.NewReader(stdin), &out, &errs}, append([]string{"ccda"}, args...))
	return code, out.String(), errs.String()
}

func TestCCDA(t *testing.T) {
	t.Parallel()
	record := filepath.Join("..", "..", "fhir", "ccda", "testdata", "ccd.xml")
	code, out, errs := ccdaTool(t, "", record, "--type", "document")
	var bundle struct{ ResourceType, Type string }
	if err := json.Unmarshal([]byte(out), &bundle); code != exitOK || err != nil || bundle.ResourceType != "Bundle" || bundle.Type != "document" {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	if !strings.Contains(errs, "warning     ccda-statement: ") || !strings.Contains(errs, "(/ClinicalDocument/component/structuredBody/component[10]/section/entry/organizer)") {
		t.Error(errs)
	}
	raw, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Bundle struct {
			Entry []struct{ Resource struct{ ResourceType string } }
		}
		Issues []ccdaIssue
	}
	code, out, errs = ccdaTool(t, string(raw), "-", "--vaccinations", "--json")
	if err := json.Unmarshal([]byte(out), &report); code != exitOK || err != nil || errs != "" || len(report.Bundle.Entry) != 6 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
	for _, i := range report.Issues {
		if i.Severity == "" || i.Path == "" || i.Rule == "" || i.Detail == "" || i.Fix == "" {
			t.Errorf("%+v", i)
		}
	}
}

func TestCCDASaysNo(t *testing.T) {
	t.Parallel()
	bomb := `<!DOCTYPE x [<!ENTITY a "SECRET">]><ClinicalDocument xmlns="urn:hl7-org:v3">&a;</ClinicalDocument>`
	if code, out, errs := ccdaTool(t, bomb, "-"); code != exitNegative || out != "" || !strings.Contains(errs, "xml-doctype") || strings.Contains(errs, "SECRET") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, _ := ccdaTool(t, bomb, "-", "--json")
	var report ccdaReport
	if err := json.Unmarshal([]byte(out), &report); code != exitNegative || err != nil || len(report.Issues) != 1 || report.Issues[0].Severity != "error" || report.Bundle != nil {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	for _, args := range [][]string{{}, {filepath.Join(t.TempDir(), "nothing.xml")}, {"-", "--type", "batch"}, {"-", "--type", "document", "--vaccinations"}} {
		if code, out, errs := ccdaTool(t, "", args...); code != exitUsage {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}
