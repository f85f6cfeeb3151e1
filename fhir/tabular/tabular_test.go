package tabular_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func all(t *testing.T, r tabular.Reader) ([]tabular.Record, error) {
	t.Helper()
	var out []tabular.Record
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, record)
	}
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", tabular.MaxLine+1)
	text := "\ufeff{\"a\":1}\r\n\n  {\"b\":2}\n" + long + "\n{\"c\":3}"
	records, err := all(t, tabular.NewNDJSON(strings.NewReader(text)))
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, want := range []struct {
		line int
		raw  string
	}{{1, `{"a":1}`}, {3, `{"b":2}`}, {4, ""}, {5, `{"c":3}`}} {
		if r := records[i]; r.Line != want.line || string(r.Resource) != want.raw || (want.raw == "") != (len(r.Issues) == 1) {
			t.Errorf("record %d: line %d, %q, %+v", i, r.Line, r.Resource, r.Issues)
		}
	}
}

const header = "name,birthDate,vaccine,vaccine.system,brand,manufacturer.display,lot,date,dose,country,centre,pha,hcid\n"

// TestCSVRowIsAnEvent: a row becomes a response that maps without a finding.
func TestCSVRowIsAnEvent(t *testing.T) {
	t.Parallel()
	row := "\"Specimen, \"\"Ada\"\"\",1990-01-01,XM0GQ8,http://id.who.int/icd11/mms,http://id.who.int/icd11/mms|XM8NQ0,Maker,LOT-1,2026-10-01,1,CHE,Clinic,moh,H-1\n"
	for name, text := range map[string]string{
		"comma": header + row,
		"semicolon": strings.ReplaceAll(header, ",", ";") +
			`"Specimen, ""Ada""";1990-01-01;XM0GQ8;http://id.who.int/icd11/mms;http://id.who.int/icd11/mms|XM8NQ0;Maker;LOT-1;2026-10-01;1;CHE;Clinic;moh;H-1`,
	} {
		r, err := tabular.NewCSV(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		records, err := all(t, r)
		if err != nil || len(records) != 1 || len(records[0].Issues) != 0 || records[0].Line != 2 {
			t.Fatalf("%s: %+v, %v", name, records, err)
		}
		response, err := fhir.ParseQuestionnaireResponse(records[0].Resource)
		if err != nil {
			t.Fatal(err)
		}
		core, issues := maps.ReadResponse(response, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
		if fault.HasErrors(issues) {
			t.Fatalf("%s: %+v", name, issues)
		}
		v := core.Vaccination
		if core.Name != `Specimen, "Ada"` || v.Vaccine.Code != "XM0GQ8" || v.Brand.Code != "XM8NQ0" || v.Dose != 1 || v.Country.Code != "CHE" || core.Certificate.HCID != "H-1" {
			t.Errorf("%s: %+v %+v", name, core, v)
		}
	}
}

// TestCSVTestResult: the questions say which questionnaire it is, and a centre may be a text.
func TestCSVTestResult(t *testing.T) {
	t.Parallel()
	r, err := tabular.NewCSV(strings.NewReader("name\tpathogen\tdate\tcentre\tdose\n"))
	if err == nil {
		t.Fatalf("a dose of a test was taken: %v", r)
	}
	r, err = tabular.NewCSV(strings.NewReader("name\tpathogen\tdate\tcentre\nAda\tXN109\t2026-10-01T08:00:00Z\tLab\n"))
	if err != nil {
		t.Fatal(err)
	}
	record, err := r.Next()
	want := `{"resourceType":"QuestionnaireResponse","questionnaire":"http://smart.who.int/ddcc/DDCCTRCoreDataSetQuestionnaire","status":"completed","item":[` +
		`{"linkId":"name","answer":[{"valueString":"Ada"}]},{"linkId":"pathogen","answer":[{"valueCoding":{"code":"XN109"}}]},` +
		`{"linkId":"date","answer":[{"valueDateTime":"2026-10-01T08:00:00Z"}]},{"linkId":"centre","answer":[{"valueString":"Lab"}]}]}`
	if err != nil || string(record.Resource) != want {
		t.Errorf("%v\n%s", err, record.Resource)
	}
}

func TestCSVHeader(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]string{
		"no header":         "Ada Specimen,1990-01-01\n",
		"twice":             "name,name\n",
		"part of a text":    "name.system\n",
		"no part":           "vaccine.version\n",
		"code and itself":   "vaccine,vaccine.code\n",
		"empty":             "",
		"columns no end":    strings.Repeat(",", tabular.MaxLine/2) + "\n",
		"longer than a row": strings.Repeat("n", tabular.MaxLine+2),
	} {
		_, err := tabular.NewCSV(strings.NewReader(h))
		if fault.KindOf(err) != fault.Malformed || len(fault.From(err).Issues) == 0 || len(fault.From(err).Issues) > 100 {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(fault.From(err).Issues[0].Detail, "Ada") {
			t.Error("the finding repeats a value")
		}
	}
}

// TestCSVRows: one bad row does not spoil the next.
func TestCSVRows(t *testing.T) {
	t.Parallel()
	text := "name,dose\nAda,1\nBea\nCem,one\na\"b,2\n\nDara,2\n"
	r, err := tabular.NewCSV(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	records, err := all(t, r)
	if err != nil || len(records) != 5 {
		t.Fatalf("%d records, %v: %+v", len(records), err, records)
	}
	for i, want := range []struct {
		line int
		good bool
	}{{2, true}, {3, false}, {4, false}, {5, false}, {7, true}} {
		if got := records[i]; got.Line != want.line || (len(got.Issues) == 0) != want.good {
			t.Errorf("record %d: %+v", i, got)
		}
	}
}

// TestOpenQuoteEndsTheFile: a quotation mark that is never closed makes one row of the rest,
// and no more of it is read than a row may have.
func TestOpenQuoteEndsTheFile(t *testing.T) {
	t.Parallel()
	rest := &counting{}
	r, err := tabular.NewCSV(io.MultiReader(strings.NewReader("name,dose\nAda,1\n\"Bea,1\n"), rest))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); fault.KindOf(err) != fault.Malformed || rest.n > 2*tabular.MaxLine {
		t.Errorf("%v after %d bytes", err, rest.n)
	}
}

// counting is an endless file.
type counting struct{ n int }

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "Ada,1\n"[(c.n+i)%6]
	}
	c.n += len(p)
	return len(p), nil
}

// TestMemoryIsThatOfALine: of a file of any size.
func TestMemoryIsThatOfALine(t *testing.T) {
	r, err := tabular.NewCSV(io.MultiReader(strings.NewReader("name,dose\n"), io.LimitReader(&counting{}, 600<<10)))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for ; ; n++ {
		if _, err := r.Next(); err != nil {
			break
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); n < 100_000 || grown > 2<<20 {
		t.Errorf("%d rows, %d bytes more", n, grown)
	}
}

// TestValuesComeThrough: whatever a value is, it arrives as it was, white space at its ends
// apart.
func TestValuesComeThrough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ -~éЖ漢]{1,40}`).Draw(t, "value")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		_ = w.WriteAll([][]string{{"name", "lot"}, {value, "L"}})
		r, err := tabular.NewCSV(&b)
		if err != nil {
			t.Fatal(err)
		}
		record, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Item []struct {
				LinkID string
				Answer []struct{ ValueString string }
			}
		}
		if err := json.Unmarshal(record.Resource, &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimSpace(value); want != "" && got.Item[0].Answer[0].ValueString != want {
			t.Errorf("%q became %q", want, got.Item[0].Answer[0].ValueString)
		}
	})
}

// FuzzReaders: no file panics or loops, and each record has a resource or a reason.
func FuzzReaders(f *testing.F) {
	f.Add([]byte(header + "a,b\n\"c\nd\""))
	f.Add([]byte("{}\n\n{\"a\":1}\r\nx"))
	f.Add([]byte("name;dose\n\"a\"\"b\";1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, kind := range []string{tabular.TypeNDJSON, tabular.TypeCSV} {
			r, err := tabular.New(kind, bytes.NewReader(raw))
			if err != nil {
				continue
			}
			for n := 0; ; n++ {
				record, err := r.Next()
				if err != nil {
					break
				}
				if n > len(raw) || (record.Resource == nil) == (len(record.Issues) == 0) || record.Line < 1 {
					t.Fatalf("%s: record %d of %d bytes: %+v", kind, n, len(raw), record)
				}
			}
		}
	})
}
