package lint

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/formats/shc"
)

// statedCard is the whole payload of a card: the claims that are the service's and the
// credential as the framework lays it out.
func (in Input) statedCard() map[string]any {
	c := in.Claims.SHC
	kind := shc.TypeLaboratory
	if len(c.Immunizations) > 0 {
		kind = shc.TypeImmunization
	}
	types := []any{shc.TypeHealthCard, kind}
	if c.COVID19 {
		types = append(types, shc.TypeCOVID19)
	}
	vc := tree{
		"type": types,
		"credentialSubject": map[string]any{
			"fhirVersion": "4.0.1",
			"fhirBundle":  map[string]any{"resourceType": "Bundle", "type": "collection", "entry": statedEntries(*c)},
		},
	}
	vc.text("rid", c.RevocationID)
	return tree{"iss": in.issuerURL(), "nbf": in.Now.Unix(), "exp": in.ExpiresAt.Unix(), "vc": map[string]any(vc)}
}

// issuerURL is the one URI in the certificate of a card's signer.
func (in Input) issuerURL() string {
	if len(in.DSC.URIs) != 1 {
		return ""
	}
	return in.DSC.URIs[0].String()
}

func statedEntries(c shc.Card) []any {
	resources := []tree{statedPatient(c.Patient)}
	for _, i := range c.Immunizations {
		resources = append(resources, statedImmunization(i))
	}
	for _, o := range c.Observations {
		resources = append(resources, statedObservation(o))
	}
	entries := make([]any, len(resources))
	for i, r := range resources {
		entries[i] = map[string]any{"fullUrl": "resource:" + strconv.Itoa(i), "resource": map[string]any(r)}
	}
	return entries
}

func statedPatient(p shc.Patient) tree {
	name := tree{}
	name.text("family", p.Family)
	name.text("text", p.Text)
	if len(p.Given) > 0 {
		given := make([]any, len(p.Given))
		for i, one := range p.Given {
			given[i] = one
		}
		name["given"] = given
	}
	t := tree{"resourceType": "Patient", "birthDate": p.BirthDate}
	t.list("name", 1, func(int) tree { return name })
	return t
}

func statedImmunization(i shc.Immunization) tree {
	t := tree{
		"resourceType": "Immunization", "status": "completed", "vaccineCode": statedConcept(i.Vaccine),
		"patient": map[string]any{"reference": "resource:0"}, "occurrenceDateTime": i.Date,
	}
	t.text("lotNumber", i.Lot)
	if i.Performer != "" {
		t["performer"] = []any{map[string]any{"actor": map[string]any{"display": i.Performer}}}
	}
	if m := i.Manufacturer; m != nil {
		t["manufacturer"] = map[string]any{"identifier": map[string]any{"system": m.System, "value": m.Code}}
	}
	return t
}

func statedObservation(o shc.Observation) tree {
	t := tree{
		"resourceType": "Observation", "status": "final", "code": statedConcept(o.Code),
		"subject": map[string]any{"reference": "resource:0"}, "effectiveDateTime": o.Date, "valueCodeableConcept": statedConcept(o.Value),
	}
	if o.Performer != "" {
		t["performer"] = []any{map[string]any{"display": o.Performer}}
	}
	return t
}

func statedConcept(c shc.Coding) map[string]any {
	return map[string]any{"coding": []any{map[string]any{"system": c.System, "code": c.Code}}}
}
