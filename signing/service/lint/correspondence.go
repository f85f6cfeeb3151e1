package lint

import (
	"reflect"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var correspondence = Lint{
	ID:     "correspondence",
	For:    every,
	Source: "the signed content says what the intent says, element by element",
	Blame:  fault.Internal,
	Check:  checkCorrespondence,
}

// checkCorrespondence compares the stated claims, written out by hand and not with the
// encoder, with what the reader decoded.
func checkCorrespondence(in Input) []Finding {
	var found []Finding
	walk("", in.want, func(path string, v any) {
		if !sameLeaf(v, at(in.content, path)) {
			found = append(found, Finding{Path: path, Detail: "The signed value differs from the stated one."})
		}
	})
	return found
}

// sameLeaf compares leaves, whatever type of number the format has.
func sameLeaf(want, got any) bool { return reflect.DeepEqual(want, whole(got)) }

func statedDDCC(c hcert.DDCC) map[string]any {
	certificate := tree{}
	certificate.coding("issuer", &c.Certificate.Issuer)
	certificate.must("hcid", c.Certificate.HCID)
	certificate.text("ddccid", c.Certificate.DDCCID)
	certificate.must("version", c.Certificate.Version)
	if p := c.Certificate.Period; p != nil {
		period := tree{}
		period.text("start", p.Start)
		period.text("end", p.End)
		certificate["period"] = map[string]any(period)
	}
	root := tree{"certificate": map[string]any(certificate)}
	root.must("name", c.Name)
	root.text("birthDate", c.BirthDate)
	if c.Vaccination != nil {
		root["vaccination"] = statedVaccination(*c.Vaccination)
	}
	if c.Test != nil {
		root["test"] = statedTest(*c.Test)
	}
	return root
}

func statedVaccination(v hcert.DDCCVaccination) map[string]any {
	t := tree{}
	t.coding("vaccine", &v.Vaccine)
	t.coding("brand", &v.Brand)
	t.coding("manufacturer", v.Manufacturer)
	t.coding("maholder", v.MAHolder)
	t.coding("country", &v.Country)
	t.coding("disease", v.Disease)
	t.must("lot", v.Lot)
	t.must("date", v.Date)
	t.text("validFrom", v.ValidFrom)
	t.text("centre", v.Centre)
	t["dose"] = int64(v.Dose)
	t.number("totalDoses", v.TotalDoses)
	return t
}

func statedTest(v hcert.DDCCTest) map[string]any {
	t := tree{}
	t.coding("pathogen", &v.Pathogen)
	t.coding("type", &v.Type)
	t.coding("brand", v.Brand)
	t.coding("manufacturer", v.Manufacturer)
	t.coding("origin", v.Origin)
	t.coding("result", &v.Result)
	t.coding("centre", v.Centre)
	t.coding("country", &v.Country)
	t.must("date", v.Date)
	return t
}

type tree map[string]any

// must states an element that the encoder writes even when it is empty; the rule about
// required elements says what to do then.
func (t tree) must(key, value string) { t[key] = value }

func (t tree) text(key, value string) {
	if value != "" {
		t[key] = value
	}
}

func (t tree) number(key string, value int) {
	if value != 0 {
		t[key] = int64(value)
	}
}

func (t tree) list(key string, n int, element func(i int) tree) {
	if n == 0 {
		return
	}
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any(element(i))
	}
	t[key] = list
}

func (t tree) coding(key string, c *hcert.Coding) {
	if c == nil {
		return
	}
	m := tree{}
	m.must("code", c.Code)
	m.text("system", c.System)
	t[key] = map[string]any(m)
}
