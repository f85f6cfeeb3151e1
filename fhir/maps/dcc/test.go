package dcc

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// A recovery is certified from the 11th to the 180th day after the first positive test
// (Regulation (EU) 2021/953, Article 7 and Annex point 3).
const (
	recoveryFromDays  = 11
	recoveryUntilDays = 180
)

// Test writes a test certificate (group t). What is said of Vaccination holds here.
func Test(core fhir.CoreDataSet, c Context) (dcc.Certificate, []fault.Issue) {
	w := writer{c: c}
	if core.Test == nil {
		return w.noEvent("test")
	}
	t := *core.Test
	entry := dcc.Test{
		Disease: w.disease(pathTest+".pathogen", t.Pathogen),
		Type:    w.testType(t),
		Sampled: w.instant(pathTest+".date", t.Date),
		Result:  w.testResult(t),
		Centre:  w.text(pathTest+".centre", centreName(t.Centre)),
		Country: w.country(pathTest+".country", t.Country),
		Issuer:  c.Issuer,
		UVCI:    c.UVCI,
	}
	switch entry.Type {
	case "":
	case testNAAT:
		entry.Name = w.text(pathTest+".brand", testName(t.Brand))
	default:
		entry.Device = w.device(t)
	}
	return w.finish(core, dcc.Certificate{Tests: []dcc.Test{entry}})
}

// Recovery writes a certificate of recovery (group r) from the positive nucleic acid test
// it rests on; no other event proves one. What is said of Vaccination holds here.
func Recovery(core fhir.CoreDataSet, c Context) (dcc.Certificate, []fault.Issue) {
	w := writer{c: c}
	if core.Test == nil {
		return w.noEvent("test")
	}
	t := *core.Test
	if kind := w.testType(t); kind != "" && kind != testNAAT {
		w.fail(pathTest+".type", RuleRecovery, "A recovery rests on a nucleic acid test.", "Send the nucleic acid test.")
	}
	if result := w.testResult(t); result != "" && result != resultDetected {
		w.fail(pathTest+".result", RuleRecovery, "A recovery rests on a positive test.", "Send the first positive test.")
	}
	entry := dcc.Recovery{
		Disease:       w.disease(pathTest+".pathogen", t.Pathogen),
		FirstPositive: w.day(pathTest+".date", t.Date),
		Country:       w.country(pathTest+".country", t.Country),
		Issuer:        c.Issuer,
		UVCI:          c.UVCI,
	}
	entry.ValidFrom = daysAfter(entry.FirstPositive, recoveryFromDays)
	entry.ValidUntil = daysAfter(entry.FirstPositive, recoveryUntilDays)
	return w.finish(core, dcc.Certificate{Recoveries: []dcc.Recovery{entry}})
}

func daysAfter(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

func (w *writer) testType(t fhir.Test) string {
	return w.translate(pathTest+".type", t.Type, terminology.SystemLOINC,
		terminology.Context{Use: terminology.TestType, Within: terminology.ValueSetEUTestType})
}

func (w *writer) testResult(t fhir.Test) string {
	return w.translate(pathTest+".result", t.Result, terminology.SystemSNOMED,
		terminology.Context{Use: terminology.TestResult, Within: terminology.ValueSetEUTestResult})
}

// device gives the JRC's id of a rapid antigen test, from manufacturer or brand.
func (w *writer) device(t fhir.Test) string {
	for _, c := range []fhir.Coding{t.Manufacturer, t.Brand} {
		if system, ok := terminology.CanonicalSystem(c.System); ok && system == terminology.SystemJRCDevice && isDevice(c.Code) {
			return c.Code
		}
	}
	w.fail(pathTest+".manufacturer", RuleDevice, "A rapid antigen test is named by its id in the JRC database of COVID-19 tests, and there is none.",
		"Send the id as code, with system "+terminology.SystemJRCDevice+".")
	return ""
}

// isDevice says whether a code has the shape of the JRC's ids: a number.
func isDevice(code string) bool {
	return code != "" && len(code) <= 5 && strings.Trim(code, "0123456789") == "" && code[0] != '0'
}

// testName is the name of a nucleic acid test: a text, which a code alone is not.
func testName(brand fhir.Coding) string {
	if brand.Display == "" && brand.System == systemTestName {
		return brand.Code
	}
	return brand.Display
}

func centreName(c fhir.Coding) string {
	if c.Display == "" {
		return c.Code
	}
	return c.Display
}
