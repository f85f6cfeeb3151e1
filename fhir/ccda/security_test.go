package ccda_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const root = `<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`

// TestRefused: what is not one well-formed clinical document within the limits is refused
// with the rule, and nothing of it is repeated.
func TestRefused(t *testing.T) {
	t.Parallel()
	deep := root + strings.Repeat("<a>", ccda.MaxDepth) + strings.Repeat("</a>", ccda.MaxDepth) + "</ClinicalDocument>"
	var attributes strings.Builder
	for i := range ccda.MaxAttributes + 1 {
		fmt.Fprintf(&attributes, ` a%d="x"`, i)
	}
	for name, tc := range map[string]struct {
		raw  string
		kind fault.Kind
		rule string
	}{
		"empty":             {"", fault.Malformed, "xml"},
		"no XML":            {"SECRET", fault.Malformed, "xml"},
		"JSON":              {`{"resourceType":"SECRET"}`, fault.Malformed, "xml"},
		"cut":               {root + "<id", fault.Malformed, "xml"},
		"not closed":        {root + "<SECRET>", fault.Malformed, "xml"},
		"crossed":           {root + "<a><SECRET></a></SECRET></ClinicalDocument>", fault.Malformed, "xml"},
		"two roots":         {root + "</ClinicalDocument>" + root + "</ClinicalDocument>", fault.Malformed, "xml"},
		"text after":        {root + "</ClinicalDocument>SECRET", fault.Malformed, "xml"},
		"attribute twice":   {root + `<id root="SECRET" root="SECRET"/></ClinicalDocument>`, fault.Malformed, "xml"},
		"other root":        {`<SECRET xmlns="urn:hl7-org:v3"/>`, fault.Malformed, "ccda-root"},
		"no namespace":      {`<ClinicalDocument/>`, fault.Malformed, "ccda-namespace"},
		"other namespace":   {`<ClinicalDocument xmlns="urn:SECRET"/>`, fault.Malformed, "ccda-namespace"},
		"doctype":           {`<!DOCTYPE ClinicalDocument>` + root + "</ClinicalDocument>", fault.Malformed, "xml-doctype"},
		"external entity":   {`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + root + "<title>&e;</title></ClinicalDocument>", fault.Malformed, "xml-doctype"},
		"billion laughs":    {`<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>` + root + "&b;</ClinicalDocument>", fault.Malformed, "xml-doctype"},
		"doctype within":    {root + `<!DOCTYPE x></ClinicalDocument>`, fault.Malformed, "xml-doctype"},
		"unknown entity":    {root + "<title>&SECRET;</title></ClinicalDocument>", fault.Malformed, "xml"},
		"HTML entity":       {root + "<title>&nbsp;</title></ClinicalDocument>", fault.Malformed, "xml"},
		"control character": {root + "<title>&#1;SECRET</title></ClinicalDocument>", fault.Malformed, "xml"},
		"not UTF-8":         {root + "<title>\xff\xfeSECRET</title></ClinicalDocument>", fault.Malformed, "xml-encoding"},
		"EBCDIC":            {`<?xml version="1.0" encoding="ebcdic-cp-us"?>` + root + "</ClinicalDocument>", fault.Malformed, "xml-encoding"},
		"UTF-7":             {`<?xml version="1.0" encoding="UTF-7"?>` + root + "</ClinicalDocument>", fault.Malformed, "xml-encoding"},
		"deep":              {deep, fault.TooLarge, "xml-depth"},
		"attributes":        {root + "<id" + attributes.String() + "/></ClinicalDocument>", fault.TooLarge, "xml-attributes"},
		"long attribute":    {root + `<id root="` + strings.Repeat("x", ccda.MaxAttribute+1) + `"/></ClinicalDocument>`, fault.TooLarge, "xml-attribute-size"},
		"nodes":             {root + strings.Repeat("<id/>", ccda.MaxNodes) + "</ClinicalDocument>", fault.TooLarge, "xml-nodes"},
		"size":              {root + strings.Repeat(" ", ccda.MaxBytes) + "</ClinicalDocument>", fault.TooLarge, "document-size"},
		"nobody":            {root + "</ClinicalDocument>", fault.Rule, "required"},
		"two people":        {strings.Replace(string(sample(t, "minimal")), "</recordTarget>", "</recordTarget><recordTarget><patientRole><id root=\"SECRET\"/></patientRole></recordTarget>", 1), fault.Rule, "ccda-one-patient"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ccda.Convert([]byte(tc.raw), ccda.Options{})
			f := fault.From(err)
			if f == nil || f.Kind != tc.kind || len(f.Issues) != 1 || f.Issues[0].Rule != tc.rule || f.Issues[0].Fix == "" {
				t.Fatalf("%+v", f)
			}
			if said := f.Detail + f.Issues[0].Path + f.Issues[0].Detail + f.Issues[0].Fix; strings.Contains(said, "SECRET") || strings.Contains(said, "passwd") {
				t.Errorf("repeats the document: %s", said)
			}
		})
	}
}

// TestEncodings: the same document in each encoding gives the same resources.
func TestEncodings(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(sample(t, "minimal")), "Ben", "Bén", 1)
	names := func(raw []byte) string {
		patient := entries(t, convert(t, raw, ccda.Options{}).Bundle)["Patient"][0]
		return fmt.Sprint(patient["id"], patient["name"])
	}
	want := names([]byte(text))
	if !strings.Contains(want, "Bén") {
		t.Fatal(want)
	}
	encoded := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	header := func(name string) string { return `<?xml version="1.0" encoding="` + name + `"?>` + "\n" }
	for name, raw := range map[string][]byte{
		"byte order mark": []byte("\xef\xbb\xbf" + header("utf-8") + text),
		"UTF-16LE":        encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(header("UTF-16") + text))),
		"UTF-16BE, no mark": encoded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes(
			[]byte(header("UTF-16") + text))),
		"ISO-8859-1":   encoded(charmap.ISO8859_1.NewEncoder().Bytes([]byte(header("ISO-8859-1") + text))),
		"Windows-1252": encoded(charmap.Windows1252.NewEncoder().Bytes([]byte(strings.ReplaceAll(header("windows-1252"), `"`, `'`) + text))),
	} {
		if got := names(raw); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// pathForm is all that an issue may show: names of CDA and numbers.
var pathForm = regexp.MustCompile(`^(/(sdtc:)?([A-Za-z]+|\*)(\[\d+\])?)+$`)

// TestNoValueLeaves puts a word in every text and every free attribute of the documents: it
// is in no issue.
func TestNoValueLeaves(t *testing.T) {
	t.Parallel()
	text := regexp.MustCompile(`>([^<>]*\S[^<>]*)<`)
	value := regexp.MustCompile(`(extension|displayName|value|root|code|codeSystem|unit|ID)="[^"]*"`)
	for _, name := range []string{"ccd", "negated", "nulls", "discharge"} {
		raw := sample(t, name)
		for _, mutated := range [][]byte{
			text.ReplaceAll(raw, []byte(">MARKER$1<")), value.ReplaceAll(raw, []byte(`$1="MARKER"`)),
			bytes.ReplaceAll(raw, []byte("</section>"), []byte("<MARKER value=\"MARKER\">MARKER</MARKER></section>")),
		} {
			result, err := ccda.Convert(mutated, ccda.Options{})
			issues := append(result.Issues, issuesOf(err)...)
			if len(issues) == 0 {
				t.Errorf("%s: no issue", name)
			}
			for _, i := range issues {
				if strings.Contains(fmt.Sprint(i), "MARKER") || !pathForm.MatchString(i.Path) {
					t.Errorf("%s: %+v", name, i)
				}
			}
		}
	}
}

func issuesOf(err error) []fault.Issue {
	if err == nil {
		return nil
	}
	return fault.From(err).Issues
}
