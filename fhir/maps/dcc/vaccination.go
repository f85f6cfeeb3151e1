package dcc

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Vaccination writes a vaccination certificate (group v). It expects a validated core data
// set. Issues with errors mean that the event has no certificate in this format; the
// certificate is then empty.
func Vaccination(core fhir.CoreDataSet, c Context) (dcc.Certificate, []fault.Issue) {
	w := writer{c: c}
	if core.Vaccination == nil {
		return w.noEvent("vaccination")
	}
	v := *core.Vaccination
	product := w.product(v)
	entry := dcc.Vaccination{
		Disease: w.vaccinationDisease(v.Disease),
		Product: product,
		Date:    w.day(pathVaccination+".date", v.Date),
		Country: w.country(pathVaccination+".country", v.Country),
		Issuer:  c.Issuer,
		UVCI:    c.UVCI,
	}
	entry.Dose, entry.TotalDoses = w.doses(v, product)
	if product != "" {
		entry.Holder = w.holder(v, product)
		entry.Prophylaxis = w.prophylaxis(v.Vaccine, product)
	}
	return w.finish(core, dcc.Certificate{Vaccinations: []dcc.Vaccination{entry}})
}

func (w *writer) vaccinationDisease(c fhir.Coding) string {
	if c.IsZero() {
		return diseaseCOVID19
	}
	return w.disease(pathVaccination+".disease", c)
}

func (w *writer) disease(path string, c fhir.Coding) string {
	return w.translate(path, c, terminology.SystemSNOMED,
		terminology.Context{Use: terminology.Disease, Within: terminology.ValueSetEUDisease})
}

func (w *writer) product(v fhir.Vaccination) string {
	return w.translate(pathVaccination+".brand", v.Brand, terminology.SystemEURegister, terminology.Context{
		Use: terminology.VaccineProduct, Within: terminology.ValueSetEUProduct, Holder: euHolder(v.MAHolder, v.Manufacturer),
	})
}

// holder gives the one holder the EU names for a product.
func (w *writer) holder(v fhir.Vaccination, product string) string {
	path := pathVaccination + ".maholder"
	code := w.translate(path, fhir.Coding{System: terminology.SystemEURegister, Code: product}, terminology.SystemEUHolder,
		terminology.Context{Use: terminology.VaccineHolder, Within: terminology.ValueSetEUHolder})
	if said := euHolder(v.MAHolder, v.Manufacturer); said.Code != "" && code != "" && said.Code != code {
		w.fail(path, RuleContradiction, "The holder is not the one the EU names for the product.",
			"Correct the brand or the holder; the EU's encoding instructions list the pairs.")
	}
	return code
}

// prophylaxis chooses the vp that means the vaccine among those the EU allows for the
// product. The EU has no kind but the general one for some products.
func (w *writer) prophylaxis(vaccine fhir.Coding, product string) string {
	path := pathVaccination + ".vaccine"
	if vaccine.Code == "" {
		w.fail(path, RuleRequired, "The format needs the element as a code.", "Supply code and system.")
		return ""
	}
	kind, err := kindOf(concept(vaccine))
	if err != nil {
		detail, fix := explain(err)
		w.fail(path, RuleUntranslatable, detail, fix)
		return ""
	}
	allowed := terminology.Translate(terminology.MapProductToProphylaxis, terminology.SystemEURegister, product)
	for _, a := range allowed {
		if k, err := kindOf(a.Concept); err == nil && k == kind {
			return a.Code
		}
	}
	if len(allowed) != 1 {
		w.fail(path, RuleContradiction, "The vaccine is of another kind than the brand, by the EU's encoding instructions.",
			"Correct the vaccine or the brand.")
		return ""
	}
	return allowed[0].Code
}

// kindOf gives the ICD-11 type of a vaccine or product.
func kindOf(c terminology.Concept) (terminology.Concept, error) {
	kind, err := terminology.Resolve(c, terminology.SystemICD11,
		terminology.Context{Use: terminology.VaccineType, Within: terminology.ValueSetVaccines})
	return kind, err
}

// doses gives dn and sd. A series of unknown length is known after all for a single dose
// of a product that needs no second.
func (w *writer) doses(v fhir.Vaccination, product string) (dose, total int) {
	dose, total = v.Dose, v.TotalDoses
	if dose < 1 || dose > maxDoses || total > maxDoses {
		w.fail(pathVaccination+".dose", RuleDoses, "A dose number is out of range.", "Send whole numbers from 1 to "+strconv.Itoa(maxDoses)+".")
		return 0, 0
	}
	if single, _ := terminology.InValueSet(terminology.ValueSetSingleDose, terminology.SystemEURegister, product); total == 0 && dose == 1 && single {
		return 1, 1
	}
	if total < 1 && product != "" {
		w.fail(pathVaccination+".totalDoses", RuleDoses, "The format needs the number of doses in the series.", "Supply totalDoses.")
	}
	return dose, total
}
