package icvp

import (
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Context is what the card states beside the event.
type Context struct {
	Issuer string // is: the authority or the administering centre
}

// Rules of the issues.
const (
	RuleProduct       = "icvp-product"       // no product of WHO's list
	RuleContradiction = "icvp-contradiction" // two elements cannot both be true
	RulePrecision     = "icvp-precision"     // a date that the card needs to the day
	RuleRequired      = "icvp-required"
	RuleEvent         = "icvp-event" // not a vaccination
)

const (
	pathRoot        = "DDCCCoreDataSet"
	pathVaccination = pathRoot + ".vaccination"

	codeYellowFever = "XM0N24" // ICD-11, yellow fever vaccines
	yellowFeverDays = 10       // until the vaccination is valid (IHR Annex 7)

	systemDocument = "http://terminology.hl7.org/CodeSystem/v2-0203#" // with a code of HL7 table 0203
	systemPassport = "http://hl7.org/fhir/sid/passport-"              //nolint:gosec // G101: a URI, followed by the state in alpha-3
	kindPassport   = "PPN"
)

// documentKinds are the codes of HL7 table 0203 for travel and national documents.
var documentKinds = []string{kindPassport, "NI", "CZ", "DL"}

// writer builds one card and collects everything that keeps it from being one.
type writer struct {
	issues []fault.Issue
}

func (w *writer) fail(path, rule, detail, fix string) {
	w.issues = append(w.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// FromCore writes a card. It expects a validated core data set. Issues with errors mean
// that the event has no card; the card is then empty.
func FromCore(core fhir.CoreDataSet, c Context) (icvp.Card, []fault.Issue) {
	var w writer
	if core.Vaccination == nil {
		w.fail(pathRoot, RuleEvent, "The event is no vaccination.", "Ask for this format with a vaccination.")
		return icvp.Card{}, w.issues
	}
	v := *core.Vaccination
	card := icvp.Card{
		Name:      w.required(pathRoot+".name", core.Name),
		BirthDate: w.day(pathRoot+".birthDate", core.BirthDate),
		Sex:       core.Sex,
		Vaccination: icvp.Vaccination{
			Product: w.product(v),
			Date:    w.day(pathVaccination+".date", v.Date),
			Batch:   w.required(pathVaccination+".lot", v.Lot),
			Issuer:  w.required(pathRoot+".certificate.issuer", c.Issuer),
		},
	}
	card.DocumentID, card.DocumentKey = document(core.Identifier)
	card.Vaccination.ValidFrom = w.validFrom(v.ValidFrom, card.Vaccination)
	if len(w.issues) > 0 {
		return icvp.Card{}, w.issues
	}
	return card, nil
}

func (w *writer) required(path, s string) string {
	if strings.TrimSpace(s) == "" {
		w.fail(path, RuleRequired, "The card needs the element and it is missing.", "Supply it.")
	}
	return s
}

// day gives the calendar day as it is written.
func (w *writer) day(path, s string) string {
	d, ok := fhir.ParseDateTime(s)
	if !ok || d.Precision < fhir.Day {
		w.fail(path, RulePrecision, "The date is not known to the day.", "Send YYYY-MM-DD.")
		return ""
	}
	return s[:len(time.DateOnly)]
}

// product takes the id of WHO's list from the brand or the vaccine.
func (w *writer) product(v fhir.Vaccination) string {
	brand, vaccine := prequalified(v.Brand), prequalified(v.Vaccine)
	path, code := pathVaccination+".brand", brand
	if brand == "" {
		code = vaccine
	}
	listed, _ := terminology.InValueSet(terminology.ValueSetICVPProducts, terminology.SystemPrequalified, code)
	switch {
	case code == "":
		w.fail(path, RuleProduct, "The card names the product by its id in WHO's list of prequalified vaccines, and there is none.",
			"Send the id as code of the brand, with system "+terminology.SystemPrequalified+".")
	case !listed:
		w.fail(path, RuleProduct, "The product id is not in WHO's value set for this card.", "Send an id of the value set ICVPProductIds (smart-icvp 0.3.0).")
	case brand != "" && vaccine != "" && brand != vaccine, contradicts(v.Vaccine, code):
		w.fail(pathVaccination+".vaccine", RuleContradiction, "The vaccine is another than the product.", "Correct the vaccine or the brand.")
	default:
		return code
	}
	return ""
}

func prequalified(c fhir.Coding) string {
	if system, ok := terminology.CanonicalSystem(c.System); ok && system == terminology.SystemPrequalified {
		return c.Code
	}
	return ""
}

// contradicts reports a vaccine whose kind is known and another than the product's. The
// kinds of combination vaccines are not.
func contradicts(vaccine fhir.Coding, product string) bool {
	kind, ok := kindOf(product)
	if !ok {
		return false
	}
	said, err := terminology.Resolve(terminology.Concept{System: vaccine.System, Code: vaccine.Code}, terminology.SystemICD11,
		terminology.Context{Use: terminology.VaccineType})
	return err == nil && said.Code != kind.Code
}

// kindOf gives the ICD-11 vaccine of a product.
func kindOf(product string) (terminology.Concept, bool) {
	kind, err := terminology.Resolve(terminology.Concept{System: terminology.SystemPrequalified, Code: product}, terminology.SystemICD11,
		terminology.Context{Use: terminology.VaccineType})
	return kind, err == nil
}

// validFrom is the tenth day for yellow fever, else what the event says.
func (w *writer) validFrom(said string, v icvp.Vaccination) string {
	path := pathVaccination + ".validFrom"
	if said != "" {
		said = w.day(path, said)
	}
	kind, ok := kindOf(v.Product)
	given, err := time.Parse(time.DateOnly, v.Date)
	if !ok || kind.Code != codeYellowFever || err != nil {
		return said
	}
	start := given.AddDate(0, 0, yellowFeverDays).Format(time.DateOnly)
	if said != "" && said != start {
		w.fail(path, RuleContradiction, "A yellow fever vaccination is valid from the tenth day on, which the element does not say.",
			"Leave it out, or correct it or the date of the vaccination.")
	}
	return start
}

// document gives number and kind of a travel or national document.
func document(id *fhir.Identifier) (number, kind string) {
	if id == nil {
		return "", ""
	}
	if strings.HasPrefix(id.System, systemPassport) {
		return id.Value, kindPassport
	}
	kind, ok := strings.CutPrefix(id.System, systemDocument)
	if !ok || !slices.Contains(documentKinds, kind) {
		return "", ""
	}
	return id.Value, kind
}
