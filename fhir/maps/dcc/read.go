package dcc

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const root = "dcc"

// groups in the order of the schema, each with what reads an entry.
var groups = []struct {
	name string
	read func(*fhir.CoreDataSet, *element.Element)
}{
	{"v", readVaccination},
	{"t", readTest},
	{"r", readRecovery},
}

// Read gives one reading for each entry of the groups v, t and r. Content is the
// certificate, the value of sub-claim 1. There is always a reading: a certificate without
// an event has one that says so.
//
// The period is that of the certificate (CWT claims 6 and 4). The transliterated names are
// kept only where the names as written are missing.
func Read(s maps.Source) []maps.Reading {
	tree, ok := foreign.Tree(s.Content)
	if !ok {
		return foreign.TooMany(root)
	}
	var out []maps.Reading
	for _, g := range groups {
		for i := range element.Root(root, tree, new(element.Log)).Child(g.name).List() {
			if len(out) == foreign.MaxEvents {
				return foreign.TooMany(root)
			}
			out = append(out, readEntry(s, tree, g.name, i, g.read))
		}
	}
	if len(out) == 0 {
		return foreign.NoEvent(root)
	}
	return out
}

// readEntry reads one entry, with issues of its own.
func readEntry(s maps.Source, tree *jsontree.Value, group string, i int, read func(*fhir.CoreDataSet, *element.Element)) maps.Reading {
	var log element.Log
	whole := element.Root(root, tree, &log)
	entry := whole.Child(group).List()[i]
	if !entry.Object() {
		entry.Report(foreign.RuleEvents, "The entry holds no event.", "Send a certificate of a vaccination, a test or a recovery.")
	}
	core := fhir.CoreDataSet{
		Name:      readName(whole.Child("nam")),
		BirthDate: readBirthDate(whole.Child("dob")),
		Certificate: fhir.Certificate{
			Issuer:  fhir.Identifier{Value: foreign.Text(entry.Child("is"), fhir.LimitIdentifier)},
			HCID:    foreign.Identifier(entry.Child("ci")),
			Version: foreign.Identifier(whole.Child("ver")),
			Period:  fhir.Period{Start: foreign.Instant(s.IssuedAt), End: foreign.Instant(s.ExpiresAt)},
		},
	}
	read(&core, entry)
	foreign.Model(&core)
	return maps.Reading{Core: core, Issues: log.Issues}
}

// readName joins given names and family name, as written or else transliterated.
func readName(nam *element.Element) string {
	parts := make([]string, 0, 2)
	for _, names := range [][2]string{{"gn", "gnt"}, {"fn", "fnt"}} {
		part := foreign.Text(nam.Child(names[0]), fhir.LimitName)
		if part == "" {
			part = strings.Join(strings.Split(strings.Trim(foreign.Text(nam.Child(names[1]), fhir.LimitName), "<"), "<"), " ")
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// readBirthDate reads what is known of the date: an unknown month or day is left out, or
// written as 00 or XX.
func readBirthDate(e *element.Element) string {
	text, _, _ := strings.Cut(foreign.Text(e, fhir.LimitIdentifier), "T")
	for _, unknown := range []string{"-00", "-XX"} {
		text = strings.TrimSuffix(strings.TrimSuffix(text, unknown), unknown)
	}
	if _, ok := fhir.ParseDate(text); !ok && text != "" {
		e.Report(fhir.RuleDate, "The text is no date of the calendar and was left out.", "Supply the date.")
		return ""
	}
	return text
}

// readDay reads a date that some issuers write with a time of day.
func readDay(e *element.Element) string {
	text, _, _ := strings.Cut(foreign.Text(e, fhir.LimitIdentifier), "T")
	if d, ok := fhir.ParseDate(text); text != "" && (!ok || d.Precision != fhir.Day) {
		e.Report(fhir.RuleDate, "The text is no day of the calendar and was left out.", "Supply the date.")
		return ""
	}
	return text[:min(len(text), len(time.DateOnly))]
}

func readVaccination(core *fhir.CoreDataSet, e *element.Element) {
	core.Vaccination = &fhir.Vaccination{
		Vaccine:    readProphylaxis(e.Child("vp")),
		Brand:      readProduct(e.Child("mp")),
		MAHolder:   readListed(e.Child("ma"), terminology.SystemEUHolder),
		Date:       readDay(e.Child("dt")),
		Dose:       foreign.Count(e.Child("dn")),
		TotalDoses: foreign.Count(e.Child("sd")),
		Country:    foreign.Country(e.Child("co")),
		Disease:    readListed(e.Child("tg"), terminology.SystemSNOMED),
	}
}

func readTest(core *fhir.CoreDataSet, e *element.Element) {
	core.Test = &fhir.Test{
		Pathogen: readAgent(e.Child("tg")),
		Type:     translated(e.Child("tt"), terminology.SystemLOINC, terminology.MapTestTypeFromParts, terminology.MapTestTypeFromLOINC),
		Date:     foreign.DateTime(e.Child("sc")),
		Result:   translated(e.Child("tr"), terminology.SystemSNOMED, terminology.MapTestResultFromSNOMED),
		Centre:   foreign.Label(e.Child("tc")),
		Country:  foreign.Country(e.Child("co")),
	}
	if name := foreign.Identifier(e.Child("nm")); name != "" { // a FHIR code has single spaces
		core.Test.Brand = fhir.Coding{System: systemTestName, Code: strings.Join(strings.Fields(name), " ")}
	}
	if device := foreign.Identifier(e.Child("ma")); device != "" {
		core.Test.Manufacturer = fhir.Coding{System: terminology.SystemJRCDevice, Code: device}
	}
}

// readRecovery reads the positive test behind a recovery. The core data set has no other
// place for one (DDCC IG: there is no recovery model). Which kind of test it was the
// certificate does not say: since 2022 an antigen test will do.
func readRecovery(core *fhir.CoreDataSet, e *element.Element) {
	core.Test = &fhir.Test{
		Pathogen: readAgent(e.Child("tg")),
		Date:     readDay(e.Child("fr")),
		Result:   fhir.Coding{System: terminology.SystemICD11, Code: codeDetected},
		Country:  foreign.Country(e.Child("co")),
	}
	e.Note(fault.SeverityInformation, fhir.RuleNotKept, "The recovery was read as the positive test it rests on; its validity is not kept.", "Nothing to do.")
}

func readAgent(e *element.Element) fhir.Coding {
	return translated(e, terminology.SystemSNOMED, terminology.MapPathogenFromSNOMED)
}

// translated reads a code and translates it by the first of the maps that knows it.
func translated(e *element.Element, system string, mapIDs ...string) fhir.Coding {
	c, _ := foreign.Translate(e, fhir.Coding{System: system, Code: foreign.Identifier(e)}, mapIDs...)
	if c.Code == "" {
		return fhir.Coding{}
	}
	return c
}

// readListed reads a code of one system as it is, with the text the tables have for it.
func readListed(e *element.Element, system string) fhir.Coding {
	code := foreign.Identifier(e)
	if code == "" {
		return fhir.Coding{}
	}
	if !terminology.Known(system, code) {
		foreign.Untranslated(e, "It stays as it was")
	}
	display, _ := terminology.Display(system, code)
	return fhir.Coding{System: system, Code: code, Display: display}
}

// readProphylaxis reads vp: SNOMED CT, or ATC on certificates of 2021.
func readProphylaxis(e *element.Element) fhir.Coding {
	if terminology.Known(terminology.SystemATC, foreign.Identifier(e)) {
		return readListed(e, terminology.SystemATC)
	}
	return readListed(e, terminology.SystemSNOMED)
}

// readProduct reads mp as the ICD-11 brand, where that is the brand of no other product.
func readProduct(e *element.Element) fhir.Coding {
	c := readListed(e, terminology.SystemEURegister)
	for _, brand := range terminology.Translate(terminology.MapBrandFromEU, c.System, c.Code) {
		back, err := terminology.Resolve(brand.Concept, terminology.SystemEURegister,
			terminology.Context{Use: terminology.VaccineProduct, Within: terminology.ValueSetEUProduct})
		if err == nil && back.Code == c.Code {
			return fhir.Coding{System: brand.System, Code: brand.Code, Display: brand.Display}
		}
	}
	return c
}
